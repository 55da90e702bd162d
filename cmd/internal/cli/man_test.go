package cli

import (
	"bytes"
	"os/exec"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

func TestMan(t *testing.T) {
	var b, again bytes.Buffer
	root := newRoot()
	if err := writeMan(&b, root); err != nil {
		t.Fatal(err)
	}
	if err := writeMan(&again, newRoot()); err != nil || again.String() != b.String() {
		t.Errorf("two runs give two pages (%v)", err)
	}
	page := strings.ReplaceAll(b.String(), `\-`, "-")
	for _, c := range append(manCommands(root), root) {
		if !strings.Contains(page, useLine(c)+"\n") {
			t.Errorf("the page has no %q", useLine(c))
		}
		c.NonInheritedFlags().VisitAll(func(f *pflag.Flag) {
			if f.Name != "help" && !f.Hidden && !strings.Contains(page, "--"+f.Name) {
				t.Errorf("%s: the page has no --%s", c.Name(), f.Name)
			}
		})
	}
	if _, err := exec.LookPath("groff"); err != nil {
		t.Skip("SKIPPED, NOT TESTED: no groff on PATH: nothing says whether the manual page is good roff")
	}
	cmd := exec.Command("groff", "-man", "-ww", "-Kutf8", "-Tutf8", "-P-cbou")
	cmd.Stdin = bytes.NewReader(b.Bytes())
	var out, warnings bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &warnings
	if err := cmd.Run(); err != nil || warnings.Len() > 0 {
		t.Errorf("groff: %v\n%s", err, warnings.String())
	}
	for _, want := range []string{"EXIT STATUS", ".instep.yaml", "--fail-on"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("groff's page has no %q", want)
		}
	}
}

func TestRoff(t *testing.T) {
	for in, want := range map[string]string{
		".SH breaks out":   `\&.SH breaks out`,
		"'tis":             `\&'tis`,
		`a\fBb`:            `a\efBb`,
		"--order a\n.SH b": `\-\-order a .SH b`,
	} {
		if got := roff(in); got != want {
			t.Errorf("roff(%q) = %q, want %q", in, got, want)
		}
	}
}
