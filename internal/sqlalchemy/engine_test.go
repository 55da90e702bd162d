package sqlalchemy

import "testing"

func TestAssume(t *testing.T) {
	for _, c := range [][2]string{
		{"CREATE TABLE t (\n\tid INTEGER NOT NULL, \n\ta VARCHAR(?) NOT NULL, \n\tb ? DEFAULT 5, \n\tPRIMARY KEY (id)\n)", "CREATE TABLE t (\n\tid INTEGER NOT NULL, \n\ta VARCHAR(255) NOT NULL, \n\tb VARCHAR(255) DEFAULT 5, \n\tPRIMARY KEY (id)\n)"},
		{"ALTER TABLE t ADD COLUMN c ?", "ALTER TABLE t ADD COLUMN c VARCHAR(255)"},
		{"ALTER TABLE t CHANGE a `B` ? NOT NULL", "ALTER TABLE t CHANGE a `B` VARCHAR(255) NOT NULL"},
		{"ALTER TABLE t ADD COLUMN c NUMERIC(?, ?) DEFAULT ?", "ALTER TABLE t ADD COLUMN c NUMERIC(10, 0)"},
		{"ALTER TABLE t ADD CONSTRAINT ? FOREIGN KEY(a) REFERENCES b (id)", "ALTER TABLE t ADD FOREIGN KEY(a) REFERENCES b (id)"},
		{"DROP TABLE ?", "DROP TABLE ?"},
	} {
		if got := assume(c[0]); got != c[1] {
			t.Errorf("assume(%q) = %q, want %q", c[0], got, c[1])
		}
	}
}

func TestStatementKind(t *testing.T) {
	for sql, want := range map[string]int{
		"": kindNone, "-- nothing": kindNone, "SELECT 1": kindQuery, "  (select 1)": kindQuery, "/* x */ insert into t values (1)": kindData,
		"# c\nUPDATE t SET a=1": kindData, "/*!50001 CREATE VIEW v AS SELECT 1 */": kindSchema, "ALTER TABLE t ADD a INT": kindSchema,
		"WITH x AS (SELECT 1) SELECT * FROM x": kindQuery, "WITH x AS (SELECT 1) DELETE FROM t": kindData, "CALL p()": kindSchema,
		"SET foreign_key_checks = 0": kindSchema, "/* open": kindSchema,
	} {
		if got := statementKind(sql); got != want {
			t.Errorf("statementKind(%q) = %d, want %d", sql, got, want)
		}
	}
}
