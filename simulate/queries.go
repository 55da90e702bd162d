package simulate

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"instep/analyzer"
	"instep/analyzer/schema"
)

// recordedQueries takes a service's real statements, from files of plain SQL.
//
// Parameters (?, %s, %(name)s, :name, $1) are filled from rows that are present where the text tells which column they stand for:
// in INSERT (…) VALUES (…), beside a comparison, in IN, BETWEEN, LIKE and LIMIT. Where it does not, the statement is listed as
// unread. So is what may not run in a transaction that is rolled back. Text in double quotes is read as a string, as the
// server does without ANSI_QUOTES.
var recordedQueries = Source{
	Name: "recorded queries",
	Make: func(of Subject) (Workload, bool) {
		w := Workload{named: map[string]bool{}}
		r := &recorder{implied: implied{Subject: of, named: map[string]bool{}}, w: &w, seen: map[string]bool{}}
		var files []string
		for _, q := range of.Queries {
			if q.Service == of.Service.Name && q.Code == of.Code {
				files = append(files, q.File)
				r.file(q)
			}
		}
		if len(files) == 0 || of.Schema == nil {
			return Workload{}, false
		}
		if r.more > 0 {
			w.Unread = append(w.Unread, fmt.Sprintf("and %d more", r.more))
		}
		w.Source = strings.Join(files, ", ")
		return w, true
	},
}

// The bounds of recorded statements.
const (
	maxRecorded     = 5000     // transactions
	maxRecordedText = 64 << 10 // bytes of a statement
	maxUnread       = 200      // statements that are listed as unread
	maxVariants     = 12       // of a statement, with other values
)

// A recorder makes the workload of recorded statements.
type recorder struct {
	implied // makes rows
	w       *Workload
	seen    map[string]bool // transactions, by text: a log repeats itself
	more    int             // unread ones that are not listed
	open    bool            // in an explicit transaction
	group   []recordedStatement
}

// A recordedStatement is a statement with its parameters filled in several ways, the plainest first.
type recordedStatement struct {
	pos      schema.Pos
	variants [][]string // each is what it needs first, and the statement at the end
	table    string
	use      analyzer.Use
	compare  bool
}

func (r *recorder) unread(pos schema.Pos, why string) {
	if len(r.w.Unread) >= maxUnread {
		r.more++
		return
	}
	r.w.Unread = append(r.w.Unread, fmt.Sprintf("%s:%d: %s", pos.File, pos.Line, why))
}

func (r *recorder) file(q Queries) {
	statements, gaps := schema.Split(q.File, q.SQL)
	for _, g := range gaps {
		r.unread(g.Pos, g.What+": "+g.Why)
	}
	r.open, r.group = false, nil
	for _, st := range statements {
		r.statement(st)
	}
	if r.open {
		r.flush() // the recording ended within it
	}
	r.open = false
}

func (r *recorder) statement(st schema.Statement) {
	if len(st.SQL) > maxRecordedText {
		r.unread(st.Pos, fmt.Sprintf("it is longer than %d KiB", maxRecordedText>>10))
		return
	}
	ts := queryTokens(st.SQL)
	word := func(i int) string {
		if i < len(ts) && ts[i].kind == queryWord {
			return strings.ToUpper(ts[i].text)
		}
		return ""
	}
	verb := word(0)
	for i := 0; verb == "" && i < len(ts) && ts[i].text == "("; i++ {
		verb = word(i + 1)
	}
	switch verb {
	case "BEGIN", "START":
		if verb == "START" && word(1) != "TRANSACTION" {
			break
		}
		r.flush()
		r.open = true
		return
	case "COMMIT", "ROLLBACK":
		if slices.ContainsFunc(ts, func(t queryToken) bool { return strings.EqualFold(t.text, "TO") }) {
			r.unread(st.Pos, "savepoints are not followed")
			return
		}
		if !r.open {
			r.unread(st.Pos, verb+" without BEGIN: every transaction is rolled back")
		}
		r.flush()
		r.open = false
		return
	case "SELECT", "INSERT", "UPDATE", "DELETE", "REPLACE", "WITH", "TABLE", "VALUES":
	case "SET":
		r.unread(st.Pos, "SET would change the session for what comes after it; the sql_mode is that of the configuration")
		return
	case "CREATE", "ALTER", "DROP", "TRUNCATE", "RENAME", "ANALYZE", "OPTIMIZE", "REPAIR", "GRANT", "REVOKE", "FLUSH", "INSTALL", "UNINSTALL":
		r.unread(st.Pos, verb+" commits: it cannot be rolled back")
		return
	case "CALL":
		r.unread(st.Pos, "CALL is not run, because a procedure may commit")
		return
	default:
		r.unread(st.Pos, fmt.Sprintf("%s is not run: only statements that read and write rows are", cmp.Or(verb, "it")))
		return
	}
	rec, why := r.read(st, ts, verb)
	if why != "" {
		r.unread(st.Pos, why)
		return
	}
	r.group = append(r.group, rec)
	if !r.open {
		r.flush()
	}
}

// flush makes the transactions of the statements that were read since BEGIN.
func (r *recorder) flush() {
	group := r.group
	r.group = nil
	if len(group) == 0 {
		return
	}
	make1 := func(which, variant int) {
		t := Transaction{Table: group[0].table, Source: fmt.Sprintf("%s:%d", group[0].pos.File, group[0].pos.Line), Select: -1}
		for i, rec := range group {
			v := rec.variants[0]
			if i == which {
				v = rec.variants[variant]
			}
			for _, text := range v[:len(v)-1] {
				if !slices.Contains(t.Statements, text) {
					t.Statements = append(t.Statements, text)
				}
			}
			t.Statements = append(t.Statements, v[len(v)-1])
			t.Use |= rec.use
		}
		t.Reads = t.Use&^(analyzer.Read|analyzer.Position|analyzer.Hint) == 0
		if t.Reads && len(group) == 1 && group[0].compare {
			t.Select = len(t.Statements) - 1
		}
		key := strings.Join(t.Statements, "\x00")
		if r.seen[key] {
			return
		}
		r.seen[key] = true
		if len(r.w.Transactions) >= maxRecorded {
			r.unread(group[0].pos, fmt.Sprintf("it is beyond the first %d transactions", maxRecorded))
			return
		}
		r.w.Transactions = append(r.w.Transactions, t)
	}
	make1(-1, 0)
	for i, rec := range group {
		for v := 1; v < len(rec.variants); v++ {
			make1(i, v)
		}
	}
}

// A tableRef is a table as a statement names it.
type tableRef struct {
	table *schema.Table // nil if the schema has no such table
	name  string
	alias string
}

// A parameter is a place in a statement that has to be filled.
type parameter struct {
	token   int
	literal string // what stands there whatever rows there are, "" if it stands for a column
	table   *schema.Table
	column  *schema.Column
	kind    byte // 'i' inserted, 's' set, 'w' compared
}

// read reads one statement; why says why it is left out.
func (r *recorder) read(st schema.Statement, ts []queryToken, verb string) (rec recordedStatement, why string) {
	rec.pos = st.Pos
	ts, refs, why := r.tables(ts)
	if why != "" {
		return rec, why
	}
	if len(refs) > 0 {
		rec.table = refs[0].name
	}
	rec.use = r.uses(ts, verb, refs)
	if allowed := r.Service.Access.Allows(rec.use); allowed != rec.use {
		return rec, fmt.Sprintf("%s may only read by its configuration", r.Service.Name)
	}
	rec.compare = rec.use&^(analyzer.Read|analyzer.Position) == 0 && stable(ts)
	r.name(ts, refs)
	params, why := r.parameters(ts, refs, verb)
	if why != "" {
		return rec, why
	}
	rec.variants = r.fill(st.SQL, ts, params, rec.use)
	return rec, ""
}

// tables finds the tables that a statement names. A qualifier that is the database's own name is taken away: here it has another.
func (r *recorder) tables(ts []queryToken) (rest []queryToken, refs []tableRef, why string) {
	var ctes []string
	if len(ts) > 0 && ts[0].is("WITH") {
		for i := 1; i+2 < len(ts); i++ {
			if ts[i].isName() && ts[i+1].is("AS") && ts[i+2].text == "(" || ts[i].isName() && ts[i+1].text == "(" && (ts[i-1].is("WITH") || ts[i-1].is("RECURSIVE") || ts[i-1].text == ",") {
				ctes = append(ctes, ts[i].name())
			}
		}
	}
	drop := map[int]bool{}
	take := func(i int) int { // a table at i; gives the index behind it
		if i >= len(ts) || !ts[i].isName() || ts[i].is("SELECT") || ts[i].is("LATERAL") || ts[i].is("DUAL") || ts[i].is("OUTFILE") {
			return i
		}
		name := ts[i].name()
		i++
		if i+1 < len(ts) && ts[i].text == "." && ts[i+1].isName() {
			if db := r.Schema.Database(); db == "" || name != db {
				why = fmt.Sprintf("it names another database, %s", name)
				return i
			}
			drop[i-1], drop[i] = true, true
			name = ts[i+1].name()
			i += 2
		}
		ref := tableRef{name: name, table: r.Schema.Table(name)}
		if i < len(ts) && ts[i].is("AS") {
			i++
		}
		if i < len(ts) && ts[i].isName() && !queryKeywords[strings.ToUpper(ts[i].text)] {
			ref.alias = ts[i].name()
			i++
		}
		if !slices.Contains(ctes, name) {
			refs = append(refs, ref)
		}
		return i
	}
	for i := 0; i < len(ts) && why == ""; i++ {
		switch {
		case ts[i].is("FROM"), ts[i].is("JOIN"), ts[i].is("INTO"), ts[i].is("STRAIGHT_JOIN"):
			if ts[i].is("FROM") && r.inCall(ts, i) {
				continue // EXTRACT(YEAR FROM x), TRIM('a' FROM x), SUBSTRING(x FROM 2)
			}
			j := i + 1
			for ts[i].is("FROM") && j < len(ts) && ts[j].text == "(" {
				j++
			}
			next := take(j)
			for next > j && ts[i].is("FROM") && next < len(ts) && ts[next].text == "," {
				j = next + 1
				next = take(j)
			}
		case i == 0 && (ts[i].is("UPDATE") || ts[i].is("INSERT") || ts[i].is("REPLACE")), i > 0 && ts[i].is("UPDATE") && ts[i-1].text == ")":
			j := i + 1
			for j < len(ts) && (ts[j].is("LOW_PRIORITY") || ts[j].is("HIGH_PRIORITY") || ts[j].is("DELAYED") || ts[j].is("IGNORE")) {
				j++
			}
			if j < len(ts) && !ts[j].is("INTO") {
				next := take(j)
				for next > j && ts[i].is("UPDATE") && next < len(ts) && ts[next].text == "," {
					j = next + 1
					next = take(j)
				}
			}
		}
	}
	for i, t := range ts {
		if drop[i] {
			t.text, t.dropped = "", true
		}
		rest = append(rest, t)
	}
	return rest, refs, why
}

// inCall reports whether the innermost parenthesis around a token belongs to a call of a function that has FROM in its arguments.
func (r *recorder) inCall(ts []queryToken, i int) bool {
	depth := 0
	for j := i - 1; j > 0; j-- {
		switch ts[j].text {
		case ")":
			depth++
		case "(":
			if depth--; depth < 0 {
				return ts[j-1].is("EXTRACT") || ts[j-1].is("TRIM") || ts[j-1].is("SUBSTRING") || ts[j-1].is("SUBSTR") || ts[j-1].is("MID")
			}
		}
	}
	return false
}

// uses gives how a statement uses its tables.
func (r *recorder) uses(ts []queryToken, verb string, refs []tableRef) analyzer.Use {
	var use analyzer.Use
	if verb == "WITH" {
		verb = "SELECT"
		depth := 0
		for _, t := range ts {
			switch {
			case t.text == "(":
				depth++
			case t.text == ")":
				depth--
			case depth == 0 && (t.is("UPDATE") || t.is("DELETE")) && verb == "SELECT":
				verb = strings.ToUpper(t.text)
			case depth == 0 && t.is("FOR"):
				depth = 1 << 20 // FOR UPDATE
			}
		}
	}
	for i, t := range ts {
		if t.is("SELECT") {
			use |= analyzer.Read
		}
		if t.text == "*" && i > 0 && (ts[i-1].is("SELECT") || ts[i-1].text == "." || ts[i-1].is("DISTINCT")) {
			use |= analyzer.Position
		}
	}
	switch verb {
	case "INSERT", "REPLACE":
		use |= analyzer.Insert
		if verb == "REPLACE" {
			use |= analyzer.Delete
		}
		for i := 1; i+2 < len(ts); i++ {
			if ts[i].is("DUPLICATE") && ts[i+2].is("UPDATE") {
				use |= analyzer.Update
			}
		}
		if names := insertColumns(ts); len(names) == 0 && !slices.ContainsFunc(ts, func(t queryToken) bool { return t.is("SET") }) {
			use |= analyzer.Position
		} else if len(refs) > 0 && refs[0].table != nil && len(names) < len(refs[0].table.Columns) {
			use |= analyzer.Omit
		}
	case "UPDATE":
		use |= analyzer.Update
	case "DELETE":
		use |= analyzer.Delete
	default:
		use |= analyzer.Read
	}
	return use
}

// stable reports whether a statement gives the same rows in the same order whenever it runs on the same rows.
func stable(ts []queryToken) bool {
	limit, order := false, false
	for i, t := range ts {
		switch strings.ToUpper(t.text) {
		case "NOW", "SYSDATE", "CURDATE", "CURTIME", "CURRENT_DATE", "CURRENT_TIME", "CURRENT_TIMESTAMP", "LOCALTIME", "LOCALTIMESTAMP", "UTC_DATE",
			"UTC_TIME", "UTC_TIMESTAMP", "UNIX_TIMESTAMP", "RAND", "UUID", "UUID_SHORT", "CONNECTION_ID", "LAST_INSERT_ID", "FOUND_ROWS", "ROW_COUNT", "DATABASE":
			return false
		case "LIMIT":
			limit = true
		case "BY":
			order = order || i > 0 && ts[i-1].is("ORDER")
		}
	}
	return order || !limit
}

// name takes note of the tables and columns that a statement names.
func (r *recorder) name(ts []queryToken, refs []tableRef) {
	for _, ref := range refs {
		if ref.table == nil {
			continue
		}
		r.w.named[ref.table.Name] = true
		for i, t := range ts {
			star := t.text == "*" && i > 0 && (ts[i-1].is("SELECT") || ts[i-1].text == ".")
			if !star && !t.isName() {
				continue
			}
			for _, c := range ref.table.Columns {
				if star || strings.EqualFold(c.Name, t.name()) {
					r.w.named[ref.table.Name+"."+c.Name] = true
				}
			}
		}
	}
}

// insertColumns gives the column list of an INSERT.
func insertColumns(ts []queryToken) []string {
	for i, t := range ts {
		if t.is("VALUES") || t.is("VALUE") || t.is("SET") || t.is("SELECT") {
			break
		}
		if t.text != "(" {
			continue
		}
		var names []string
		for _, t := range ts[i+1:] {
			if t.text == ")" {
				return names
			}
			if t.isName() {
				names = append(names, t.name())
			}
		}
	}
	return nil
}

// parameters finds what each parameter stands for.
func (r *recorder) parameters(ts []queryToken, refs []tableRef, verb string) (list []parameter, why string) {
	byName := map[string]parameter{}
	var unknown []int
	for i, t := range ts {
		if t.kind != queryParameter {
			continue
		}
		p := parameter{token: i}
		if !r.stands(ts, refs, verb, i, &p) {
			unknown = append(unknown, len(list))
		} else if t.label() != "" {
			byName[t.label()] = p
		}
		list = append(list, p)
	}
	for _, k := range unknown {
		t := ts[list[k].token]
		p, ok := byName[t.label()]
		if t.label() == "" || !ok {
			return nil, fmt.Sprintf("what %s stands for cannot be told", t.text)
		}
		p.token = list[k].token
		list[k] = p
	}
	return list, ""
}

// stands finds what the parameter at i stands for.
func (r *recorder) stands(ts []queryToken, refs []tableRef, verb string, i int, p *parameter) bool {
	prev := func(k int) queryToken {
		if k < 0 || k >= len(ts) {
			return queryToken{}
		}
		return ts[k]
	}
	constant := func(v string) bool { p.literal = v; return true }
	switch before := prev(i - 1); {
	case before.is("LIMIT"):
		if prev(i+1).text == "," {
			return constant("0")
		}
		return constant("10")
	case before.text == "," && prev(i-3).is("LIMIT"):
		return constant("10")
	case before.is("OFFSET"):
		return constant("0")
	case before.is("INTERVAL"):
		return constant("1")
	case before.text == "(" && prev(i-2).is("AGAINST"):
		return constant("'a'")
	}
	if verb == "INSERT" || verb == "REPLACE" {
		if c := insertedColumn(ts, refs, i); c != nil {
			p.table, p.column, p.kind = refs[0].table, c, 'i'
			return true
		}
	}
	set := r.inSet(ts, i)
	at := i
	for range 4 { // out of parentheses
		if t, c := compared(ts, refs, at); c != nil {
			p.table, p.column, p.kind = t, c, 'w'
			if set {
				p.kind = 's'
			}
			return true
		}
		switch prev(at - 1).text {
		case "+", "-", "*", "/":
			return constant("1")
		}
		// IN (?, ?), COALESCE(?, 1): what stands before the parenthesis decides.
		depth, open := 0, -1
		for j := at - 1; j >= 0 && open < 0; j-- {
			switch ts[j].text {
			case ")":
				depth++
			case "(":
				if depth == 0 {
					open = j
				}
				depth--
			}
		}
		switch f := strings.ToUpper(prev(open - 1).text); {
		case open < 1:
			return false
		case f == "IN":
			at = open // compared looks through IN
		case f == "COALESCE", f == "IFNULL", f == "LOWER", f == "UPPER", f == "TRIM", f == "DATE", f == "TIMESTAMP", f == "CONCAT", f == "NULLIF", f == "CAST", f == "BINARY":
			at = open - 1
		case prev(open-1).kind == queryOp && f != ")":
			at = open
		default:
			return false
		}
	}
	return false
}

// inSet reports whether a token stands in the SET clause of an UPDATE or behind ON DUPLICATE KEY UPDATE.
func (r *recorder) inSet(ts []queryToken, i int) bool {
	depth := 0
	for j := i - 1; j >= 0; j-- {
		switch {
		case ts[j].text == ")":
			depth++
		case ts[j].text == "(":
			depth--
		case depth > 0:
		case ts[j].is("WHERE"), ts[j].is("SELECT"), ts[j].is("ON"), ts[j].is("HAVING"), ts[j].is("FROM"):
			return false
		case ts[j].is("SET"), ts[j].is("UPDATE") && j > 0 && ts[j-1].is("KEY"):
			return true
		}
	}
	return false
}

// insertedColumn gives the column that a place in VALUES (…) is for; nil if i stands elsewhere.
func insertedColumn(ts []queryToken, refs []tableRef, i int) *schema.Column {
	if len(refs) == 0 || refs[0].table == nil {
		return nil
	}
	t := refs[0].table
	values := slices.IndexFunc(ts, func(t queryToken) bool { return t.is("VALUES") || t.is("VALUE") })
	if values < 0 || i < values {
		return nil
	}
	names := insertColumns(ts)
	if names == nil {
		for _, c := range t.Columns {
			names = append(names, c.Name)
		}
	}
	depth, n := 0, 0
	for j := values + 1; j < len(ts) && j < i; j++ {
		switch {
		case ts[j].text == "(":
			if depth++; depth == 1 {
				n = 0
			}
		case ts[j].text == ")":
			depth--
		case ts[j].text == "," && depth == 1:
			n++
		case depth == 0 && ts[j].is("ON"):
			return nil // DUPLICATE KEY UPDATE
		}
	}
	if depth < 1 || n >= len(names) {
		return nil
	}
	return t.Column(names[n])
}

// compared gives the column that the operand at i is compared with: column = ?, column IN (…) with i at the parenthesis,
// column BETWEEN ? AND ?, LOWER(column) = ?, ? = column.
func compared(ts []queryToken, refs []tableRef, i int) (*schema.Table, *schema.Column) {
	j := i - 1
	switch {
	case j < 0:
		return nil, nil
	case ts[j].is("AND") && j >= 2 && ts[j-2].is("BETWEEN"):
		j -= 2
	case ts[j].is("AND") && j >= 2:
		j = -1
	}
	switch {
	case j < 0:
	case isComparison(ts[j]), ts[j].is("LIKE"), ts[j].is("REGEXP"), ts[j].is("RLIKE"), ts[j].is("BETWEEN"), ts[j].is("IN"):
		for j--; j >= 0 && ts[j].is("NOT"); j-- {
		}
		if j < 0 {
			return nil, nil
		}
		if ts[j].text == ")" {
			depth := 0
			for ; j >= 0; j-- {
				switch ts[j].text {
				case ")":
					depth++
				case "(":
					depth--
				}
				if depth == 0 {
					break
				}
				if ts[j].isName() {
					if t, c := columnAt(ts, refs, j); c != nil {
						return t, c
					}
				}
			}
			return nil, nil
		}
		return columnAt(ts, refs, j)
	}
	if i+2 < len(ts) && isComparison(ts[i+1]) { // ? = column
		k := i + 2
		for k+2 < len(ts) && ts[k+1].text == "." {
			k += 2
		}
		return columnAt(ts, refs, k)
	}
	return nil, nil
}

func isComparison(t queryToken) bool {
	switch t.text {
	case "=", "<", ">", "<=", ">=", "<>", "!=", "<=>":
		return t.kind == queryOp
	}
	return false
}

// columnAt gives the column whose name ends at token j.
func columnAt(ts []queryToken, refs []tableRef, j int) (*schema.Table, *schema.Column) {
	if j < 0 || !ts[j].isName() {
		return nil, nil
	}
	of := ""
	if j >= 2 && ts[j-1].text == "." && ts[j-2].isName() {
		of = ts[j-2].name()
	}
	for _, ref := range refs {
		if ref.table == nil || of != "" && of != ref.alias && of != ref.name {
			continue
		}
		if c := ref.table.Column(ts[j].name()); c != nil {
			return ref.table, c
		}
	}
	return nil, nil
}

// fill gives the statement with its parameters filled in: from one row, from another, and with each edge value of what it writes.
// Each begins with what it needs.
func (r *recorder) fill(sql string, ts []queryToken, params []parameter, use analyzer.Use) [][]string {
	var list [][]string
	reads := use&^(analyzer.Read|analyzer.Position|analyzer.Hint) == 0
	make1 := func(i, other int, edge string) {
		var pre []string
		rows := map[*schema.Table]entity{}  // that are there
		alike := map[*schema.Table]entity{} // that may be inserted
		values := make([]string, len(params))
		for k, p := range params {
			if p.column == nil {
				values[k] = p.literal
				continue
			}
			if rows[p.table] == nil {
				more, row := r.present(p.table, i, 0)
				rows[p.table] = row
				if !reads {
					pre = append(pre, more...)
				}
			}
			row := rows[p.table]
			switch {
			case k == other:
				values[k] = edge
				continue
			case p.kind == 'i':
				if alike[p.table] == nil {
					more, row := r.alike(p.table, row, "", 0)
					alike[p.table] = row
					pre = append(pre, more...)
				}
				row = alike[p.table]
				if p.column.AutoIncrement {
					values[k] = "NULL" // the server gives the number
					continue
				}
			case p.kind == 's' && !inSomeKey(p.table, p.column.Name):
				_, row = r.present(p.table, 1-i, 0)
			}
			v := row[p.column.Name]
			if v == "" || v == "NULL" && p.kind == 'w' {
				v = r.ordinary(p.column, i) // code asks IS NULL with other words
			}
			values[k] = v
		}
		var b strings.Builder
		from, k := 0, 0
		for n, t := range ts {
			switch {
			case t.dropped:
				b.WriteString(sql[from:t.start])
				from = t.end
			case k < len(params) && params[k].token == n:
				b.WriteString(sql[from:t.start])
				b.WriteString(values[k])
				from = t.end
				k++
			}
		}
		b.WriteString(sql[from:])
		v := append(slices.Compact(pre), b.String())
		if !slices.ContainsFunc(list, func(o []string) bool { return o[len(o)-1] == v[len(v)-1] }) {
			list = append(list, v)
		}
	}
	make1(0, -1, "")
	if len(params) == 0 {
		return list
	}
	make1(1, -1, "")
	most := 0
	edges := make([][]string, len(params))
	for k, p := range params {
		if p.column != nil && p.kind != 'w' && !p.column.AutoIncrement {
			edges[k] = r.edges(p.column)
			most = max(most, len(edges[k]))
		}
	}
	for n := most - 1; n >= 0; n-- {
		for k := range params {
			if n < len(edges[k]) && len(list) < maxVariants {
				make1(0, k, edges[k][n])
			}
		}
	}
	return list
}

// A queryKind says what a queryToken is.
type queryKind uint8

const (
	queryWord queryKind = iota
	queryIdent
	queryString
	queryNumber
	queryParameter
	queryOp
)

// A queryToken is a piece of a recorded statement; comments are none.
type queryToken struct {
	kind       queryKind
	text       string
	start, end int
	dropped    bool // it is to be taken out of the text
}

func (t queryToken) is(word string) bool {
	return t.kind == queryWord && strings.EqualFold(t.text, word)
}

// isName reports whether the token can be a name. Keywords are words, too.
func (t queryToken) isName() bool {
	return (t.kind == queryWord || t.kind == queryIdent) && t.text != ""
}

func (t queryToken) name() string {
	if t.kind == queryIdent && len(t.text) >= 2 {
		return strings.ReplaceAll(t.text[1:len(t.text)-1], "``", "`")
	}
	return t.text
}

// label gives the name of a parameter that has one.
func (t queryToken) label() string {
	if t.kind != queryParameter || t.text == "?" || t.text == "%s" {
		return ""
	}
	return t.text
}

// queryKeywords are words that stand behind a table's name and are no alias.
var queryKeywords = map[string]bool{
	"WHERE": true, "SET": true, "JOIN": true, "INNER": true, "LEFT": true, "RIGHT": true, "CROSS": true, "NATURAL": true, "STRAIGHT_JOIN": true,
	"ON": true, "USING": true, "GROUP": true, "ORDER": true, "HAVING": true, "LIMIT": true, "UNION": true, "EXCEPT": true, "INTERSECT": true,
	"FOR": true, "LOCK": true, "VALUES": true, "VALUE": true, "SELECT": true, "USE": true, "FORCE": true, "IGNORE": true, "PARTITION": true,
	"WINDOW": true, "OUTER": true, "FULL": true, "AS": true, "WITH": true, "INTO": true, "PROCEDURE": true, "TABLE": true,
}

// queryTokens cuts a statement. It never fails: what it does not know is an operator of one byte.
func queryTokens(src string) []queryToken {
	var ts []queryToken
	for i := 0; i < len(src); {
		c := src[i]
		start := i
		add := func(kind queryKind, end int) {
			ts = append(ts, queryToken{kind: kind, text: src[start:end], start: start, end: end})
			i = end
		}
		word := func(from int) int {
			for from < len(src) && isWordByte(src[from]) {
				from++
			}
			return from
		}
		switch {
		case c == ' ' || c >= '\t' && c <= '\r':
			i++
		case c == '#', strings.HasPrefix(src[i:], "-- "), strings.HasPrefix(src[i:], "--\n"), strings.HasPrefix(src[i:], "--\t"), src[i:] == "--":
			if n := strings.IndexByte(src[i:], '\n'); n >= 0 {
				i += n
			} else {
				i = len(src)
			}
		case strings.HasPrefix(src[i:], "/*"):
			if n := strings.Index(src[i+2:], "*/"); n >= 0 {
				i += n + 4
			} else {
				i = len(src)
			}
		case c == '\'' || c == '"' || c == '`':
			end := i + 1
			for end < len(src) {
				if src[end] == '\\' && c != '`' {
					end += 2
					continue
				}
				if src[end] == c {
					if end+1 < len(src) && src[end+1] == c {
						end += 2
						continue
					}
					break
				}
				end++
			}
			kind := queryString
			if c == '`' {
				kind = queryIdent
			}
			add(kind, min(end+1, len(src)))
		case c == '?':
			add(queryParameter, i+1)
		case c == '%' && strings.HasPrefix(src[i:], "%s") && (i+2 == len(src) || !isWordByte(src[i+2])):
			add(queryParameter, i+2)
		case strings.HasPrefix(src[i:], "%("):
			if n := strings.IndexByte(src[i:], ')'); n > 0 && i+n+1 < len(src) && src[i+n+1] == 's' && word(i+2) == i+n {
				add(queryParameter, i+n+2)
			} else {
				add(queryOp, i+1)
			}
		case c == ':' && i+1 < len(src) && isWordByte(src[i+1]) && !(src[i+1] >= '0' && src[i+1] <= '9'):
			add(queryParameter, word(i+1))
		case c == '$' && i+1 < len(src) && src[i+1] >= '0' && src[i+1] <= '9':
			add(queryParameter, word(i+1))
		case c >= '0' && c <= '9' || c == '.' && i+1 < len(src) && src[i+1] >= '0' && src[i+1] <= '9' && (len(ts) == 0 || ts[len(ts)-1].end < i):
			end := word(i + 1)
			for end < len(src) && src[end] == '.' {
				end = word(end + 1)
			}
			add(queryNumber, end)
		case c == '@':
			add(queryOp, word(i+1))
		case isWordByte(c):
			add(queryWord, word(i))
		default:
			end := i + 1
			for _, op := range []string{"<=>", "<=", ">=", "<>", "!=", ":=", "||", "&&", "->>", "->"} {
				if strings.HasPrefix(src[i:], op) {
					end = i + len(op)
					break
				}
			}
			add(queryOp, end)
		}
	}
	return ts
}
