package simulate

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
)

const (
	// maxStatement bounds one statement of a dump, in bytes: dumps break their INSERTs at a megabyte or so.
	maxStatement = 64 << 20
	// maxWindow bounds what a compressed dump may ask this process to keep, in bytes.
	maxWindow = 128 << 20
	// maxDelimiter bounds a DELIMITER.
	maxDelimiter = 16
)

// loadDump runs a file of SQL, as mysqldump, mariadb-dump and the like write it, in a database as the guest. It gives the number
// of statements that were run. The file may be compressed by gzip, xz or zstd; it is read as a stream.
//
// A dump of one database under another name goes into this one; a dump of several is refused. What a dump does to the
// server and not to the database (its log, GTIDs, accounts, DEFINER clauses) is left out, and said. It gives up at the first
// statement that the server refuses.
//
// Not handled: a dump that switches NO_BACKSLASH_ESCAPES on and holds strings that end in a backslash, and commands of the
// client other than DELIMITER.
func loadDump(ctx context.Context, srv *Server, database, path string, p Progress) (statements int, err error) {
	file, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return 0, err
	}
	if info.IsDir() {
		return 0, fmt.Errorf("%s is a folder; a dump is one file of SQL (mydumper's folder: cat its *-schema*.sql files and then its *.sql files)", path)
	}
	p.stage("loading the dump", info.Size())
	in, err := decompress(&countedReader{ctx: ctx, r: file, add: p.add})
	if err != nil {
		return 0, fmt.Errorf("%s: %w", path, err)
	}
	l := &dumpLoader{srv: srv, database: database, p: p, said: map[string]bool{}, name: filepath.Base(path)}
	restore, err := l.open(ctx)
	if err != nil {
		return 0, err
	}
	defer restore()
	r := &statementReader{in: bufio.NewReaderSize(in, 256<<10), max: l.max, delim: ";", line: 1}
	for {
		st, err := r.next()
		if err == io.EOF {
			return statements, nil
		}
		if err != nil {
			return statements, fmt.Errorf("%s:%d: %w", l.name, r.line, err)
		}
		ran, err := l.run(ctx, st)
		if err != nil {
			return statements, fmt.Errorf("%s:%d: %w", l.name, st.line, err)
		}
		if ran {
			statements++
		}
	}
}

// A countedReader tells how many bytes were read, and ends with the context.
type countedReader struct {
	ctx context.Context
	r   io.Reader
	add func(int64)
}

// Read reads on.
func (c *countedReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := c.r.Read(p)
	c.add(int64(n))
	return n, err
}

// decompress reads what a file holds, by its first bytes, whatever its name.
func decompress(r io.Reader) (io.Reader, error) {
	b := bufio.NewReaderSize(r, 64<<10)
	head, err := b.Peek(6)
	if err != nil && err != io.EOF {
		return nil, err
	}
	switch {
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		return gzip.NewReader(b)
	case bytes.HasPrefix(head, []byte{0xfd, '7', 'z', 'X', 'Z', 0}):
		if err := xzWindow(b); err != nil {
			return nil, err
		}
		return xz.NewReader(b)
	case bytes.HasPrefix(head, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		return zstd.NewReader(b, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow), zstd.WithDecoderLowmem(true))
	case bytes.HasPrefix(head, []byte("BZh")):
		return nil, errors.New("it is compressed by bzip2; gzip, xz and zstd are read")
	case bytes.HasPrefix(head, []byte("PK\x03\x04")):
		return nil, errors.New("it is a zip archive; gzip, xz and zstd are read")
	case bytes.HasPrefix(head, []byte("PGDMP")):
		return nil, errors.New("it is a dump of PostgreSQL")
	case bytes.HasPrefix(head, []byte{0xff, 0xfe}), bytes.HasPrefix(head, []byte{0xfe, 0xff}):
		return nil, errors.New("it is UTF-16, as PowerShell's > writes it; write the dump with --result-file")
	case bytes.HasPrefix(head, []byte{0xef, 0xbb, 0xbf}):
		b.Discard(3)
	}
	return b, nil
}

// xzWindow refuses an xz file whose first block wants a larger dictionary than is kept: the reader would make it. Later blocks
// are not looked at; xz writes them all alike. The header of a block is: its size, flags, perhaps two numbers of variable length,
// then filters (The .xz File Format, 3.1).
func xzWindow(b *bufio.Reader) error {
	head, err := b.Peek(12 + 64)
	if len(head) < 12+8 {
		if err == nil {
			err = io.ErrUnexpectedEOF
		}
		return err
	}
	block := head[12:]
	if block[0] == 0 { // no block: an empty file
		return nil
	}
	i := 2
	for _, flag := range []byte{0x40, 0x80} {
		if block[1]&flag != 0 {
			_, n := binary.Uvarint(block[i:])
			if n <= 0 {
				return errors.New("its xz header is broken")
			}
			i += n
		}
	}
	if i+2 >= len(block) || block[i] != 0x21 {
		return errors.New("it uses an xz filter other than LZMA2")
	}
	bits := uint(block[i+2])
	if bits > 40 {
		return errors.New("its xz header is broken")
	}
	if size := uint64(2|bits&1) << (bits/2 + 11); size > maxWindow {
		return fmt.Errorf("it was compressed with a window of %d MB; %d MB are kept", size>>20, maxWindow>>20)
	}
	return nil
}

// A dumpStatement is one statement of a dump.
type dumpStatement struct {
	sql  string
	line int
	// plain is its beginning without comments, in one line, with what stands in version comments.
	plain string
}

// A statementReader cuts a stream into statements as the mysql client does.
type statementReader struct {
	in    *bufio.Reader
	max   int
	delim string
	line  int // of the byte that is read next
	buf   []byte
}

// next gives the next statement, io.EOF at the end. Comments between statements are dropped.
func (r *statementReader) next() (dumpStatement, error) {
	for {
		if err := r.skip(); err != nil {
			return dumpStatement{}, err
		}
		word, _ := r.in.Peek(len("DELIMITER "))
		if len(word) == len("DELIMITER ") && strings.EqualFold(string(word[:9]), "DELIMITER") && (word[9] == ' ' || word[9] == '\t') {
			if err := r.delimiter(); err != nil {
				return dumpStatement{}, err
			}
			continue
		}
		if len(word) > 1 && word[0] == '\\' {
			return dumpStatement{}, fmt.Errorf("a command of the mysql client, %q, is not run", word[:2])
		}
		line := r.line
		if err := r.statement(); err != nil {
			return dumpStatement{}, err
		}
		sql := strings.TrimSpace(string(r.buf))
		if sql == "" {
			continue
		}
		return dumpStatement{sql: sql, line: line, plain: plainHead(sql)}, nil
	}
}

// byte reads a byte.
func (r *statementReader) byte() (byte, error) {
	c, err := r.in.ReadByte()
	if c == '\n' && err == nil {
		r.line++
	}
	return c, err
}

// skip reads over whitespace and comments before a statement. Version comments are statements, but for the one that puts
// MariaDB's client into its sandbox mode, which is for the client alone.
func (r *statementReader) skip() error {
	for {
		head, err := r.in.Peek(9)
		if len(head) == 0 {
			return err
		}
		switch {
		case head[0] <= ' ':
			r.byte()
		case head[0] == '#', len(head) > 2 && head[0] == '-' && head[1] == '-' && head[2] <= ' ':
			if err := r.comment("\n"); err != nil {
				return err
			}
		case string(head) == "/*M!99999", len(head) > 2 && head[0] == '/' && head[1] == '*' && head[2] != '!' && !bytes.HasPrefix(head, []byte("/*M!")):
			if err := r.comment("*/"); err != nil {
				return err
			}
		default:
			return nil
		}
	}
}

// comment reads over a comment up to its end, which the end of the file may be if it is a line's.
func (r *statementReader) comment(end string) error {
	var last byte
	for n := 0; ; n++ {
		c, err := r.byte()
		if err != nil {
			if err == io.EOF && end == "*/" {
				return errors.New("it ends inside a comment")
			}
			return err
		}
		if end == "\n" && c == '\n' || end == "*/" && n > 2 && last == '*' && c == '/' {
			return nil
		}
		last = c
	}
}

func (r *statementReader) delimiter() error {
	var line []byte
	for {
		c, err := r.byte()
		if err != nil || c == '\n' {
			break
		}
		if line = append(line, c); len(line) > 1000 {
			return errors.New("the line of a DELIMITER does not end")
		}
	}
	words := strings.Fields(string(line))
	if len(words) < 2 || len(words[1]) > maxDelimiter || strings.Contains(words[1], `\`) {
		return errors.New("DELIMITER must be followed by a short delimiter without backslash")
	}
	r.delim = words[1]
	return nil
}

// statement reads a statement into buf, up to the delimiter or the end of the file.
func (r *statementReader) statement() error {
	r.buf = r.buf[:0]
	var quote byte   // that is open
	version := false // in a version comment
	comment := ""    // what ends the comment that is open
	last := byte(0)  // before the current byte; 0 after what cannot begin anything together with it
	start, begun := r.line, 0
	for {
		c, err := r.byte()
		if err == io.EOF {
			switch {
			case quote != 0:
				return fmt.Errorf("the dump ends inside a string or a name that begins in line %d: it is not whole", max(begun, start))
			case comment == "*/" || version:
				return fmt.Errorf("the dump ends inside a comment of the statement of line %d: it is not whole", start)
			}
			return nil
		}
		if err != nil {
			return err
		}
		if len(r.buf) >= r.max {
			return fmt.Errorf("the statement that begins in line %d is larger than %d MB (max_allowed_packet); write the dump with a smaller --net-buffer-length", start, r.max>>20)
		}
		r.buf = append(r.buf, c)
		switch {
		case quote != 0:
			switch {
			case c == '\\' && quote != '`':
				if c, err = r.byte(); err == nil {
					r.buf = append(r.buf, c)
				}
			case c == quote:
				quote = 0 // a doubled one opens it again
			}
			last = 0
			continue
		case comment == "\n":
			if c == '\n' {
				comment, last = "", 0
			}
			continue
		case comment == "*/":
			if last == '*' && c == '/' {
				comment, c = "", 0
			}
			last = c
			continue
		}
		switch {
		case c == '\'' || c == '"' || c == '`':
			quote, begun = c, r.line
			last = 0
			continue
		case c == '#':
			comment = "\n"
			continue
		case last == '-' && c == '-':
			if next, _ := r.in.Peek(1); len(next) == 0 || next[0] <= ' ' {
				comment = "\n"
				continue
			}
		case last == '/' && c == '*':
			next, _ := r.in.Peek(2)
			if !version && len(next) > 0 && (next[0] == '!' || len(next) > 1 && next[0] == 'M' && next[1] == '!') {
				version, last = true, 0
				continue
			}
			comment, last = "*/", 0
			continue
		case version && last == '*' && c == '/':
			version, last = false, 0
			continue
		}
		last = c
		if !version && c == r.delim[len(r.delim)-1] && bytes.HasSuffix(r.buf, []byte(r.delim)) {
			r.buf = r.buf[:len(r.buf)-len(r.delim)]
			return nil
		}
	}
}

// headSize is how much of a statement is looked at to know what it does.
const headSize = 2000

var (
	versionOpen  = regexp.MustCompile(`/\*M?!(\d{5,6})?`)
	plainComment = regexp.MustCompile(`(?s)/\*[^!M].*?\*/`)
	spaces       = regexp.MustCompile(`\s+`)
)

// plainHead gives the beginning of a statement in one line, without comments and without the marks of version comments.
func plainHead(sql string) string {
	if len(sql) > headSize {
		sql = sql[:headSize]
	}
	sql = plainComment.ReplaceAllString(sql, " ")
	sql = versionOpen.ReplaceAllString(sql, " ")
	sql = strings.ReplaceAll(sql, "*/", " ")
	return strings.TrimSpace(spaces.ReplaceAllString(sql, " "))
}

// A dumpLoader runs the statements of a dump.
type dumpLoader struct {
	srv      *Server
	database string // of this run
	theirs   string // the database of the dump, "" if it names none
	name     string // of the file
	p        Progress
	c        *session
	max      int
	said     map[string]bool
}

// open opens the session and lets the server take large statements, as far as that is allowed.
func (l *dumpLoader) open(ctx context.Context) (restore func(), err error) {
	restore = func() {}
	was := 0
	admin, err := l.srv.session(ctx, asAdmin, "")
	if err != nil {
		return nil, err
	}
	if rows, err := admin.query(ctx, 1, "SELECT @@GLOBAL.max_allowed_packet"); err == nil && len(rows) == 1 {
		was, _ = strconv.Atoi(rows[0][0].String)
		if was < maxStatement && admin.exec(ctx, fmt.Sprintf("SET GLOBAL max_allowed_packet = %d", maxStatement)) == nil {
			restore = func() {
				ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
				defer stop()
				if c, err := l.srv.session(ctx, asAdmin, ""); err == nil {
					c.exec(ctx, fmt.Sprintf("SET GLOBAL max_allowed_packet = %d", was)) // the server may be gone
					c.close()
				}
			}
		}
	}
	admin.close()
	if l.c, err = l.srv.session(ctx, asGuest, l.database); err != nil {
		restore()
		return nil, err
	}
	back := restore
	restore = func() { l.c.close(); back() }
	l.max = maxStatement
	if rows, err := l.c.query(ctx, 1, "SELECT @@max_allowed_packet"); err == nil && len(rows) == 1 {
		if n, err := strconv.Atoi(rows[0][0].String); err == nil {
			l.max = min(l.max, n)
		}
	}
	l.max -= 1024 // the packet's own bytes
	return restore, nil
}

// say notes something once, and not too much.
func (l *dumpLoader) say(text string) {
	if !l.said[text] && len(l.said) < 20 {
		l.said[text] = true
		l.p.note(l.name + ": " + text)
	}
}

const dumpName = "(`(?:[^`]|``)+`|\"[^\"]+\"|[\\w$\\x{80}-\\x{10ffff}-]+)"

var (
	useDatabase     = regexp.MustCompile("^(?i:USE) " + dumpName)
	createDatabase  = regexp.MustCompile("^(?i:CREATE (?:DATABASE|SCHEMA) (?:IF NOT EXISTS )?)" + dumpName + "(.*)")
	dropDatabase    = regexp.MustCompile("^(?i:DROP (?:DATABASE|SCHEMA) (?:IF EXISTS )?)" + dumpName)
	alterDatabase   = regexp.MustCompile("^(?i:ALTER (?:DATABASE|SCHEMA)) " + dumpName + "(.*)")
	databaseCharset = regexp.MustCompile(`(?i)CHARACTER SET =? ?(\w+)`)
	databaseCollate = regexp.MustCompile(`(?i)COLLATE =? ?(\w+)`)
	serverOnly      = regexp.MustCompile(`(?i)^(?:SET (?:@@)?GLOBAL\b|SET @@GLOBAL\.|SET (?:@MYSQLDUMP_TEMP_LOG_BIN|(?:@@|SESSION |@@SESSION\.)?SQL_LOG_BIN)\b|CHANGE (?:MASTER|REPLICATION)|START (?:SLAVE|REPLICA)|STOP (?:SLAVE|REPLICA)|FLUSH |RESET |PURGE |(?:UN)?LOCK TABLES?\b)`)
	quietly         = regexp.MustCompile(`(?i)SQL_LOG_BIN|^(?:UN)?LOCK `)
	accounts        = regexp.MustCompile(`(?i)^(?:CREATE|ALTER|DROP) (?:USER|ROLE)\b|^(?:GRANT|REVOKE) |^SET (?:PASSWORD|DEFAULT ROLE)\b`)
	definerClause   = regexp.MustCompile("(?i)\\bDEFINER\\s*=\\s*(?:CURRENT_USER(?:\\s*\\(\\s*\\))?|(?:`[^`]*`|'[^']*'|\"[^\"]*\"|[\\w.$%-]+)(?:\\s*@\\s*(?:`[^`]*`|'[^']*'|\"[^\"]*\"|[\\w.$%:-]+))?)")
	defines         = regexp.MustCompile(`(?i)^(?:CREATE|ALTER|SET) `)
	hasDefiner      = regexp.MustCompile(`(?i)^CREATE (?:OR REPLACE )?(?:ALGORITHM ?= ?\w+ )?DEFINER ?=`)
	collation0900   = regexp.MustCompile(`\butf8mb4_(?:\w+_)?0900_\w+`)
	collation1400   = regexp.MustCompile(`\b(?:utf8mb4_)?uca1400_\w+`)
)

// unquoted gives the name that a quoted or bare word means.
func unquoted(s string) string {
	if len(s) > 1 && (s[0] == '`' || s[0] == '"') {
		q := s[:1]
		return strings.ReplaceAll(s[1:len(s)-1], q+q, q)
	}
	return s
}

// into notes that the dump is of a database, and refuses a second one.
func (l *dumpLoader) into(name string) error {
	name = unquoted(name)
	if l.theirs != "" && l.theirs != name {
		return fmt.Errorf("the dump is of two databases, %s and %s; one is loaded: write it without --all-databases, for one database", l.theirs, name)
	}
	l.theirs = name
	return nil
}

// run runs one statement; false means that it was left out.
func (l *dumpLoader) run(ctx context.Context, st dumpStatement) (bool, error) {
	sql := st.sql
	if m := useDatabase.FindStringSubmatch(st.plain); m != nil {
		return false, l.into(m[1])
	}
	if m := dropDatabase.FindStringSubmatch(st.plain); m != nil {
		return false, l.into(m[1])
	}
	m := createDatabase.FindStringSubmatch(st.plain)
	if m == nil {
		m = alterDatabase.FindStringSubmatch(st.plain)
	}
	if m != nil {
		if err := l.into(m[1]); err != nil {
			return false, err
		}
		sql = "ALTER DATABASE " + quoteName(l.database)
		charset, collate := databaseCharset.FindStringSubmatch(m[2]), databaseCollate.FindStringSubmatch(m[2])
		if charset == nil && collate == nil {
			return false, nil
		}
		if charset != nil {
			sql += " CHARACTER SET " + charset[1]
		}
		if collate != nil {
			sql += " COLLATE " + collate[1]
		}
	}
	switch {
	case serverOnly.MatchString(st.plain):
		if !quietly.MatchString(st.plain) {
			l.say("what concerns the server and not the database (GTIDs, replication, global variables) was left out")
		}
		return false, nil
	case accounts.MatchString(st.plain):
		l.say("accounts and grants were left out")
		return false, nil
	}
	if hasDefiner.MatchString(st.plain) {
		head := sql[:min(len(sql), headSize)]
		// Only before the body: the first one.
		if at := definerClause.FindStringIndex(head); at != nil {
			sql = sql[:at[0]] + sql[at[1]:]
		}
	}
	err := l.c.exec(ctx, sql)
	if err == nil {
		return true, nil
	}
	refused, ok := serverError(err)
	if !ok {
		return false, err
	}
	if refused.Code == 1273 && defines.MatchString(st.plain) {
		if other := l.translated(sql); other != sql {
			if err = l.c.exec(ctx, other); err == nil {
				return true, nil
			}
		}
	}
	switch refused.Code {
	case 1044, 1142, 1227, 1419:
		return false, fmt.Errorf("%w, in: %s (a dump may change its own database only)", err, shortHead(st.plain))
	}
	return false, fmt.Errorf("%w, in: %s", err, shortHead(st.plain))
}

// translated writes the other flavour's collations as this server's nearest ones.
func (l *dumpLoader) translated(sql string) string {
	to := func(pattern *regexp.Regexp, ai, as, bin string) {
		sql = pattern.ReplaceAllStringFunc(sql, func(name string) string {
			with := ai
			switch {
			case strings.HasSuffix(name, "_bin"):
				with = bin
			case strings.Contains(name, "_as_"):
				with = as
			}
			l.say("the collation " + name + " is not known to " + l.srv.Name + " and is taken as " + with)
			return with
		})
	}
	if l.srv.Version.MariaDB {
		to(collation0900, "utf8mb4_unicode_520_ci", "utf8mb4_bin", "utf8mb4_bin")
	} else {
		to(collation1400, "utf8mb4_0900_ai_ci", "utf8mb4_0900_as_cs", "utf8mb4_0900_bin")
	}
	return sql
}

// shortHead gives the beginning of a statement for a message.
func shortHead(plain string) string {
	if r := []rune(plain); len(r) > 80 {
		return string(r[:80]) + "…"
	}
	return plain
}
