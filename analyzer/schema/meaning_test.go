package schema

import "testing"

func TestMeaning(t *testing.T) {
	same := [][2]string{
		{"ALTER TABLE t ADD a INT", "ALTER  TABLE t\n\tADD a INT -- why\n;"},
		{"CREATE TABLE t(a INT)", "CREATE TABLE t ( /* first */ a INT )"},
	}
	for _, s := range same {
		if a, b := Meaning(s[0]), Meaning(s[1]); a != b {
			t.Errorf("%q and %q differ:\n%s\n%s", s[0], s[1], a, b)
		}
	}
	differ := [][2]string{
		{"DROP TABLE t", "DROP TABLE T"},
		{"ALTER TABLE t COMMENT 'a  b'", "ALTER TABLE t COMMENT 'a b'"},
		{"CREATE TABLE t (a INT)", "CREATE TABLE t (a INT /*!80023 INVISIBLE */)"},
		{"SELECT 1", "SELECT 11"},
	}
	for _, d := range differ {
		if Meaning(d[0]) == Meaning(d[1]) {
			t.Errorf("%q and %q are said to mean the same: %s", d[0], d[1], Meaning(d[0]))
		}
	}
}
