package simulate

import (
	"context"
	"testing"
	"time"

	"instep/analyzer"
	"instep/analyzer/rules"
	"instep/analyzer/schema"
	"instep/simulate/servertest"
)

func TestLeftOut(t *testing.T) {
	s, err := schema.New(schema.Server{}).Apply(schema.Statement{SQL: "CREATE TABLE t (id INT)"})
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]bool{
		"SET GLOBAL max_connections = 5":           true,
		"GRANT SELECT ON *.* TO somebody":          true,
		"UPDATE t SET id = 1":                      true,
		"ALTER TABLE t ADD COLUMN n INT":           false,
		"DROP TABLE t":                             false,
		"SET foreign_key_checks = 0":               false,
		"SET sql_mode = ''":                        false,
		"ALTER TABLE nowhere ADD COLUMN n INT":     false,
		"OPTIMISE EVERYTHING THAT NOBODY KNOWS OF": false,
	} {
		if got := leftOut(s, schema.Statement{SQL: text}); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
}

// TestNotRun: a statement that the guest may not run is left out where it changes no schema. Otherwise the upgrade ends at it, for
// the states behind it would not be what they are taken for, and nothing is proved.
func TestNotRun(t *testing.T) {
	srv := testServer(t, servertest.MariaDB(t))
	for _, tt := range []struct {
		name, new string
		params    bool
		skipped   bool
	}{
		{"a global setting", "SET GLOBAL max_connections = 100", false, true},
		{"values known at run time", "UPDATE users SET nick = ?", true, true},
		{"a table with a value known at run time", "ALTER TABLE users ADD COLUMN n INT DEFAULT 1", true, false},
	} {
		in := sessionInput(t, upgradeSession{old: users, new: tt.new + "; ALTER TABLE users ADD COLUMN mail VARCHAR(100)", services: adminApp}, srv.Version)
		d := &in.Upgrade.Databases[0]
		d.Migrations[0].Statements[0].Params = tt.params
		sim, err := runOn(context.Background(), srv, in, Options{Rows: RowOptions{Each: 20, Seed: 1}, StatementLimit: time.Minute})
		if err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		analyzer.Judge(analyzer.Analyze(in.Upgrade, rules.All), sim)
		first := sim.Databases[0].Steps[0]
		if skipped := first.Skipped != "" && first.Error == nil; skipped != tt.skipped || !tt.skipped && first.Error == nil {
			t.Errorf("%s: skipped %q, error %v", tt.name, first.Skipped, first.Error)
		}
		// What was run proves an order only if all states were reached.
		if got, want := sim.Judgment.Evidence, map[bool]analyzer.Verdict{true: analyzer.Ordered, false: analyzer.Unproven}[tt.skipped]; got != want {
			t.Errorf("%s: the evidence is %s, want %s: %s", tt.name, got, want, sim.Judgment.Why)
		}
		if !tt.skipped && sim.Judgment.Verdict != analyzer.Unproven {
			t.Errorf("%s: the verdict is %s", tt.name, sim.Judgment.Verdict)
		}
	}
}
