package schema

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// A ddl makes statements from choices: a byte string that a fuzzer can change piece by piece. Most names are of things that are
// there. Some statements are refused; those leave the schema as it is.
type ddl struct {
	choices []byte
	s       *Schema
	t       *Table // that the statement is about
}

func (d *ddl) pick(options ...string) string {
	if len(d.choices) == 0 {
		return options[0]
	}
	c := d.choices[0]
	d.choices = d.choices[1:]
	return options[int(c)%len(options)]
}

// newTable and newColumn give names that may be free; table and column those of something that is there, if anything is.
func (d *ddl) newTable() string { return quoteName(d.pick("a", "b", "c", "a b", "te`st")) }
func (d *ddl) newColumn() string {
	return quoteName(d.pick("x", "y", "z", "u", "v", "w w", "d`d", "Ä"))
}

func (d *ddl) table() string {
	var names []string
	for _, t := range d.s.Tables() {
		names = append(names, t.Name)
	}
	if len(names) == 0 {
		return d.newTable()
	}
	d.t = d.s.Table(d.pick(names...))
	return quoteName(d.t.Name)
}

func (d *ddl) column() string {
	if d.t == nil {
		return d.newColumn()
	}
	var names []string
	for _, c := range d.t.Columns {
		names = append(names, c.Name)
	}
	return quoteName(d.pick(names...))
}

// existing gives the name of a key, a foreign key or a check.
func existing[T any](d *ddl, list func(*Table) []T, name func(T) string) string {
	if d.t == nil || len(list(d.t)) == 0 {
		return "nothing"
	}
	var names []string
	for _, x := range list(d.t) {
		names = append(names, quoteName(name(x)))
	}
	return d.pick(names...)
}

func (d *ddl) aKey() string {
	return existing(d, func(t *Table) []*Key { return t.Keys }, func(k *Key) string { return k.Name })
}

// definition gives a column's definition without its name.
func (d *ddl) definition() string {
	t := d.pick("int", "varchar(20)", "bigint unsigned", "tinyint(1)", "char(3) CHARACTER SET latin1", "varchar(9) COLLATE utf8mb4_bin", "text", "decimal(8,3)", "datetime(3)", "timestamp",
		"enum('a','b''c','d\\\\e')", "set('p','q')", "blob", "double", "float", "date", "time", "year", "json", "bit(5)", "varbinary(7)", "int(5) zerofill", "mediumtext CHARACTER SET utf8mb3",
		"smallint", "longblob", "point", "binary(4)")
	t += d.pick("", " NOT NULL", " NULL")
	switch {
	case strings.HasPrefix(t, "int"), strings.HasPrefix(t, "bigint"), strings.HasPrefix(t, "decimal"), strings.HasPrefix(t, "double"):
		t += d.pick("", " DEFAULT 7", " DEFAULT '0'", " DEFAULT -1", " DEFAULT (1 + 2)")
	case strings.HasPrefix(t, "varchar"), strings.HasPrefix(t, "char"):
		t += d.pick("", " DEFAULT ''", ` DEFAULT 'it''s \\ \n"x"'`, " DEFAULT (concat('a', 'b'))")
	case strings.HasPrefix(t, "datetime"):
		t += d.pick("", " DEFAULT CURRENT_TIMESTAMP(3)", " DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3)", " DEFAULT '2020-01-02 03:04:05'")
	case strings.HasPrefix(t, "timestamp"):
		t += d.pick("", " DEFAULT CURRENT_TIMESTAMP", " DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP", " DEFAULT '2020-01-01 00:00:00'")
	case strings.HasPrefix(t, "bit"):
		t += d.pick("", " DEFAULT b'101'")
	}
	return t + d.pick("", "", " COMMENT 'c'", ` COMMENT 'a''b\\c'`, " INVISIBLE")
}

func (d *ddl) generated() string {
	return d.pick("int", "bigint") + " AS (" + d.column() + " + 1) " + d.pick("VIRTUAL", "STORED")
}

func (d *ddl) key() string {
	parts := d.column() + d.pick("", " DESC")
	if d.pick("", "more") != "" {
		parts += ", " + d.column()
	}
	return d.pick("KEY", "UNIQUE KEY", "KEY", "PRIMARY KEY", "FULLTEXT KEY") + d.pick("", " k", " l", " `m m`") + " (" + parts + ")" + d.pick("", "", " COMMENT 'k'", " USING BTREE")
}

func (d *ddl) foreignKey() string {
	return d.pick("", "CONSTRAINT f ", "CONSTRAINT g ") + "FOREIGN KEY (" + d.column() + ") REFERENCES `p` (`id`)" +
		d.pick("", " ON DELETE CASCADE", " ON DELETE SET NULL", " ON UPDATE NO ACTION", " ON DELETE RESTRICT ON UPDATE CASCADE")
}

func (d *ddl) check() string {
	return d.pick("", "CONSTRAINT h ", "CONSTRAINT i ") + "CHECK (" + d.column() + d.pick(" > 0", " <> 5", " IN (1, 2)") + ")"
}

func (d *ddl) clause() string {
	switch d.pick("add", "drop", "modify", "change", "key", "dropkey", "fk", "dropfk", "check", "option", "default", "rename", "renamecol", "renamekey", "generated", "dropcheck", "convert") {
	case "add":
		return "ADD COLUMN " + d.newColumn() + " " + d.definition() + d.pick("", " FIRST", " AFTER "+d.column())
	case "drop":
		return "DROP COLUMN " + d.column()
	case "modify":
		return "MODIFY " + d.column() + " " + d.definition() + d.pick("", "", " FIRST")
	case "change":
		return "CHANGE " + d.column() + " " + d.newColumn() + " " + d.definition()
	case "key":
		return "ADD " + d.key()
	case "dropkey":
		return "DROP KEY " + d.aKey()
	case "fk":
		return "ADD " + d.foreignKey()
	case "dropfk":
		return "DROP FOREIGN KEY " + existing(d, func(t *Table) []*ForeignKey { return t.ForeignKeys }, func(f *ForeignKey) string { return f.Name })
	case "check":
		return "ADD " + d.check()
	case "dropcheck":
		return "DROP CONSTRAINT " + existing(d, func(t *Table) []*Check { return t.Checks }, func(c *Check) string { return c.Name })
	case "option":
		return d.pick("COMMENT = 'it''s'", "ENGINE = InnoDB", "ROW_FORMAT = COMPRESSED", "DEFAULT CHARSET = latin1", "AUTO_INCREMENT = 5", "STATS_PERSISTENT = 1", "KEY_BLOCK_SIZE = 8", "COMMENT = ''")
	case "default":
		return "ALTER COLUMN " + d.column() + d.pick(" DROP DEFAULT", " SET DEFAULT 3")
	case "rename":
		return "RENAME TO " + d.newTable()
	case "renamecol":
		return "RENAME COLUMN " + d.column() + " TO " + d.newColumn()
	case "renamekey":
		return "RENAME KEY " + d.aKey() + " TO " + d.pick("l", "n", "`m m`")
	case "generated":
		return "ADD COLUMN " + d.newColumn() + " " + d.generated()
	}
	return "CONVERT TO CHARACTER SET " + d.pick("utf8mb4", "latin1")
}

func (d *ddl) statement() string {
	d.t = nil
	switch d.pick("create", "alter", "alter", "alter", "alter", "alter", "alter", "alter", "alter", "alter", "drop", "view", "trigger", "routine", "event") {
	case "create":
		first := d.newColumn()
		s := "CREATE TABLE " + d.newTable() + " (" + first + " " + d.pick("int AUTO_INCREMENT PRIMARY KEY", "int NOT NULL", "varchar(5)")
		for d.pick("", "more", "more", "more") != "" {
			s += ", " + d.pick(d.newColumn()+" "+d.definition(), d.newColumn()+" "+d.definition(), d.newColumn()+" "+d.generated(), d.key(), d.foreignKey(), d.check())
		}
		return s + ")" + d.pick("", " DEFAULT CHARSET=latin1", " COMMENT='t'", " PARTITION BY HASH ("+first+") PARTITIONS 3", " PARTITION BY RANGE ("+first+") (PARTITION p0 VALUES LESS THAN (5), PARTITION p1 VALUES LESS THAN MAXVALUE)")
	case "drop":
		return "DROP TABLE " + d.table()
	case "view":
		if d.pick("v1", "v0") == "v1" {
			return "CREATE OR REPLACE VIEW v1 AS SELECT 1 AS one FROM " + d.table()
		}
		return "CREATE OR REPLACE VIEW v0 AS SELECT 1 AS one FROM " + d.pick(d.table(), "v1") // before what it reads, by name
	case "trigger":
		return "CREATE TRIGGER " + d.pick("t1", "t2") + " BEFORE INSERT ON " + d.table() + " FOR EACH ROW " + d.pick("SET @a = 1", "BEGIN SET @a = 1; SET @b = ';;'; END")
	case "routine":
		return d.pick("CREATE PROCEDURE p (IN a int) SELECT 1", "CREATE FUNCTION f (a int, b varchar(3)) RETURNS int DETERMINISTIC BEGIN RETURN 1; END", "DROP PROCEDURE p")
	case "event":
		return d.pick("CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO BEGIN SELECT 1; END", "CREATE EVENT e2 ON SCHEDULE EVERY 1 HOUR DISABLE DO SELECT 2", "DROP EVENT e")
	}
	s := "ALTER TABLE " + d.table() + " " + d.clause()
	for d.pick("", "", "more") != "" {
		s += ", " + d.clause()
	}
	return s
}

// script applies up to n statements and gives those that were not refused.
func (d *ddl) script(s *Schema, migration string, n int) (*Schema, []string) {
	var done []string
	for range n {
		if len(d.choices) == 0 {
			break
		}
		d.s = s
		sql := d.statement()
		next, err := s.Apply(Statement{SQL: sql, Migration: migration})
		if err == nil {
			s = next
			done = append(done, sql)
		}
	}
	return s, done
}

// tables is what the random statements begin with.
const tables = "CREATE TABLE p (id int PRIMARY KEY, u bigint UNSIGNED, UNIQUE KEY (u));\n" +
	"CREATE TABLE a (x int NOT NULL, y int DEFAULT 1, z varchar(10), u bigint, v datetime, KEY k (y, z), KEY l (u), PRIMARY KEY (x), CONSTRAINT f FOREIGN KEY (y) REFERENCES p (id));\n" +
	"CREATE TABLE b (x int, y varchar(20) NOT NULL, `w w` int, UNIQUE KEY k (y), CONSTRAINT h CHECK (x > 1));"

// checkDiff holds Diff and SQL to their laws with the schemas that the choices make.
func checkDiff(t testing.TB, choices []byte) {
	if len(choices) == 0 {
		return
	}
	server := Server{Major: 8, Minor: 4}
	if choices[0]%2 == 1 {
		server = Server{MariaDB: true, Major: 10, Minor: 11}
	}
	d := &ddl{choices: choices[1:]}
	base, first := d.script(build(t, New(server), "0", tables), "1", 8)
	again, _ := (&ddl{choices: choices[1:]}).script(build(t, New(server), "0", tables), "1", 8)
	rest := d.choices
	next, second := d.script(base, "2", 8)
	history := tables + "\n" + strings.Join(first, ";\n") + ";\n-- then\n" + strings.Join(second, ";\n")

	for _, s := range []*Schema{base, next} {
		if c := Diff(s, s); len(c) != 0 {
			t.Fatalf("%s\nDiff(s, s):\n%s", history, diffed(c))
		}
	}
	if c := Diff(base, again); len(c) != 0 {
		t.Fatalf("%s\na second replay differs:\n%s", history, diffed(c))
	}
	if len(rest) == len(choices) {
		return
	}

	// Both directions agree.
	there, back := counts(DiffNames(base, next), false), counts(DiffNames(next, base), true)
	if !maps.Equal(there, back) {
		t.Fatalf("%s\nthere %v\nback  %v", history, there, back)
	}
	there, back = counts(Diff(base, next), false), counts(Diff(next, base), true)
	for _, m := range []map[string]int{there, back} { // which name a rename has depends on the direction
		for k, n := range m {
			delete(m, k)
			m[strings.Fields(k)[0]] += n
		}
	}
	if !maps.Equal(there, back) {
		t.Fatalf("%s\nwith origins: there %v\nback  %v", history, there, back)
	}

	// The text says all and nothing else, and the text can be read.
	for _, s := range []*Schema{base, next} {
		if slices.ContainsFunc(s.Views(), func(v *View) bool { return !works(s, v) }) {
			continue
		}
		sql := s.SQL()
		read := New(server)
		statements, gaps := Split("s.sql", sql)
		if len(gaps) > 0 {
			t.Fatalf("%s\ngaps %v in:\n%s", history, gaps, sql)
		}
		for _, st := range statements {
			var err error
			if read, err = read.Apply(st); err != nil {
				t.Fatalf("%s\n%v in:\n%s", history, err, sql)
			}
		}
		if c := DiffNames(s, read); len(c) != 0 {
			t.Fatalf("%s\nread back, it differs:\n%s%s\n%s", history, diffed(c), sql, read.SQL())
		}
		if essence(read) != essence(s) {
			t.Fatalf("%s\nread back, its text is another:\n%s\n%s", history, sql, read.SQL())
		}
	}
	same := len(DiffNames(base, next)) == 0
	if sameText := essence(base) == essence(next); same != sameText {
		t.Fatalf("%s\nno differences: %v; same text: %v\n%s\n%s", history, same, sameText, essence(base), essence(next))
	}
}

// works tells whether a server would still take the view: its tables and columns may be gone.
func works(s *Schema, v *View) bool {
	_, err := s.Apply(Statement{SQL: strings.Replace(v.SQL(), "CREATE ", "CREATE OR REPLACE ", 1)})
	return err == nil
}

// counts counts changes by kind and table; mirrored turns them around.
func counts(changes []Change, mirrored bool) map[string]int {
	m := map[string]int{}
	for _, c := range changes {
		kind := c.Kind()
		if mirrored {
			switch verb, rest, _ := strings.Cut(kind, "-"); verb {
			case "add":
				kind = "drop-" + rest
			case "drop":
				kind = "add-" + rest
			}
		}
		table := c.Object().Table
		if _, ok := c.(*ChangeTrigger); ok {
			table = "" // of a changed one it is the new table
		}
		m[kind+" "+table]++
	}
	return m
}

// essence is the text of a schema without what Diff calls no change.
func essence(s *Schema) string {
	lines := strings.Split(s.SQL(), "\n")
	table := 0
	for i, l := range lines {
		for _, none := range []string{" USING BTREE", " ON DELETE RESTRICT", " ON UPDATE RESTRICT", " ON DELETE NO ACTION", " ON UPDATE NO ACTION", " AUTO_INCREMENT=5", " ROW_FORMAT=DYNAMIC"} {
			l = strings.Replace(l, none, "", 1)
		}
		if strings.HasPrefix(l, "CREATE ") {
			table = i
		}
		// Keys and constraints in the order of their names.
		l = strings.TrimSuffix(l, ",")
		if strings.HasPrefix(l, "  ") && !strings.HasPrefix(l, "  `") {
			l = fmt.Sprintf("  ~%s", l)
		}
		lines[i] = l
		if strings.HasPrefix(l, ")") {
			first := slices.IndexFunc(lines[table:i], func(s string) bool { return strings.HasPrefix(s, "  ~") })
			if first >= 0 {
				slices.Sort(lines[table+first : i])
			}
		}
	}
	return strings.Join(lines, "\n")
}

func FuzzDiff(f *testing.F) {
	for seed := range uint64(20) {
		f.Add(choices(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 2000 {
			return
		}
		checkDiff(t, b)
	})
}

// choices gives the choices of a seed.
func choices(seed uint64) []byte {
	r := rand.New(rand.NewPCG(seed, 0))
	b := make([]byte, 200+r.IntN(200))
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

func TestDiffLaws(t *testing.T) {
	n := uint64(1500)
	if testing.Short() {
		n = 200
	}
	for seed := range n {
		checkDiff(t, choices(seed))
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}
