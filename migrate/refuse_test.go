package migrate

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"instep/analyzer/schema"
)

// TestRefusals checks what is said of a framework that will not upgrade databases which have run the deployed history. (Alembic
// 1.8.1 refuses and accepts the same; of the others their manuals and sources say so.)
func TestRefusals(t *testing.T) {
	env := []string{"m/env.py", "from alembic import context\n"}
	files := func(more ...string) []string { return append(more, env...) }
	a, b, c := revision("a", "None"), revision("b", "a"), revision("c", "a")
	up := func(ids ...string) []string {
		var out []string
		for _, id := range ids {
			out = append(out, "m/"+id+"_x.up.sql", "CREATE TABLE t"+id+" (id INT);\n")
		}
		return out
	}
	sqlMigrate := func(names ...string) []string {
		var out []string
		for _, n := range names {
			out = append(out, "m/"+n, "-- +migrate Up\nINSERT INTO t VALUES (1);\n")
		}
		return out
	}
	for _, tt := range []struct {
		name     string
		old, new []string
		want     string
	}{
		{"alembic, the same", files("m/versions/a.py", a), files("m/versions/a.py", a, "m/versions/b.py", b), ""},
		{"alembic, the head is gone", files("m/versions/a.py", a, "m/versions/b.py", b), files("m/versions/a.py", a, "m/versions/c.py", c), "databases that are at revision b"},
		{"alembic, back to before", files("m/versions/a.py", a, "m/versions/b.py", b), files("m/versions/a.py", a), "databases that are at revision b"},
		{"alembic, one before the head is gone", files("m/versions/a.py", a, "m/versions/b.py", b), files("m/versions/b.py", revision("b", "None")), ""},
		{"alembic, one of two that were merged", files("m/versions/a.py", a, "m/versions/b.py", b, "m/versions/c.py", c),
			files("m/versions/a.py", a, "m/versions/b.py", b, "m/versions/d.py", revision("d", "b")), "databases that are at revision c"},
		{"golang-migrate, the last is gone", up("1", "2"), up("1", "3"), "databases that are at version 2"},
		{"golang-migrate, one before the last is gone", up("1", "2", "3"), up("1", "3", "4"), ""},
		{"sql-migrate, one is gone", sqlMigrate("1_a.sql", "2_b.sql", "3_c.sql"), sqlMigrate("1_a.sql", "3_c.sql"), "databases that have run 2_b.sql"},
		{"flyway, one is gone", []string{"db/migration/V1__a.sql", "SELECT 1;\n", "db/migration/V2__b.sql", "SELECT 2;\n", "db/migration/V3__c.sql", "SELECT 3;\n"},
			[]string{"db/migration/V1__a.sql", "SELECT 1;\n", "db/migration/V3__c.sql", "SELECT 3;\n"}, "databases that have run version 2"},
		{"flyway, another comment", []string{"db/migration/V1__a.sql", "-- x\nSELECT 1;\n"}, []string{"db/migration/V1__a.sql", "-- y\nSELECT 1;\n"}, "version 1, whose text is another"},
		{"flyway, other ends of lines", []string{"db/migration/V1__a.sql", "SELECT 1;\nSELECT 2;"}, []string{"db/migration/V1__a.sql", "\ufeffSELECT 1;\r\nSELECT 2;\r\n"}, ""},
		{"flyway, another folder", []string{"db/migration/V1__a.sql", "SELECT 1;\n"}, []string{"src/main/resources/db/migration/V1__a.sql", "SELECT 1;\n"}, ""},
		{"flyway, another description", []string{"db/migration/V1__a.sql", "SELECT 1;\n"}, []string{"db/migration/V1__b.sql", "SELECT 1;\n"}, `version 1 as "a", which is "b"`},
		{"flyway, a repeatable one", []string{"db/migration/V1__a.sql", "SELECT 1;\n", "db/migration/R__v.sql", "SELECT 1;\n"},
			[]string{"db/migration/V1__a.sql", "SELECT 1;\n", "db/migration/R__v.sql", "SELECT 2;\n"}, ""},
	} {
		var pair [2]*History
		oldFS, oldFiles := pyTree(tt.old...)
		newFS, newFiles := pyTree(tt.new...)
		for i, err := range []error{findOne(&pair[0], oldFS, oldFiles), findOne(&pair[1], newFS, newFiles)} {
			if err != nil {
				t.Fatalf("%s: tree %d: %v", tt.name, i, err)
			}
		}
		got := new(Cache).Compare(oldFS, newFS, pair, schema.New(schema.Server{Major: 8, Minor: 4}), "")
		var found []string
		for _, g := range got.PendingGaps {
			if strings.HasPrefix(g.What, "the upgrade of databases") {
				found = append(found, g.What)
			}
		}
		if s := strings.Join(found, "\n"); tt.want == "" && s != "" || !strings.Contains(s, tt.want) || len(found) > 1 {
			t.Errorf("%s: %q, want %q (of a re-based history: %q)", tt.name, s, tt.want, got.Rebased)
		}
	}
}

// findOne finds the only history of a tree.
func findOne(h **History, fsys fs.FS, files []string) error {
	all, err := Find(fsys, files, nil)
	if err == nil && len(all) != 1 {
		err = fmt.Errorf("%d histories", len(all))
	}
	if err == nil {
		*h = all[0]
	}
	return err
}

// TestUpgradeSession: what a migration that databases ran long ago has set for its connection does not hold for the upgrade.
func TestUpgradeSession(t *testing.T) {
	for _, tt := range []struct{ name, before, pending, gap string }{
		{"foreign_key_checks", "SET FOREIGN_KEY_CHECKS = 0;\nCREATE TABLE c (p INT, FOREIGN KEY (p) REFERENCES p (id));\nCREATE TABLE p (id INT PRIMARY KEY);\n", "DROP TABLE p;", "error 3730"},
		{"sql_mode", "SET sql_mode = '';\nCREATE TABLE c (id INT);\n", "ALTER TABLE c ADD COLUMN d DATETIME NOT NULL DEFAULT '0000-00-00 00:00:00';", "error 1067"},
		{"USE", "CREATE DATABASE a; USE a;\nCREATE TABLE c (id INT);\nUSE b;\n", "ALTER TABLE c ADD COLUMN d INT;", ""},
		{"set again", "CREATE TABLE p (id INT PRIMARY KEY);\nCREATE TABLE c (p INT, FOREIGN KEY (p) REFERENCES p (id));\n", "SET foreign_key_checks = 0;\nDROP TABLE p;", ""},
	} {
		var pair [2]*History
		oldFS, oldFiles := pyTree("db/migration/V1__a.sql", tt.before)
		newFS, newFiles := pyTree("db/migration/V1__a.sql", tt.before, "db/migration/V2__b.sql", tt.pending)
		if err := errors.Join(findOne(&pair[0], oldFS, oldFiles), findOne(&pair[1], newFS, newFiles)); err != nil {
			t.Fatal(err)
		}
		got := new(Cache).Compare(oldFS, newFS, pair, schema.New(schema.Server{Major: 8, Minor: 4}), "")
		if !got.Old.Schema.ForeignKeyChecks() {
			t.Errorf("%s: the upgrade begins without foreign_key_checks", tt.name)
		}
		gaps := got.PendingGaps
		if tt.gap == "" && len(gaps) > 0 || tt.gap != "" && (len(gaps) != 1 || !strings.Contains(gaps[0].Why, tt.gap)) {
			t.Errorf("%s: gaps %v, want %q", tt.name, gaps, tt.gap)
		}
	}
}

// TestFlywayForeignKeyChecks: Flyway takes foreign_key_checks back after each migration.
func TestFlywayForeignKeyChecks(t *testing.T) {
	var h *History
	fsys, files := pyTree("db/migration/V1__a.sql", "CREATE TABLE p (id INT PRIMARY KEY);\nCREATE TABLE c (p INT, FOREIGN KEY (p) REFERENCES p (id));\nSET FOREIGN_KEY_CHECKS = 0;\n",
		"db/migration/V2__b.sql", "DROP TABLE p;\n")
	if err := findOne(&h, fsys, files); err != nil {
		t.Fatal(err)
	}
	r := (*Cache)(nil).Replay(fsys, h, schema.New(schema.Server{Major: 8, Minor: 4}))
	if gaps := r.AllGaps(); len(gaps) != 1 || !strings.Contains(gaps[0].Why, "error 3730") {
		t.Errorf("gaps %v", gaps)
	}
}
