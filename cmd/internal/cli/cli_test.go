package cli

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"instep/analyzer"
	"instep/analyzer/schema"
)

func TestRefs(t *testing.T) {
	for _, test := range []struct {
		args             []string
		worktree         bool
		deployed, target string
		err              string
	}{
		{args: []string{"v1"}, deployed: "v1", target: "HEAD"},
		{args: []string{"v1", "v2"}, deployed: "v1", target: "v2"},
		{args: []string{"v1..v2"}, deployed: "v1", target: "v2"},
		{args: []string{"v1.."}, deployed: "v1", target: "HEAD"},
		{args: []string{"v1"}, worktree: true, deployed: "v1", target: "HEAD"},
		{args: []string{"..v2"}, err: "the deployed ref is empty"},
		{args: []string{"v1...v2"}, err: "three dots"},
		{args: []string{"v1..v2", "v3"}, err: "one or the other"},
		{args: []string{"v1..v2"}, worktree: true, err: "drop v2"},
		{args: []string{"v1", "v2"}, worktree: true, err: "drop v2"},
	} {
		deployed, target, err := refs(test.args, &options{worktree: test.worktree})
		if test.err != "" {
			if err == nil || !strings.Contains(err.Error(), test.err) {
				t.Errorf("%v: error %v, want %q", test.args, err, test.err)
			}
			continue
		}
		if err != nil || deployed != test.deployed || target != test.target {
			t.Errorf("%v = %q, %q, %v; want %q, %q", test.args, deployed, target, err, test.deployed, test.target)
		}
	}
}

func TestConfig(t *testing.T) {
	const good = `
server: mariadb 10.11
sql_mode: [STRICT_TRANS_TABLES, NO_ZERO_DATE]
migrations:
  - {framework: alembic, dir: src/auslib/alembic, baseline: "0001"}
services:
  admin: {migrates: true, code: ["src/**", "!src/web/public/**"]}
  app: {access: read, rollout: canary}
consumers:
  dump: {code: ["scripts/**"]}
releases: {tags: "v*.*"}
ignore:
  - {rule: drop-column, object: users.nick, because: "unused"}
`
	c, err := parseConfig("x.yaml", []byte(good))
	if err != nil {
		t.Fatal(err)
	}
	want := &config{
		Server:     "mariadb 10.11",
		SQLMode:    sqlMode{"STRICT_TRANS_TABLES", "NO_ZERO_DATE"},
		Migrations: []migrationConfig{{"alembic", "src/auslib/alembic", "0001"}},
		Services: map[string]serviceConfig{
			"admin": {Migrates: true, Code: []string{"src/**", "!src/web/public/**"}},
			"app":   {Access: "read", Rollout: "canary"},
		},
		Consumers: map[string]consumerConfig{"dump": {Code: []string{"scripts/**"}}},
		Releases:  releasesConfig{"v*.*"},
		Ignore:    []ignoreConfig{{Rule: "drop-column", Object: "users.nick", Because: "unused"}},
	}
	if diff := cmp.Diff(want, c); diff != "" {
		t.Errorf("config (-want +got):\n%s", diff)
	}
	for _, empty := range []string{"", "# nothing\n", "---\n"} {
		if c, err := parseConfig("x.yaml", []byte(empty)); err != nil || c.Services != nil {
			t.Errorf("%q: %v, %v", empty, c, err)
		}
	}
	for _, bad := range []struct{ src, err string }{
		{"sevices: {}\n", `x.yaml:1:1: unknown field "sevices"`},
		{"services:\n  a: {access: readonly}\n", `x.yaml:2:`},
		{"services:\n  migration: {}\n", `the step that changes the schema`},
		{"services:\n  a: {code: [\"[\"]}\n", `no valid pattern`},
		{"services:\n  a: {}\nconsumers:\n  a: {}\n", `is a service already`},
		{"server: postgres 15\n", "x.yaml:1:9: server"},
		{"server: mysql\n", "the flavour and the version"},
		{"sql_mode: strictly\n", "x.yaml:1:11: sql_mode"},
		{"migrations:\n  - {framework: rails, dir: db}\n", "x.yaml:2:17: unknown framework"},
		{"migrations:\n  - {framework: alembic}\n", "needs the key dir"},
		{"ignore:\n  - {object: a, because: b}\n", "needs the key rule"},
		{"a: b\n---\nc: d\n", "more than one YAML document"},
		{"services: *x\n", "anchors"},
		{strings.Repeat("#", maxConfig+1), "more than a configuration may have"},
		{"services: [", "x.yaml:1:"},
	} {
		if _, err := parseConfig("x.yaml", []byte(bad.src)); err == nil || !strings.Contains(err.Error(), bad.err) {
			t.Errorf("%.40q: error %v, want %q", bad.src, err, bad.err)
		}
	}
}

func FuzzConfig(f *testing.F) {
	f.Add([]byte("services:\n  a: {access: read, code: [\"!x\"]}\n"))
	f.Add([]byte("server: mysql 8.4\nsql_mode: loose\n"))
	f.Add([]byte("migrations: [{dir: ''}]\nignore: [{}]\n"))
	f.Fuzz(func(t *testing.T, src []byte) {
		c, err := parseConfig("x.yaml", src)
		if err == nil && c == nil {
			t.Error("neither a configuration nor an error")
		}
	})
}

func TestParseServer(t *testing.T) {
	for text, want := range map[string]schema.Server{
		"mysql 8.4":     {Major: 8, Minor: 4},
		"MySQL 8.0.28":  {Major: 8, Minor: 0, Patch: 28},
		"mariadb 10.11": {MariaDB: true, Major: 10, Minor: 11},
	} {
		if got, err := parseServer(text); err != nil || got != want {
			t.Errorf("%q = %+v, %v; want %+v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "mysql", "mysql 8", "mysql 8.x", "oracle 19.0", "mysql 8.0.1.2", "mysql -8.0"} {
		if got, err := parseServer(text); err == nil {
			t.Errorf("%q is taken for %+v", text, got)
		}
	}
}

func TestChangedLines(t *testing.T) {
	old := "services:\n  admin: {}\n  app: {access: read}\n"
	new := "services:\n  admin: {}\n  app: {access: none}\nignore: []\n"
	want := []string{"-   app: {access: read}", "+   app: {access: none}", "+ ignore: []"}
	if diff := cmp.Diff(want, changedLines(old, new)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := changedLines(old, old); got != nil {
		t.Errorf("no change gives %q", got)
	}
}

func TestOrderDemand(t *testing.T) {
	services := []analyzer.Service{{Name: "admin", Migrates: true}, {Name: "app"}, {Name: "agent"}}
	for _, bad := range []struct{ flag, err string }{
		{"app", "admin, which changes the schema, is missing"},
		{"admin,web", `there is no service "web"`},
		{"admin,app,admin", "stands twice"},
	} {
		if _, err := demandedOrder(bad.flag, services); err == nil || !strings.Contains(err.Error(), bad.err) {
			t.Errorf("--order %s: error %v, want %q", bad.flag, err, bad.err)
		}
	}
	if _, err := demandedOrder("migration, code", nil); err != nil {
		t.Errorf("without services: %v", err)
	}
	report := func(verdict analyzer.Verdict, app analyzer.Place) *analyzer.Report {
		return &analyzer.Report{Verdict: verdict, Services: []analyzer.ServiceReport{
			{Name: "admin", Migrates: true}, {Name: "app", Place: app, Reason: "it reads users.nick"}, {Name: "agent"},
		}}
	}
	for _, test := range []struct {
		order   string
		verdict analyzer.Verdict
		app     analyzer.Place
		unmet   string
	}{
		{"admin,app", analyzer.Ordered, analyzer.After, ""},
		{"app,admin", analyzer.Ordered, analyzer.After, "app has to be deployed after the schema changes: it reads users.nick"},
		{"app,admin", analyzer.Ordered, analyzer.Before, ""},
		{"admin,app", analyzer.Ordered, analyzer.Before, "before the schema changes"},
		{"admin", analyzer.Ordered, analyzer.Before, "is missing"},
		{"admin", analyzer.AnyOrder, analyzer.Anywhere, ""},
		{"admin,app", analyzer.Split, analyzer.Nowhere, "no order is safe for app"},
		{"admin,app", analyzer.Split, analyzer.After, "no order is safe"},
		{"admin,app", analyzer.Unproven, analyzer.Anywhere, "not proved"},
		{"app,admin", analyzer.NoChange, analyzer.Anywhere, ""},
	} {
		order, err := demandedOrder(test.order, services)
		if err != nil {
			t.Fatal(err)
		}
		got := strings.Join(unmetOrder(order, report(test.verdict, test.app)), "\n")
		if (test.unmet == "") != (got == "") || !strings.Contains(got, test.unmet) {
			t.Errorf("--order %s with app %s (%s): %q, want %q", test.order, test.app, test.verdict, got, test.unmet)
		}
	}
}

// TestNumbersAreTexts: what YAML takes for a number stays what was written, where a text is wanted.
func TestNumbersAreTexts(t *testing.T) {
	for _, text := range []string{"3.110", "2.0", "0001", "1e3", "0x10", "1_000", "-0", ".5", "+1", "1234567890123456", "12345678901234567890", ".inf", ".nan", "7"} {
		src := "migrations: [{dir: x, baseline: " + text + "}]\nreleases:\n  tags: " + text + "\nsql_mode: strict # a comment\n"
		c, err := parseConfig("x.yaml", []byte(src))
		if err != nil || c.Migrations[0].Baseline != text || c.Releases.Tags != text {
			t.Errorf("%s: %v, %+v", text, err, c)
		}
		c, err = parseConfig("x.yaml", []byte("services: {"+text+": {code: [!!str "+text+"]}}\n"))
		if err != nil || len(c.Services[text].Code) != 1 || c.Services[text].Code[0] != text {
			t.Errorf("a service called %s: %v, %+v", text, err, c)
		}
		b, err := parseBotConfig("x.yaml", []byte("workers: 3\nrepositories:\n- {repository: o/r, deployed: {a: "+text+", b: v1}}\n- {repository: o/s, deployed: "+text+"}\n"))
		switch {
		case err != nil && text[0] == '-': // no ref
		case err != nil || b.Workers != 3 || b.Repositories[0].Deployed["a"] != text || b.Repositories[1].Deployed[""] != text:
			t.Errorf("%s: %v, %+v", text, err, b)
		}
	}
}
