package schema

import (
	"testing"
)

func apply(t *testing.T, s *Schema, sqls ...string) *Schema {
	t.Helper()
	for _, q := range sqls {
		var err error
		if s, err = s.Apply(Statement{SQL: q, Pos: Pos{"m.sql", 1, 1}, Verbatim: true, Migration: "m"}); err != nil {
			t.Fatalf("%s\n%v", q, err)
		}
	}
	return s
}

func TestSmoke(t *testing.T) {
	s := apply(t, New(Server{Major: 8, Minor: 4}),
		"CREATE TABLE a (id INT AUTO_INCREMENT PRIMARY KEY, n VARCHAR(20) NOT NULL DEFAULT 'x', k TEXT, KEY (n))",
		"ALTER TABLE a ADD COLUMN b INT AFTER id, ADD UNIQUE (b)",
	)
	t.Log(s.SQL())
}
