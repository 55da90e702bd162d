package simulate

import (
	"strings"

	"instep/analyzer/schema"
)

// A stepText is a pending statement cut into tokens, as far as it must be understood to send it with another ALGORITHM and to
// know the tables that it is about. What it cannot tell it leaves empty: then nothing is probed.
type stepText struct {
	sql string
	ts  []textToken
	// verb is what it does, in lower case: "alter table", "create index", "drop index", "rename table", "create table",
	// "drop table", "truncate", "create trigger", "optimize", "insert", "update", "delete", "load"; "" for the rest.
	verb string
	// tables are those that it is about, in order, and refs those after REFERENCES.
	tables, refs []string
	// qualified: a name in it stands with its database, so that it would run elsewhere than in a clone.
	qualified bool
	// name is the token behind the table's name of an ALTER TABLE, and of CREATE INDEX and DROP INDEX.
	name int
	// index are the tokens of DROP INDEX between INDEX and ON.
	index [2]int
	// copies: it asks for ALGORITHM=COPY itself.
	copies bool
}

// A textToken is a piece of SQL. Comments are none.
type textToken struct {
	kind       textKind
	start, end int
}

type textKind uint8

const (
	textWord   textKind = iota // a bare name, a keyword or a number
	textName                   // a quoted name
	textString                 // a quoted string
	textOp                     // one byte of anything else
)

// maxProbedText bounds the statements that are read, in bytes: a longer one is data, and no ALTER TABLE.
const maxProbedText = 1 << 20

// textMode is what a session's sql_mode changes about reading SQL.
type textMode struct{ ansiQuotes, noBackslash bool }

func textModeOf(sqlMode string) (m textMode) {
	for flag := range strings.SplitSeq(sqlMode, ",") {
		switch strings.ToUpper(flag) {
		case "ANSI_QUOTES", "ANSI":
			m.ansiQuotes = true
		case "NO_BACKSLASH_ESCAPES":
			m.noBackslash = true
		}
	}
	return m
}

// readStep reads a statement. The manual's sections are those named after the statements ("ALTER TABLE Statement" …).
func readStep(sql string, mode textMode, server schema.Server) stepText {
	x := stepText{sql: sql}
	if len(sql) > maxProbedText {
		return x
	}
	x.ts = cutText(sql, mode, server)
	i := 0
	switch {
	case x.accept(&i, "alter"):
		x.skip(&i, "online", "offline", "ignore")
		if x.accept(&i, "table") {
			x.verb = "alter table"
			x.skip(&i, "if", "exists")
			x.table(&i)
			if x.accept(&i, "wait") { // MariaDB
				i++
			}
			x.skip(&i, "nowait")
			x.name = i
			x.renamed(i)
		}
	case x.accept(&i, "create"):
		x.create(&i)
	case x.accept(&i, "drop"):
		switch {
		case x.accept(&i, "index"):
			x.verb = "drop index"
			x.index[0] = i
			if x.seek(&i, "on") {
				x.index[1] = i - 1
				x.table(&i)
				x.name = i
			}
		case x.accept(&i, "table"), x.accept(&i, "tables"):
			x.verb = "drop table"
			x.skip(&i, "if", "exists")
			for x.table(&i); x.accept(&i, ","); {
				x.table(&i)
			}
		}
	case x.accept(&i, "rename"):
		if x.accept(&i, "table") || x.accept(&i, "tables") {
			x.verb = "rename table"
			x.skip(&i, "if", "exists")
			for more := true; more; more = x.accept(&i, ",") {
				x.table(&i)
				x.seek(&i, "to")
				if n := len(x.tables); n > 0 {
					x.table(&i)
					x.tables = x.tables[:n]
				}
			}
		}
	case x.accept(&i, "truncate"):
		x.verb = "truncate"
		x.skip(&i, "table")
		x.table(&i)
	case x.accept(&i, "optimize"), x.accept(&i, "repair"), x.accept(&i, "analyze"):
		x.verb = "optimize"
		x.skip(&i, "no_write_to_binlog", "local")
		if x.accept(&i, "table") || x.accept(&i, "tables") {
			for x.table(&i); x.accept(&i, ","); {
				x.table(&i)
			}
		}
	case x.accept(&i, "load"):
		if x.seek(&i, "into") && x.accept(&i, "table") {
			x.verb = "load"
			x.table(&i)
		}
	default:
		x.change(i)
	}
	for i := range x.ts {
		if !x.is(i, "references") || x.verb == "" {
			continue
		}
		at, n, q := i+1, len(x.tables), x.qualified
		x.table(&at)
		if len(x.tables) > n {
			x.refs = append(x.refs, x.tables[n])
			x.tables = x.tables[:n]
		}
		switch x.verb {
		case "alter table", "create table":
		default:
			x.qualified = q
		}
	}
	if x.name > 0 {
		for _, c := range x.clauses() {
			x.copies = x.copies || strings.EqualFold(x.text(c.value), "copy")
		}
	}
	return x
}

// create reads what follows CREATE.
func (x *stepText) create(i *int) {
	if x.accept(i, "or") {
		x.accept(i, "replace")
	}
	// DEFINER=… and AGGREGATE stand before what is created; names there can be anything.
	for ; *i < len(x.ts) && *i < 24; *i++ {
		switch {
		case x.is(*i, "temporary"):
			return // it exists in its session only, and nobody waits for it
		case x.accept(i, "index"):
			x.verb = "create index"
			if x.seek(i, "on") {
				x.table(i)
				x.name = *i
			}
			return
		case x.accept(i, "table"):
			x.verb = "create table"
			x.skip(i, "if", "not", "exists")
			x.table(i)
			return
		case x.accept(i, "trigger"):
			x.verb = "create trigger"
			if x.seek(i, "on") {
				x.table(i)
			}
			return
		case x.is(*i, "view"), x.is(*i, "procedure"), x.is(*i, "function"), x.is(*i, "event"), x.is(*i, "database"), x.is(*i, "schema"):
			return
		}
	}
}

// change reads INSERT, REPLACE, UPDATE and DELETE, with a WITH before it or not.
func (x *stepText) change(i int) {
	if x.accept(&i, "with") {
		for depth := 0; i < len(x.ts); i++ {
			switch {
			case x.is(i, "("):
				depth++
			case x.is(i, ")"):
				depth--
			case depth == 0 && (x.is(i, "update") || x.is(i, "delete")):
				x.change(i)
				return
			}
		}
		return
	}
	switch {
	case x.accept(&i, "insert"), x.accept(&i, "replace"):
		x.verb = "insert"
		x.skip(&i, "low_priority", "delayed", "high_priority", "ignore", "into")
	case x.accept(&i, "update"):
		x.verb = "update"
		x.skip(&i, "low_priority", "ignore")
	case x.accept(&i, "delete"):
		x.verb = "delete"
		x.skip(&i, "low_priority", "quick", "ignore", "from")
	default:
		return
	}
	x.table(&i)
}

// table reads the name of a table.
func (x *stepText) table(i *int) {
	if *i >= len(x.ts) {
		return
	}
	t := x.ts[*i]
	if t.kind != textWord && t.kind != textName {
		return
	}
	*i++
	if x.accept(i, ".") {
		x.qualified = true
		t = x.ts[min(*i, len(x.ts)-1)]
		*i++
	}
	x.tables = append(x.tables, x.unquoted(t))
}

// renamed looks for a RENAME to another database.
func (x *stepText) renamed(i int) {
	for ; i < len(x.ts); i++ {
		if !x.is(i, "rename") || x.is(i+1, "column") || x.is(i+1, "index") || x.is(i+1, "key") {
			continue
		}
		at, n := i+1, len(x.tables)
		x.skip(&at, "to", "as", "=")
		x.table(&at)
		x.tables = x.tables[:n]
	}
}

// is tells whether a token is that word or operator. Tokens of version comments have been left out.
func (x *stepText) is(i int, word string) bool {
	if i >= len(x.ts) {
		return false
	}
	k := x.ts[i].kind
	return (k == textWord || k == textOp) && strings.EqualFold(x.text(i), word)
}

func (x *stepText) text(i int) string { return x.sql[x.ts[i].start:x.ts[i].end] }

func (x *stepText) accept(i *int, word string) bool {
	if !x.is(*i, word) {
		return false
	}
	*i++
	return true
}

func (x *stepText) skip(i *int, words ...string) {
	for again := true; again; {
		again = false
		for _, w := range words {
			again = x.accept(i, w) || again
		}
	}
}

// seek goes behind the next token that is that word.
func (x *stepText) seek(i *int, word string) bool {
	for ; *i < len(x.ts); *i++ {
		if x.is(*i, word) {
			*i++
			return true
		}
	}
	return false
}

func (x *stepText) unquoted(t textToken) string {
	s := x.sql[t.start:t.end]
	if t.kind != textName || len(s) < 2 {
		return s
	}
	q := s[:1]
	return strings.ReplaceAll(s[1:len(s)-1], q+q, q)
}

// A textClause is an ALGORITHM or LOCK clause: its tokens from, up to but not to; value is the last of them.
type textClause struct{ from, to, value int }

// clauses gives the statement's own ALGORITHM and LOCK clauses: items of an ALTER TABLE, and what follows the columns of a
// CREATE INDEX or the table of a DROP INDEX.
func (x *stepText) clauses() (cs []textClause) {
	depth, first := 0, true
	for i := x.name; i < len(x.ts); i++ {
		switch {
		case x.is(i, "("):
			depth++
		case x.is(i, ")"):
			depth--
		case depth == 0 && (first || x.verb != "alter table") && (x.is(i, "algorithm") || x.is(i, "lock")):
			c := textClause{from: i, value: i + 1}
			if x.is(i+1, "=") {
				c.value++
			}
			if c.value < len(x.ts) && x.ts[c.value].kind == textWord {
				c.to = c.value + 1
				cs = append(cs, c)
				i = c.value
			}
		}
		first = x.is(i, ",")
	}
	return cs
}

// with gives the statement with those ALGORITHM and LOCK clauses in place of its own; lock may be "". It is "" where the
// statement takes none.
func (x *stepText) with(algorithm, lock string) string {
	if x.name == 0 || x.name > len(x.ts) {
		return ""
	}
	add := "ALGORITHM=" + algorithm
	comma := ", "
	if x.verb == "create index" {
		comma = " "
	}
	if lock != "" {
		add += comma + "LOCK=" + lock
	}
	table := ""
	if len(x.tables) > 0 {
		table = quoteName(x.tables[0])
	}
	if x.verb == "drop index" {
		// MariaDB's DROP INDEX takes no clauses; both servers turn it into this ALTER TABLE.
		if x.index[1] <= x.index[0] {
			return ""
		}
		return "ALTER TABLE " + table + " " + add + ", DROP INDEX " + x.sql[x.ts[x.index[0]].start:x.ts[x.index[1]-1].end]
	}
	gone := make([]bool, len(x.ts))
	for _, c := range x.clauses() {
		for i := c.from; i < c.to; i++ {
			gone[i] = true
		}
		// Its comma goes with it: the one behind, else the one before.
		if x.verb != "alter table" {
			continue
		}
		if x.is(c.to, ",") {
			gone[c.to] = true
			continue
		}
		for i := c.from - 1; i >= x.name; i-- {
			if !gone[i] {
				gone[i] = x.is(i, ",")
				break
			}
		}
	}
	// The clauses come first in an ALTER TABLE, because PARTITION BY, ORDER BY and others have to be last, and last in a CREATE INDEX.
	at := len(x.ts)
	if x.verb == "alter table" {
		at = x.name
		rest := at
		for rest < len(x.ts) && gone[rest] {
			rest++
		}
		// Partitioning as a whole is no item of the list (manual: ALTER TABLE Partition Operations).
		partitioning := x.is(rest, "partition") && x.is(rest+1, "by") || x.is(rest, "remove") && x.is(rest+1, "partitioning")
		if rest < len(x.ts) && !partitioning {
			add += ","
		}
	}
	var b strings.Builder
	end := 0
	for i, t := range x.ts {
		if i == at {
			b.WriteString(" " + add)
		}
		b.WriteString(x.sql[end:t.start])
		if !gone[i] {
			b.WriteString(x.sql[t.start:t.end])
		} else {
			b.WriteByte(' ')
		}
		end = t.end
	}
	if at != len(x.ts) {
		return b.String() + x.sql[end:]
	}
	// Whatever is left are comments, and the end of a version comment.
	rest := x.sql[end:]
	if i := strings.Index(rest, "*/"); i >= 0 && !strings.Contains(rest[:i], "/*") {
		b.WriteString(rest[:i+2])
		rest = rest[i+2:]
	}
	b.WriteString(" " + add + rest)
	return b.String()
}

// cutText gives the tokens of a statement without comments and without the marks of the version comments that the server
// executes (manual: Comments; MariaDB: Comment Syntax). An unclosed string or comment goes up to the end.
func cutText(sql string, mode textMode, server schema.Server) (ts []textToken) {
	for i := 0; i < len(sql); {
		start := i
		switch c := sql[i]; {
		case c <= ' ':
			i++
		case c == '#', c == '-' && strings.HasPrefix(sql[i:], "--") && (i+2 == len(sql) || sql[i+2] <= ' '):
			if n := strings.IndexByte(sql[i:], '\n'); n >= 0 {
				i += n + 1
			} else {
				i = len(sql)
			}
		case strings.HasPrefix(sql[i:], "/*"):
			if n := executed(sql[i:], server); n > 0 {
				i += n
			} else if n := strings.Index(sql[i+2:], "*/"); n >= 0 {
				i += n + 4
			} else {
				i = len(sql)
			}
		case strings.HasPrefix(sql[i:], "*/"):
			i += 2
		case c == '\'', c == '"', c == '`':
			kind := textString
			if c == '`' || c == '"' && mode.ansiQuotes {
				kind = textName
			}
			for i++; i < len(sql); i++ {
				if sql[i] == '\\' && kind == textString && !mode.noBackslash {
					i++
				} else if sql[i] == c {
					if i+1 == len(sql) || sql[i+1] != c {
						break
					}
					i++
				}
			}
			i = min(i+1, len(sql))
			ts = append(ts, textToken{kind, start, i})
		case wordByte(c):
			for i < len(sql) && wordByte(sql[i]) {
				i++
			}
			ts = append(ts, textToken{textWord, start, i})
		default:
			i++
			ts = append(ts, textToken{textOp, start, i})
		}
	}
	return ts
}

func wordByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '$' || c == '@' || c >= 0x80
}

// executed gives the length of the opening of a version comment that the server executes, 0 for other comments. MariaDB leaves
// out what is for MySQL 5.7 and later.
func executed(s string, server schema.Server) int {
	n := 3
	switch {
	case strings.HasPrefix(s, "/*!"):
	case strings.HasPrefix(s, "/*M!") && server.MariaDB:
		n = 4
	default:
		return 0
	}
	version, digits := 0, 0
	for digits < 6 && n+digits < len(s) && s[n+digits] >= '0' && s[n+digits] <= '9' {
		version = version*10 + int(s[n+digits]-'0')
		digits++
	}
	if digits < 5 {
		return n
	}
	patch := server.Patch
	if patch == 0 {
		patch = 99
	}
	if version > server.Major*10000+server.Minor*100+patch || server.MariaDB && n == 3 && version >= 50700 && version < 100000 {
		return 0
	}
	return n + digits
}
