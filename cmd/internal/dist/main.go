// Command dist builds what is released: an archive for each system, a bill of materials for each, and checksums. The same sources and
// the same Go give the same bytes, in whichever folder, on whichever machine and day: make dist.
package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
)

// targets are what is released.
const targets = "linux/amd64,linux/arm64,darwin/amd64,darwin/arm64,windows/amd64,windows/arm64"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	d := dist{pkg: "./cmd/instep", binary: "instep"}
	list := flag.String("targets", targets, "what to build, as GOOS/GOARCH")
	flag.StringVar(&d.root, "C", ".", "the root of the module")
	flag.StringVar(&d.out, "o", "dist", "where the archives go; the folder is replaced")
	flag.StringVar(&d.version, "version", "", "the version, part of all names")
	verify := flag.Bool("verify", false, "build again from a copy of the sources, with an empty build cache, and compare with the folder of -o")
	flag.Parse()
	d.targets = strings.Split(*list, ",")
	run := d.build
	if *verify {
		run = d.verify
	}
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "dist:", err)
		os.Exit(1)
	}
}

// A dist is one release.
type dist struct {
	root, out, version string
	targets            []string
	pkg, binary        string // the main package, and what its program is called
	cache              string // the build cache, "" for the usual one
}

// versionForm is what may stand in a file's name and in -ldflags.
var versionForm = regexp.MustCompile(`^[0-9A-Za-z][0-9A-Za-z._+-]*$`)

func (d dist) build(ctx context.Context) error {
	if !versionForm.MatchString(d.version) {
		return fmt.Errorf("-version %q: letters, digits, and . _ + - are allowed", d.version)
	}
	tmp, err := os.MkdirTemp("", "instep-dist-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	common, err := d.documents(ctx, tmp)
	if err != nil {
		return err
	}
	if err := replaceable(d.out); err != nil {
		return err
	}
	if err := os.RemoveAll(d.out); err != nil {
		return err
	}
	if err := os.MkdirAll(d.out, 0o777); err != nil {
		return err
	}
	for _, target := range d.targets {
		goos, goarch, ok := strings.Cut(target, "/")
		if !ok || !versionForm.MatchString(goos) || !versionForm.MatchString(goarch) {
			return fmt.Errorf("-targets: %q is not GOOS/GOARCH", target)
		}
		program := filepath.Join(tmp, goos+"_"+goarch)
		if err := d.compile(ctx, goos, goarch, program); err != nil {
			return err
		}
		binary, err := os.ReadFile(program)
		if err != nil {
			return err
		}
		bom, err := materials(binary, d.binary, d.version, goos, goarch)
		if err != nil {
			return fmt.Errorf("%s: %w", target, err)
		}
		notices, err := d.notices(ctx, goos, goarch)
		if err != nil {
			return fmt.Errorf("%s: %w", target, err)
		}
		name := fmt.Sprintf("%s_%s_%s_%s", d.binary, strings.TrimPrefix(d.version, "v"), goos, goarch)
		files := append([]file{{"THIRD_PARTY_NOTICES", 0o644, notices}}, common...)
		archive, suffix := tarGz, ".tar.gz"
		if goos == "windows" {
			archive, suffix = zipped, ".zip"
			files = append(files, file{d.binary + ".exe", 0o755, binary})
		} else {
			files = append(files, file{d.binary, 0o755, binary})
		}
		data, err := archive(name, files)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(d.out, name+suffix), data, 0o666); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(d.out, name+".cdx.json"), bom, 0o666); err != nil {
			return err
		}
		fmt.Println(filepath.Join(d.out, name+suffix))
	}
	return checksums(d.out)
}

// replaceable refuses to remove a folder that holds anything but an older release.
func replaceable(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		name := e.Name()
		if e.IsDir() || name != "SHA256SUMS" && !strings.HasSuffix(name, ".tar.gz") && !strings.HasSuffix(name, ".zip") && !strings.HasSuffix(name, ".cdx.json") {
			return fmt.Errorf("%s holds %s, which is no part of a release: remove the folder, or give another one with -o", dir, name)
		}
	}
	return nil
}

// compile builds the program. Nothing of this machine goes into it: no paths (-trimpath), no state of the repository
// (-buildvcs=false), none of the user's settings of Go.
func (d dist) compile(ctx context.Context, goos, goarch, out string) error {
	_, err := d.tool(ctx, goos, goarch, "build", "-trimpath", "-buildvcs=false",
		"-ldflags", "-s -w -buildid= -X instep/cmd/internal/cli.buildVersion="+d.version, "-o", out, d.pkg)
	return err
}

// tool runs the go command for a system, away from the user's settings.
func (d dist) tool(ctx context.Context, goos, goarch string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = d.root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+goos, "GOARCH="+goarch, "GOAMD64=v1", "GOARM64=v8.0",
		"GOENV=off", "GOFLAGS=-mod=readonly", "GOWORK=off", "GOEXPERIMENT=", "GODEBUG=", "GOFIPS140=off")
	if d.cache != "" {
		cmd.Env = append(cmd.Env, "GOCACHE="+d.cache)
	}
	return output(cmd)
}

func output(cmd *exec.Cmd) ([]byte, error) {
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, errs.Bytes())
	}
	return out.Bytes(), nil
}

// documents gives the files that all archives have: what stands in the root, and what the program itself prints.
func (d dist) documents(ctx context.Context, tmp string) ([]file, error) {
	var files []file
	for _, name := range []string{"LICENSE", "README.md"} {
		data, err := os.ReadFile(filepath.Join(d.root, name))
		if err != nil {
			return nil, err
		}
		files = append(files, file{name, 0o644, data})
	}
	program := filepath.Join(tmp, "host.exe")
	if err := d.compile(ctx, runtime.GOOS, runtime.GOARCH, program); err != nil {
		return nil, err
	}
	for _, doc := range []struct {
		name string
		args []string
	}{
		{"man/" + d.binary + ".1", []string{"man"}},
		{"completions/" + d.binary + ".bash", []string{"completion", "bash"}},
		{"completions/_" + d.binary, []string{"completion", "zsh"}},
		{"completions/" + d.binary + ".fish", []string{"completion", "fish"}},
		{"completions/" + d.binary + ".ps1", []string{"completion", "powershell"}},
	} {
		data, err := output(exec.CommandContext(ctx, program, doc.args...))
		if err != nil {
			return nil, err
		}
		files = append(files, file{doc.name, 0o644, data})
	}
	return files, nil
}

// noticeName is what modules call the texts that have to go with their code.
var noticeName = regexp.MustCompile(`(?i)^(un)?(licen[cs]e|copying|notice|patents)([.-].*)?$`)

// notices gives the licenses of all modules that go into the program, and of Go.
func (d dist) notices(ctx context.Context, goos, goarch string) ([]byte, error) {
	list, err := d.tool(ctx, goos, goarch, "list", "-deps", "-f", "{{with .Module}}{{if not .Main}}{{.Path}}\t{{.Version}}\t{{.Dir}}{{end}}{{end}}", d.pkg)
	if err != nil {
		return nil, err
	}
	goroot, err := d.tool(ctx, goos, goarch, "env", "GOROOT")
	if err != nil {
		return nil, err
	}
	lines := strings.Split(strings.TrimSpace(string(list)), "\n")
	slices.Sort(lines)
	lines = append(slices.Compact(lines), "Go\tstandard library\t"+strings.TrimSpace(string(goroot)))
	var b bytes.Buffer
	for _, l := range lines {
		f := strings.Split(l, "\t")
		if len(f) != 3 {
			continue // a package of the standard library has no module: an empty line
		}
		entries, err := os.ReadDir(f[2])
		if err != nil {
			return nil, err
		}
		found := false
		for _, e := range entries {
			if !e.Type().IsRegular() || !noticeName.MatchString(e.Name()) {
				continue
			}
			text, err := os.ReadFile(filepath.Join(f[2], e.Name()))
			if err != nil {
				return nil, err
			}
			found = true
			fmt.Fprintf(&b, "==== %s %s: %s\n\n%s\n\n", f[0], f[1], e.Name(), bytes.TrimSpace(bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n"))))
		}
		if !found {
			return nil, fmt.Errorf("%s %s has no license file: may it be given on?", f[0], f[1])
		}
	}
	return b.Bytes(), nil
}

// checksums writes SHA256SUMS, for sha256sum -c.
func checksums(dir string) error {
	sums, err := sumsOf(dir)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	for _, s := range sums {
		fmt.Fprintf(&b, "%s  %s\n", s[1], s[0])
	}
	return os.WriteFile(filepath.Join(dir, "SHA256SUMS"), b.Bytes(), 0o666)
}

// sumsOf gives names and hashes, sorted by name.
func sumsOf(dir string) ([][2]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var sums [][2]string
	for _, e := range entries {
		if e.Name() == "SHA256SUMS" {
			continue
		}
		data, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return nil, err
		}
		sums = append(sums, [2]string{e.Name(), fmt.Sprintf("%x", sha256.Sum256(data))})
	}
	return sums, nil
}

// verify builds once more, in another folder and with an empty cache, and compares.
func (d dist) verify(ctx context.Context) error {
	was, err := sumsOf(d.out)
	if err != nil {
		return err
	}
	tmp, err := os.MkdirTemp("", "instep-verify-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	again := d
	again.root, again.out, again.cache = filepath.Join(tmp, "elsewhere"), filepath.Join(tmp, "dist"), filepath.Join(tmp, "cache")
	if err := copySources(again.root, d.root); err != nil {
		return err
	}
	if err := again.build(ctx); err != nil {
		return err
	}
	is, err := sumsOf(again.out)
	if err != nil {
		return err
	}
	if names := differing(was, is); len(names) > 0 {
		return fmt.Errorf("not reproduced: %s", strings.Join(names, ", "))
	}
	fmt.Printf("reproduced: %d files, byte for byte\n", len(is))
	return nil
}

// differing gives the names of files that only one side has, or that differ.
func differing(was, is [][2]string) []string {
	var names []string
	for _, s := range slices.Concat(was, is) {
		if !slices.Contains(was, s) || !slices.Contains(is, s) {
			names = append(names, s[0])
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// copySources copies what a build needs: all regular files but those of folders with a dot and of builds.
func copySources(to, from string) error {
	return filepath.WalkDir(from, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		if e.IsDir() {
			if name := e.Name(); rel != "." && (rel == "bin" || rel == "dist" || name == ".git" || name == "testdata") {
				return fs.SkipDir
			}
			return os.MkdirAll(filepath.Join(to, rel), 0o777)
		}
		if !e.Type().IsRegular() {
			return nil
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, rel), data, 0o666)
	})
}
