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
			r.sometimes(3, r.pick(" CHARACTER SET latin1", " CHARACTER SET utf8mb3", " CHARACTER SET utf8mb4 COLLATE utf8mb4_bin", " COLLATE utf8mb4_unicode_ci", " CHARACTER SET ascii", " CHARACTER SET latin1 COLLATE latin1_general_ci", " CHARACTER SET latin1 COLLATE latin1_bin", " CHARACTER SET utf8mb3 COLLATE utf8mb3_unicode_ci"))
	case 6:
		return r.pick("DECIMAL(8,2)", "DECIMAL(10,0)", "DECIMAL(5,4)", "DECIMAL(10,2) UNSIGNED", "FLOAT", "DOUBLE")
	case 7:
		return r.pick("DATE", "DATETIME", "DATETIME(3)", "TIMESTAMP", "TIME", "YEAR", "TIMESTAMP(6)", "TIME(2)")
	case 8:
		return r.pick("ENUM('a','b')", "ENUM('a','b','c')", "ENUM('b','a')", "ENUM('a','x')", "SET('a','b')", "SET('a','b','c')", "ENUM('a')")
	}
	if r.IntN(8) == 0 && !r.mariaDB {
		return "POINT SRID 4326"
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
	return "CREATE TABLE " + name + " (" + strings.Join(parts, ", ") + ")" + r.sometimes(6, r.pick(" DEFAULT CHARSET=latin1", " DEFAULT CHARSET=utf8mb3", " COLLATE utf8mb4_bin")) +
		r.sometimes(12, r.partition())
}

func (r *random) partition() string {
	return r.pick(" PARTITION BY HASH (id) PARTITIONS 2", " PARTITION BY KEY (id) PARTITIONS 3", " PARTITION BY RANGE (id) (PARTITION p0 VALUES LESS THAN (100), PARTITION p1 VALUES LESS THAN MAXVALUE)",
		" PARTITION BY RANGE (id) (PARTITION p0 VALUES LESS THAN (100), PARTITION p1 VALUES LESS THAN (200))", " PARTITION BY LIST (a) (PARTITION p0 VALUES IN (1, 2), PARTITION p1 VALUES IN (0, 7))")
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
		list = "(" + r.pick("LOWER("+col()+")", col()+" + 1", "CAST("+col()+" AS SIGNED)", "CAST("+col()+"->'$' AS UNSIGNED ARRAY)") + ")"
	}
	if r.IntN(20) == 0 {
		return "SPATIAL KEY " + r.name("k") + " (" + col() + ")"
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

// change gives the statements of one change of a migration of s.
func (r *random) change(s *schema.Schema) []string {
	tables := s.Tables()
	if len(tables) == 0 || r.IntN(14) == 0 {
		return []string{r.create(s, r.name("t"))}
	}
	t := tables[r.IntN(len(tables))]
	if r.IntN(8) == 0 || len(s.Triggers())+len(s.Views()) > 0 && r.IntN(5) == 0 {
		return r.stored(s, t)
	}
	column := func() string { return quote(t.Columns[r.IntN(len(t.Columns))].Name) }
	switch r.IntN(46) {
	case 0:
		return []string{"DROP TABLE " + t.Name}
	case 1:
		return []string{"RENAME TABLE " + t.Name + " TO " + r.name("t")}
	case 2:
		return []string{"TRUNCATE TABLE " + t.Name}
	case 3:
		// Another table under the same name, the other half of which a later statement may bring.
		return []string{r.pick("RENAME TABLE "+t.Name+" TO swapped, "+tables[0].Name+" TO "+t.Name, "CREATE TABLE "+r.name("t")+" LIKE "+t.Name, "CREATE TABLE "+r.name("t")+" AS SELECT * FROM "+t.Name)}
	case 4:
		return []string{r.pick("UPDATE "+t.Name+" SET a = 1", "DELETE FROM "+t.Name+" WHERE 1 = 0", "UPDATE "+t.Name+" SET a = a WHERE a IS NULL", "INSERT INTO "+t.Name+" (id, a) VALUES (50, 50)")}
	case 5:
		return []string{"ALTER TABLE " + t.Name + " ADD CONSTRAINT " + r.name("fk") + " FOREIGN KEY (a) REFERENCES " + t.Name + " (id)" + r.pick("", " ON DELETE CASCADE", " ON UPDATE RESTRICT")}
	case 6:
		return []string{"ALTER TABLE " + t.Name + " RENAME COLUMN a TO b, RENAME COLUMN b TO a"}
	case 7:
		c := column()
		return []string{"ALTER TABLE " + t.Name + " DROP COLUMN " + c + ", ADD COLUMN " + c + " " + r.definition()}
	case 8:
		return []string{"ALTER TABLE " + t.Name + " ADD CONSTRAINT " + r.name("fk") + " FOREIGN KEY (id, a) REFERENCES " + tables[r.IntN(len(tables))].Name + " (id, a)"}
	case 9:
		return []string{"DROP TABLE " + t.Name, r.create(s, t.Name)}
	case 10:
		n := r.name("t")
		return []string{"CREATE TABLE " + n + " LIKE " + t.Name, "ALTER TABLE " + n + " " + r.clause(s, t), "RENAME TABLE " + t.Name + " TO " + r.name("t") + ", " + n + " TO " + t.Name}
	case 11:
		// A part of a table moves into a new one, or another table into it.
		c := t.Columns[r.IntN(len(t.Columns))]
		if r.IntN(2) == 0 {
			return []string{"CREATE TABLE " + r.name("t") + " (id INT NOT NULL PRIMARY KEY, " + c.SQL() + ")", "ALTER TABLE " + t.Name + " DROP COLUMN " + quote(c.Name)}
		}
		return []string{"ALTER TABLE " + t.Name + " ADD COLUMN " + r.name("n") + " " + r.definition(), "DROP TABLE " + tables[r.IntN(len(tables))].Name}
	case 12:
		n := r.name("n")
		return []string{"ALTER TABLE " + t.Name + " ADD COLUMN " + n + " INT", "UPDATE " + t.Name + " SET " + n + " = 7", "ALTER TABLE " + t.Name + " MODIFY " + n + " INT NOT NULL"}
	case 13:
		return []string{"ALTER DATABASE CHARACTER SET " + r.pick("latin1", "utf8mb4 COLLATE utf8mb4_bin")}
	}
	clauses := r.clause(s, t)
	for r.IntN(5) == 0 {
		clauses += ", " + r.clause(s, t)
	}
	return []string{"ALTER TABLE " + t.Name + " " + clauses}
}

// stored gives a change of a view or a trigger.
func (r *random) stored(s *schema.Schema, t *schema.Table) []string {
	views, triggers := s.Views(), s.Triggers()
	if len(views) > 0 && r.IntN(2) == 0 {
		v := views[r.IntN(len(views))]
		switch r.IntN(6) {
		case 0:
			return []string{"DROP VIEW " + v.Name}
		case 1:
			return []string{"DROP VIEW " + v.Name, strings.Replace(r.view(s, v.Name), "OR REPLACE ", "", 1)}
		case 2:
			// One column more or less, of a view on one table.
			return []string{"CREATE OR REPLACE VIEW " + v.Name + " AS SELECT " + r.columns(t) + " FROM " + t.Name}
		case 3:
			return []string{"CREATE OR REPLACE VIEW " + v.Name + " AS " + v.Select + r.pick(" WITH CHECK OPTION", "", " WITH LOCAL CHECK OPTION")}
		case 4:
			return []string{"ALTER " + r.pick("ALGORITHM = TEMPTABLE ", "SQL SECURITY INVOKER ", "ALGORITHM = MERGE ", "") + "VIEW " + v.Name + " AS " + v.Select}
		}
		return []string{r.view(s, v.Name)}
	}
	if len(triggers) > 0 && r.IntN(2) == 0 {
		g := triggers[r.IntN(len(triggers))]
		switch r.IntN(3) {
		case 0:
			if t := s.Table(g.Table); t != nil {
				return []string{"DROP TRIGGER " + g.Name, r.trigger(s, t, g.Name)}
			}
		case 1:
			// A column that it may name goes, and the trigger comes again, or not.
			if t := s.Table(g.Table); t != nil {
				c := t.Columns[r.IntN(len(t.Columns))]
				return []string{"DROP TRIGGER " + g.Name, "ALTER TABLE " + t.Name + " DROP COLUMN " + quote(c.Name)}
			}
		}
		return []string{"DROP TRIGGER " + g.Name}
	}
	if list := s.Routines(); len(list) > 0 && r.IntN(3) == 0 {
		f := list[r.IntN(len(list))]
		kind := "PROCEDURE "
		if f.Function {
			kind = "FUNCTION "
		}
		if r.IntN(2) == 0 {
			return []string{"DROP " + kind + f.Name}
		}
		return []string{"DROP " + kind + f.Name, r.routine(s, f.Name)}
	}
	switch r.IntN(7) {
	case 3:
		return []string{r.routine(s, r.name("f"))}
	case 0, 1:
		return []string{r.view(s, r.name("v"))}
	case 2:
		n := r.name("t")
		return []string{"RENAME TABLE " + t.Name + " TO " + n, "CREATE VIEW " + t.Name + " AS SELECT * FROM " + n}
	}
	return []string{r.trigger(s, t, r.name("tr"))}
}

// columns gives a list of some columns of a table.
func (r *random) columns(t *schema.Table) string {
	var list []string
	for _, c := range t.Columns {
		if r.IntN(3) > 0 {
			list = append(list, quote(c.Name))
		}
	}
	if len(list) == 0 {
		return quote(t.Columns[0].Name)
	}
	return strings.Join(list, ", ")
}

// view gives a CREATE OR REPLACE VIEW.
func (r *random) view(s *schema.Schema, name string) string {
	tables := s.Tables()
	t, o := tables[r.IntN(len(tables))], tables[r.IntN(len(tables))]
	col := func() string { return quote(t.Columns[r.IntN(len(t.Columns))].Name) }
	c := col()
	other := quote(o.Columns[r.IntN(len(o.Columns))].Name)
	list, from := r.columns(t), t.Name
	if views := s.Views(); len(views) > 0 && r.IntN(3) == 0 {
		if v := views[r.IntN(len(views))]; len(v.Columns) > 0 && v.Name != name {
			from, c = v.Name, quote(v.Columns[r.IntN(len(v.Columns))])
			list = c
		}
	}
	sel := "SELECT " + list + " FROM " + from
	head := ""
	switch r.IntN(12) {
	case 0:
		sel = "SELECT * FROM " + from
	case 1:
		sel += " WHERE " + c + r.pick(" IS NOT NULL", " = 'a'", " > 0", " <> 'x'") + r.pick("", " WITH CHECK OPTION")
	case 2:
		sel = "SELECT l." + quote(t.Columns[0].Name) + ", r." + other + " AS other FROM " + t.Name + " l JOIN " + o.Name + " r ON l." + col() + " = r." + other
	case 3:
		sel = "SELECT " + c + " AS x, " + r.pick("CHAR_LENGTH("+c+")", c+" - 5", "COALESCE("+c+", 1)", "CONCAT("+c+", 'ő')", "LOWER("+c+")") + " AS y FROM " + from
	case 4:
		sel = "SELECT " + c + ", COUNT(*) AS n FROM " + from + " GROUP BY " + c
	case 5:
		sel = "SELECT " + c + " AS x FROM " + from + " UNION SELECT " + other + " FROM " + o.Name
	case 6:
		head = r.pick("ALGORITHM = TEMPTABLE ", "SQL SECURITY INVOKER ", "ALGORITHM = MERGE ")
	case 7:
		name += " (p)"
		sel = "SELECT " + c + " FROM " + from
	case 9:
		for _, f := range s.Routines() {
			if f.Function {
				sel = "SELECT " + c + " AS x, " + f.Name + "() AS y FROM " + from
			}
		}
	case 8:
		sel = "SELECT " + c + " AS x FROM " + from + " WHERE " + c + " IN (SELECT " + other + " FROM " + o.Name + ")"
	}
	return "CREATE OR REPLACE " + head + "VIEW " + name + " AS " + sel
}

// routine gives a CREATE FUNCTION or PROCEDURE.
func (r *random) routine(s *schema.Schema, name string) string {
	tables := s.Tables()
	t := tables[r.IntN(len(tables))]
	list := named(t) // one that assigns a computed column never worked
	c := list[r.IntN(len(list))]
	if r.IntN(2) == 0 {
		return "CREATE FUNCTION " + name + "() RETURNS INT READS SQL DATA RETURN " + r.pick("1", "(SELECT COUNT(*) FROM "+t.Name+")", "(SELECT COUNT("+quote(c.Name)+") FROM "+t.Name+")")
	}
	w := &writer{s: s}
	return "CREATE PROCEDURE " + name + "() " + r.pick("DELETE FROM "+t.Name, "UPDATE "+t.Name+" SET "+quote(c.Name)+" = "+quote(c.Name), "SET @x = (SELECT COUNT(*) FROM "+t.Name+")", w.insert(t, 0, nil, nil))
}

// trigger gives a CREATE TRIGGER.
func (r *random) trigger(s *schema.Schema, t *schema.Table, name string) string {
	c := quote(t.Columns[r.IntN(len(t.Columns))].Name)
	tables := s.Tables()
	o := tables[r.IntN(len(tables))]
	for o == t && len(tables) > 1 { // a trigger must not change its own table (1442)
		o = tables[r.IntN(len(tables))]
	}
	oc := o.Columns[r.IntN(len(o.Columns))]
	timing, event := r.pick("BEFORE", "AFTER"), r.pick("INSERT", "INSERT", "UPDATE", "DELETE")
	row := "NEW."
	if event == "DELETE" {
		row = "OLD."
	}
	w := &writer{s: s}
	list := w.insert(o, r.IntN(2), nil, nil)
	least := w.insert(o, r.IntN(2), nil, mandatory)
	if i := strings.Index(least, " () "); i >= 0 {
		least = list
	}
	positions := list
	if from, to := strings.Index(list, " ("), strings.Index(list, ") VALUES "); len(named(o)) == len(o.Columns) && from > 0 && to > 0 {
		positions = list[:from] + list[to+1:]
	}
	v := values(oc)
	body := ""
	switch r.IntN(14) {
	case 0, 1:
		body = "SET @x = " + row + c
	case 2:
		body = "SET @x = 1"
	case 3:
		body = "DELETE FROM " + o.Name + r.pick("", " WHERE 1 = 0", " WHERE "+quote(oc.Name)+" = "+row+c)
	case 4:
		body = list
	case 5:
		body = least
	case 6:
		body = positions
	case 7:
		body = strings.Replace(r.pick(list, least, positions), "INSERT", "REPLACE", 1)
	case 8:
		body = "UPDATE " + o.Name + " SET " + quote(oc.Name) + " = " + r.pick(quote(oc.Name), v[r.IntN(len(v))], row+c)
	case 9:
		body = "SET @n = (SELECT COUNT(*) FROM " + o.Name + " WHERE " + quote(oc.Name) + r.pick(" IS NULL", " = "+v[0]) + ")"
	case 10:
		body = "BEGIN IF " + row + c + " IS NULL THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'no'; END IF; END"
	case 11, 12:
		timing = "BEFORE"
		if event == "DELETE" {
			event = "INSERT"
		}
		tc := t.Columns[r.IntN(len(t.Columns))]
		tv := values(tc)
		body = "SET NEW." + quote(tc.Name) + " = " + r.pick(tv[r.IntN(len(tv))], "COALESCE(NEW."+quote(tc.Name)+", "+tv[0]+")")
	case 13:
		body = "SET @n = (SELECT COUNT(*) FROM " + o.Name + ")"
		if list := s.Routines(); len(list) > 0 && r.IntN(2) == 0 {
			f := list[r.IntN(len(list))]
			body = "CALL " + f.Name + "()"
			if f.Function {
				body = "SET @n = " + f.Name + "()"
			}
		} else if views := s.Views(); len(views) > 0 {
			body = "SET @n = (SELECT COUNT(*) FROM " + views[r.IntN(len(views))].Name + ")"
		}
	}
	return "CREATE TRIGGER " + name + " " + timing + " " + event + " ON " + t.Name + " FOR EACH ROW " + body
}

func (r *random) clause(s *schema.Schema, t *schema.Table) string {
	c := t.Columns[r.IntN(len(t.Columns))]
	col := func() string { return quote(t.Columns[r.IntN(len(t.Columns))].Name) }
	position := r.sometimes(8, " FIRST") + r.sometimes(8, " AFTER "+col())
	if strings.Count(position, " ") > 2 {
		position = ""
	}
	switch r.IntN(33) {
	case 26:
		if len(t.ForeignKeys) > 0 {
			// Another action, another target, or only another name.
			f := t.ForeignKeys[r.IntN(len(t.ForeignKeys))]
			list := func(names []string) string { return "(`" + strings.Join(names, "`, `") + "`)" }
			drop := "DROP FOREIGN KEY " + quote(f.Name) + ", ADD CONSTRAINT " + r.pick(quote(f.Name), r.name("fk")) + " FOREIGN KEY " + list(f.Columns) + " REFERENCES "
			action := r.pick("", " ON DELETE CASCADE", " ON DELETE SET NULL", " ON UPDATE CASCADE", " ON DELETE RESTRICT")
			if o := s.Tables()[r.IntN(len(s.Tables()))]; r.IntN(3) == 0 && o.PrimaryKey() != nil {
				return drop + quote(o.Name) + " " + list(columns(o.PrimaryKey())) + action
			}
			return drop + quote(f.RefTable) + " " + list(f.RefColumns) + action
		}
		return "MODIFY " + quote(c.Name) + " " + r.pick("JSON", "TEXT", "INT", "BIGINT UNSIGNED", "VARCHAR(64)", "MEDIUMTEXT", "ENUM('a','b','c')", "DATE", "DOUBLE", "DATETIME")
	case 27:
		// Only the type: what is not repeated is lost.
		n := &schema.Column{Name: c.Name, Type: c.Type, Nullable: true, Charset: c.Charset, Collation: c.Collation, SRID: -1}
		return "MODIFY " + strings.Replace(n.SQL(), " DEFAULT NULL", "", 1)
	case 28:
		n := *c
		n.Comment += "x"
		if word := c.Type.Name; word == "timestamp" || word == "datetime" {
			n.Comment = c.Comment
			n.OnUpdate = "CURRENT_TIMESTAMP"
			if c.Type.Length > 0 {
				n.OnUpdate = fmt.Sprintf("CURRENT_TIMESTAMP(%d)", c.Type.Length)
			}
			if c.OnUpdate != "" {
				n.OnUpdate = ""
			}
		}
		return "MODIFY " + n.SQL()
	case 29:
		// Computed from now on, no more, or otherwise.
		for _, g := range t.Columns {
			if g.Generated != nil {
				n := *g
				switch r.IntN(3) {
				case 0:
					n.Generated = nil
					return "MODIFY " + n.SQL()
				case 1:
					return "DROP COLUMN " + quote(g.Name) + ", ADD COLUMN " + quote(g.Name) + " " + r.generated(col())
				}
				return "MODIFY " + quote(g.Name) + " " + r.generated(col())
			}
		}
		return "MODIFY " + quote(c.Name) + " " + r.generated(col())
	case 30:
		if len(t.Keys) > 0 {
			k := t.Keys[r.IntN(len(t.Keys))]
			words := []string{"INVISIBLE", "VISIBLE"}
			if r.mariaDB {
				words = []string{"IGNORED", "NOT IGNORED"}
			}
			if k.Kind != schema.PrimaryKey {
				return "ALTER INDEX " + quote(k.Name) + " " + r.pick(words...)
			}
		}
		return "ADD INDEX " + r.name("k") + " (" + col() + " DESC)"
	case 31:
		if len(t.Checks) > 0 && !r.mariaDB {
			return "ALTER CHECK " + quote(t.Checks[r.IntN(len(t.Checks))].Name) + r.pick(" NOT ENFORCED", " ENFORCED")
		}
		return "ADD COLUMN " + r.name("n") + r.pick(" VARCHAR(16000)", " VARCHAR(21000) CHARACTER SET latin1", " TEXT NOT NULL", " LONGTEXT")
	case 32:
		if t.Partition != nil {
			return r.pick("REMOVE PARTITIONING", "ADD PARTITION (PARTITION p7 VALUES LESS THAN (300))", "DROP PARTITION p0", "ADD PARTITION PARTITIONS 1", "COALESCE PARTITION 1", "TRUNCATE PARTITION p0", "ADD PARTITION (PARTITION p7 VALUES IN (50))")
		}
		return strings.TrimSpace(r.partition())
	case 0, 1, 2:
		if n := r.name("n"); r.IntN(8) == 0 {
			return "ADD COLUMN " + n + " " + r.definition() + r.pick(" UNIQUE", " CHECK ("+n+" <> 1)", " CHECK ("+n+" IS NOT NULL)")
		}
		return "ADD COLUMN " + r.name("n") + " " + r.definition() + position
	case 3:
		return "ADD COLUMN " + r.name("n") + " " + r.generated(col())
	case 4, 5:
		return "DROP COLUMN " + quote(c.Name)
	case 6:
		if r.IntN(3) == 0 {
			return "CHANGE " + quote(c.Name) + " " + r.name("n") + " " + r.definition()
		}
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
			return "DROP FOREIGN KEY " + quote(t.ForeignKeys[0].Name)
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
				pair := strings.Fields(r.pick("latin1 latin1_swedish_ci", "utf8mb4 utf8mb4_general_ci", "utf8mb4 utf8mb4_bin", "utf8mb3 utf8mb3_general_ci", "ascii ascii_general_ci", "latin1 latin1_bin", "latin2 latin2_general_ci",
					"latin1 latin1_general_ci", "latin1 latin1_german2_ci", "utf8mb4 utf8mb4_unicode_ci", "utf8mb4 utf8mb4_swedish_ci", "utf8mb3 utf8mb3_swedish_ci", "utf8mb4 utf8mb4_german2_ci"))
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
			if t.Name == "enum" && r.IntN(2) == 0 {
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
