package report

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"instep/analyzer"
)

// GitHub prints workflow commands, which GitHub Actions shows at the lines of a pull request (documentation: Workflow commands
// for GitHub Actions). GitHub shows at most ten errors, ten warnings and ten notices of one step, so what counts comes first.
var GitHub = &Format{
	Name:  "github",
	Doc:   "annotations of a GitHub Actions workflow",
	Write: writeGitHub,
}

// maxEvidenceShown bounds the lines of code that are shown for one remark, where each is a remark of its own.
const maxEvidenceShown = 3

func writeGitHub(w io.Writer, d *Document) error {
	answer := d.answer()
	d = d.judged()
	var b bytes.Buffer
	command := "notice"
	switch d.Verdict {
	case analyzer.Split:
		command = "error"
	case analyzer.Unproven:
		command = "warning"
	}
	if !d.Brief {
		for _, line := range d.deployments() {
			answer += "\n" + Clean(line)
		}
	}
	fmt.Fprintf(&b, "::%s title=%s::%s\n", command, ghProperty("instep "+ref(d.Deployed)+" → "+ref(d.Target)), ghData(answer))
	if !d.Brief {
		remarks := d.remarks()
		for level, command := range []string{blocks: "error", matters: "warning", informs: "notice"} {
			for _, m := range remarks {
				if m.level != remarkLevel(level) || m.ignored != "" || m.level == informs && len(m.evidence) == 0 {
					continue
				}
				ghLine(&b, command, m.pos.File, m.pos.Line, m.pos.Col, "instep: "+m.title, m.text+"\n"+Clean(m.fix)+"\n"+m.rule)
				for _, e := range m.evidence[:min(len(m.evidence), maxEvidenceShown)] {
					ghLine(&b, "notice", e.File, e.Line, 0, "instep: "+m.title, m.evidenceText(e))
				}
			}
		}
	}
	_, err := w.Write(b.Bytes())
	return err
}

func ghLine(b *bytes.Buffer, command, file string, line, col int, title, text string) {
	fmt.Fprintf(b, "::%s ", command)
	if file != "" {
		fmt.Fprintf(b, "file=%s,", ghProperty(Clean(file)))
		if line > 0 {
			fmt.Fprintf(b, "line=%d,", line)
		}
		if col > 0 {
			fmt.Fprintf(b, "col=%d,", col)
		}
	}
	fmt.Fprintf(b, "title=%s::%s\n", ghProperty(Clean(title)), ghData(text))
}

// ghData and ghProperty escape as the actions toolkit does, so that a stranger's text ends neither the line nor the property
// and begins no command of its own.
var (
	ghDataEscape     = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	ghPropertyEscape = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
)

func ghData(s string) string     { return ghDataEscape.Replace(s) }
func ghProperty(s string) string { return ghPropertyEscape.Replace(s) }
