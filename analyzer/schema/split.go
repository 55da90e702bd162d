package schema

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// The bounds of what Split reads. A script beyond them is a gap from there on.
const (
	maxScript     = 256 << 20 // bytes
	maxStatements = 1_000_000
	maxNesting    = 1_000 // blocks in a routine's body
)

// Split cuts a script into its statements, in order, without their terminators. file is its name in positions.
//
// It reads what the mysql client reads: DELIMITER lines, \g and \G, and USE without a semicolon. Besides, a semicolon
// inside the body of a routine, a trigger or an event does not end the statement even without a DELIMITER line, because
// tools that send a file to the server as it is need none. Version comments belong to their statement.
//
// A statement begins at its first token, not at a comment before it, and is always Verbatim. What stands outside the
// statements is whitespace, comments, terminators, DELIMITER lines and gaps. A gap is what cannot be cut: a string,
// a comment or a body that is not closed, binary content, other client commands, and what exceeds a script of 256 MiB or a
// million statements. What follows such a gap is cut too where the end of the unreadable part is known; otherwise the gap
// covers the rest of the file.
//
// It takes time in proportion to the script's length. The statements share the script's memory.
func Split(file, src string) ([]Statement, []Gap) {
	return SplitFrom(Pos{File: file, Line: 1, Col: 1}, src)
}

// SplitFrom is Split of a part of a file that stands at pos.
func SplitFrom(pos Pos, src string) ([]Statement, []Gap) {
	s := splitter{
		lexer: lexer{src: src, delim: ";", runs: runsSomewhere},
		place: place{src: src, pos: pos},
	}
	if len(src) > maxScript {
		s.gap(0, "a script of more than 256 MiB", "its size is bounded")
		return nil, s.gaps
	}
	if strings.HasPrefix(src, "\ufeff") {
		s.lexer.pos = len("\ufeff")
	}
	if strings.HasPrefix(src, "\xff\xfe") || strings.HasPrefix(src, "\xfe\xff") {
		s.gap(0, "a script in UTF-16", "only UTF-8 is read")
		return nil, s.gaps
	}
	for s.statement() {
		if len(s.statements) == maxStatements {
			s.gap(s.lexer.pos, "the rest of the script", "it has more than a million statements")
			break
		}
	}
	return s.statements, s.gaps
}

// PosAt gives the position of the byte at offset in the statement's SQL, or the statement's own when the text is not
// verbatim.
func (st Statement) PosAt(offset int) Pos {
	if !st.Verbatim || offset <= 0 || st.Pos.Line == 0 {
		return st.Pos
	}
	p := place{src: st.SQL, pos: st.Pos}
	return p.at(min(offset, len(st.SQL)))
}

// runsSomewhere tells whether any server executes a version comment. mariadb-dump begins with /*!999999\- … */, which is
// for its own client.
func runsSomewhere(version int, _ bool) bool { return version < 999999 }

// A place turns rising byte offsets into positions. It looks at every byte once.
type place struct {
	src  string
	pos  Pos // of the byte at done
	done int
}

// at gives the position of the byte at offset, which must not be before that of the last call.
func (p *place) at(offset int) Pos {
	part := p.src[p.done:offset]
	if n := strings.Count(part, "\n"); n > 0 {
		p.pos.Line += n
		p.pos.Col = len(part) - strings.LastIndexByte(part, '\n')
	} else {
		p.pos.Col += len(part)
	}
	p.done = offset
	return p.pos
}

// A splitter reads statement by statement.
type splitter struct {
	lexer      lexer
	place      place
	statements []Statement
	gaps       []Gap
}

// gap notes that what stands at offset cannot be read.
func (s *splitter) gap(offset int, what, why string) {
	s.gaps = append(s.gaps, Gap{Pos: s.place.at(offset), What: what, Why: why})
}

// statement reads up to the end of the next statement and keeps it. It tells whether there may be more.
func (s *splitter) statement() bool {
	src := s.lexer.src
	first := s.lexer.next()
	for first.kind == tokComment && first.bad == "" || s.ends(first) {
		first = s.lexer.next()
	}
	if first.kind == tokEOF {
		return false
	}
	if s.command(first) {
		return true
	}
	b := body{src: src}
	last := first
	for t := first; ; t = s.lexer.next() {
		switch {
		case t.kind == tokComment && t.bad == "":
			continue
		case t.bad == "NUL byte":
			s.gap(t.start, "the rest of the script", "it has binary content: a NUL byte")
			return false
		case t.bad != "" && t.kind != tokIllegal:
			s.gap(min(t.start, last.end), "the rest of the script", t.bad)
			return false
		}
		b.resolve(t)
		switch {
		case t.kind == tokEOF && len(b.blocks) > 0:
			s.gap(first.start, "the rest of the script", "the body of this statement is not closed: an END is missing")
			return false
		case t.kind == tokEOF:
			s.keep(first.start, last.end)
			return false
		case t.kind == tokDelim && s.lexer.delim != ";":
			// Who sets a delimiter says where statements end, whatever the body looks like.
			s.keep(first.start, last.end)
			return true
		case s.ends(t) && len(b.blocks) == 0:
			s.keep(first.start, last.end)
			return true
		case s.endsUse(first, last, t):
			s.keep(first.start, last.end)
			s.lexer.pos = t.start
			return true
		}
		b.next(t)
		if len(b.blocks) > maxNesting {
			s.gap(first.start, "the rest of the script", fmt.Sprintf("the body of this statement has more than %d blocks inside each other", maxNesting))
			return false
		}
		last = t
	}
}

// keep adds the statement between two offsets.
func (s *splitter) keep(start, end int) {
	text := s.lexer.src[start:end]
	if !utf8.ValidString(text) && !validNames(text) {
		s.gap(start, "a statement", "a name in it is not valid UTF-8")
		return
	}
	s.statements = append(s.statements, Statement{SQL: text, Pos: s.place.at(start), Verbatim: true})
}

// validNames tells whether a text is valid UTF-8 but for its strings and comments: old dumps have latin1 in comments.
func validNames(text string) bool {
	l := lexer{src: text, runs: runsSomewhere}
	for t := l.next(); t.kind != tokEOF; t = l.next() {
		if t.kind != tokString && t.kind != tokComment && !utf8.ValidString(t.text(text)) {
			return false
		}
	}
	return true
}

// ends tells whether a token can end a statement: the delimiter, a semicolon even if another delimiter is set, \g and \G.
func (s *splitter) ends(t token) bool {
	switch t.kind {
	case tokDelim:
		return true
	case tokOp:
		if s.lexer.depth > 0 {
			return false // in a version comment
		}
		text := t.text(s.lexer.src)
		return text == ";" || text == `\g` || text == `\G`
	}
	return false
}

// endsUse tells whether t begins a new line after a complete USE statement, which needs no terminator in the client.
func (s *splitter) endsUse(first, last, t token) bool {
	src := s.lexer.src
	return last.start != first.start && first.is(src, "use") && strings.IndexByte(src[last.end:t.start], '\n') >= 0
}

// command handles a command of the client at the start of a statement: it sets the delimiter or notes a gap for the
// commands that the server does not know. It gives false if the text is for the server.
func (s *splitter) command(t token) bool {
	src := s.lexer.src
	word := t.text(src)
	slash := t.kind == tokOp && word[0] == '\\' // \. \! \u and the like
	if !slash && (t.kind != tokWord || !isClientCommand(word)) {
		return false
	}
	line := src[t.start:]
	if i := strings.IndexByte(line, '\n'); i >= 0 {
		line = line[:i]
	}
	if slash {
		word = line[:min(2, len(line))]
	}
	s.lexer.pos = t.start + len(line)
	if !strings.EqualFold(word, "delimiter") {
		s.gap(t.start, "a command of the mysql client: "+strings.ToLower(word), "the server does not know it, and what it does is not read")
		return true
	}
	arg := strings.TrimSpace(line[len(word):])
	if i := strings.IndexAny(arg, " \t"); i >= 0 {
		arg = arg[:i]
	}
	if len(arg) > 2 && strings.IndexByte("'\"`", arg[0]) >= 0 && arg[len(arg)-1] == arg[0] {
		arg = arg[1 : len(arg)-1]
	}
	if arg == "" || strings.ContainsAny(arg, "\\'\"`") {
		s.gap(t.start, "a DELIMITER line", "it names no usable delimiter")
		return true
	}
	s.lexer.delim = arg
	return true
}

// isClientCommand tells whether a word at the start of a statement is for the mysql client. (manual: mysql Client Commands;
// those that are statements of the server too, such as USE and HELP, are none here.)
func isClientCommand(word string) bool {
	switch strings.ToLower(word) {
	case "delimiter", "source", "system", "connect", "quit", "exit", "tee", "notee", "pager", "nopager", "charset",
		"warnings", "nowarning", "status", "clear", "edit", "ego", "go", "print", "prompt", "rehash", "resetconnection":
		return true
	}
	return false
}

// A block is something in a body that ends with END.
type block uint8

const (
	beginBlock block = iota + 1
	caseExpr
	caseBlock
	ifBlock
	loopBlock
	whileBlock
	repeatBlock
	forBlock
)

// A body follows the tokens of one statement and knows which blocks are open, so that a semicolon in them does not end the
// statement. Only compound statements have bodies: CREATE PROCEDURE, FUNCTION, TRIGGER, EVENT and PACKAGE, ALTER EVENT, and
// MariaDB's BEGIN NOT ATOMIC, IF and its like outside routines (manual: Compound Statement Syntax).
//
// BEGIN, END, IF, CASE, LOOP and REPEAT are names and functions in other places, so they count only where a statement can
// begin. What is misread so leaves a block open at the end of the script, or an END without a block, which is an error when
// the statement is applied: never a statement that is silently lost.
type body struct {
	src     string
	count   int     // tokens so far
	prev    token   // the last one
	kind    string  // what the statement creates; "" as long as it is not known, "-" for a statement without a body
	parens  int     // open in the header
	done    bool    // the body is a simple statement or has ended: nothing opens a block any more
	handler bool    // in DECLARE … HANDLER, whose statement follows its conditions
	end     bool    // the last token was an END that is not resolved
	atStart bool    // and it stood where a statement can begin
	suffix  bool    // this token belongs to an END: END IF
	blocks  []block // that are open
}

// resolve decides about an END when it knows the token behind it. It is called with every token before anything else.
func (b *body) resolve(t token) {
	b.suffix = false
	if !b.end {
		return
	}
	b.end = false
	top := b.blocks[len(b.blocks)-1]
	var k block
	if t.kind == tokWord {
		k = blockOf(strings.ToUpper(t.text(b.src)))
	}
	switch {
	case k == top && k != beginBlock, k == caseExpr && top == caseBlock:
		b.suffix = true
	case top == caseExpr:
	case top == beginBlock && b.atStart:
	default:
		return // end is a name here
	}
	b.blocks = b.blocks[:len(b.blocks)-1]
	b.done = len(b.blocks) == 0
}

// next takes the next token.
func (b *body) next(t token) {
	if b.kind == "-" || t.kind == tokVersionOpen || t.kind == tokVersionClose {
		return
	}
	b.count++
	b.read(t)
	b.prev = t
}

func (b *body) read(t token) {
	if len(b.blocks) == 0 {
		switch {
		case t.is(b.src, "("):
			b.parens++
		case t.is(b.src, ")"):
			b.parens--
		}
	}
	if t.kind == tokDelim || t.is(b.src, ";") {
		b.handler = false
	}
	if t.kind != tokWord || b.suffix || b.prev.end == t.start && b.was(".") {
		return
	}
	word := strings.ToUpper(t.text(b.src))
	switch {
	case b.kind == "":
		b.intro(word)
	case len(b.blocks) == 0:
		b.header(word)
	default:
		b.statement(word)
	}
}

// intro reads the words up to the one that says what the statement is.
func (b *body) intro(word string) {
	if b.count == 1 {
		switch word {
		case "CREATE", "ALTER":
		case "BEGIN":
			b.kind = "BEGIN"
		case "IF", "LOOP", "WHILE", "REPEAT", "FOR":
			b.kind = word
			b.push(blockOf(word))
		case "CASE":
			b.kind = word
			b.push(caseBlock)
		default:
			b.kind = "-"
		}
		return
	}
	switch word {
	case "PROCEDURE", "FUNCTION", "TRIGGER", "EVENT", "PACKAGE":
		b.kind = word
	case "TABLE", "VIEW", "DATABASE", "SCHEMA", "INDEX", "USER", "ROLE", "SERVER", "SEQUENCE", "TABLESPACE":
		b.kind = "-"
	}
	if b.count > 40 { // OR REPLACE DEFINER = … AGGREGATE and the like take a dozen
		b.kind = "-"
	}
}

// header reads a word between CREATE PROCEDURE and the first block of the body.
func (b *body) header(word string) {
	if b.kind == "BEGIN" { // BEGIN; begins a transaction
		b.kind = "-"
		if word == "NOT" && b.count == 2 {
			b.kind = "PROCEDURE"
			b.push(beginBlock)
		}
		return
	}
	if b.parens > 0 || b.done || b.isName() {
		return
	}
	switch word {
	case "BEGIN", "CASE", "IF", "LOOP", "WHILE", "REPEAT":
		if b.kind == "EVENT" && !b.was("DO") && !b.was(":") {
			return
		}
		k := blockOf(word)
		if k == caseExpr {
			k = caseBlock
		}
		b.push(k)
	case "SELECT", "INSERT", "UPDATE", "DELETE", "REPLACE", "SET", "CALL", "RETURN", "WITH", "TRUNCATE", "DROP", "CREATE", "ALTER", "SIGNAL", "DO", "EXECUTE", "PREPARE":
		// A trigger's header names its events, an event's header ends with DO.
		inHeader := b.kind == "TRIGGER" && (b.was("BEFORE") || b.was("AFTER") || b.was("OR")) ||
			b.kind == "EVENT" && !b.was("DO")
		b.done = !inHeader
	}
}

// isName tells whether the word behind the last token is a name or a part of a type.
func (b *body) isName() bool {
	for _, w := range [...]string{"PROCEDURE", "FUNCTION", "TRIGGER", "EVENT", "PACKAGE", "EXISTS", "ON", "FOLLOWS", "PRECEDES", "CHARACTER", "RETURNS", "TO"} {
		if b.was(w) {
			return true
		}
	}
	return false
}

// statement reads a word inside a block.
func (b *body) statement(word string) {
	switch word {
	case "END":
		b.end, b.atStart = true, b.starts()
	case "HANDLER":
		b.handler = b.was("CONTINUE") || b.was("EXIT") || b.was("UNDO")
	case "CASE":
		if b.starts() {
			b.push(caseBlock)
		} else {
			b.push(caseExpr)
		}
	case "BEGIN":
		if b.handler || b.starts() {
			b.handler = false
			b.push(beginBlock)
		}
	case "IF", "LOOP", "WHILE", "REPEAT", "FOR":
		if b.starts() {
			b.push(blockOf(word))
		}
	}
}

// starts tells whether a statement can begin here: behind a semicolon, a label, or a word that opens a list of statements.
func (b *body) starts() bool {
	if b.blocks[len(b.blocks)-1] == caseExpr {
		return false // its THEN and ELSE are followed by expressions
	}
	if b.prev.kind == tokDelim {
		return true
	}
	for _, w := range [...]string{";", ":", "BEGIN", "THEN", "ELSE", "DO", "LOOP", "REPEAT", "ATOMIC"} {
		if b.was(w) {
			return true
		}
	}
	return false
}

// was tells whether the last token was that word or operator.
func (b *body) was(word string) bool { return b.prev.is(b.src, word) }

func (b *body) push(k block) { b.blocks = append(b.blocks, k) }

// blockOf gives the block that a word opens; 0 if it opens none. CASE opens an expression unless it begins a statement.
func blockOf(word string) block {
	switch word {
	case "BEGIN":
		return beginBlock
	case "CASE":
		return caseExpr
	case "IF":
		return ifBlock
	case "LOOP":
		return loopBlock
	case "WHILE":
		return whileBlock
	case "REPEAT":
		return repeatBlock
	case "FOR":
		return forBlock
	}
	return 0
}
