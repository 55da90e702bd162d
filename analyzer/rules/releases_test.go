package rules

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"instep/analyzer"
	"instep/analyzer/schema"
)

// The releases below are miniatures of what an update server with an admin service and a read-only public service has
// really deployed. admin runs the migration; app reads; agent has no database.
var services = []analyzer.Service{
	{Name: "admin", Migrates: true},
	{Name: "agent", Access: analyzer.NoAccess},
	{Name: "app", Access: analyzer.ReadAccess, Rollout: analyzer.Canary},
}

const rulesTables = `
CREATE TABLE rules (rule_id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, mapping VARCHAR(100), capabilities VARCHAR(1000), data_version INT);
CREATE TABLE rules_history (change_id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, timestamp BIGINT NOT NULL, rule_id INT NOT NULL, mapping VARCHAR(100), capabilities VARCHAR(1000));
CREATE TABLE conditions (sc_id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, data_version INT);
`

func TestReleases(t *testing.T) {
	for _, test := range []struct {
		name, old, migrate string
		verdict            analyzer.Verdict
		order              string
		window, rollBack   bool // of admin; of app
	}{
		{
			name: "a nullable column", old: rulesTables,
			migrate: "ALTER TABLE rules ADD COLUMN fallback VARCHAR(100); ALTER TABLE rules_history ADD COLUMN fallback VARCHAR(100)",
			verdict: analyzer.Ordered, order: "admin app", rollBack: true,
		},
		{
			// Any order in truth, for app uses none of the tables. Nothing shows that here.
			name: "tables, NOT NULL and NULL", old: rulesTables,
			migrate: "CREATE TABLE signoffs (id INT NOT NULL PRIMARY KEY); ALTER TABLE conditions MODIFY data_version INT NOT NULL; ALTER TABLE rules_history MODIFY rule_id INT",
			verdict: analyzer.Ordered, order: "admin app", window: true, rollBack: true,
		},
		{
			name: "a column is dropped", old: rulesTables,
			migrate: "ALTER TABLE rules DROP COLUMN capabilities; ALTER TABLE rules_history DROP COLUMN capabilities",
			verdict: analyzer.Ordered, order: "app admin", window: true,
		},
		{name: "files are reformatted", old: rulesTables, verdict: analyzer.NoChange, rollBack: true},
		{
			// Any order in truth, for app does not use the table.
			name: "a table is dropped", old: rulesTables,
			migrate: "DROP TABLE rules_history",
			verdict: analyzer.Ordered, order: "app admin", window: true,
		},
		{
			name: "AUTO_INCREMENT is removed", old: rulesTables,
			migrate: "ALTER TABLE conditions MODIFY sc_id INT NOT NULL",
			verdict: analyzer.AnyOrder, order: "admin app", window: true, rollBack: true,
		},
	} {
		t.Run(strings.ReplaceAll(test.name, " ", "_"), func(t *testing.T) {
			u := upgrade(t, analyzer.Example{Old: test.old, Migrate: test.migrate, Server: schema.Server{Major: 8, Minor: 0}})
			u.Services = services
			r := analyzer.Analyze(u, All)
			if r.Verdict != test.verdict || strings.Join(r.Order, " ") != test.order {
				t.Errorf("%s %v, want %s [%s]: %s", r.Verdict, r.Order, test.verdict, test.order, r.Why)
			}
			for _, s := range r.Services {
				switch {
				case s.Name == "admin" && s.Window != test.window:
					t.Errorf("admin's window: %v: %s", s.Window, s.WindowReason)
				case s.Name == "app" && s.CanRollBack != test.rollBack:
					t.Errorf("app can roll back: %v: %s", s.CanRollBack, s.RollbackReason)
				}
			}
			for _, g := range r.Gaps {
				t.Error(g)
			}
		})
	}
}

// TestRebased: another framework with a history that builds the schema a little differently.
func TestRebased(t *testing.T) {
	server := schema.Server{Major: 8, Minor: 0}
	empty := schema.New(server)
	old := last(empty, replay(t, empty, "37.py", `
CREATE TABLE rules (id INT NOT NULL PRIMARY KEY, alias VARCHAR(50), UNIQUE KEY alias_unique (alias));
CREATE TABLE rules_history (id INT NOT NULL PRIMARY KEY, timestamp BIGINT NOT NULL);
CREATE TABLE users_history (id INT NOT NULL PRIMARY KEY, timestamp BIGINT NOT NULL, comment TEXT);
CREATE TABLE changes (id INT NOT NULL PRIMARY KEY, `+"`when`"+` BIGINT, data LONGTEXT)`))
	fresh := last(empty, replay(t, empty, "0001.py", `
CREATE TABLE rules (id INT NOT NULL PRIMARY KEY, alias VARCHAR(50));
CREATE TABLE rules_history (id INT NOT NULL PRIMARY KEY, timestamp INT NOT NULL);
CREATE TABLE users_history (id INT NOT NULL PRIMARY KEY, comment TEXT, timestamp INT NOT NULL);
CREATE TABLE changes (id INT NOT NULL PRIMARY KEY, `+"`when`"+` INT, data TEXT)`))
	db := analyzer.Database{Framework: "alembic", Old: old, New: fresh, Rebased: &analyzer.Rebased{Why: "the framework changed from sqlalchemy-migrate to alembic", Pos: schema.Pos{File: "0001.py", Line: 1}}}
	u := analyzer.Upgrade{Server: server, Services: services, Databases: []analyzer.Database{db}}
	r := analyzer.Analyze(u, All)
	if r.Verdict != analyzer.Unproven || len(r.Gaps) != 1 {
		t.Fatalf("%s, gaps %v", r.Verdict, r.Gaps)
	}
	for _, want := range []string{"sqlalchemy-migrate to alembic", "in 5 ways", "bigint → int (2 timestamp, 1 when)", "longtext → text (1 data)", "alias", "and 1 table has columns in another order"} {
		if !strings.Contains(r.Gaps[0].Why, want) {
			t.Errorf("%q is missing in %s", want, r.Gaps[0].Why)
		}
	}
	u.Databases[0].Rebased.Baseline = "0001"
	stamped := analyzer.Analyze(u, All)
	if stamped.Verdict != analyzer.NoChange || len(stamped.Gaps) != 0 {
		t.Errorf("with a baseline: %s, gaps %v", stamped.Verdict, stamped.Gaps)
	}
	// What new code names and stamped databases lack is no mere drift; nor is what they have and new inserts do not fill.
	for _, more := range [][2]string{
		{"ALTER TABLE rules ADD COLUMN note TEXT", ""}, {"CREATE TABLE notes (id INT NOT NULL PRIMARY KEY)", ""}, {"", "ALTER TABLE rules ADD COLUMN must INT NOT NULL"},
	} {
		v := u
		v.Databases = []analyzer.Database{u.Databases[0]}
		v.Databases[0].New = last(fresh, replay(t, fresh, "more.py", more[0]))
		v.Databases[0].Old = last(old, replay(t, old, "more.py", more[1]))
		if r := analyzer.Analyze(v, All); r.Verdict != analyzer.Unproven || len(r.Gaps) != 1 || !strings.Contains(r.Gaps[0].What, "stamped databases") {
			t.Errorf("%q: %s, gaps %v", more, r.Verdict, r.Gaps)
		}
	}
	if r := func() *analyzer.Report {
		v := u
		v.Databases = []analyzer.Database{u.Databases[0]}
		v.Databases[0].Old = last(old, replay(t, old, "more.py", "ALTER TABLE rules ADD COLUMN may INT"))
		return analyzer.Analyze(v, All)
	}(); r.Verdict != analyzer.NoChange {
		t.Errorf("a column that nobody has to fill: %s, gaps %v", r.Verdict, r.Gaps)
	}
	if len(stamped.Drift) != 6 || len(r.Drift) != 6 {
		t.Errorf("drift: %v and %v", stamped.Drift, r.Drift)
	}
}

// TestEditedHistory: the target's replay builds what no database will get.
func TestEditedHistory(t *testing.T) {
	empty := schema.New(schema.Server{Major: 8, Minor: 4})
	old := last(empty, replay(t, empty, "1.sql", "CREATE TABLE users (id INT, nick INT)"))
	for _, test := range []struct {
		target  string
		verdict analyzer.Verdict
		drift   int
	}{
		{"CREATE TABLE users (id INT, nick INT, age INT)", analyzer.Unproven, 0},
		{"CREATE TABLE users (nick INT, id INT)", analyzer.AnyOrder, 1},
		{"CREATE TABLE users (id INT, nick INT)", analyzer.NoChange, 0},
	} {
		replayed := last(empty, replay(t, empty, "1.sql", test.target))
		r := analyzer.Analyze(analyzer.Upgrade{Databases: []analyzer.Database{{Old: old, New: replayed, Migrations: []analyzer.Migration{{ID: "1", State: analyzer.Edited}}}}}, All)
		if r.Verdict != test.verdict || len(r.Drift) != test.drift {
			t.Errorf("%s: %s with drift %v and gaps %v, want %s and %d", test.target, r.Verdict, r.Drift, r.Gaps, test.verdict, test.drift)
		}
	}
}

func TestGaps(t *testing.T) {
	users := []schema.Object{{Kind: schema.KindTable, Table: "users"}}
	posts := []schema.Object{{Kind: schema.KindTable, Table: "posts"}}
	people := []schema.Object{{Kind: schema.KindTable, Table: "people"}}
	gone := []schema.Object{{Kind: schema.KindTable, Table: "gone"}}
	for _, test := range []struct {
		name, migrate    string
		history, pending []schema.Gap
		verdict          analyzer.Verdict
	}{
		{"history, here by an earlier name", "ALTER TABLE users ADD COLUMN nick INT", []schema.Gap{{Objects: people}}, nil, analyzer.Unproven},
		{"history, of what was dropped since", "ALTER TABLE users ADD COLUMN nick INT", []schema.Gap{{Objects: gone}}, nil, analyzer.Ordered},
		{"history, elsewhere", "ALTER TABLE users ADD COLUMN nick INT", []schema.Gap{{Objects: posts}}, nil, analyzer.Ordered},
		{"history, here", "ALTER TABLE users ADD COLUMN nick INT", []schema.Gap{{Objects: users}}, nil, analyzer.Unproven},
		{"history, anywhere", "ALTER TABLE users ADD COLUMN nick INT", []schema.Gap{{}}, nil, analyzer.Unproven},
		{"history, nothing pending", "", []schema.Gap{{}}, nil, analyzer.NoChange},
		{"pending", "ALTER TABLE users ADD COLUMN nick INT", nil, []schema.Gap{{Objects: posts}}, analyzer.Unproven},
		{"pending, nothing else", "", nil, []schema.Gap{{Objects: posts}}, analyzer.Unproven},
	} {
		u := upgrade(t, analyzer.Example{Old: "CREATE TABLE gone (id INT); DROP TABLE gone; CREATE TABLE people (id INT); RENAME TABLE people TO users", Migrate: test.migrate})
		u.Databases[0].HistoryGaps, u.Databases[0].PendingGaps = test.history, test.pending
		r := analyzer.Analyze(u, All)
		if r.Verdict != test.verdict {
			t.Errorf("%s: %s, want %s", test.name, r.Verdict, test.verdict)
		}
		if len(r.Gaps)+len(r.OtherGaps) != 1 {
			t.Errorf("%s: gaps %v, others %v", test.name, r.Gaps, r.OtherGaps)
		}
	}
}

// TestUnknownIsNeverSafe: what no rule knows makes the verdict unproven.
func TestUnknownIsNeverSafe(t *testing.T) {
	for _, migrate := range []string{
		"CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO DELETE FROM users",
		"ALTER TABLE users ENGINE = MyISAM",
		"UPDATE users SET id = id + 1",
		"DELETE FROM users",
		"GRANT SELECT ON users TO app",
		"SET GLOBAL sql_mode = ''",
		"DROP USER app",
		"ANALYZE DELETE FROM users",
		"ALTER PROCEDURE p SQL SECURITY INVOKER",
	} {
		r := analyzer.Analyze(upgrade(t, analyzer.Example{Old: "CREATE TABLE users (id INT); CREATE PROCEDURE p () SELECT 1", Migrate: migrate}), All)
		if r.Verdict != analyzer.Unproven {
			t.Errorf("%s: %s", migrate, r.Verdict)
		}
	}
	// Without any rule nothing is safe.
	r := analyzer.Analyze(upgrade(t, analyzer.Example{Old: "CREATE TABLE users (id INT)", Migrate: "ALTER TABLE users ADD COLUMN nick INT"}), nil)
	if r.Verdict != analyzer.Unproven || !r.Changes[0].Unknown {
		t.Errorf("without rules: %s", r.Verdict)
	}
}

// TestBetween: a state between two statements can be worse than both ends.
func TestBetween(t *testing.T) {
	u := upgrade(t, analyzer.Example{
		Old:     "CREATE TABLE users (id INT)",
		Migrate: "ALTER TABLE users ADD COLUMN age INT NOT NULL; ALTER TABLE users ALTER COLUMN age SET DEFAULT 0",
	})
	r := analyzer.Analyze(u, All)
	i := slices.IndexFunc(r.Hazards, func(f analyzer.Finding) bool { return f.Between })
	if i < 0 || r.Hazards[i].Rule.ID != "add-column-not-null-no-default" || r.Verdict != analyzer.Split {
		t.Errorf("%s: %v", r.Verdict, found(r))
	}
	// Both ends alone are additive.
	net := upgrade(t, analyzer.Example{Old: "CREATE TABLE users (id INT)", Migrate: "ALTER TABLE users ADD COLUMN age INT NOT NULL DEFAULT 0"})
	if r := analyzer.Analyze(net, All); r.Verdict != analyzer.Ordered {
		t.Errorf("net: %s", r.Verdict)
	}
}

// TestOppositeDemands: each change has an order, together they have none.
func TestOppositeDemands(t *testing.T) {
	u := upgrade(t, analyzer.Example{Old: "CREATE TABLE users (id INT, nick INT)", Migrate: "ALTER TABLE users ADD COLUMN age INT; ALTER TABLE users DROP COLUMN nick"})
	if r := analyzer.Analyze(u, All); r.Verdict != analyzer.Split || r.Services[0].Place != analyzer.Nowhere || len(r.Order) != 0 {
		t.Errorf("%s %v", r.Verdict, r.Services)
	}
}

// TestUsage: what is proved not to be used does not place, and a caution counts with evidence.
func TestUsage(t *testing.T) {
	u := upgrade(t, analyzer.Example{Old: "CREATE TABLE users (id INT, nick INT)", Migrate: "ALTER TABLE users DROP COLUMN nick"})
	u.Usage = func(string, analyzer.Breaks, schema.Object, analyzer.Use) analyzer.Answer {
		return analyzer.Answer{Is: analyzer.No}
	}
	if r := analyzer.Analyze(u, All); r.Verdict != analyzer.AnyOrder {
		t.Errorf("not used: %s", r.Verdict)
	}
	u = upgrade(t, analyzer.Example{Old: "CREATE TABLE users (id INT, nick INT)", Migrate: "ALTER TABLE users MODIFY nick INT FIRST"})
	if r := analyzer.Analyze(u, All); r.Verdict != analyzer.AnyOrder {
		t.Errorf("reordered: %s", r.Verdict)
	}
	u.Usage = func(_ string, _ analyzer.Breaks, _ schema.Object, use analyzer.Use) analyzer.Answer {
		if use&analyzer.Position != 0 {
			return analyzer.Answer{Is: analyzer.Yes, Evidence: []analyzer.Evidence{{File: "app.py", Line: 3, Text: "SELECT *"}}}
		}
		return analyzer.Answer{}
	}
	r := analyzer.Analyze(u, All)
	if r.Verdict != analyzer.Split || r.Services[0].OldCodeNewSchema != analyzer.BreaksFor || len(r.Hazards[0].Evidence) != 1 {
		t.Errorf("reordered, read by position: %s %+v", r.Verdict, r.Services)
	}
}

// TestIgnoredRefusal: that the server refuses a statement can be ignored by nobody, for what the schema is then is not known.
func TestIgnoredRefusal(t *testing.T) {
	u := upgrade(t, analyzer.Example{Old: "CREATE TABLE t (a INT)", Migrate: "ALTER TABLE t ADD COLUMN g INT"})
	// Apply refuses what the rules of this package call refused, so that there is a gap already.
	refuses := []*analyzer.Rule{{ID: "refuses", Breaks: running, Check: func(p *analyzer.Pass, c schema.Change) {
		p.Report(analyzer.Hazard{Breaks: running, Hits: c.Object(), What: "no", Refused: true})
	}}}
	r := analyzer.Analyze(u, refuses)
	i := slices.IndexFunc(r.Hazards, func(f analyzer.Finding) bool { return f.Refused })
	if i < 0 || r.Verdict != analyzer.Unproven {
		t.Fatalf("%s: %v", r.Verdict, r.Hazards)
	}
	for _, ig := range []analyzer.Ignore{{Fingerprint: r.Hazards[i].Fingerprint, Quiet: true}, {Rule: r.Hazards[i].Rule.ID, Because: "we know"}} {
		u.Ignores = []analyzer.Ignore{ig}
		if r := analyzer.Analyze(u, refuses); r.Verdict != analyzer.Unproven || len(r.Ignored) == 0 {
			t.Errorf("%+v: %s, ignored %v", ig, r.Verdict, r.Ignored)
		}
	}
}

func TestIgnored(t *testing.T) {
	u := upgrade(t, analyzer.Example{Old: "CREATE TABLE users (id INT, nick INT)", Migrate: "ALTER TABLE users DROP COLUMN nick"})
	u.Ignores = []analyzer.Ignore{{Rule: "drop-column", Object: "users.nick", Because: "unused since v3.80"}, {Rule: "drop-table", Object: "users", Because: "?"}}
	r := analyzer.Analyze(u, All)
	if r.Verdict != analyzer.AnyOrder || len(r.Ignored) != 2 || r.Ignored[0].Because != "unused since v3.80" || len(r.UnusedIgnores) != 1 || !strings.Contains(r.Why, "ignored") {
		t.Errorf("%s, ignored %v, unused %v: %s", r.Verdict, r.Ignored, r.UnusedIgnores, r.Why)
	}
	// The class of a change does not depend on what the user ignores.
	if r.Changes[0].Class != analyzer.Destructive {
		t.Errorf("class %s", r.Changes[0].Class)
	}
}

// TestRollout: a window is closed by stopping the old processes first.
func TestRollout(t *testing.T) {
	u := upgrade(t, analyzer.Example{Old: "CREATE TABLE users (id INT, nick INT)", Migrate: "ALTER TABLE users DROP COLUMN nick"})
	for rollout, window := range map[analyzer.Rollout]bool{"": true, analyzer.Rolling: true, analyzer.Canary: true, analyzer.Recreate: false} {
		u.Services = []analyzer.Service{{Name: "admin", Migrates: true, Rollout: rollout}}
		r := analyzer.Analyze(u, All)
		s := r.Services[0]
		if s.Window != window || s.CanRollBack || s.PlaceName() != "migrates" || s.WindowReason == "" || r.Verdict != analyzer.AnyOrder {
			t.Errorf("%q: %+v", rollout, s)
		}
	}
}

// TestSeveralMigrate: the one whose old code breaks goes first; two such cannot.
func TestSeveralMigrate(t *testing.T) {
	u := upgrade(t, analyzer.Example{Old: "CREATE TABLE users (id INT, nick INT)", Migrate: "ALTER TABLE users DROP COLUMN nick"})
	u.Services = []analyzer.Service{{Name: "a", Migrates: true, Access: analyzer.NoAccess}, {Name: "b", Migrates: true}}
	if r := analyzer.Analyze(u, All); r.Verdict != analyzer.AnyOrder || strings.Join(r.Order, " ") != "b a" {
		t.Errorf("%s %v", r.Verdict, r.Order)
	}
	u.Services[0].Access = analyzer.ReadAccess
	if r := analyzer.Analyze(u, All); r.Verdict != analyzer.Split {
		t.Errorf("%s %v", r.Verdict, r.Order)
	}
}

func TestClasses(t *testing.T) {
	for migrate, want := range map[string]analyzer.Class{
		"ALTER TABLE users ADD COLUMN age INT":         analyzer.Additive,
		"ALTER TABLE users DROP COLUMN nick":           analyzer.Destructive,
		"ALTER TABLE users RENAME COLUMN nick TO name": analyzer.Incompatible,
		"ALTER TABLE users ADD KEY k (nick)":           analyzer.Compatible,
	} {
		u := upgrade(t, analyzer.Example{Old: "CREATE TABLE users (id INT, nick INT)", Migrate: migrate})
		u.Services = []analyzer.Service{{Name: "agent", Access: analyzer.NoAccess}} // the class does not depend on services
		if r := analyzer.Analyze(u, All); len(r.Changes) != 1 || r.Changes[0].Class != want || r.Changes[0].SQL == "" || r.Changes[0].Pos.Line != 1 {
			t.Errorf("%s: %+v, want %s", migrate, r.Changes, want)
		}
	}
}

// TestSwappedNames: what is dropped is named as the old schema names it, also when tables change names.
func TestSwappedNames(t *testing.T) {
	u := upgrade(t, analyzer.Example{
		Old:     "CREATE TABLE a (id INT, x INT); CREATE TABLE b (id INT)",
		Migrate: "ALTER TABLE a DROP COLUMN x; RENAME TABLE a TO tmp, b TO a, tmp TO b",
	})
	r := analyzer.Analyze(u, All)
	if !slices.Contains(found(r), "old-code a.x: read, write") {
		t.Errorf("%v", found(r))
	}
}

// TestPreflight: a query asks only about what exists before the migration.
func TestPreflight(t *testing.T) {
	u := upgrade(t, analyzer.Example{
		Old:     "CREATE TABLE users (id INT)",
		Migrate: "ALTER TABLE users ADD COLUMN nick INT; UPDATE users SET nick = id; ALTER TABLE users ADD UNIQUE KEY u (nick); ALTER TABLE users ADD UNIQUE KEY v (id)",
	})
	queries := 0
	for _, f := range analyzer.Analyze(u, All).Hazards {
		if f.Preflight != "" {
			queries++
			if strings.Contains(f.Preflight, "nick") {
				t.Errorf("%s: %s", f.Rule.ID, f.Preflight)
			}
			if _, err := u.Databases[0].Old.Apply(schema.Statement{SQL: f.Preflight}); err != nil {
				t.Errorf("%s: %v", f.Preflight, err)
			}
		}
	}
	if queries != 1 {
		t.Errorf("%d queries", queries)
	}
}

// TestBrokenChain: steps that do not follow from each other prove nothing.
func TestBrokenChain(t *testing.T) {
	u := upgrade(t, analyzer.Example{Old: "CREATE TABLE users (id INT)", Migrate: "ALTER TABLE users ADD COLUMN a INT; ALTER TABLE users ADD COLUMN b INT"})
	u.Databases[0].Steps = u.Databases[0].Steps[1:]
	if r := analyzer.Analyze(u, All); r.Verdict != analyzer.Unproven {
		t.Errorf("%s", r.Verdict)
	}
}

// TestSameReport: the same upgrade gives the same report, whatever the order of maps.
func TestSameReport(t *testing.T) {
	e := analyzer.Example{
		Old:     rulesTables + "CREATE TABLE users (id INT, nick INT, KEY k (nick))",
		Migrate: "ALTER TABLE users DROP COLUMN nick, ADD COLUMN age INT; DROP TABLE conditions; ALTER TABLE rules MODIFY mapping VARCHAR(50) NOT NULL; CREATE TABLE more (id INT)",
	}
	describe := func() string {
		u := upgrade(t, e)
		u.Services = services
		r := analyzer.Analyze(u, All)
		var b strings.Builder
		for _, f := range append(r.Hazards, r.Ignored...) {
			b.WriteString(f.Fingerprint + f.What + f.Pos.String() + f.Preflight)
		}
		for _, s := range r.Services {
			b.WriteString(s.Reason + s.WindowReason + s.RollbackReason + strings.Join(s.Because, ","))
		}
		for _, c := range r.Changes {
			b.WriteString(c.Object.String() + c.Kind + string(c.Class))
		}
		for _, c := range r.Costs {
			b.WriteString(c.Algorithm + c.Because)
		}
		return b.String() + r.Why
	}
	first := describe()
	for range 20 {
		if again := describe(); again != first {
			t.Fatalf("%s\n%s", first, again)
		}
	}
}

// TestMediated: what new code writes does not decide the order, but is told of a rollback.
func TestMediated(t *testing.T) {
	u := upgrade(t, analyzer.Example{Old: "CREATE TABLE users (e ENUM('a'))", Migrate: "ALTER TABLE users MODIFY e ENUM('a','b')"})
	r := analyzer.Analyze(u, All)
	if s := r.Services[0]; s.Place != analyzer.After || !s.CanRollBack || !strings.Contains(s.RollbackReason, "does not know the member") {
		t.Errorf("%+v", s)
	}
	// A word in the sources does not make a caution real.
	u = upgrade(t, analyzer.Example{Old: "CREATE TABLE users (id INT, nick INT)", Migrate: "ALTER TABLE users MODIFY nick INT FIRST"})
	u.Usage = func(string, analyzer.Breaks, schema.Object, analyzer.Use) analyzer.Answer {
		return analyzer.Answer{Is: analyzer.Yes, Named: true}
	}
	if r := analyzer.Analyze(u, All); r.Verdict != analyzer.AnyOrder {
		t.Errorf("%s", r.Verdict)
	}
}

// TestSymmetry: old code on the new schema of an upgrade is new code on the old schema of the upgrade that goes back. So
// the two demands of a change and of its reverse are each other's mirror, except where the rules are one-sided on purpose.
func TestSymmetry(t *testing.T) {
	oneSided := []analyzer.Ignore{
		{Rule: "drop-index"},                 // slow queries: those that exist count, those to come do not
		{Rule: "index-visibility"},           // likewise
		{Rule: "truncate-table"},             // rows do not come back
		{Rule: "stored-object-names-column"}, // it breaks both versions on one of the two schemas
		{Rule: "stored-object-meets-change"}, // likewise
		{Rule: "add-functional-index"},       // drop-index mirrors it
		{Rule: "add-spatial-index"},          // likewise
	}
	exceptions := map[string]string{
		"add-foreign-key/on a new column that is NULL for old code":             "a parent with children is deleted: they are there when the column goes, not when it comes",
		"add-unique-index/on a new column that is always the same for old code": "new code does not write a column that goes",
		"add-unique-index/on a new column and one that old code changes":        "rows with a value are there when the column goes, not when it comes",
		"add-foreign-key/on a new column and one that old code changes":         "likewise",
		"enum-to-string/too short":                                              "judged as any change to another type, stricter for readers than needed",
		"string-to-enum/a member is longer than the text was":                   "likewise",
		"drop-foreign-key/it cleaned up":                                        "a new action is what new code was written for",
		"add-index/over a geometry, on MariaDB":                                 "drop-index mirrors it",
		"change-partition/one more":                                             "rows do not come back with a partition",
		"change-partition/one less":                                             "likewise",
	}
	for _, r := range All {
		for _, e := range r.Examples {
			name := r.ID + "/" + e.Name
			for _, access := range []analyzer.Access{analyzer.WriteAccess, analyzer.ReadAccess} {
				u := upgrade(t, e)
				u.Ignores = oneSided
				u.Services = []analyzer.Service{{Name: "code", Access: access}}
				old, new := u.Databases[0].Old, u.Databases[0].New
				place := func(from, to *schema.Schema) analyzer.Place {
					u.Databases = []analyzer.Database{{Old: from, New: to, Steps: []analyzer.Step{{Before: from, After: to}}}}
					return analyzer.Analyze(u, All).Services[0].Place
				}
				there, back := place(old, new), place(new, old)
				mirror := there&analyzer.Before<<1 | there&analyzer.After>>1
				if _, ok := exceptions[name]; !ok && mirror != back {
					t.Errorf("%s, %s: %s and back %s", name, access, there, back)
				}
			}
		}
	}
}

// TestSeveralDatabases: demands of several databases combine, and nothing else changes.
func TestSeveralDatabases(t *testing.T) {
	var examples []analyzer.Example
	for _, r := range All {
		examples = append(examples, r.Examples[0])
	}
	alone := func(e analyzer.Example) *analyzer.Report { return analyzer.Analyze(upgrade(t, e), All) }
	for i, e := range examples {
		f := examples[(i*7+3)%len(examples)]
		if e.Server != f.Server || e.SQLMode != f.SQLMode {
			continue
		}
		u, v := upgrade(t, e), upgrade(t, f)
		u.Databases = []analyzer.Database{u.Databases[0], v.Databases[0]}
		u.Databases[0].Name, u.Databases[1].Name = "one", "two"
		r, a, b := analyzer.Analyze(u, All), alone(e), alone(f)
		if got, want := r.Services[0].Place, a.Services[0].Place|b.Services[0].Place; got != want {
			t.Errorf("%s + %s: %s, want %s", e.Migrate, f.Migrate, got, want)
		}
		if len(r.Hazards) != len(a.Hazards)+len(b.Hazards) {
			t.Errorf("%s + %s: %d hazards, want %d and %d", e.Migrate, f.Migrate, len(r.Hazards), len(a.Hazards), len(b.Hazards))
		}
	}
}

// TestManySteps: the work grows gently with the number of pending statements.
func TestManySteps(t *testing.T) {
	var b strings.Builder
	for i := range 400 {
		fmt.Fprintf(&b, "CREATE TABLE t%d (id INT NOT NULL PRIMARY KEY); ALTER TABLE t%d ADD COLUMN a INT; ALTER TABLE t%d DROP COLUMN a;", i, i, i)
	}
	u := upgrade(t, analyzer.Example{Migrate: b.String()})
	start := time.Now()
	r := analyzer.Analyze(u, All)
	if took := time.Since(start); took > 60*time.Second {
		t.Errorf("%d steps took %s", len(u.Databases[0].Steps), took)
	} else {
		t.Logf("%d steps took %s", len(u.Databases[0].Steps), took)
	}
	if r.Verdict != analyzer.Ordered || len(r.Costs) != 1200 {
		t.Errorf("%s, %d costs", r.Verdict, len(r.Costs))
	}
}

// TestConsumers: a reader that is no service has no place, but is told of.
func TestConsumers(t *testing.T) {
	u := upgrade(t, analyzer.Example{Old: "CREATE TABLE users (id INT)", Migrate: "DROP TABLE users"})
	u.Services = []analyzer.Service{{Name: "admin", Migrates: true, Access: analyzer.NoAccess}}
	u.Consumers = []analyzer.Consumer{{Name: "scripts"}, {Name: "export"}}
	u.Usage = func(name string, code analyzer.Breaks, o schema.Object, use analyzer.Use) analyzer.Answer {
		switch {
		case name == "export":
			return analyzer.Answer{Is: analyzer.No}
		case code == analyzer.NewCode: // what it is at the target ref meets the new schema too
			return analyzer.Answer{Is: analyzer.Yes, Named: true, Evidence: []analyzer.Evidence{{Rev: "v2", File: "dump.sh", Line: 7, Text: "SELECT * FROM users"}}}
		}
		return analyzer.Answer{}
	}
	r := analyzer.Analyze(u, All)
	f := r.Hazards[slices.IndexFunc(r.Hazards, func(f analyzer.Finding) bool { return f.Breaks&analyzer.OldCode != 0 })]
	if len(f.Consumers) != 1 || f.Consumers[0].Name != "scripts" || f.Consumers[0].Assumed || f.Consumers[0].Code != analyzer.OldCode || len(f.Evidence) != 1 || r.Verdict != analyzer.AnyOrder {
		t.Errorf("%s %+v", r.Verdict, f)
	}
}

func TestRebuildHasACost(t *testing.T) {
	for _, migrate := range []string{"ALTER TABLE users FORCE", "ALTER TABLE users ENGINE = InnoDB", "OPTIMIZE TABLE users"} {
		r := analyzer.Analyze(upgrade(t, analyzer.Example{Old: "CREATE TABLE users (id INT)", Migrate: migrate}), All)
		if r.Verdict != analyzer.AnyOrder || len(r.Costs) != 1 || !r.Costs[0].RebuildsTable || r.Proviso == "" {
			t.Errorf("%s: %s %+v", migrate, r.Verdict, r.Costs)
		}
	}
}

// TestBetweenBesideIgnored: what is ignored of the ends does not hide what another rule says of a schema in between.
func TestBetweenBesideIgnored(t *testing.T) {
	u := upgrade(t, analyzer.Example{Old: "CREATE TABLE users (age INT)", Migrate: "ALTER TABLE users MODIFY age TINYINT NOT NULL; ALTER TABLE users MODIFY age INT NOT NULL"})
	u.Ignores = []analyzer.Ignore{{Rule: "null-to-not-null", Object: "users.age", Because: "it is always written"}}
	r := analyzer.Analyze(u, All)
	if s := r.Services[0]; r.Verdict != analyzer.Split || s.Place != analyzer.Nowhere {
		t.Errorf("%s, %s: %s", r.Verdict, s.Place, r.Why)
	}
}
