package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// versionEndpoint is an instance of a service, which reports a version.
func versionEndpoint(t *testing.T, body string) string {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/__version__" {
			http.NotFound(w, r)
			return
		}
		fmt.Fprint(w, body)
	}))
	t.Cleanup(srv.Close)
	return srv.URL + "/__version__"
}

// TestDeployedEndpoints: what services report decides from where they are checked.
func TestDeployedEndpoints(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("SKIPPED, NOT TESTED: no git on PATH")
	}
	dir := filepath.Join(t.TempDir(), "repo")
	tree := fstest.MapFS{".instep.yaml": {Data: []byte("services:\n  admin: {migrates: true}\n  app: {access: read}\n  agent: {access: none}\n")}}
	commit := map[string]string{}
	for i, sql := range []string{"CREATE TABLE users (id INT NOT NULL PRIMARY KEY, nick VARCHAR(20));", "ALTER TABLE users ADD COLUMN mail VARCHAR(20);", "ALTER TABLE users DROP COLUMN nick;"} {
		tree[fmt.Sprintf("migrations/V%d__x.sql", i+1)] = &fstest.MapFile{Data: []byte(sql)}
		tag := fmt.Sprintf("v1.%d", i+9)
		if err := CommitRelease(dir, tree, tag, false); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command("git", "-C", dir, "rev-parse", tag+"^{commit}").Output()
		if err != nil {
			t.Fatal(err)
		}
		commit[tag] = strings.TrimSpace(string(out))
	}
	at9 := versionEndpoint(t, `{"version": "v1.9", "commit": "`+commit["v1.9"]+`", "source": "x", "build": "y"}`)
	at10 := versionEndpoint(t, `{"version": "1.10", "commit": "`+commit["v1.10"][:12]+`"}`)
	unnamed := versionEndpoint(t, `{"version": "nightly", "commit": "`+strings.ToUpper(commit["v1.10"])+`"}`)
	moved := versionEndpoint(t, `{"version": "1.9", "commit": "`+commit["v1.10"]+`"}`) // the tag is another commit
	gone := versionEndpoint(t, `{"version": "1.8", "commit": "1234567812345678123456781234567812345678"}`)
	hostile := versionEndpoint(t, `{"version": "../../x\u001b[31m --upload-pack=x"}`)
	broken := versionEndpoint(t, `<html>`)

	run := func(args ...string) (code int, out, errs string) {
		var stdout, stderr bytes.Buffer
		code = Run(context.Background(), append([]string{"-C", dir, "--format", "json"}, args...), &stdout, &stderr)
		return code, stdout.String(), stderr.String()
	}
	type service struct {
		Name     string
		Deployed []struct {
			Rev             string
			Reached, Behind bool
		}
	}
	for _, test := range []struct {
		name     string
		args     []string
		deployed string // of the report
		services string
	}{
		{"all at one", []string{"--deployed", at10}, "v1.10", "admin v1.10; agent v1.10; app v1.10"},
		{"by service", []string{"--deployed", "admin=" + at10, "--deployed", "app=" + at9}, "v1.10", "admin v1.10; agent; app v1.9 behind"},
		{"instances differ", []string{"--deployed", "admin=" + at9 + "," + at10, "--deployed", "app=" + at9}, "v1.10", "admin v1.10 v1.9 behind; agent; app v1.9 behind"},
		{"the migrating service is behind", []string{"--deployed", "admin=" + at9, "--deployed", "app=v1.10"}, "v1.9", "admin v1.9 behind; agent; app v1.10 open"},
		{"no such tag, but the commit", []string{"--deployed", unnamed}, commit["v1.10"], ""},
		{"the tag is another commit", []string{"--deployed", moved}, commit["v1.10"], ""},
	} {
		_, out, errs := run(test.args...)
		var r struct {
			Deployed struct{ Rev string }
			Services []service
		}
		if err := json.Unmarshal([]byte(out), &r); err != nil {
			t.Fatalf("%s: %v\n%s", test.name, err, errs)
		}
		var all []string
		for _, s := range r.Services {
			text := s.Name
			for _, at := range s.Deployed {
				text += " " + at.Rev
				if at.Behind {
					text += " behind"
				}
				if !at.Reached {
					text += " open"
				}
			}
			all = append(all, text)
		}
		if got := strings.Join(all, "; "); r.Deployed.Rev != test.deployed || test.services != "" && got != test.services {
			t.Errorf("%s: from %s: %s", test.name, r.Deployed.Rev, got)
		}
	}
	for _, test := range []struct{ url, want string }{
		{gone, "1.8: 1234567812345678123456781234567812345678: no such tag, branch or commit"},
		{hostile, "that is no tag of this repository"},
		{broken, "answers with something else than JSON"},
		{strings.TrimSuffix(at9, "__version__"), "answers 404"},
		{"http://127.0.0.1:1/__version__", "does not answer"},
	} {
		code, out, errs := run("--deployed", test.url)
		if code != 2 || out != "" || !strings.Contains(errs, test.want) || strings.Contains(errs, "\x1b") {
			t.Errorf("%s: exit %d, %q, %q", test.want, code, out, errs)
		}
	}
	// A shallow clone, as pipelines make them, lacks all that is asked for here.
	shallow := filepath.Join(t.TempDir(), "shallow")
	clone := func(args ...string) (code int, out, errs string) {
		t.Helper()
		if err := os.RemoveAll(shallow); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command("git", "clone", "-q", "--depth=1", "--no-tags", "file://"+dir, shallow).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return run(append([]string{"-C", shallow}, args...)...)
	}
	if code, _, errs := clone("--deployed", "latest-tag"); code != 2 || !strings.Contains(errs, "git fetch --tags") {
		t.Errorf("latest-tag without tags: exit %d, %q", code, errs)
	}
	if code, _, errs := clone("--deployed", at9); code != 2 || !strings.Contains(errs, "git fetch --depth=1 --no-tags origin "+commit["v1.9"]) {
		t.Errorf("a version that is not here: exit %d, %q", code, errs)
	}
	for _, args := range [][]string{{"--deployed", "latest-tag"}, {"--deployed", "latest-tag", "--config-from", "deployed"}, {"--deployed", "admin=v1.10", "--deployed", "app=" + at10}} {
		code, out, errs := clone(append(args, "--fetch")...)
		if code != 0 || !strings.Contains(out, `"commit": "`+commit["v1.10"]+`"`) {
			t.Errorf("%v --fetch: exit %d, %q\n%s", args, code, errs, out)
		}
	}
	// One that does not answer may be at anything.
	if code, _, errs := run("--deployed", at10+","+broken); code != 2 || !strings.Contains(errs, "something else") {
		t.Errorf("an instance that does not say: exit %d, %q", code, errs)
	}
}

// checked is what a JSON report says of places.
type checked struct {
	Verdict  string
	Order    []string
	Services []struct {
		Name, Place string
		Old         string `json:"old_code_new_schema"`
		New         string `json:"new_code_old_schema"`
	}
}

func checkJSON(t *testing.T, dir string, args ...string) (r checked) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	Run(context.Background(), append([]string{"-C", dir, "--format", "json"}, args...), &stdout, &stderr)
	if err := json.Unmarshal(stdout.Bytes(), &r); err != nil {
		t.Fatalf("%v: %v\n%s", args, err, stderr.String())
	}
	return r
}

// TestDeployedAgainstEach holds the answer for services at different refs to those for each ref alone: the old code of a service is as if
// all were at its ref, and new code has to be safe from every ref that databases may be at.
func TestDeployedAgainstEach(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("SKIPPED, NOT TESTED: no git on PATH")
	}
	strict := []string{"no-change", "any-order", "ordered", "split", "unproven"}
	changes := []string{
		"", "", "ALTER TABLE t ADD COLUMN %s INT", "ALTER TABLE t ADD COLUMN %s INT NOT NULL", "ALTER TABLE t DROP COLUMN a", "ALTER TABLE t DROP COLUMN b", "ALTER TABLE t ADD COLUMN a INT",
		"ALTER TABLE t ADD COLUMN b INT",
	}
	views := []string{"a", "b", "id"}
	open := 0
	for seed := range uint64(10) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		migrates := seed%2 == 0
		dir := filepath.Join(t.TempDir(), "repo")
		tree := fstest.MapFS{
			".instep.yaml":         {Data: fmt.Appendf(nil, "services:\n  admin: {migrates: %v}\n  app: {}\n  web: {access: read}\n", migrates)},
			"migrations/V1__t.sql": {Data: []byte("CREATE TABLE t (id INT NOT NULL PRIMARY KEY, a INT, b INT);")},
		}
		tags := []string{"v1", "v2", "v3", "v4"}
		for i, tag := range tags {
			if i > 0 && seed%4 != 0 {
				sql := changes[rnd.IntN(len(changes))]
				if strings.Contains(sql, "%s") {
					sql = fmt.Sprintf(sql, "c"+tag)
				}
				if sql != "" {
					tree[fmt.Sprintf("migrations/V%d__x.sql", i+1)] = &fstest.MapFile{Data: []byte(sql + ";")}
				}
			}
			if seed%4 == 0 { // only what is repeated changes
				tree["migrations/R__v.sql"] = &fstest.MapFile{Data: []byte("CREATE OR REPLACE VIEW v AS SELECT id, " + views[rnd.IntN(len(views))] + " x FROM t;")}
			}
			if err := CommitRelease(dir, tree, tag, false); err != nil {
				t.Fatal(err)
			}
		}
		alone := map[int]checked{}
		for i, tag := range tags {
			alone[i] = checkJSON(t, dir, tag, "v4")
		}
		for range 8 {
			at := []int{rnd.IntN(4), rnd.IntN(4), rnd.IntN(4)} // of admin, app, web
			var databases []int
			for _, i := range at {
				// Without a service that migrates, code at a ref may be there ahead of the migration.
				if !migrates || i >= at[0] {
					databases = append(databases, i)
				}
			}
			args := []string{"v4"}
			for i, name := range []string{"admin", "app", "web"} {
				args = append(args, "--deployed", name+"="+tags[at[i]])
			}
			got := checkJSON(t, dir, args...)
			for i, s := range got.Services {
				if old := alone[at[i]]; old.Verdict != "unproven" && got.Verdict != "unproven" && (old.Services[i].Old != "ok") != (s.Old != "ok") {
					t.Errorf("seed %d, %v: old code of %s %s, alone %s", seed, args, s.Name, s.Old, old.Services[i].Old)
				}
				for _, d := range databases {
					each := alone[d]
					if each.Verdict == "unproven" && got.Verdict != "unproven" {
						t.Errorf("seed %d, %v: %s, from %s unproven", seed, args, got.Verdict, tags[d])
					}
					if d != at[0] {
						open++
					}
					if each.Services[i].New != "ok" && s.New == "ok" && got.Verdict != "unproven" {
						t.Errorf("seed %d, %v: new code of %s is said to work, but not from %s", seed, args, s.Name, tags[d])
					}
					if want := each.Services[i].Place; got.Verdict != "unproven" && (want == "after" || want == "nowhere") && s.Place != "after" && s.Place != "nowhere" {
						t.Errorf("seed %d, %v: %s goes %s, from %s %s", seed, args, s.Name, s.Place, tags[d], want)
					}
				}
			}
			if slices.Max(at) == slices.Min(at) && slices.Index(strict, got.Verdict) != slices.Index(strict, alone[at[0]].Verdict) {
				t.Errorf("seed %d, %v: %s, alone %s", seed, args, got.Verdict, alone[at[0]].Verdict)
			}
		}
	}
	if open == 0 {
		t.Error("databases were never at another ref, so this test shows little")
	}
}

// TestDeployedVersionIsATag: what a stranger calls a version is no branch and not HEAD.
func TestDeployedVersionIsATag(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("SKIPPED, NOT TESTED: no git on PATH")
	}
	dir := filepath.Join(t.TempDir(), "repo")
	tree := fstest.MapFS{"migrations/V1__t.sql": {Data: []byte("CREATE TABLE t (id INT);")}}
	if err := CommitRelease(dir, tree, "v1.0", false); err != nil {
		t.Fatal(err)
	}
	tree["migrations/V2__t.sql"] = &fstest.MapFile{Data: []byte("ALTER TABLE t ADD COLUMN a INT;")}
	if err := CommitRelease(dir, tree, "v1.1", false); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("git", "-C", dir, "branch", "stable").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, version := range []string{"HEAD", "stable", "heads/stable", "FETCH_HEAD", "7.7", "abcdef12"} {
		var stdout, stderr bytes.Buffer
		code := Run(context.Background(), []string{"-C", dir, "--deployed", versionEndpoint(t, fmt.Sprintf(`{"version": %q}`, version)), "v1.1"}, &stdout, &stderr)
		if code != 2 || stdout.Len() > 0 || !strings.Contains(stderr.String(), version) {
			t.Errorf("%s: exit %d, %q, %q", version, code, stdout.String(), stderr.String())
		}
	}
	for _, version := range []string{"v1.1~1", "1.1^", "v1.1^{commit}", "v1.1@{0}"} { // of a ref, these would be others
		var stdout, stderr bytes.Buffer
		code := Run(context.Background(), []string{"-C", dir, "--deployed", versionEndpoint(t, fmt.Sprintf(`{"version": %q}`, version)), "v1.1"}, &stdout, &stderr)
		if code != 2 || stdout.Len() > 0 || !strings.Contains(stderr.String(), version+": that is no tag") {
			t.Errorf("%s: exit %d, %q, %q", version, code, stdout.String(), stderr.String())
		}
	}
	if r := checkJSON(t, dir, "--deployed", versionEndpoint(t, `{"version": "1.0"}`), "v1.1"); r.Verdict != "ordered" {
		t.Errorf("a tag without its v: %s", r.Verdict)
	}
}

// TestDeployedLatest: the tag with the highest version is the latest release, unless versions of another kind have gone on after it.
func TestDeployedLatest(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("SKIPPED, NOT TESTED: no git on PATH")
	}
	for _, test := range []struct {
		tags    string // in the order in which they were made
		pattern string
		want    string // a tag, or what the error says
	}{
		{"v1.9 v1.10 v1.9.1", "", "v1.10"}, // an older branch
		{"v1.9 2.0", "", "2.0"},
		{"2.0 v2.1 V2.2", "", "V2.2"},
		{"1.9 v1.10", "", "v1.10"},
		{"2019.1 v1.0", "", "is it 2019.1, or v1.0, which is later"},
		{"20190101 1.0 1.1", "", "is it 20190101, or 1.1, which is later"},
		{"20190101 1.0 1.1", "?.?", "1.1"},
		{"v3.110 20190101", "", "20190101"},
		{"4.2 v3.110", "", "is it 4.2, or v3.110, which is later"},
		{"4.2 v3.110", "v*", "v3.110"},
		{"v1 v2020.1 v2020.2", "", "v2020.2"},
	} {
		dir := filepath.Join(t.TempDir(), "repo")
		tree := fstest.MapFS{"migrations/V1__t.sql": {Data: []byte("CREATE TABLE t (id INT);")}}
		if test.pattern != "" {
			tree[".instep.yaml"] = &fstest.MapFile{Data: []byte("releases: {tags: \"" + test.pattern + "\"}\n")}
		}
		for i, tag := range append(strings.Fields(test.tags), "next") {
			tree["README"] = &fstest.MapFile{Data: []byte(tag)}
			if err := CommitRelease(dir, tree, tag, false); err != nil {
				t.Fatal(err)
			}
			// Of one repository, all would have the same time.
			date := fmt.Sprintf("2024-01-01T00:00:%02d Z", i)
			for _, args := range [][]string{{"-c", "user.name=a", "-c", "user.email=a@example.org", "commit", "-q", "--amend", "--no-edit", "--date", date}, {"tag", "-f", tag}} {
				cmd := exec.Command("git", append([]string{"-C", dir}, args...)...)
				cmd.Env = append(os.Environ(), "GIT_COMMITTER_DATE="+date)
				if out, err := cmd.CombinedOutput(); err != nil {
					t.Fatalf("%v\n%s", err, out)
				}
			}
		}
		for _, from := range []string{"target", "deployed"} {
			var stdout, stderr bytes.Buffer
			code := Run(context.Background(), []string{"-C", dir, "--deployed", "latest-tag", "next", "--config-from", from}, &stdout, &stderr)
			if text := stdout.String() + stderr.String(); !strings.Contains(text, "\n"+test.want+" (") && (code != 2 || !strings.Contains(text, test.want)) {
				t.Errorf("%s, %q of %s: exit %d, want %s: %s", test.tags, test.pattern, from, code, test.want, text)
			}
		}
	}
}

func TestRouted(t *testing.T) {
	for _, test := range []struct{ all, unrouted, want string }{
		{"10.0.0.1:80 [fd00::1]:80", "[fd00::1]:80", "10.0.0.1:80"},
		{"10.0.0.1:80 [fd00::1]:80", "10.0.0.1:80", "[fd00::1]:80"},
		{"10.0.0.1:80 [fd00::1]:80", "", "10.0.0.1:80 [fd00::1]:80"},
		{"10.0.0.1:80 [fd00::1]:80", "10.0.0.1:80 [fd00::1]:80", "10.0.0.1:80 [fd00::1]:80"},
		// One instance that cannot be reached is no reason to pass it over.
		{"10.0.0.1:80 10.0.0.2:80", "10.0.0.2:80", "10.0.0.1:80 10.0.0.2:80"},
		{"10.0.0.1:80 [fd00::1]:80 [fd00::2]:80", "[fd00::2]:80", "10.0.0.1:80 [fd00::1]:80 [fd00::2]:80"},
		{"10.0.0.1:80 10.0.0.2:80 [fd00::1]:80", "10.0.0.2:80 [fd00::1]:80", "10.0.0.1:80 10.0.0.2:80 [fd00::1]:80"},
		{"[fd00::1]:80", "[fd00::1]:80", "[fd00::1]:80"},
	} {
		no := strings.Fields(test.unrouted)
		got := routed(strings.Fields(test.all), func(addr string) bool { return slices.Contains(no, addr) })
		if strings.Join(got, " ") != test.want {
			t.Errorf("%s without %s: %v, want %s", test.all, test.unrouted, got, test.want)
		}
	}
}

// TestDeployedDatabases: a database has the same name from every ref, also where it is the only one.
func TestDeployedDatabases(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("SKIPPED, NOT TESTED: no git on PATH")
	}
	dir := filepath.Join(t.TempDir(), "repo")
	tree := fstest.MapFS{
		".instep.yaml":           {Data: []byte("services:\n  admin: {migrates: true}\n  app: {}\n")},
		"a/migrations/V1__a.sql": {Data: []byte("CREATE TABLE a (id INT NOT NULL PRIMARY KEY, nick INT);")},
	}
	release := func(tag, file, sql string) {
		t.Helper()
		if file != "" {
			tree[file] = &fstest.MapFile{Data: []byte(sql)}
		}
		if err := CommitRelease(dir, tree, tag, false); err != nil {
			t.Fatal(err)
		}
	}
	release("v1", "", "")
	release("v2", "b/migrations/V1__b.sql", "CREATE TABLE b (id INT NOT NULL PRIMARY KEY);")
	delete(tree, "b/migrations/V1__b.sql")
	release("v3", "a/migrations/V2__a.sql", "ALTER TABLE a DROP COLUMN nick;")
	for _, admin := range []string{"v1", "v2"} {
		var stdout, stderr bytes.Buffer
		Run(context.Background(), []string{"-C", dir, "--deployed", "admin=" + admin, "--deployed", "app=" + map[string]string{"v1": "v2", "v2": "v1"}[admin], "v3", "--format", "json"}, &stdout, &stderr)
		var r struct {
			Hazards []struct{ What, Database, From string }
		}
		if err := json.Unmarshal(stdout.Bytes(), &r); err != nil {
			t.Fatalf("%v: %s", err, stderr.String())
		}
		n := 0
		for _, h := range r.Hazards {
			if h.What == "a.nick is dropped" {
				n++
			}
			if h.Database == "" || h.From != "" {
				t.Errorf("admin at %s: %+v is seen from everywhere", admin, h)
			}
		}
		if n != 1 {
			t.Errorf("admin at %s: %d hazards for one column: %s", admin, n, stdout.String())
		}
	}
}
