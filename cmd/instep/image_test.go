package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"instep/simulate/servertest"
)

// TestImage builds the last stage of the Dockerfile as it stands, around a program built here, and runs it on a repository that belongs to
// somebody else. The first stage, which compiles in an image with Go, is not run: no such image is to be had without a registry.
func TestImage(t *testing.T) {
	programs(t, "git")
	if err := exec.Command("docker", "info").Run(); err != nil {
		if servertest.Required("docker") {
			t.Fatal("docker info:", err)
		}
		t.Skip("SKIPPED, NOT TESTED: no Docker: the image")
	}
	src, err := os.ReadFile(filepath.Join("..", "..", "Dockerfile"))
	if err != nil {
		t.Fatal(err)
	}
	stages := strings.Split(string(src), "\nFROM ")
	last := stages[len(stages)-1]
	if len(stages) != 3 || !strings.HasPrefix(last, "scratch\n") {
		t.Fatal("the Dockerfile has other stages than this test knows")
	}
	files := regexp.MustCompile(`--from=build /out/(\S+)`).FindAllStringSubmatch(last, -1)
	for _, f := range files {
		if !strings.Contains(stages[1], f[1]) {
			t.Errorf("the first stage does not make /out/%s", f[1])
		}
	}

	// The test's own program would do, but it is larger and may need a C library.
	dir := t.TempDir()
	build := exec.Command("go", "build", "-o", filepath.Join(dir, "out", "instep"), ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	write(t, filepath.Join(dir, "out", "ca-certificates.crt"), "no certificate\n")
	write(t, filepath.Join(dir, "out", "tmp", ".keep"), "")
	if err := os.Chmod(filepath.Join(dir, "out", "tmp"), 0o1777|os.ModeSticky); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "Dockerfile"), "FROM scratch AS build\nCOPY out /out\n\nFROM "+last)
	image := "instep-test/instep:image-test"
	docker := func(want int, args ...string) string {
		t.Helper()
		cmd := exec.Command("docker", args...)
		cmd.Env = append(os.Environ(), "DOCKER_BUILDKIT=0") // BuildKit may not be there, and then nothing is built
		out, _ := cmd.CombinedOutput()
		if code := cmd.ProcessState.ExitCode(); code != want {
			t.Fatalf("docker %s exits with %d, not %d\n%s", strings.Join(args, " "), code, want, out)
		}
		return string(out)
	}
	docker(0, "build", "-q", "-t", image, dir)
	t.Cleanup(func() { exec.Command("docker", "image", "rm", "-f", image).Run() })
	run := append([]string{"run", "--rm", "--network=none", "--read-only", "--cap-drop=ALL"}, "-v", demoRepo(t)+":/repo:ro", image)

	if got := docker(0, append(run, "v1.0", "v1.1")...); !strings.HasPrefix(got, "Deploy admin first, then app") {
		t.Errorf("as somebody whom the repository does not belong to:\n%s", got)
	}
	if got := docker(0, "image", "inspect", "-f", "{{.Config.User}} {{.Config.Healthcheck}}", image); !strings.HasPrefix(got, "65532:65532 ") {
		t.Errorf("user and health check: %s", got)
	}
	docker(2, append(run, "no-such-ref")...)
	if got := docker(0, append(run, "--help")...); !strings.Contains(got, "instep DEPLOYED [TARGET]") {
		t.Errorf("help:\n%s", got)
	}
	// As somebody else still, and to the files as they are.
	other := append([]string{"run", "--rm", "--network=none", "--user=12345:54321"}, run[5:]...)
	docker(0, append(other, "v1.2", "--worktree")...)
}

// TestDockerIgnore: what the build stage compiles gets into the image's context, and the rest of the repository does not.
func TestDockerIgnore(t *testing.T) {
	src, err := os.ReadFile(filepath.Join("..", "..", ".dockerignore"))
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("go", "list", "-deps", "-f", `{{with .Module}}{{if .Main}}{{$.Dir}}{{end}}{{end}}`, ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	for dir := range strings.Lines(string(out)) {
		rel, err := filepath.Rel(root, strings.TrimSpace(dir))
		if err != nil {
			t.Fatal(err)
		}
		first, _, _ := strings.Cut(filepath.ToSlash(rel), "/")
		if !strings.Contains(string(src), "\n!"+first+"\n") {
			t.Errorf(".dockerignore keeps %s from the build", rel)
		}
	}
	for _, keep := range []string{"!go.mod\n", "!go.sum\n", "\n*\n"} {
		if !strings.Contains(string(src), keep) {
			t.Errorf(".dockerignore has no line %q", keep)
		}
	}
}
