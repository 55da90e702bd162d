package migrate

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"instep/analyzer/schema"
)

var mysql84 = schema.Server{Major: 8, Minor: 4}

// tree makes a file system of texts; "-> x" is a symbolic link.
func tree(files map[string]string) fstest.MapFS {
	fsys := fstest.MapFS{}
	for name, text := range files {
		f := &fstest.MapFile{Data: []byte(text)}
		if target, ok := strings.CutPrefix(text, "-> "); ok {
			f = &fstest.MapFile{Data: []byte(target), Mode: fs.ModeSymlink}
		}
		fsys[name] = f
	}
	return fsys
}

func paths(fsys fs.FS) []string {
	var files []string
	fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			files = append(files, name)
		}
		return nil
	})
	slices.Sort(files)
	return files
}

// found tells in one line each what Find makes of a tree.
func found(t *testing.T, fsys fs.FS) string {
	t.Helper()
	histories, err := Find(fsys, paths(fsys), nil)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, h := range histories {
		fmt.Fprintf(&b, "%s %s %q:", h.Framework, h.Dir, h.Database)
		for _, r := range h.Revisions {
			fmt.Fprintf(&b, " %s", r.ID)
		}
		b.WriteByte('\n')
		for _, g := range h.Gaps {
			fmt.Fprintf(&b, "gap %s: %s: %s\n", g.Pos, g.What, g.Why)
		}
	}
	return b.String()
}

func TestSQLFolders(t *testing.T) {
	const create = "CREATE TABLE `t` (id INT);"
	up := func(mark string) string { return mark + "\n" + create }
	for _, tt := range []struct {
		name  string
		files map[string]string
		want  string
	}{
		{"plain", map[string]string{
			"db/migrations/2_b.sql": create, "db/migrations/010-c.sql": create, "db/migrations/1_a.sql": create, "db/migrations/1_a_down.sql": "DROP TABLE t",
			"db/migrations/schema.sql": create, "db/migrations/9.sql": create, "README.md": "x",
		}, "sql db/migrations \"\": 1 2 9 10\n"},
		{"plain, the same number twice", map[string]string{"sql/01_b.sql": create, "sql/01_a.sql": create, "sql/2_x.sql": create}, "sql sql \"\": 01_a 01_b 2\n"},
		{"plain, by release", map[string]string{"migration/mysql/0.9/01_b.sql": create, "migration/mysql/0.10/00_c.sql": create, "migration/mysql/0.9/00_a.sql": create, "migration/mysql/LATEST.sql": "x", "migration/sqlite/0.9/00_a.sql": "x"},
			"sql migration/mysql \"\": 0.9/0 0.9/1 0.10/0\n"},
		{"plain, folders for both ways", map[string]string{"migrations/up/1_a.sql": create, "migrations/down/1_a.sql": create}, "sql migrations/up \"\": 1\n"},
		{"plain, by database", map[string]string{"db/1_a.mysql.sql": create, "db/1_a.sql": "x", "db/1_a.postgres.sql": "x", "db/2_to_postgres.sql": create, "db/3.sqlite.sql": "x", "db/20240101_src/4_x.sql": create}, "sql db \"\": 1 2\n"},
		{"plain, not about a schema", map[string]string{
			"slides/01_intro.sql": create, "docs/sql/1_a.sql": create, "docker/db/1_a.sql": create, ".devcontainer/db/1_a.sql": create, "db/initdb.d/1_a.sql": create,
		}, ""},
		{"plain, run by Python", map[string]string{"app/migrations/sql/01_x.sql": create, "app/migrations/__init__.py": "", "alembic/env.py": "", "alembic/versions/sql/1_x.sql": create}, ""},
		{"golang-migrate", map[string]string{
			"m/9_b.up.sql": create, "m/9_b.down.sql": "x", "m/10_c.up.sql": create, "m/001_a.up.sql": create, "m/11_d.down.sql": "x", "m/other.sql": "x",
		}, "golang-migrate m \"m\": 1 9 10\n"},
		{"golang-migrate, a version twice", map[string]string{"m/1_a.up.sql": create, "m/01_b.up.sql": create},
			"golang-migrate m \"m\": 1\ngap m/01_b.up.sql:1:1: migration 1: m/1_a.up.sql has the same version: golang-migrate refuses both\n"},
		{"golang-migrate, too long a version", map[string]string{"m/18446744073709551616_a.up.sql": create, "m/18446744073709551615_a.up.sql": create},
			"golang-migrate m \"m\": 18446744073709551615 18446744073709551616\n" +
				"gap m/18446744073709551616_a.up.sql:1:1: migration 18446744073709551616: its version does not fit into 64 bits: golang-migrate passes over it\n"},
		{"pop", map[string]string{
			"m/20150100000001000000_a.mysql.up.sql": create, "m/20150100000001000000_a.up.sql": "CREATE TABLE t (j JSONB)", "m/20150100000001000000_a.postgres.up.sql": "x",
			"src/20150100000001_a/20150100000001000000_a.mysql.up.sql": create, "m/20150100000001000001_b.cockroach.autocommit.up.sql": "x", "m/20150100000001000002_c.autocommit.up.sql": create, "m/20150100000001000002_c.autocommit.down.sql": create,
		}, "golang-migrate m \"m\": 20150100000001000000 20150100000001000002\n"},
		{"goose", map[string]string{
			"m/00002_b.sql": up("-- +goose Up"), "m/20240101000000_c.sql": up("-- +goose Up"), "m/00001_a.sql": up("--+goose up"), "m/00003_d.go": "package m // goose.AddMigration",
			"m/00003_d_test.go": "goose", "m/00004_helper.go": "package m", "m/schema.sql": create,
		}, "goose m \"m\": 1 2 3 20240101000000\n"},
		{"sql-migrate", map[string]string{"m/10_b.sql": up("-- +migrate Up"), "m/9_a.sql": up("-- +migrate Up"), "m/init.sql": up("-- +migrate Up")},
			"sql-migrate m \"m\": 9_a.sql 10_b.sql init.sql\n"},
		{"dbmate", map[string]string{"db/migrations/20240102_b.sql": up("-- migrate:up"), "db/migrations/20240101_a.sql": up("-- migrate:up transaction:false"), "db/schema.sql": create},
			"dbmate db/migrations \"\": 20240101 20240102\n"},
		{"flyway", map[string]string{
			"src/main/resources/db/migration/V2__b.sql": create, "src/main/resources/db/migration/V1_10__d.sql": create, "src/main/resources/db/migration/V1.9__c.sql": create,
			"src/main/resources/db/migration/V01__a.sql": create, "src/main/resources/db/migration/R__view.sql": create, "src/main/resources/db/migration/U2__b.sql": "x",
			"src/main/resources/db/migration/more/V3.0__e.sql": create, "src/main/java/db/migration/V4__f.java": "class", "src/test/resources/db/migration/V1__t.sql": create,
			"src/main/resources/db/migration/B1__base.sql": create,
		}, "flyway src/main/resources/db/migration \"\": 1 1.9 1.10 2 3 4 R__view\n"},
		{"flyway, baseline only", map[string]string{"db/migration/B5__base.sql": create, "db/migration/V6__x.sql": create}, "flyway db/migration \"\": 5 6\n"},
		{"flyway by vendor", map[string]string{
			"svc/db/migration/mysql/V2__b.sql": create, "svc/db/migration/postgresql/V2__b.sql": "x", "svc/db/migration/mariadb/V2__b.sql": "x", "svc/db/migration/V1__a.sql": create,
			"svc/db/migration/h2/V2__b.sql": "x", "a/db/mysql/V1__a.sql": create, "a/db/hsqldb/V1__a.sql": create,
		}, "flyway a/db \"a\": 1\nflyway svc/db/migration \"svc\": 1 2\n" +
			"gap svc/db/migration/V1__a.sql:1:1: the migrations in svc/db/migration: they lie beside folders for single databases: whether Flyway runs them too depends on its locations setting\n"},
		{"flyway, a base class", map[string]string{
			"src/main/resources/db/mysql/V1__a.sql": create, "src/main/java/db/V2__b.java": "abstract class", "src/main/java/db/mysql/V2__b_mysql.java": "class", "src/main/java/db/pg/V2__b_pg.java": "class",
		}, "flyway src/main/resources/db \"\": 1 2\n"},
		{"flyway callback", map[string]string{"db/migration/V1__a.sql": create, "db/migration/afterMigrate.sql": "GRANT SELECT ON t TO x;\nCREATE VIEW v AS SELECT 1;"},
			"flyway db/migration \"\": 1\ngap db/migration/afterMigrate.sql:2:1: the effect of CREATE VIEW v AS SELECT 1: it is in a callback, which Flyway runs around migrations\n"},
		{"diesel", map[string]string{
			"migrations/2024-01-02-000000_b/up.sql": create, "migrations/2024-01-02-000000_b/down.sql": "x", "migrations/2024-01-01-000000_a/up.sql": create, "migrations/2023-12-31-000000/up.sql": create,
			"migrations/.hidden/up.sql": "x",
		}, "diesel migrations \"\": 20231231000000 20240101000000 20240102000000\n"},
		{"manifest", map[string]string{
			"schema/mysql/v8/temporal/versioned/v1.9/manifest.json": `{"CurrVersion":"1.9","SchemaUpdateCqlFiles":["b.sql","a.sql"]}`, "schema/mysql/v8/temporal/versioned/v1.9/a.sql": create,
			"schema/mysql/v8/temporal/versioned/v1.9/b.sql": "x", "schema/mysql/v8/temporal/versioned/v1.10/manifest.json": "{}", "schema/mysql/v8/temporal/versioned/v1.10/x.sql": create,
			"schema/mysql/v8/temporal/schema.sql": create, "schema/postgresql/v12/temporal/versioned/v1.0/manifest.json": "{}", "schema/postgresql/v12/temporal/versioned/v1.0/x.sql": "x",
		}, "schema-manifest schema/mysql/v8/temporal/versioned \"temporal\": 1.9 1.10\n"},
		{"versions of the server", map[string]string{"m/mysql/v57/1_x.up.sql": create, "m/mysql/v8/1_x.up.sql": create, "n/mysql/v1/1_x.up.sql": create, "n/mysql/v2/1_x.up.sql": create},
			"golang-migrate m/mysql/v8 \"m\": 1\ngolang-migrate n/mysql/v1 \"n\": 1\ngolang-migrate n/mysql/v2 \"n\": 1\n"},
		{"other databases", map[string]string{
			"a/migrations/postgres/1_x.sql": create, "b/migrations-sqlite/1_x.up.sql": create, "c/pg/migrations/1_x.up.sql": "CREATE TABLE t (id BIGSERIAL, x JSONB)",
			"d/migrations/1_x.sql": "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT)", "e/db/migration/V1__x.sql": "CREATE TABLE t (at TIMESTAMP WITH TIME ZONE)",
			"f/migrations/1_x/up.sql": "SELECT now()::date", "g/migrations/1_x.sql": "-- like jsonb\n/* AUTOINCREMENT */ CREATE TABLE t (id SERIAL PRIMARY KEY);\nINSERT INTO t VALUES ('App::Model', 'it''s $$');",
			"h/migrations/1_x.sql": "CREATE TABLE t (a JSONB);", "h/migrations/2_x.sql": "CREATE TABLE u (a INT) ENGINE=InnoDB;",
		}, "sql g/migrations \"g\": 1\nsql h/migrations \"h\": 1 2\n"},
		{"words that mean something else too", map[string]string{
			"oracle/migrations/1_x.up.sql": create, "h2/mysql/1_x.up.sql": create, "db/oracle/1_x.up.sql": create, "db/mysql/1_x.up.sql": create,
		}, "golang-migrate db/mysql \"\": 1\ngolang-migrate h2/mysql \"h2\": 1\ngolang-migrate oracle/migrations \"oracle\": 1\n"},
		{"MariaDB beside MySQL", map[string]string{"m/mysql/1_x.up.sql": create, "m/mariadb/1_x.up.sql": create, "n/mariadb/1_x.up.sql": create},
			"golang-migrate m/mysql \"m\": 1\ngolang-migrate n/mariadb \"n\": 1\n"},
		{"several databases", map[string]string{
			"sa/db/boulder/1_a.sql": up("-- +migrate Up"), "sa/db/incidents/1_a.sql": up("-- +migrate Up"), "sa/db-next/boulder/1_a.sql": "-> ../../db/boulder/1_a.sql",
			"sa/db-next/boulder/2_b.sql": up("-- +migrate Up"), "vendor/x/migrations/1_a.sql": create, "tests/migrations/1_a.sql": create,
		}, "sql-migrate sa/db-next/boulder \"boulder-next\": 1_a.sql 2_b.sql\nsql-migrate sa/db/boulder \"boulder\": 1_a.sql\nsql-migrate sa/db/incidents \"incidents\": 1_a.sql\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := found(t, tree(tt.files)); got != tt.want {
				t.Errorf("got:\n%swant:\n%s", got, tt.want)
			}
		})
	}
}

// replay runs all that Find finds and gives the statements with their positions, what goes back, and the gaps.
func replay(t *testing.T, fsys fs.FS) string {
	t.Helper()
	histories, err := Find(fsys, paths(fsys), nil)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, h := range histories {
		r := (*Cache)(nil).Replay(fsys, h, schema.New(mysql84))
		for _, m := range r.Migrations {
			if len(m.Steps) != len(m.Statements) {
				t.Errorf("%s: %d steps for %d statements", m.ID, len(m.Steps), len(m.Statements))
			}
			for _, st := range m.Statements {
				if st.Migration != m.ID {
					t.Errorf("a statement of %s says it is of %q", m.ID, st.Migration)
				}
				fmt.Fprintf(&b, "%s %s %s\n", m.ID, st.Pos, st.SQL)
			}
			for _, st := range m.Down {
				fmt.Fprintf(&b, "%s back %s %s\n", m.ID, st.Pos, st.SQL)
			}
			for _, g := range m.Gaps {
				fmt.Fprintf(&b, "%s gap %s: %s: %s\n", m.ID, g.Pos, g.What, g.Why)
			}
		}
	}
	return b.String()
}

func TestSQLFiles(t *testing.T) {
	trigger := "CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW BEGIN SET NEW.a = 1; SET NEW.a = 2; END"
	for _, tt := range []struct {
		name  string
		files map[string]string
		want  string
	}{
		{"goose", map[string]string{"m/1_a.sql": "-- a comment\n-- +goose NO TRANSACTION\n-- +goose Up\nCREATE TABLE t (a INT);\r\n  -- +goose StatementBegin\n" + trigger + ";\n-- +goose StatementEnd\n-- +goose Down\nDROP TABLE t;\n"},
			"1 m/1_a.sql:4:1 CREATE TABLE t (a INT)\n1 m/1_a.sql:6:1 " + trigger + "\n1 back m/1_a.sql:9:1 DROP TABLE t\n"},
		{"goose, before the mark", map[string]string{"m/1_a.sql": "SELECT 1;\n-- +goose Up\nSELECT 2;"},
			"1 m/1_a.sql:3:1 SELECT 2\n1 gap m/1_a.sql:1:1: SELECT 1: it stands before the mark that says whether it is for the upgrade\n"},
		{"goose, no mark", map[string]string{"m/1_a.sql": "-- +goose Up\nSELECT 1;", "m/2_b.sql": "DROP TABLE t;"},
			"1 m/1_a.sql:2:1 SELECT 1\n2 gap m/2_b.sql:1:1: the file m/2_b.sql: no mark in it says what is for the upgrade\n"},
		{"goose, environment", map[string]string{"m/1_a.sql": "-- +goose ENVSUB ON\n-- +goose Up\nCREATE TABLE ${P}t (id INT);\nINSERT INTO x VALUES ('$P');", "m/2_b.sql": "-- +goose Up\nCREATE TABLE a$b (id INT);"},
			"1 m/1_a.sql:3:1 CREATE TABLE ${P}t (id INT)\n1 m/1_a.sql:4:1 INSERT INTO x VALUES ('$P')\n" +
				"1 gap m/1_a.sql:3:1: the effect of CREATE TABLE ${P}t (id INT): ${P} in it is filled in from the environment\n2 m/2_b.sql:2:1 CREATE TABLE a$b (id INT)\n"},
		{"goose, in Go", map[string]string{"m/1_a.sql": "-- +goose Up\nSELECT 1;", "m/2_b.go": "package m\nfunc init() { goose.AddMigration(up, nil) }"},
			"1 m/1_a.sql:2:1 SELECT 1\n2 gap m/2_b.go:1:1: the migration m/2_b.go: it is written in Go, which is not read\n"},
		{"sql-migrate", map[string]string{"m/1.sql": "-- +migrate Up notransaction\nSELECT 1;\n-- +migrate Down\nSELECT 2;\n-- +migrate Up\nSELECT 3"},
			"1.sql m/1.sql:2:1 SELECT 1\n1.sql m/1.sql:6:1 SELECT 3\n1.sql back m/1.sql:4:1 SELECT 2\n"},
		{"dbmate", map[string]string{"m/1_a.sql": "-- migrate:up\nSELECT 1;\n-- migrate:down\nSELECT 2;\n"}, "1 m/1_a.sql:2:1 SELECT 1\n1 back m/1_a.sql:4:1 SELECT 2\n"},
		{"golang-migrate", map[string]string{"m/1_a.up.sql": "CREATE TABLE t (id INT); CREATE TABLE {{ .x }} (id INT)", "m/1_a.down.sql": "DROP TABLE t"},
			"1 m/1_a.up.sql:1:1 CREATE TABLE t (id INT)\n1 m/1_a.up.sql:1:26 CREATE TABLE {{ .x }} (id INT)\n1 back m/1_a.down.sql:1:1 DROP TABLE t\n" +
				"1 gap m/1_a.up.sql:1:26: the effect of CREATE TABLE {{ .x }} (id INT): {{ .x }} in it is filled in when it runs\n"},
		{"pop", map[string]string{
			"m/1_a.mariadb.up.sql": "SELECT 'mariadb'", "m/1_a.mysql.up.sql": "SELECT 'mysql'", "m/1_a.up.sql": "SELECT 'any'", "m/1_a.postgres.up.sql": "SELECT 'postgres'",
			"m/1_a.down.sql": "SELECT 'back'", "m/1_a.mysql.down.sql": "SELECT 'mysql back'", "m/2_b.up.sql": "SELECT 'any'", "m/2_b.up.fizz": "x",
		}, "1 m/1_a.mysql.up.sql:1:1 SELECT 'mysql'\n1 back m/1_a.mysql.down.sql:1:1 SELECT 'mysql back'\n2 m/2_b.up.sql:1:1 SELECT 'any'\n"},
		{"fizz", map[string]string{"m/1_a.up.sql": "SELECT 1", "m/2_b.up.fizz": "create_table(\"t\")"}, "1 m/1_a.up.sql:1:1 SELECT 1\n2 gap m/2_b.up.fizz:1:1: the file m/2_b.up.fizz: it is written in fizz, which is not read\n"},
		{"flyway", map[string]string{"src/main/resources/db/migration/V1__a.sql": "CREATE TABLE t (d VARCHAR(9) DEFAULT '${d}');", "src/main/resources/db/migration/U1__a.sql": "DROP TABLE t", "src/main/kotlin/db/migration/V2__k.kt": "class"},
			"1 src/main/resources/db/migration/V1__a.sql:1:1 CREATE TABLE t (d VARCHAR(9) DEFAULT '${d}')\n1 back src/main/resources/db/migration/U1__a.sql:1:1 DROP TABLE t\n" +
				"1 gap src/main/resources/db/migration/V1__a.sql:1:1: the effect of CREATE TABLE t (d VARCHAR(9) DEFAULT '${d}'): ${d} in it is filled in by Flyway\n" +
				"2 gap src/main/kotlin/db/migration/V2__k.kt:1:1: the migration src/main/kotlin/db/migration/V2__k.kt: it is not written in SQL\n"},
		{"plain, with a way back", map[string]string{
			"conf/evolutions/1.sql": "# --- !Ups\nSELECT 1;\n# --- !Downs\nSELECT 2;\n", "conf/evolutions/2.sql": "-- a comment\nSELECT 3;\n-- //@UNDO\nSELECT 4;",
			"conf/evolutions/3.sql": "SELECT 5;\n-- Rollback:\nSELECT 6;", "conf/evolutions/4.sql": "-- not to be taken down\nSELECT 7;\n-- undo", "conf/evolutions/5.sql": "--liquibase formatted sql\nSELECT 8;",
		},
			"1 conf/evolutions/1.sql:2:1 SELECT 1\n1 back conf/evolutions/1.sql:4:1 SELECT 2\n2 conf/evolutions/2.sql:2:1 SELECT 3\n2 back conf/evolutions/2.sql:4:1 SELECT 4\n" +
				"3 conf/evolutions/3.sql:1:1 SELECT 5\n3 back conf/evolutions/3.sql:3:1 SELECT 6\n3 gap conf/evolutions/3.sql:2:1: the rest of conf/evolutions/3.sql: the comment \"-- Rollback:\" reads as if it took the migration back\n" +
				"4 conf/evolutions/4.sql:2:1 SELECT 7\n5 gap conf/evolutions/5.sql:1:1: the file conf/evolutions/5.sql: it is a changelog of Liquibase's, whose rules are not known here\n"},
		{"manifest", map[string]string{"s/v1.0/manifest.json": `{"SchemaUpdateCqlFiles":["b.sql","a.sql"]}`, "s/v1.0/a.sql": "SELECT 1", "s/v1.0/b.sql": "SELECT 2", "s/v1.0/c.sql": "SELECT 3", "s/v1.1/manifest.json": "{", "s/v1.2/manifest.json": `{"SchemaUpdateCqlFiles":["../x.sql"]}`},
			"1.0 s/v1.0/b.sql:1:1 SELECT 2\n1.0 s/v1.0/a.sql:1:1 SELECT 1\n1.1 gap s/v1.1/manifest.json:1:1: the files of version 1.1: the manifest cannot be read: unexpected end of JSON input\n" +
				"1.2 gap s/v1.2/manifest.json:1:1: the files of version 1.2: the manifest names a file outside of its folder: \"../x.sql\"\n"},
		{"binary, large, missing", map[string]string{"migrations/1_a.sql": "\x7fELF\x00\x01", "migrations/2_b.sql": strings.Repeat("-- a dump\n", 50<<20/10), "migrations/3_c.sql": "-> nowhere"},
			"1 gap migrations/1_a.sql:1:1: the file migrations/1_a.sql: it is binary\n2 gap migrations/2_b.sql:1:1: the file migrations/2_b.sql: it has 50 MB: files of more than 16 MB are not read\n" +
				"3 gap migrations/3_c.sql:1:1: the file migrations/3_c.sql: file does not exist\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := replay(t, tree(tt.files)); got != tt.want {
				t.Errorf("got:\n%swant:\n%s", got, tt.want)
			}
		})
	}
}

// TestRefused holds that a statement which a server refuses or which cannot be read is a gap, and hides nothing after it.
func TestRefused(t *testing.T) {
	fsys := tree(map[string]string{"migrations/1_a.sql": "CREATE TABLE t (a INT);\nCREATE TABLE t (a INT);\nCALL p();\nALTER TABLE t ADD COLUMN b INT;\n"})
	histories, err := Find(fsys, paths(fsys), nil)
	if err != nil || len(histories) != 1 {
		t.Fatal(histories, err)
	}
	r := (*Cache)(nil).Replay(fsys, histories[0], schema.New(mysql84))
	gaps := r.Migrations[0].Gaps
	if len(gaps) != 2 ||
		!strings.Contains(gaps[0].Why, "a server refuses it with error 1050") || gaps[0].Pos.Line != 2 || gaps[0].What != "the effect of CREATE TABLE t (a INT)" ||
		!strings.Contains(gaps[1].Why, "it cannot be read") || gaps[1].Pos != (schema.Pos{File: "migrations/1_a.sql", Line: 3, Col: 6}) {
		t.Errorf("gaps: %+v", gaps)
	}
	if table := r.Schema.Table("t"); table == nil || len(table.Columns) != 2 {
		t.Errorf("what follows was not applied: %+v", table)
	}
	if steps := r.Migrations[0].Steps; len(steps) != 4 || len(steps[2].Table("t").Columns) != 1 || len(steps[3].Table("t").Columns) != 2 {
		t.Errorf("steps: %v", steps)
	}
}

// TestSQLBudget holds that many files of a size that one file may have do not fill the memory.
func TestSQLBudget(t *testing.T) {
	fsys := tree(map[string]string{"db/1_a.sql": "SELECT 1; SELECT 2;", "db/2_b.sql": "SELECT 3;"})
	for _, b := range []*sqlBudget{{bytes: maxSQLBytes - 20}, {statements: maxSQLStatements - 2}} {
		b.seen = map[string]bool{}
		one := &sqlRevision{id: "1", up: []string{"db/1_a.sql"}, budget: b}
		two := &sqlRevision{id: "2", up: []string{"db/2_b.sql"}, budget: b}
		for range 2 { // what runs again costs nothing more
			if m := one.run(fsys, schema.New(mysql84)); len(m.Statements) != 2 || len(m.Gaps) != 0 {
				t.Errorf("the first file: %d statements, gaps %v", len(m.Statements), m.Gaps)
			}
			if m := two.run(fsys, schema.New(mysql84)); len(m.Statements) != 0 || len(m.Gaps) != 1 || !strings.Contains(m.Gaps[0].Why, "all files together") {
				t.Errorf("the file that is too much: %d statements, gaps %v", len(m.Statements), m.Gaps)
			}
		}
	}
	h := sqlHistory("sql", "db", []*sqlRevision{{id: "1", up: []string{"db/1_a.sql"}}, {id: "2", up: []string{"db/2_b.sql"}}})
	if len(h.Revisions) != 2 {
		t.Fatal(h)
	}
}

// FuzzSQLFile holds that every statement of a file stands where it says, whatever marks are in it, and that nothing of
// the file is both for the upgrade and for the way back.
func FuzzSQLFile(f *testing.F) {
	f.Add("-- +goose Up\nCREATE TABLE t (a INT);\n-- +goose Down\nDROP TABLE t;\n")
	f.Add("-- migrate:up\r\nSELECT ';';\r\n-- migrate:down\r\n")
	f.Add("SELECT 1;\n-- +migrate Down\nSELECT 2\n-- +migrate Up notransaction\nSELECT 3;")
	f.Add("# --- !Ups\nSELECT 1;\n# --- !Downs\nSELECT 2;")
	f.Add("\ufeff-- +goose Up\nSELECT '\n-- +goose Down\n';")
	f.Fuzz(func(t *testing.T, src string) {
		fsys := fstest.MapFS{"f.sql": &fstest.MapFile{Data: []byte(src)}}
		for _, r := range []*sqlRevision{{}, {plain: true}, {marks: gooseMark}, {marks: sqlMigrateMark}, {marks: dbmateMark}} {
			up, down, gaps := r.cut("f.sql", src)
			at := map[schema.Pos]bool{}
			for _, st := range slices.Concat(up, down) {
				checkPosition(t, fsys, st)
				if at[st.Pos] {
					t.Errorf("%s: twice", st.Pos)
				}
				at[st.Pos] = true
			}
			if r.marks != nil && len(up) == 0 && len(down) == 0 && len(gaps) == 0 {
				if statements, _ := schema.Split("f.sql", src); len(statements) > 0 && !strings.Contains(src, "--") {
					t.Errorf("%d statements have vanished", len(statements))
				}
			}
		}
	})
}
