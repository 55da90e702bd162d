package rules

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"instep/analyzer/schema"
)

// random makes schemas and changes of them.
type random struct {
	*rand.Rand
	mariaDB bool
	n       int // names that were made
}

func (r *random) pick(list ...string) string { return list[r.IntN(len(list))] }

// one in n times it gives s, else "".
func (r *random) sometimes(n int, s string) string {
	if r.IntN(n) == 0 {
		return s
	}
	return ""
}

func (r *random) name(prefix string) string {
	r.n++
	return fmt.Sprint(prefix, r.n)
}

// dataType gives a column type.
func (r *random) dataType() string {
	switch r.IntN(10) {
	case 0, 1, 2:
		return r.pick("TINYINT", "SMALLINT", "INT", "INT", "BIGINT", "INT UNSIGNED", "BIGINT UNSIGNED", "TINYINT(1)", "MEDIUMINT", "TINYINT UNSIGNED", "INT(5) ZEROFILL")
	case 3, 4, 5:
		n := r.pick("1", "8", "20", "64", "100")
		return r.pick("VARCHAR("+n+")", "VARCHAR("+n+")", "CHAR("+n+")", "TEXT", "TINYTEXT", "MEDIUMTEXT") +
			r.sometimes(3, r.pick(" CHARACTER SET latin1", " CHARACTER SET utf8mb3", " CHARACTER SET utf8mb4 COLLATE utf8mb4_bin", " COLLATE utf8mb4_unicode_ci", " CHARACTER SET ascii"))
	case 6:
		return r.pick("DECIMAL(8,2)", "DECIMAL(10,0)", "DECIMAL(5,4)", "DECIMAL(10,2) UNSIGNED", "FLOAT", "DOUBLE")
	case 7:
		return r.pick("DATE", "DATETIME", "DATETIME(3)", "TIMESTAMP", "TIME", "YEAR", "TIMESTAMP(6)", "TIME(2)")
	case 8:
		return r.pick("ENUM('a','b')", "ENUM('a','b','c')", "ENUM('b','a')", "ENUM('a','x')", "SET('a','b')", "SET('a','b','c')", "ENUM('a')")
	}
	return r.pick("JSON", "BLOB", "VARBINARY(8)", "BINARY(4)", "BIT(1)", "BIT(8)", "VARBINARY(20)", "POINT")
}

// definition gives a type and attributes that may fit it.
func (r *random) definition() string {
	t := r.dataType()
	null := r.pick("", " NULL", " NOT NULL", " NOT NULL", " NOT NULL")
	def := ""
	word := strings.ToUpper(strings.TrimRight(strings.SplitN(t, "(", 2)[0], " "))
	if r.IntN(2) == 0 {
		switch strings.Fields(word)[0] {
		case "TINYINT", "SMALLINT", "INT", "BIGINT", "MEDIUMINT", "DECIMAL", "FLOAT", "DOUBLE":
			def = r.pick(" DEFAULT 0", " DEFAULT 1", " DEFAULT 7", " DEFAULT '3'", " DEFAULT -1", " DEFAULT (1 + 1)")
		case "VARCHAR", "CHAR":
			def = r.pick(" DEFAULT ''", " DEFAULT 'a'", " DEFAULT 'long text'", " DEFAULT ('b')")
		case "VARBINARY", "BINARY":
			def = r.pick(" DEFAULT ''", " DEFAULT 'a'")
		case "ENUM", "SET":
			def = " DEFAULT 'a'"
		case "DATE":
			def = r.pick(" DEFAULT '2001-01-01'", " DEFAULT (CURRENT_DATE)")
		case "DATETIME", "TIMESTAMP":
			fsp := ""
			if i := strings.IndexByte(t, '('); i >= 0 {
				fsp = t[i:]
			}
			def = r.pick(" DEFAULT '2001-01-01 00:00:00'", " DEFAULT CURRENT_TIMESTAMP"+fsp, " DEFAULT CURRENT_TIMESTAMP"+fsp+" ON UPDATE CURRENT_TIMESTAMP"+fsp)
		case "YEAR":
			def = " DEFAULT 2001"
		case "TIME":
			def = " DEFAULT '00:00:00'"
		case "BIT":
			def = " DEFAULT b'1'"
		case "TEXT", "JSON", "BLOB", "TINYTEXT", "MEDIUMTEXT":
			def = " DEFAULT ('1')"
		}
	}
	return t + null + def + r.sometimes(12, " COMMENT 'c'") + r.sometimes(15, " INVISIBLE")
}

// create gives a CREATE TABLE that may refer to tables of s.
func (r *random) create(s *schema.Schema, name string) string {
	var parts []string
	switch r.IntN(6) {
	case 0:
		parts = append(parts, "id VARCHAR(20) NOT NULL PRIMARY KEY")
	case 1:
		parts = append(parts, "id INT NOT NULL", "PRIMARY KEY (id, a)")
	case 2:
		parts = append(parts, "id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY")
	case 3:
		parts = append(parts, "id INT")
	default:
		parts = append(parts, "id INT NOT NULL AUTO_INCREMENT PRIMARY KEY")
	}
	cols := []string{"id", "a"}
	parts = append(parts, "a "+r.pick("INT NOT NULL", "VARCHAR(20) NOT NULL", "INT NOT NULL DEFAULT 1"))
	for i := range 1 + r.IntN(3) {
		c := string(rune('b' + i))
		parts = append(parts, c+" "+r.definition())
		cols = append(cols, c)
	}
	col := func() string { return cols[r.IntN(len(cols))] }
	if r.IntN(8) == 0 {
		parts = append(parts, "g "+r.generated(col()))
	}
	if r.IntN(2) == 0 {
		parts = append(parts, r.keyDefinition(col))
	}
	if r.IntN(3) == 0 {
		parts = append(parts, r.check(col()))
	}
	if fk := r.foreignColumn(s); fk != "" && r.IntN(2) == 0 {
		parts = append(parts, fk)
	}
	return "CREATE TABLE " + name + " (" + strings.Join(parts, ", ") + ")" + r.sometimes(6, r.pick(" DEFAULT CHARSET=latin1", " DEFAULT CHARSET=utf8mb3", " COLLATE utf8mb4_bin"))
}

func (r *random) generated(col string) string {
	return r.pick("INT AS ("+col+" + 1)", "VARCHAR(10) AS (LOWER("+col+"))", "VARCHAR(200) AS (CONCAT("+col+", 'x'))", "BIGINT AS (CHAR_LENGTH("+col+"))",
		"VARCHAR(5) AS (LEFT("+col+", 3))", "INT AS (COALESCE("+col+", 0))", "VARCHAR(20) AS (IFNULL("+col+", 'a'))", "CHAR(32) AS (MD5("+col+"))") +
		r.pick(" VIRTUAL", " STORED") + r.sometimes(4, " NOT NULL")
}

func (r *random) keyDefinition(col func() string) string {
	part := func() string { return col() + r.sometimes(6, "(3)") }
	list := part()
	if r.IntN(3) == 0 {
		list += ", " + part()
	}
	if r.IntN(10) == 0 && !r.mariaDB {
		list = "(" + r.pick("LOWER("+col()+")", col()+" + 1", "CAST("+col()+" AS SIGNED)") + ")"
	}
	return r.pick("UNIQUE KEY", "UNIQUE KEY", "KEY", "KEY", "FULLTEXT KEY") + " " + r.name("k") + " (" + list + ")"
}

func (r *random) check(c string) string {
	return "CONSTRAINT " + r.name("ck") + " CHECK (" + r.pick(c+" > 0", c+" <> ''", c+" IS NOT NULL", "CHAR_LENGTH("+c+") < 10", c+" IN ('a', 'b', 1, 2)", c+" >= 0", c+" < 'x'",
		"COALESCE("+c+", 1) > 0", c+" > 5") + ")"
}

// foreignColumn gives a column and a foreign key to some table with a key of one column; "" if there is none.
func (r *random) foreignColumn(s *schema.Schema) string {
	def, fk := r.foreign(s, "f")
	if fk == "" {
		return ""
	}
	return "f " + def + ", " + fk
}

func (r *random) foreign(s *schema.Schema, column string) (definition, constraint string) {
	tables := s.Tables()
	if len(tables) == 0 {
		return "", ""
	}
	p := tables[r.IntN(len(tables))]
	pk := p.PrimaryKey()
	if pk == nil || len(pk.Parts) != 1 || pk.Parts[0].Expr != "" {
		return "", ""
	}
	c := p.Column(pk.Parts[0].Column)
	def := c.Type.SQL()
	if c.Charset != "" {
		def += " CHARACTER SET " + c.Charset + " COLLATE " + c.Collation
	}
	def += r.pick("", " NOT NULL", " NULL")
	return def, "CONSTRAINT " + r.name("fk") + " FOREIGN KEY (" + column + ") REFERENCES " + p.Name + " (" + c.Name + ")" +
		r.pick("", "", " ON DELETE CASCADE", " ON DELETE SET NULL", " ON UPDATE CASCADE", " ON DELETE RESTRICT")
}

// change gives a statement of a migration of s.
func (r *random) change(s *schema.Schema) string {
	tables := s.Tables()
	if len(tables) == 0 || r.IntN(14) == 0 {
		return r.create(s, r.name("t"))
	}
	t := tables[r.IntN(len(tables))]
	switch r.IntN(40) {
	case 0:
		return "DROP TABLE " + t.Name
	case 3:
		// Another table under the same name, the other half of which a later statement may bring.
		return r.pick("RENAME TABLE "+t.Name+" TO swapped, "+tables[0].Name+" TO "+t.Name, "CREATE TABLE "+r.name("t")+" LIKE "+t.Name, "CREATE OR REPLACE VIEW v AS SELECT a FROM "+t.Name, "DROP VIEW v")
	case 4:
		return r.pick("UPDATE "+t.Name+" SET a = 1", "DELETE FROM "+t.Name+" WHERE 1 = 0", "UPDATE "+t.Name+" SET a = a WHERE a IS NULL")
	case 5:
		return "ALTER TABLE " + t.Name + " ADD CONSTRAINT " + r.name("fk") + " FOREIGN KEY (a) REFERENCES " + t.Name + " (id)" + r.pick("", " ON DELETE CASCADE", " ON UPDATE RESTRICT")
	case 6:
		return "ALTER TABLE " + t.Name + " RENAME COLUMN a TO b, RENAME COLUMN b TO a"
	case 7:
		c := t.Columns[r.IntN(len(t.Columns))].Name
		return "ALTER TABLE " + t.Name + " DROP COLUMN " + quote(c) + ", ADD COLUMN " + quote(c) + " " + r.definition()
	case 8:
		return "ALTER TABLE " + t.Name + " ADD CONSTRAINT " + r.name("fk") + " FOREIGN KEY (id, a) REFERENCES " + tables[r.IntN(len(tables))].Name + " (id, a)"
	case 1:
		return "RENAME TABLE " + t.Name + " TO " + r.name("t")
	case 2:
		return r.trigger(s, t)
	}
	clauses := r.clause(s, t)
	for r.IntN(5) == 0 {
		clauses += ", " + r.clause(s, t)
	}
	return "ALTER TABLE " + t.Name + " " + clauses
}

func (r *random) trigger(s *schema.Schema, t *schema.Table) string {
	c := t.Columns[r.IntN(len(t.Columns))].Name
	tables := s.Tables()
	o := tables[r.IntN(len(tables))]
	return "CREATE TRIGGER " + r.name("tr") + " " + r.pick("BEFORE", "AFTER") + " " + r.pick("INSERT", "UPDATE") + " ON " + t.Name + " FOR EACH ROW " +
		r.pick("SET @x = NEW."+c, "SET @x = 1", "DELETE FROM "+o.Name+" WHERE 1 = 0", "INSERT INTO "+o.Name+" (a) VALUES (1)")
}

func (r *random) clause(s *schema.Schema, t *schema.Table) string {
	c := t.Columns[r.IntN(len(t.Columns))]
	col := func() string { return quote(t.Columns[r.IntN(len(t.Columns))].Name) }
	position := r.sometimes(8, " FIRST") + r.sometimes(8, " AFTER "+col())
	if strings.Count(position, " ") > 2 {
		position = ""
	}
	switch r.IntN(26) {
	case 0, 1, 2:
		return "ADD COLUMN " + r.name("n") + " " + r.definition() + position
	case 3:
		return "ADD COLUMN " + r.name("n") + " " + r.generated(col())
	case 4, 5:
		return "DROP COLUMN " + quote(c.Name)
	case 6:
		return "RENAME COLUMN " + quote(c.Name) + " TO " + r.name("n")
	case 7, 8, 9, 10, 11, 12:
		return "MODIFY " + r.modified(c) + position
	case 13:
		return "ALTER COLUMN " + quote(c.Name) + r.pick(" DROP DEFAULT", " SET DEFAULT 1", " SET DEFAULT 'a'", " SET DEFAULT NULL")
	case 14, 15:
		return "ADD " + r.keyDefinition(col)
	case 16:
		if len(t.Keys) > 0 {
			k := t.Keys[r.IntN(len(t.Keys))]
			if k.Kind == schema.PrimaryKey {
				return r.pick("DROP PRIMARY KEY", "DROP PRIMARY KEY, ADD PRIMARY KEY ("+col()+")")
			}
			if r.IntN(3) == 0 {
				return "DROP KEY " + quote(k.Name) + ", ADD " + r.pick("KEY ", "UNIQUE KEY ") + quote(k.Name) + " (" + col() + ")"
			}
			return r.pick("DROP KEY "+quote(k.Name), "RENAME KEY "+quote(k.Name)+" TO "+r.name("k"))
		}
		return "ADD PRIMARY KEY (" + col() + ")"
	case 17:
		n := r.name("n")
		if def, fk := r.foreign(s, n); fk != "" {
			return "ADD COLUMN " + n + " " + def + ", ADD " + fk
		}
		return "ADD COLUMN " + n + " INT NOT NULL DEFAULT 1, ADD UNIQUE KEY " + r.name("k") + " (" + n + ")"
	case 18:
		if _, fk := r.foreign(s, quote(c.Name)); fk != "" {
			return "ADD " + fk
		}
		return "ADD PRIMARY KEY (" + col() + ")"
	case 19:
		if len(t.ForeignKeys) > 0 {
			return "DROP FOREIGN KEY " + t.ForeignKeys[0].Name
		}
		n := r.name("n")
		return "ADD COLUMN " + n + " " + r.definition() + ", ADD " + r.check(n)
	case 20, 21:
		return "ADD " + r.check(quote(c.Name)) + r.sometimes(6, " NOT ENFORCED")
	case 22:
		if len(t.Checks) > 0 {
			k := t.Checks[r.IntN(len(t.Checks))]
			if r.IntN(3) == 0 {
				return "DROP CONSTRAINT " + quote(k.Name) + ", ADD CONSTRAINT " + quote(k.Name) + " CHECK (" + col() + " > 1)"
			}
			return "DROP CONSTRAINT " + quote(k.Name)
		}
		return "ADD COLUMN " + r.name("n") + " " + r.definition()
	case 23:
		return "CONVERT TO CHARACTER SET " + r.pick("utf8mb4", "latin1", "utf8mb3", "utf8mb4 COLLATE utf8mb4_bin")
	case 24:
		return r.pick("COMMENT = 'x'", "ROW_FORMAT = COMPACT", "DEFAULT CHARSET = latin1", "AUTO_INCREMENT = 50", "ENGINE = MyISAM", "ROW_FORMAT = DYNAMIC",
			"PARTITION BY HASH (id) PARTITIONS 2", "PARTITION BY RANGE (id) (PARTITION p0 VALUES LESS THAN (100))", "ENGINE = InnoDB",
			"ADD COLUMN "+r.name("n")+" INT NOT NULL AUTO_INCREMENT PRIMARY KEY", "ADD COLUMN "+r.name("n")+" INT NOT NULL AUTO_INCREMENT UNIQUE")
	}
	n := r.name("n")
	return "ADD COLUMN " + n + " " + r.definition() + ", ADD " + r.pick("UNIQUE KEY ", "KEY ", "UNIQUE KEY ") + r.name("k") + " (" + n + r.sometimes(3, ", "+col()) + ")"
}

// modified gives a column's definition with one or two aspects changed.
func (r *random) modified(c *schema.Column) string {
	n := *c
	for range 1 + r.IntN(2) {
		switch r.IntN(9) {
		case 0, 1:
			n.Nullable = !n.Nullable
			if n.Default != nil && n.Default.Null {
				n.Default = nil
			}
		case 2:
			return quote(c.Name) + " " + r.definition()
		case 3:
			n.AutoIncrement = !n.AutoIncrement
			n.Default = nil
		case 4:
			n.Default = nil
		case 5:
			if n.Charset != "" && n.Type.Name != "json" {
				pair := strings.Fields(r.pick("latin1 latin1_swedish_ci", "utf8mb4 utf8mb4_general_ci", "utf8mb4 utf8mb4_bin", "utf8mb3 utf8mb3_general_ci", "ascii ascii_general_ci", "latin1 latin1_bin", "latin2 latin2_general_ci"))
				n.Charset, n.Collation = pair[0], pair[1]
			}
		case 6:
			n.Invisible = !n.Invisible
		default:
			r.modifyType(&n)
		}
	}
	return n.SQL()
}

// modifyType changes a type into a related one.
func (r *random) modifyType(c *schema.Column) {
	t := &c.Type
	switch t.Name {
	case "tinyint", "smallint", "mediumint", "int", "bigint":
		t.Name, t.Length = r.pick("tinyint", "smallint", "int", "bigint"), -1
		if r.IntN(3) == 0 {
			t.Unsigned = !t.Unsigned
		}
		t.Zerofill = t.Zerofill && t.Unsigned
	case "char", "varchar":
		if r.IntN(3) == 0 {
			t.Name = r.pick("char", "varchar")
		}
		t.Length = max(1, t.Length+r.IntN(60)-30)
	case "text", "tinytext", "mediumtext":
		t.Name = r.pick("text", "tinytext", "mediumtext", "longtext")
	case "decimal":
		t.Length = max(1, t.Length+r.IntN(5)-2)
		t.Scale = max(0, min(t.Length, t.Scale+r.IntN(3)-1))
		t.Unsigned = t.Unsigned != (r.IntN(5) == 0)
	case "datetime", "timestamp", "time":
		t.Length = r.IntN(4)
		c.Default, c.OnUpdate = nil, ""
		if r.IntN(4) == 0 {
			t.Name = r.pick("datetime", "timestamp")
		}
	case "enum", "set":
		t.Members = slices.Clone(t.Members)
		switch i := r.IntN(len(t.Members)); r.IntN(5) {
		case 0:
			t.Members = append(t.Members, r.name("m"))
		case 1:
			if len(t.Members) > 1 {
				t.Members = slices.Delete(t.Members, i, i+1)
				c.Default = nil
			}
		case 2:
			slices.Reverse(t.Members)
		case 3:
			t.Members[i] = r.name("m")
			c.Default = nil
		case 4:
			if t.Name == "enum" {
				t.Name, t.Length, t.Members = "varchar", 20, nil
			} else {
				t.Members = slices.Insert(t.Members, i, r.name("m"))
			}
		}
	case "varbinary", "binary", "bit":
		t.Length = max(1, t.Length+r.IntN(5)-2)
	case "float", "double":
		t.Name = r.pick("float", "double")
	}
}
