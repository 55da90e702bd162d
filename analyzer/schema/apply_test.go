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
