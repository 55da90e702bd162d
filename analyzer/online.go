package analyzer

import (
	"fmt"
	"strings"

	"instep/analyzer/schema"
)

// Algorithms, as MySQL and MariaDB write them. NOCOPY is MariaDB's only: InnoDB builds an index, the table is not rebuilt.
const (
	instant = "INSTANT"
	nocopy  = "NOCOPY"
	inplace = "INPLACE"
	copying = "COPY"
)

// Locks: the most permissive LOCK clause that the server accepts. INSTANT takes no LOCK clause; what it means is NONE.
const (
	lockNone      = "NONE"
	lockShared    = "SHARED"
	lockExclusive = "EXCLUSIVE"
)

// An online is the estimate for one clause.
type online struct {
	algorithm string
	lock      string
	rebuild   bool
	because   string
}

// rank orders estimates from harmless to bad. One ALTER with several clauses runs at the worst of them.
func (o online) rank() int {
	r := 0
	switch o.algorithm {
	case nocopy:
		r = 1
	case inplace:
		r = 2
	case copying:
		r = 4
	}
	if o.rebuild && o.algorithm != copying {
		r++
	}
	r *= 4
	switch o.lock {
	case lockShared:
		r++
	case lockExclusive:
		r += 2
	}
	return r
}

// atLeast reports whether the server's version is at least that; an unknown patch level counts as the newest of its series.
func atLeast(s schema.Server, major, minor, patch int) bool {
	if s.Major != major {
		return s.Major > major
	}
	if s.Minor != minor {
		return s.Minor > minor
	}
	return s.Patch == 0 || s.Patch >= patch
}

// Proviso is the remark that belongs to every cost: even an instant ALTER waits for transactions that have used the table,
// and everybody who comes later waits behind it (manual: Metadata Locking; tested on MariaDB 10.11 / MySQL 9.7).
func Proviso(server schema.Server) string {
	days := "31536000 (a year)"
	if server.MariaDB {
		days = "86400 (a day)"
	}
	return "Costs are estimates from the definitions. Every ALTER, even an INSTANT one, needs an exclusive metadata lock: it waits for open transactions that have " +
		"used the table, and later statements, plain SELECTs too, wait behind it. Set lock_wait_timeout to a few seconds for the migration (its default is " + days + ") and try again if it strikes."
}

// cost estimates what one pending statement does to the table while it runs. The real answer depends on things that no
// definition shows: row versions used up, a FULLTEXT index that once existed, the age of the file format.
func cost(database string, server schema.Server, s Step, changes []schema.Change) Cost {
	c := Cost{Database: database, Statement: s.Statement}
	var worst online
	for i, ch := range changes {
		o := estimate(server, s, changes, ch)
		if i == 0 || o.rank() > worst.rank() {
			worst = o
		}
	}
	if strings.Contains(squeezed(s.Statement.SQL), "ALGORITHM=COPY") && worst.algorithm != "" {
		worst = copyOf(server, "the statement asks for ALGORITHM=COPY")
	}
	c.Algorithm, c.Lock, c.RebuildsTable, c.Because = worst.algorithm, worst.lock, worst.rebuild, worst.because
	return c
}

// squeezed gives the text in upper case without spaces.
func squeezed(sql string) string {
	return strings.Map(func(r rune) rune {
		if r == ' ' || r == '\t' || r == '\n' || r == '\r' {
			return -1
		}
		return r
	}, strings.ToUpper(sql))
}

// copyOf is a full copy. Reads go on, writes wait for all of it; MariaDB from 11.2 on copies with LOCK=NONE (tested on 11.8).
func copyOf(server schema.Server, because string) online {
	lock := lockShared
	if server.MariaDB && atLeast(server, 11, 2, 0) {
		lock = lockNone
	}
	return online{copying, lock, true, because}
}

// estimate gives the cost of one change. Cells are from the manual (Online DDL Operations; MariaDB: InnoDB Online DDL Operations) and
// tested on MySQL 9.7 and MariaDB 10.11 and 11.8; where neither tells, the worse is taken.
func estimate(sv schema.Server, s Step, changes []schema.Change, c schema.Change) online {
	maria := sv.MariaDB
	my8 := !maria && atLeast(sv, 8, 0, 12)
	maria104 := maria && atLeast(sv, 10, 4, 0)
	// meta is a change of metadata only.
	meta := func(because string) online {
		if my8 || maria {
			return online{instant, lockNone, false, because}
		}
		return online{inplace, lockNone, false, because}
	}
	rebuild := func(because string) online { return online{inplace, lockNone, true, because} }
	index := func(because string) online {
		if maria {
			return online{nocopy, lockNone, false, because}
		}
		return online{inplace, lockNone, false, because}
	}
	switch c := c.(type) {
	case *schema.AddTable, *schema.RecreateTable, *schema.DropTable:
		return online{because: "creating and dropping a table has no algorithm; dropping waits for its users"}
	case *schema.RenameTable:
		o := meta("renaming a table is short, and excludes everybody while it lasts")
		o.lock = lockExclusive
		return o
	case *schema.AddColumn:
		return addColumn(sv, s, c)
	case *schema.DropColumn:
		return dropColumn(sv, s, c.Table, c.Column)
	case *schema.RecreateColumn:
		drop, add := dropColumn(sv, s, c.Table, c.Old), addColumn(sv, s, &schema.AddColumn{By: c.By, Table: c.Table, Column: c.New})
		if drop.rank() > add.rank() {
			return drop
		}
		return add
	case *schema.RenameColumn:
		switch {
		case maria:
			return meta("renaming a column is metadata")
		case referenced(s.Before, c.Table.Name, c.Old.Name):
			return index("the column is referenced by a foreign key, so renaming it is not instant")
		case atLeast(sv, 8, 0, 28):
			return meta("renaming a column is instant from MySQL 8.0.28 on")
		}
		return index("renaming a column is metadata")
	case *schema.ReorderColumns:
		if maria104 {
			return meta("reordering columns is instant on MariaDB from 10.4 on")
		}
		return rebuild("reordering columns rebuilds the table")
	case *schema.ColumnDefault, *schema.ColumnComment, *schema.ColumnOnUpdate, *schema.ColumnVisibility:
		return meta("changing a column's default, comment or visibility is metadata")
	case *schema.ColumnNullability:
		if !c.New.Nullable && !maria && !SQLMode(modeOf(s.Before)).Strict() {
			return copyOf(sv, "NULL to NOT NULL copies the table when the migration's sql_mode is not strict")
		}
		return rebuild("changing NULL to NOT NULL or back rebuilds the table")
	case *schema.ColumnType:
		return changeType(sv, c)
	case *schema.ColumnCollation:
		return changeCollation(sv, c)
	case *schema.ColumnAutoIncrement:
		if !c.New.AutoIncrement && maria104 {
			return meta("removing AUTO_INCREMENT is instant on MariaDB from 10.4 on")
		}
		o := copyOf(sv, "changing the AUTO_INCREMENT attribute copies the table")
		o.lock = lockShared // also where MariaDB copies online
		return o
	case *schema.ColumnGenerated:
		if maria && c.Old.Generated != nil && c.New.Generated != nil && !c.Old.Generated.Stored && !c.New.Generated.Stored {
			return meta("changing the expression of a VIRTUAL column is instant on MariaDB")
		}
		return copyOf(sv, "changing how a column is generated copies the table")
	case *schema.ColumnSRID, *schema.ColumnAttributes:
		return copyOf(sv, "changing this attribute of a column copies the table")
	case *schema.AddKey:
		return addKey(sv, s, changes, c.Table, c.Key)
	case *schema.DropKey:
		if c.Key.Kind != schema.PrimaryKey {
			return index("dropping a key is metadata")
		}
		for _, other := range changes {
			if add, ok := other.(*schema.AddKey); ok && add.Key.Kind == schema.PrimaryKey && add.Table.Name == c.Table.Name {
				return rebuild("replacing the primary key rebuilds the table")
			}
		}
		return copyOf(sv, "dropping the primary key copies the table")
	case *schema.RenameKey:
		if maria && atLeast(sv, 10, 5, 2) {
			return meta("renaming a key is instant on MariaDB from 10.5.2 on")
		}
		return index("renaming a key is metadata")
	case *schema.ChangeKey:
		if c.Old.Invisible != c.New.Invisible && KeyText(visible(c.Old)) == KeyText(visible(c.New)) {
			if maria {
				return meta("changing whether a key is ignored is metadata")
			}
			return index("changing a key's visibility is metadata")
		}
		return addKey(sv, s, changes, c.Table, c.New)
	case *schema.AddForeignKey:
		return foreignKey(sv, s)
	case *schema.DropForeignKey:
		if maria {
			return meta("dropping a foreign key is metadata")
		}
		return index("dropping a foreign key is metadata")
	case *schema.ChangeForeignKey:
		return foreignKey(sv, s)
	case *schema.AddCheck:
		switch {
		case !maria && !atLeast(sv, 8, 0, 16):
			return meta("CHECK is parsed and ignored before MySQL 8.0.16")
		case c.Check.NotEnforced:
			return meta("a CHECK that is not enforced is metadata")
		}
		return copyOf(sv, "adding an enforced CHECK copies the table to test every row")
	case *schema.DropCheck:
		return meta("dropping a CHECK is metadata")
	case *schema.ChangeCheck:
		if c.New.NotEnforced {
			return meta("a CHECK that is not enforced is metadata")
		}
		return copyOf(sv, "enforcing a CHECK copies the table to test every row")
	case *schema.TableOption:
		switch c.Name {
		case "COMMENT", "AUTO_INCREMENT", "DEFAULT CHARSET", "CHARSET", "COLLATE", "STATS_PERSISTENT", "STATS_AUTO_RECALC", "STATS_SAMPLE_PAGES":
			if maria {
				return meta("this table option is metadata")
			}
			return index("this table option is metadata")
		case "ROW_FORMAT", "KEY_BLOCK_SIZE":
			return rebuild("changing the row format rebuilds the table")
		}
		return copyOf(sv, "changing this table option may copy the table")
	case *schema.ChangePartition:
		return copyOf(sv, "changing partitions may copy the table")
	case *schema.ChangeView, *schema.ChangeTrigger, *schema.ChangeRoutine, *schema.ChangeEvent, *schema.ChangeSequence, *schema.ChangeDatabase:
		return online{because: "this has no algorithm; it touches no rows"}
	}
	return copyOf(sv, "nothing is known of this change, so the worst is assumed")
}

// modeOf gives the sql_mode of the session that migrates; "" is the default, which is strict.
func modeOf(s *schema.Schema) string {
	if s == nil {
		return ""
	}
	return s.SQLMode()
}

func visible(k *schema.Key) *schema.Key {
	c := *k
	c.Invisible = false
	return &c
}

func foreignKey(sv schema.Server, s Step) online {
	if s.Before != nil && !s.Before.ForeignKeyChecks() {
		algorithm := inplace
		if sv.MariaDB {
			algorithm = nocopy
		}
		return online{algorithm, lockNone, false, "with foreign_key_checks=0 the foreign key is added without testing the rows"}
	}
	return copyOf(sv, "adding a foreign key copies the table unless foreign_key_checks is 0, and then no row is tested")
}

// referenced reports whether a foreign key of any table points to the column.
func referenced(s *schema.Schema, table, column string) bool {
	if s == nil {
		return false
	}
	for _, t := range s.Tables() {
		for _, f := range t.ForeignKeys {
			if f.RefTable != table {
				continue
			}
			for _, c := range f.RefColumns {
				if strings.EqualFold(c, column) {
					return true
				}
			}
		}
	}
	return false
}

func hasFulltext(t *schema.Table) bool {
	if t == nil {
		return false
	}
	for _, k := range t.Keys {
		if k.Kind == schema.FulltextKey {
			return true
		}
	}
	return false
}

func compressed(t *schema.Table) bool {
	return t != nil && strings.EqualFold(t.Options["ROW_FORMAT"], "COMPRESSED")
}

// indexed reports whether some key of the table holds the column.
func indexed(t *schema.Table, column string) bool {
	if t == nil {
		return false
	}
	for _, k := range t.Keys {
		for _, p := range k.Parts {
			if strings.EqualFold(p.Column, column) {
				return true
			}
		}
	}
	return false
}

func addColumn(sv schema.Server, s Step, c *schema.AddColumn) online {
	col, maria := c.Column, sv.MariaDB
	var before *schema.Table
	if s.Before != nil {
		before = s.Before.Table(c.Table.Name)
	}
	last := true // no column that was there before stands behind it
	for i := len(c.Table.Columns) - 1; i >= 0; i-- {
		name := c.Table.Columns[i].Name
		if strings.EqualFold(name, col.Name) {
			break
		}
		if before != nil && before.Column(name) != nil {
			last = false
			break
		}
	}
	instantly := maria && atLeast(sv, 10, 4, 0) || maria && last && atLeast(sv, 10, 3, 0) ||
		!maria && atLeast(sv, 8, 0, 29) || !maria && last && atLeast(sv, 8, 0, 12)
	switch {
	case col.Generated != nil && col.Generated.Stored:
		return copyOf(sv, "adding a STORED generated column copies the table")
	case col.Generated != nil:
		if maria || atLeast(sv, 8, 0, 12) {
			return online{instant, lockNone, false, "adding a VIRTUAL generated column is metadata"}
		}
		return online{inplace, lockNone, false, "adding a VIRTUAL generated column is metadata"}
	case col.AutoIncrement:
		return online{inplace, lockShared, true, "adding an AUTO_INCREMENT column rebuilds the table and blocks writes"}
	case col.Default != nil && col.Default.Expr && !strings.HasPrefix(strings.ToUpper(col.Default.Value), "CURRENT_TIMESTAMP"):
		return copyOf(sv, "adding a column with an expression as its default copies the table")
	case hasFulltext(before):
		if maria {
			return online{inplace, lockShared, true, "the table has a FULLTEXT index, so adding a column rebuilds it"}
		}
		return copyOf(sv, "the table has a FULLTEXT index, so adding a column copies it")
	case compressed(before):
		return online{inplace, lockNone, true, "the table has ROW_FORMAT=COMPRESSED, so adding a column rebuilds it"}
	case !maria && !col.Nullable && col.Default == nil && (col.Type.Name == "date" || col.Type.Name == "datetime"):
		return online{inplace, lockNone, true, "a DATE or DATETIME column that is NOT NULL without a default cannot be added instantly under NO_ZERO_DATE"}
	case instantly:
		return online{instant, lockNone, false, "adding a column is instant on this server, as long as the table has row versions left"}
	case !last:
		return online{inplace, lockNone, true, "adding a column that is not the last one rebuilds the table on this server"}
	}
	return online{inplace, lockNone, true, "adding a column rebuilds the table on this server"}
}

func dropColumn(sv schema.Server, s Step, table *schema.Table, col *schema.Column) online {
	maria := sv.MariaDB
	before := table
	if s.Before != nil {
		if t := s.Before.Table(table.Name); t != nil {
			before = t
		}
	}
	switch {
	case col.Generated != nil && !col.Generated.Stored && (maria || atLeast(sv, 8, 0, 12)):
		return online{instant, lockNone, false, "dropping a VIRTUAL generated column is metadata"}
	case col.Generated != nil && !col.Generated.Stored:
		return online{inplace, lockNone, false, "dropping a VIRTUAL generated column is metadata"}
	case col.Generated != nil && !maria && !atLeast(sv, 9, 0, 0):
		return online{inplace, lockNone, true, "dropping a STORED generated column rebuilds the table"}
	case indexed(before, col.Name) && maria && atLeast(sv, 10, 4, 0):
		return online{nocopy, lockNone, false, "the column is indexed"}
	case indexed(before, col.Name):
		return online{inplace, lockNone, true, "the column is indexed, so dropping it rebuilds the table"}
	case hasFulltext(before) && !maria:
		return copyOf(sv, "the table has a FULLTEXT index, so dropping a column is not instant")
	case compressed(before):
		return online{inplace, lockNone, true, "the table has ROW_FORMAT=COMPRESSED, so dropping a column rebuilds it"}
	case maria && atLeast(sv, 10, 4, 0), !maria && atLeast(sv, 8, 0, 29):
		return online{instant, lockNone, false, "dropping a column is instant on this server, as long as the table has row versions left"}
	}
	return online{inplace, lockNone, true, "dropping a column rebuilds the table on this server"}
}

func changeType(sv schema.Server, c *schema.ColumnType) online {
	o, n, maria := c.Old.Type, c.New.Type, sv.MariaDB
	meta := online{inplace, lockNone, false, ""}
	if maria || atLeast(sv, 8, 0, 12) {
		meta.algorithm = instant
	}
	if o.Name == n.Name {
		switch o.Name {
		case "tinyint", "smallint", "mediumint", "int", "bigint":
			if o.Unsigned == n.Unsigned && o.Zerofill == n.Zerofill {
				meta.because = "only the display width changes"
				return meta
			}
		case "varchar", "varbinary":
			from, to := o.Length*CharBytes(c.Old.Charset), n.Length*CharBytes(c.New.Charset)
			if n.Length >= o.Length && (to <= 255 || from > 255) {
				meta.because = "the length grows within one or two length bytes"
				if !maria {
					meta.algorithm = inplace // MySQL refuses INSTANT here (tested on 9.7)
				}
				return meta
			}
			if n.Length >= o.Length && maria && from < 128 && atLeast(sv, 10, 4, 3) {
				meta.because = "the length crosses 255 bytes, which is instant on MariaDB from less than 128 bytes on"
				return meta
			}
			if n.Length >= o.Length {
				return copyOf(sv, fmt.Sprintf("the length crosses 255 bytes (%d to %d), so the table is copied", from, to))
			}
		case "enum", "set":
			if len(n.Members) >= len(o.Members) && storage(o) == storage(n) && prefix(o.Members, n.Members) {
				meta.because = "members are appended within the same storage size"
				return meta
			}
		}
	}
	return copyOf(sv, "changing a column's data type copies the table")
}

func prefix(a, b []string) bool {
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// storage gives the bytes of an enum or set (manual: Data Type Storage Requirements).
func storage(t schema.Type) int {
	n := len(t.Members)
	if t.Name == "enum" {
		if n > 255 {
			return 2
		}
		return 1
	}
	switch {
	case n <= 8:
		return 1
	case n <= 16:
		return 2
	case n <= 24:
		return 3
	case n <= 32:
		return 4
	}
	return 8
}

// CharBytes gives how many bytes a character of the charset takes at most (manual: Supported Character Sets and Collations).
func CharBytes(charset string) int {
	switch strings.ToLower(charset) {
	case "utf8mb4", "utf16", "utf16le", "utf32", "gb18030":
		return 4
	case "utf8", "utf8mb3", "ujis", "eucjpms":
		return 3
	case "ucs2", "big5", "gbk", "sjis", "cp932", "euckr", "gb2312":
		return 2
	}
	return 1
}

func changeCollation(sv schema.Server, c *schema.ColumnCollation) online {
	maria := sv.MariaDB
	maria1043 := maria && atLeast(sv, 10, 4, 3)
	inKey := indexed(c.Table, c.New.Name)
	utf8 := func(s string) bool { return s == "utf8" || s == "utf8mb3" }
	switch {
	case utf8(c.Old.Charset) && c.New.Charset == "utf8mb4":
		crosses := c.Old.Type.Length*3 <= 255 && c.New.Type.Length*4 > 255
		switch {
		case maria1043:
			return online{instant, lockNone, false, "utf8mb3 to utf8mb4 is instant on MariaDB from 10.4.3 on"}
		case !maria && atLeast(sv, 8, 0, 0) && !inKey && !crosses:
			return online{inplace, lockNone, false, "utf8mb3 to utf8mb4 of a column without a key needs no rebuild"}
		}
	case c.Old.Charset == c.New.Charset:
		switch {
		case maria1043 && inKey:
			return online{nocopy, lockNone, false, "changing the collation of a column with a key builds the key again"}
		case maria1043:
			return online{instant, lockNone, false, "changing the collation of a column without a key is metadata"}
		case !maria && atLeast(sv, 9, 0, 0) && !inKey:
			return online{inplace, lockNone, false, "changing the collation of a column without a key is metadata"}
		}
	}
	return copyOf(sv, "changing the character set or collation copies the table")
}

func addKey(sv schema.Server, s Step, changes []schema.Change, t *schema.Table, k *schema.Key) online {
	build := inplace
	if sv.MariaDB {
		build = nocopy
	}
	switch k.Kind {
	case schema.PrimaryKey:
		return online{inplace, lockNone, true, "the primary key holds the rows, so the table is rebuilt"}
	case schema.FulltextKey:
		var before *schema.Table
		if s.Before != nil {
			before = s.Before.Table(t.Name)
		}
		if !hasFulltext(before) && (before == nil || before.Column("FTS_DOC_ID") == nil) {
			return online{inplace, lockShared, true, "the first FULLTEXT index adds a hidden column, so the table is rebuilt; writes wait"}
		}
		return online{build, lockShared, false, "a FULLTEXT index is built while writes wait"}
	case schema.SpatialKey:
		return online{build, lockShared, false, "a SPATIAL index is built while writes wait"}
	}
	for _, p := range k.Parts {
		if p.Expr != "" {
			return online{inplace, lockShared, true, "a functional index adds a hidden column; writes wait"}
		}
	}
	return online{build, lockNone, false, "the key is built while reads and writes go on"}
}
