package simulate

import (
	"context"
	"fmt"
	"hash/fnv"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"instep/analyzer"
	"instep/analyzer/schema"
)

// What a clone holds: the tables of the statement and no more than maxRelatives that foreign keys tie to them. sampledRows
// are looked at for a row that the statement can take, rowTries of them are tried.
const (
	maxRelatives = 24
	sampledRows  = 200
	rowTries     = 4
)

// A probe is what a server did with a statement on a clone, and what it would accept.
type probe struct {
	work            string
	algorithm, lock string
}

// A cloner makes copies of the tables that a statement is about, with one row each, in databases of their own.
//
// Not copied: triggers, views, the hidden column that a FULLTEXT index leaves behind, and the row versions that instant changes
// have used up. Tables in a tablespace or directory of their own cannot be made twice.
type cloner struct {
	server   *Server
	admin    *session
	c        *session // guest, in the loaded database, foreign_key_checks=0 and no sql_mode
	database string
	charset  string
	collate  string
	tables   []*loadedTable // of the statement, that exist
	all      []string       // of the clone: those, and the ones tied to them
	creates  []string       // for each of all
	keys     []cloneKey
	// fit are the columns of the first table that the statement changes; the row is chosen by them.
	fit  []string
	set  []string // the migrator's settings
	made string   // the database of the clone; "" if there is none
	// filled tells what the clone holds: 0 nothing yet, 1 a row, 2 no row, because there is none that can be used.
	filled int
	was    *innodbDictionary // of the clone as it was made; nil if it has not been read
	locked bool              // the loaded table cannot be read
}

// A cloneKey is a foreign key that the table has, or is being given.
type cloneKey struct {
	table, parent       string
	columns, references []string
}

// newCloner reads what has to be cloned. It is nil where no table is involved.
func newCloner(ctx context.Context, server *Server, admin *session, database string, x stepText, before, after *schema.Schema) (*cloner, error) {
	cl := &cloner{server: server, admin: admin, database: database}
	var err error
	if cl.tables, err = readTables(ctx, admin, database, append(slices.Clone(x.tables), x.refs...)); err != nil || len(cl.tables) == 0 {
		return nil, err
	}
	named := len(cl.tables)
	for _, t := range cl.tables {
		cl.all = append(cl.all, t.name)
	}
	in := isAnyOf(cl.all)
	rows, err := admin.query(ctx, 0, "SELECT table_name, constraint_name, column_name, referenced_table_name, referenced_column_name FROM information_schema.key_column_usage "+
		"WHERE table_schema = "+textLiteral(database)+" AND referenced_table_schema = table_schema AND (table_name"+in+" OR referenced_table_name"+in+") "+
		"ORDER BY table_name, constraint_name, ordinal_position")
	if err != nil {
		return nil, err
	}
	last := ""
	for _, r := range rows {
		if at := r[0].String + "." + r[1].String; at != last {
			last = at
			cl.keys = append(cl.keys, cloneKey{table: r[0].String, parent: r[3].String})
		}
		k := &cl.keys[len(cl.keys)-1]
		k.columns = append(k.columns, r[2].String)
		k.references = append(k.references, r[4].String)
		for _, n := range []string{r[0].String, r[3].String} {
			if !slices.Contains(cl.all, n) && len(cl.all) < named+maxRelatives {
				cl.all = append(cl.all, n)
			}
		}
	}
	// Parents are read with their columns too: they get the row that the child's refers to.
	if cl.tables, err = readTables(ctx, admin, database, cl.all); err != nil {
		return nil, err
	}
	cl.choose(x, before, after)
	if rows, err = admin.query(ctx, 1, "SELECT default_character_set_name, default_collation_name FROM information_schema.schemata WHERE schema_name = "+textLiteral(database)); err != nil {
		return nil, err
	}
	if len(rows) == 1 {
		cl.charset, cl.collate = rows[0][0].String, rows[0][1].String
	}
	if cl.c, err = server.session(ctx, asGuest, database); err != nil {
		return nil, err
	}
	cl.c.limit = auxLimit
	err = cl.c.exec(ctx, "SET SESSION sql_mode = '', foreign_key_checks = 0, lock_wait_timeout = 1")
	for _, n := range cl.all {
		if err == nil {
			rows, err = cl.c.query(ctx, 1, "SHOW CREATE TABLE "+quoteName(n))
			if err == nil && (len(rows) == 0 || len(rows[0]) < 2) {
				err = fmt.Errorf("SHOW CREATE TABLE %s gives nothing", n)
			}
		}
		if err != nil {
			cl.c.close()
			return nil, err
		}
		cl.creates = append(cl.creates, rows[0][1].String)
	}
	return cl, nil
}

// choose reads from the change which columns the row has to fit, and which foreign keys are new.
func (cl *cloner) choose(x stepText, before, after *schema.Schema) {
	if before == nil || after == nil {
		return
	}
	add := func(table, column string) {
		if len(cl.tables) > 0 && table == cl.tables[0].name {
			cl.fit = append(cl.fit, column)
		}
	}
	for _, change := range schema.Diff(before, after) {
		switch c := change.(type) {
		case *schema.ColumnType:
			add(c.Table.Name, c.Old.Name)
		case *schema.ColumnNullability:
			add(c.Table.Name, c.Old.Name)
		case *schema.ColumnCollation:
			add(c.Table.Name, c.Old.Name)
		case *schema.AddForeignKey:
			cl.keys = append(cl.keys, cloneKey{c.Table.Name, c.FK.RefTable, c.FK.Columns, c.FK.RefColumns})
		case *schema.ChangeForeignKey:
			cl.keys = append(cl.keys, cloneKey{c.Table.Name, c.New.RefTable, c.New.Columns, c.New.RefColumns})
		}
	}
	slices.Sort(cl.fit)
	cl.fit = slices.DeleteFunc(slices.Compact(cl.fit), func(name string) bool {
		return !slices.ContainsFunc(cl.tables[0].columns, func(c loadedColumn) bool { return c.name == name })
	})
}

// make creates a clone without rows, or creates it again.
func (cl *cloner) make(ctx context.Context) (string, error) {
	h := fnv.New32a()
	h.Write([]byte(cl.database))
	cl.made = fmt.Sprintf("%sclone_%08x", cl.server.Prefix, h.Sum32())
	cl.filled, cl.was = 0, nil
	if err := cl.admin.exec(ctx, "DROP DATABASE IF EXISTS "+quoteName(cl.made)); err != nil {
		return "", err
	}
	create := "CREATE DATABASE " + quoteName(cl.made)
	if cl.charset != "" {
		create += " CHARACTER SET " + cl.charset + " COLLATE " + cl.collate
	}
	for _, sql := range append([]string{create, "USE " + quoteName(cl.made)}, cl.creates...) {
		c := cl.c
		if sql == create {
			c = cl.admin
		}
		if err := c.exec(ctx, sql); err != nil {
			return "", err
		}
	}
	return cl.made, nil
}

// close drops the clone.
func (cl *cloner) close(ctx context.Context) {
	cl.c.close()
	if cl.made == "" {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), auxLimit)
	defer cancel()
	if cl.admin.exec(ctx, "DROP DATABASE IF EXISTS "+quoteName(cl.made)) != nil {
		cl.server.dropDatabase(ctx, cl.made) // a run that was cancelled has lost its session
	}
}

// fill gives the clone's tables one row each. The row of the first table is the nth that is likely to suit the statement: short
// values and no NULL in the columns that change. filled is false where there is no such row.
func (cl *cloner) fill(ctx context.Context, clone string, nth int) (filled bool) {
	if cl.locked {
		return false
	}
	for i, t := range cl.tables {
		c := quoteName(clone) + "." + quoteName(t.name)
		if cl.c.exec(ctx, "DELETE FROM "+c) != nil {
			return false
		}
		list := strings.Join(t.stored(), ", ")
		if list == "" || i > 0 && !slices.ContainsFunc(cl.keys, func(k cloneKey) bool { return k.table == t.name || k.parent == t.name }) {
			continue
		}
		from := quoteName(cl.database) + "." + quoteName(t.name)
		order := ""
		if i == 0 && len(cl.fit) > 0 {
			var bad []string
			for _, f := range cl.fit {
				bad = append(bad, fmt.Sprintf("IFNULL(LENGTH(%s), 1000000000)", quoteName(f)))
			}
			order = " ORDER BY " + strings.Join(bad, " + ")
		}
		if i == 0 {
			// Only a sample is put in order, not the whole table.
			if order != "" {
				from = fmt.Sprintf("(SELECT %s FROM %s LIMIT %d) AS s%s", list, from, sampledRows, order)
			}
			err := cl.c.exec(ctx, fmt.Sprintf("INSERT INTO %s (%s) SELECT %[2]s FROM %s LIMIT %d, 1", c, list, from, nth))
			if err != nil {
				e, ok := serverError(err)
				cl.locked = ok && e.Code == lockTimeout
				return false
			}
			rows, err := cl.c.query(ctx, 1, "SELECT 1 FROM "+c+" LIMIT 1")
			if err != nil || len(rows) == 0 {
				return false
			}
		}
	}
	if len(cl.tables) == 0 {
		return false
	}
	for _, k := range cl.keys {
		if k.table != cl.tables[0].name {
			continue
		}
		at := slices.IndexFunc(cl.tables, func(t *loadedTable) bool { return t.name == k.parent })
		if at < 0 || len(k.columns) != len(k.references) {
			continue
		}
		list := strings.Join(cl.tables[at].stored(), ", ")
		// A new foreign key can be on a column that does not exist yet: then there is nothing to refer to.
		cl.c.exec(ctx, fmt.Sprintf("INSERT IGNORE INTO %s.%s (%s) SELECT %[3]s FROM %s.%[2]s WHERE (%s) = (SELECT %s FROM %[1]s.%s LIMIT 1) LIMIT 1",
			quoteName(clone), quoteName(k.parent), list, quoteName(cl.database),
			strings.Join(quoteNames(k.references), ", "), strings.Join(quoteNames(k.columns), ", "), quoteName(k.table)))
	}
	return true
}

// invent gives the first table of a clone a row of implicit defaults, for a table that has no rows.
func (cl *cloner) invent(ctx context.Context, clone string) bool {
	c := quoteName(clone) + "." + quoteName(cl.tables[0].name)
	if cl.c.exec(ctx, "INSERT IGNORE INTO "+c+" () VALUES ()") != nil {
		return false
	}
	rows, err := cl.c.query(ctx, 1, "SELECT 1 FROM "+c+" LIMIT 1")
	return err == nil && len(rows) == 1
}

// stored gives the columns that have values of their own, quoted.
func (t *loadedTable) stored() (names []string) {
	for _, c := range t.columns {
		if !c.generated {
			names = append(names, quoteName(c.name))
		}
	}
	return names
}

// sessionVariables are those that change what a statement does to a schema. Not every server has each of them.
var sessionVariables = []string{"alter_algorithm", "character_set_client", "character_set_connection", "collation_connection", "default_collation_for_utf8mb4",
	"default_storage_engine", "explicit_defaults_for_timestamp", "foreign_key_checks", "innodb_strict_mode", "old_alter_table",
	"restrict_fk_on_non_standard_key", "sql_mode", "sql_generate_invisible_primary_key", "sql_quote_show_create", "sql_require_primary_key", "time_zone", "unique_checks"}

// probeSettings gives what makes a new session of the guest like the migrator's, as the items of a SET, and the migrator's sql_mode.
func probeSettings(ctx context.Context, fresh, migrator *session) (set []string, sqlMode string, err error) {
	var names []string
	for _, v := range sessionVariables {
		names = append(names, "'"+v+"'")
	}
	rows, err := fresh.query(ctx, 0, "SHOW SESSION VARIABLES WHERE Variable_name IN ("+strings.Join(names, ", ")+")")
	if err != nil || len(rows) == 0 {
		return nil, "", err
	}
	var list []string
	for _, r := range rows {
		list = append(list, "@@SESSION."+r[0].String)
	}
	select1 := "SELECT " + strings.Join(list, ", ")
	was, err := fresh.query(ctx, 1, select1)
	if err != nil {
		return nil, "", err
	}
	is, err := migrator.query(ctx, 1, select1)
	if err != nil || len(was) != 1 || len(is) != 1 {
		return nil, "", err
	}
	for i, r := range rows {
		v := is[0][i].String
		if r[0].String == "sql_mode" {
			sqlMode = v
		}
		if v == was[0][i].String {
			continue
		}
		if _, err := strconv.Atoi(v); err != nil {
			v = textLiteral(v)
		}
		set = append(set, "SESSION "+r[0].String+" = "+v)
	}
	return set, sqlMode, nil
}

// Errors with which a server refuses an ALGORITHM or LOCK clause, or does not take it at all (tested on MySQL 9.7 and MariaDB
// 10.11): 1845 and 1846 not supported, 1221 and 1064 the clause does not go with the statement, 4092 no row versions left.
func refusesClause(code int) bool { return slices.Contains([]int{1064, 1221, 1845, 1846, 4092}, code) }

// ofRows tells whether an error depends on the rows: the server had accepted the statement before it met them.
func ofRows(code int) bool {
	return slices.Contains([]int{1048, 1062, 1138, 1169, 1216, 1217, 1264, 1265, 1292, 1366, 1367, 1406, 1411, 1416, 1451, 1452, 1526, 1586, 1690, 1748, 1762, 3140, 3156, 3819, 4025}, code)
}

// clauseTries gives what is tried, the strongest first.
func clauseTries(v schema.Server) [][2]string {
	if !v.MariaDB {
		return [][2]string{{"INSTANT", ""}, {"INPLACE", "NONE"}, {"INPLACE", "SHARED"}, {"COPY", "SHARED"}, {"INPLACE", "EXCLUSIVE"}, {"COPY", "EXCLUSIVE"}}
	}
	return [][2]string{{"INSTANT", ""}, {"NOCOPY", "NONE"}, {"INPLACE", "NONE"}, {"COPY", "NONE"}, // COPY, NONE: from 11.2 on
		{"NOCOPY", "SHARED"}, {"INPLACE", "SHARED"}, {"COPY", "SHARED"}, {"INPLACE", "EXCLUSIVE"}, {"COPY", "EXCLUSIVE"}}
}

// run asks the server what it does with a statement. c is a guest's session with the migrator's settings; used tells that the
// loaded table has used up its row versions. The clone is as make left it, with or without a row.
//
// A server takes the strongest algorithm that it can unless it is told otherwise, so the first one that it accepts also
// shows the work, except where the statement asks for another. One that it refuses whatever the rows are has neither.
func (cl *cloner) run(ctx context.Context, c *session, clone string, x stepText, used bool) (p probe, err error) {
	takes := x.with("INSTANT", "") != ""
	asked := takes && len(x.clauses()) > 0 || slices.ContainsFunc(cl.set, func(item string) bool {
		return strings.Contains(item, "alter_algorithm") || strings.Contains(item, "old_alter_table")
	})
	if !takes || asked {
		work, e, filled, err := cl.try(ctx, c, clone, x.sql)
		if err != nil || !takes || e != nil && !ofRows(e.Code) && !refusesClause(e.Code) {
			return probe{work: work}, err
		}
		if filled || work != "rebuild" {
			p.work = work // MySQL rebuilds an empty table where it would not rebuild one with rows
		}
		if clone, err = cl.make(ctx); err != nil {
			return p, err
		}
	}
	refused := true // every clause
	for _, clause := range clauseTries(cl.server.Version) {
		work, e, filled, err := cl.try(ctx, c, clone, x.with(clause[0], clause[1]))
		if err != nil {
			return p, err
		}
		if e != nil && refusesClause(e.Code) {
			continue
		}
		if refused = false; e != nil && !ofRows(e.Code) {
			break
		}
		if used && e == nil && clause[0] == "INSTANT" {
			// The loaded table would refuse it with 4092 if it takes a row version.
			d, err := readDictionary(ctx, cl.admin, cl.server.Version, clone)
			if err == nil && d.used() {
				if clone, err = cl.make(ctx); err != nil {
					return p, err
				}
				refused = true
				continue
			}
		}
		if work == "" && e == nil && clause[0] == "INSTANT" {
			work = "metadata" // by definition, where the dictionary does not tell
		}
		if !asked {
			p.work = work
		}
		if clause[0] == "INSTANT" && work == "rebuild" && filled {
			break // MariaDB does not look at the clauses of a PARTITION BY
		}
		p.algorithm, p.lock = clause[0], clause[1]
		if p.lock == "" {
			p.lock = "NONE" // INSTANT takes no LOCK clause; this is what it means
		}
		break
	}
	if refused && !asked {
		// MariaDB's ADD, DROP and REORGANIZE PARTITION take no clauses (1064).
		if p.work, _, _, err = cl.try(ctx, c, clone, x.sql); err != nil {
			return p, err
		}
	}
	if p.work == "rebuild" && (p.algorithm == "COPY" || x.copies) {
		p.work = "copy"
	}
	return p, nil
}

// try runs a statement on a clone, with the rows that are likely to let it pass one after the other, and without any in the end.
// A statement that the server refuses leaves a clone as it was (manual: Atomic DDL).
func (cl *cloner) try(ctx context.Context, c *session, clone, statement string) (work string, refused *analyzer.ServerError, filled bool, err error) {
	if filled = cl.filled == 1; cl.filled == 0 {
		filled = cl.fill(ctx, clone, 0) || cl.invent(ctx, clone)
		cl.filled = 1
		if !filled {
			cl.filled = 2
		}
	}
	if cl.was == nil {
		if err := c.exec(ctx, "USE "+quoteName(clone)); err != nil {
			return "", nil, filled, err
		}
		// Without a dictionary, as on another storage engine or a cluster, nothing is told of the work.
		was, _ := readDictionary(ctx, cl.admin, cl.server.Version, clone)
		cl.was = &was
	}
	for nth := 1; ; nth++ {
		err := c.exec(ctx, statement)
		if refused = nil; err == nil {
			break
		}
		var ok bool
		if refused, ok = serverError(err); !ok {
			return "", nil, filled, err
		}
		if !ofRows(refused.Code) || !filled {
			return "", refused, filled, nil
		}
		if filled = nth < rowTries && cl.fill(ctx, clone, 2*nth*nth); filled {
			continue
		}
		cl.filled = 2
		for _, t := range cl.tables {
			if err := cl.c.exec(ctx, "DELETE FROM "+quoteName(clone)+"."+quoteName(t.name)); err != nil {
				return "", refused, filled, err
			}
		}
	}
	if is, err := readDictionary(ctx, cl.admin, cl.server.Version, clone); err == nil {
		work = workDone(*cl.was, is)
	}
	return work, nil, filled, nil
}

// An innodbDictionary is what InnoDB has of a database: its tables and indexes by id.
type innodbDictionary struct {
	tables  map[string]innodbTable
	indexes map[string]string // to the table's id
	// blind: indexes of some table are not listed, as those of partitions in MySQL (tested on 9.7).
	blind bool
}

type innodbTable struct {
	name     string // without the database, in the file system's spelling; with #p# and more for a partition
	versions int
}

// fulltextTable are tables that InnoDB keeps for FULLTEXT indexes.
var fulltextTable = regexp.MustCompile(`^(fts|FTS)_[0-9a-f]{16}_`)

// readDictionary reads InnoDB's dictionary (manual: InnoDB INFORMATION_SCHEMA System Tables), which needs PROCESS.
func readDictionary(ctx context.Context, admin *session, v schema.Server, database string) (innodbDictionary, error) {
	d := innodbDictionary{tables: map[string]innodbTable{}, indexes: map[string]string{}}
	tables, indexes, versions := "INNODB_TABLES", "INNODB_INDEXES", "0"
	switch {
	case v.MariaDB || v.Major < 8:
		tables, indexes = "INNODB_SYS_TABLES", "INNODB_SYS_INDEXES"
	case rowVersionLimit(v) > 0:
		versions = "t.TOTAL_ROW_VERSIONS"
	}
	file := fileName(database) + "/"
	rows, err := admin.query(ctx, 0, fmt.Sprintf("SELECT t.TABLE_ID, SUBSTR(t.NAME, %d), %s, i.INDEX_ID FROM information_schema.%s t LEFT JOIN information_schema.%s i ON i.TABLE_ID = t.TABLE_ID "+
		"WHERE LEFT(t.NAME, %d) = %s", len(file)+1, versions, tables, indexes, len(file), textLiteral(file)))
	if err != nil {
		return d, err
	}
	for _, r := range rows {
		if fulltextTable.MatchString(r[1].String) {
			continue
		}
		n, _ := strconv.Atoi(r[2].String)
		d.tables[r[0].String] = innodbTable{r[1].String, n}
		if r[3].Valid {
			d.indexes[r[3].String] = r[0].String
		} else {
			d.blind = true
		}
	}
	return d, nil
}

// workDone compares a dictionary before and after a statement: "metadata", "index" or "rebuild"; "" if InnoDB has none of the
// tables, or if an index may have been built that is not listed.
func workDone(was, is innodbDictionary) string {
	if len(was.tables) == 0 {
		return ""
	}
	gone, parts, made := 0, 0, 0
	for id, t := range was.tables {
		if _, ok := is.tables[id]; ok {
			continue
		}
		if strings.Contains(strings.ToLower(t.name), "#p#") {
			parts++
		} else {
			gone++
		}
	}
	for id := range is.tables {
		if _, ok := was.tables[id]; !ok {
			made++
		}
	}
	// Dropping a partition only takes tables away, adding one only adds them.
	if gone > 0 || parts > 0 && made > 0 {
		return "rebuild"
	}
	if is.blind {
		return ""
	}
	for id, table := range is.indexes {
		if _, ok := was.indexes[id]; ok {
			continue
		}
		if _, ok := was.tables[table]; ok {
			return "index"
		}
	}
	return "metadata"
}

// versions gives how many row versions a table has, the most of its partitions.
func (d innodbDictionary) versions(table string) (n int) {
	file := fileName(table)
	for _, t := range d.tables {
		name := t.name
		if i := strings.Index(strings.ToLower(name), "#p#"); i > 0 {
			name = name[:i]
		}
		if strings.EqualFold(name, file) {
			n = max(n, t.versions)
		}
	}
	return n
}

// used tells whether any table has a row version.
func (d innodbDictionary) used() bool {
	for _, t := range d.tables {
		if t.versions > 0 {
			return true
		}
	}
	return false
}

// fileName gives a name as it stands in InnoDB's dictionary (manual: Mapping of Identifiers to File Names). Letters beyond ASCII,
// some of which have shorter codes there, are left out: such a table is not found.
func fileName(name string) string {
	var b strings.Builder
	for _, r := range name {
		if r < 0x80 && wordByte(byte(r)) && r != '$' && r != '@' {
			b.WriteRune(r)
		} else {
			fmt.Fprintf(&b, "@%04x", r)
		}
	}
	return b.String()
}

// rowVersionLimit gives how many instant ADD and DROP COLUMN a table of that server takes until it is rebuilt; 0 where there is no
// such limit or it is not known (manual: Online DDL Operations, "Column Operations"; tested on 9.7: 255).
func rowVersionLimit(v schema.Server) int {
	switch {
	case v.MariaDB || v.Major < 8 || v.Major == 8 && v.Minor == 0 && v.Patch != 0 && v.Patch < 29:
		return 0
	case v.Major > 9 || v.Major == 9 && v.Minor >= 1:
		return 255
	}
	return 64
}

// lockTimeout is the error of a wait for a lock that took too long.
const lockTimeout = 1205

// lockWait sends a statement to a clone while a transaction that has read its tables stays open, with a plain SELECT behind it.
// set are the migrator's settings. went tells whether the statement was run, so that the clone is no more what it was.
func lockWait(ctx context.Context, server *Server, admin *session, clone string, tables, set []string, statement string, timeout time.Duration) (w *analyzer.LockWait, went bool, err error) {
	seconds := max(int((timeout+time.Second-1)/time.Second), 1)
	limit := time.Duration(seconds)*time.Second + auxLimit
	var open [3]*session
	for i := range open {
		if open[i], err = server.session(ctx, asGuest, clone); err != nil {
			for _, c := range open[:i] {
				c.close()
			}
			return nil, false, err
		}
		open[i].limit = limit
	}
	idle, step, reader := open[0], open[1], open[2]
	defer func() {
		for _, c := range open {
			c.close()
		}
	}()
	if err := idle.exec(ctx, "START TRANSACTION"); err != nil {
		return nil, false, err
	}
	for _, t := range tables {
		if _, err := idle.query(ctx, 1, "SELECT 1 FROM "+quoteName(t)+" LIMIT 1"); err != nil {
			return nil, false, err
		}
	}
	for _, item := range append(slices.Clone(set), fmt.Sprintf("SESSION lock_wait_timeout = %d", seconds)) {
		if err := step.exec(ctx, "SET "+item); err != nil {
			return nil, false, err
		}
	}
	type result struct {
		err  error
		took time.Duration
	}
	done := make(chan result, 1)
	start := time.Now()
	go func() {
		err := step.exec(ctx, statement)
		done <- result{err, time.Since(start)}
	}()
	var r result
	waits, ended := false, false
	for !waits && !ended && time.Since(start) < time.Second/2 {
		select {
		case r = <-done:
			ended = true
		case <-time.After(2 * time.Millisecond):
			waits = waitsForLock(ctx, admin, step.id)
		}
	}
	w = &analyzer.LockWait{TimeoutSeconds: seconds}
	begun := time.Now()
	_, rerr := reader.query(ctx, 1, "SELECT 1 FROM "+quoteName(tables[0])+" LIMIT 1")
	w.ReaderMillis = float64(time.Since(begun)) / float64(time.Millisecond)
	if !ended {
		r = <-done
	}
	w.Millis = float64(r.took) / float64(time.Millisecond)
	if r.err == nil {
		return w, true, nil
	}
	var ok bool
	if w.Error, ok = serverError(r.err); !ok {
		return nil, true, r.err
	}
	if _, ok := serverError(rerr); rerr != nil && !ok {
		return nil, true, rerr
	}
	if w.Error.Code != lockTimeout {
		return nil, false, nil // refused, or ended by a bound: nothing is learnt
	}
	return w, false, nil
}

// waitsForLock tells whether a session waits for a metadata lock.
func waitsForLock(ctx context.Context, admin *session, id int64) bool {
	rows, err := admin.query(ctx, 0, "SHOW PROCESSLIST")
	if err != nil {
		return false
	}
	for _, r := range rows {
		if len(r) > 6 && r[0].String == strconv.FormatInt(id, 10) {
			return strings.Contains(r[6].String, "metadata lock")
		}
	}
	return false
}
