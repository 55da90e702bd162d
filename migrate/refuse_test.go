package migrate

import (
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
