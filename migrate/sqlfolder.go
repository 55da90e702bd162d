package migrate

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"

	"instep/analyzer/schema"
)

// This file holds what the frameworks have in common whose migrations are SQL files.

// maxSQLFile is the size up to which a SQL file is read. Migrations are far smaller; what is larger is a dump.
const maxSQLFile = 16 << 20

// A sqlRevision is a revision made of SQL files.
type sqlRevision struct {
	id, name string
	file     string   // where it stands; the first of up if empty
	up       []string // its files, in order
	down     []string
	// marks cuts a file into its up and down part; nil where whole files are one or the other.
	marks marker
	// plain: no tool's marks are expected in the files.
	plain bool
	// placeholders gives, for a file's text, a test that tells why a statement is not what the server gets; nil where files
	// are sent as they are.
	placeholders func(src string) func(schema.Statement) string
	repeatable   bool
	gaps         []schema.Gap
	budget       *sqlBudget
}

// The bounds of all SQL of one history. Equal files cost a repository next to nothing, so that the bound for one file
// does not bound the sum.
const (
	maxSQLBytes      = 128 << 20
	maxSQLStatements = 200_000
)

// A sqlBudget is what a history may still hold in memory. Its revisions share it; each file counts once.
type sqlBudget struct {
	mu         sync.Mutex
	seen       map[string]bool
	bytes      int
	statements int
}

// spend notes what a file holds. It gives false once the sum is too large.
func (b *sqlBudget) spend(file string, bytes, statements int) bool {
	if b == nil {
		return true
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.seen[file] {
		if b.bytes+bytes > maxSQLBytes || b.statements+statements > maxSQLStatements {
			return false
		}
		b.seen[file] = true
		b.bytes += bytes
		b.statements += statements
	}
	return true
}

func (r *sqlRevision) revision() Revision {
	file := r.file
	if file == "" && len(r.up) > 0 {
		file = r.up[0]
	}
	run := func(fsys fs.FS, before *schema.Schema) Migration {
		m := r.run(fsys, before)
		m.File = file
		return m
	}
	return Revision{ID: r.id, Name: r.name, File: file, Repeatable: r.repeatable, Run: run}
}

// run reads the files and applies their statements.
func (r *sqlRevision) run(fsys fs.FS, before *schema.Schema) Migration {
	var up, down []schema.Statement
	gaps := slices.Clone(r.gaps)
	doubts := map[string]func(schema.Statement) string{}
	for _, file := range r.up {
		src, gap := readSQL(fsys, file)
		if gap != nil {
			gaps = append(gaps, *gap)
			continue
		}
		if r.placeholders != nil {
			doubts[file] = r.placeholders(src)
		}
		u, d, g := r.cut(file, src)
		if !r.budget.spend(file, len(src), len(u)+len(d)) {
			gaps = append(gaps, schema.Gap{
				Pos: schema.Pos{File: file, Line: 1, Col: 1}, What: "the file " + file,
				Why: fmt.Sprintf("all files together have more than %d MB or %d statements", maxSQLBytes>>20, maxSQLStatements),
			})
			continue
		}
		up, down, gaps = append(up, u...), append(down, d...), append(gaps, g...)
	}
	for _, file := range r.down {
		// What cannot be read of a way back is no gap: it is not what an upgrade runs.
		if src, gap := readSQL(fsys, file); gap == nil {
			if statements, _ := schema.Split(file, src); r.budget.spend(file, len(src), len(statements)) {
				down = append(down, statements...)
			}
		}
	}
	for i := range up {
		up[i].Migration = r.id
	}
	for i := range down {
		down[i].Migration = r.id
	}
	m := applyExcept(before, up, func(st schema.Statement) string {
		if doubt := doubts[st.Pos.File]; doubt != nil {
			return doubt(st)
		}
		return ""
	})
	m.ID, m.Name, m.Down = r.id, r.name, down
	m.Gaps = append(gaps, m.Gaps...)
	slices.SortStableFunc(m.Gaps, func(a, b schema.Gap) int { return a.Pos.Compare(b.Pos) })
	return m
}

// cut reads the text of one of the files of up.
func (r *sqlRevision) cut(file, src string) (up, down []schema.Statement, gaps []schema.Gap) {
	switch {
	case liquibase.MatchString(src):
		return nil, nil, []schema.Gap{{
			Pos: schema.Pos{File: file, Line: 1, Col: 1}, What: "the file " + file, Why: "it is a changelog of Liquibase's, whose rules are not known here",
		}}
	case r.plain:
		return cutPlain(file, src)
	case r.marks != nil:
		return r.marks.cut(file, src)
	}
	up, gaps = schema.Split(file, src)
	return up, nil, gaps
}

// readSQL reads a SQL file. What is too large, binary, or cannot be read is one gap.
func readSQL(fsys fs.FS, file string) (string, *schema.Gap) {
	gap := func(why string) (string, *schema.Gap) {
		return "", &schema.Gap{Pos: schema.Pos{File: file, Line: 1, Col: 1}, What: "the file " + file, Why: why}
	}
	info, err := fs.Stat(fsys, file)
	if err != nil {
		return gap(reason(err))
	}
	if !info.Mode().IsRegular() {
		return gap("it is not a regular file")
	}
	if info.Size() > maxSQLFile {
		return gap(fmt.Sprintf("it has %d MB: files of more than %d MB are not read", info.Size()>>20, maxSQLFile>>20))
	}
	src, err := fs.ReadFile(fsys, file)
	if err != nil {
		return gap(reason(err))
	}
	if strings.Contains(string(src[:min(len(src), 8000)]), "\x00") && !strings.HasPrefix(string(src), "\xff\xfe") && !strings.HasPrefix(string(src), "\xfe\xff") {
		return gap("it is binary")
	}
	return string(src), nil
}

// reason is an I/O error's message on one line, without the operation and the path in front.
func reason(err error) string {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		err = pe.Err
	}
	return strings.Join(strings.Fields(err.Error()), " ")
}

// A marker tells the comment lines that say which way the statements after them go. It gives up, down, or neither.
type marker func(line string) markKind

type markKind uint8

const (
	markNone markKind = iota
	markUp
	markDown
)

// cut reads a file with marks in it. The tools find their marks line by line as well, strings and comments notwithstanding.
func (mark marker) cut(file, src string) (up, down []schema.Statement, gaps []schema.Gap) {
	kind, start, startLine, line := markNone, 0, 1, 0
	marked := false
	flush := func(end int) {
		statements, g := schema.SplitFrom(schema.Pos{File: file, Line: startLine, Col: 1}, src[start:end])
		switch {
		case kind == markUp:
			up, gaps = append(up, statements...), append(gaps, g...)
		case kind == markDown:
			down = append(down, statements...)
		case len(statements) > 0 && marked:
			gaps = append(gaps, schema.Gap{
				Pos: statements[0].Pos, What: headline(statements[0].SQL), Why: "it stands before the mark that says whether it is for the upgrade",
			})
		}
	}
	offset := 0
	for text := range strings.Lines(src) {
		line++
		trimmed := strings.TrimSpace(strings.TrimPrefix(text, "\ufeff"))
		if k := markNone; strings.HasPrefix(trimmed, "--") {
			if k = mark(trimmed); k != markNone {
				marked = true
				flush(offset)
				kind, start, startLine = k, offset, line
			}
		}
		offset += len(text)
	}
	flush(len(src))
	if !marked && strings.TrimSpace(src) != "" {
		gaps = append(gaps, schema.Gap{Pos: schema.Pos{File: file, Line: 1, Col: 1}, What: "the file " + file, Why: "no mark in it says what is for the upgrade"})
	}
	return up, down, gaps
}

// liquibase is the first line that Liquibase demands of its SQL files.
var liquibase = regexp.MustCompile(`(?i)^\s*--\s*liquibase\s+formatted\s+sql`)

// backMark is a comment line that says nothing but that what follows takes the migration back. Those of Play's evolutions
// ("# --- !Downs"), of MyBatis and dbdeploy ("-- //@UNDO") are known as such; any other is taken for one, with doubt.
var (
	backMark      = regexp.MustCompile(`(?i)^(--|#)[-\s/@!+:*=]*([a-z]+[-\s:]+)?(downs?|undo|rollback|revert|downgrade)[-\s:*=]*$`)
	knownBackMark = regexp.MustCompile(`(?i)^(#\s*---\s*!downs|--\s*//\s*@undo)\s*$`)
)

// cutPlain reads a file in which no tool's marks are expected. All of it is the upgrade, up to a comment that says otherwise.
func cutPlain(file, src string) (up, down []schema.Statement, gaps []schema.Gap) {
	offset, line := 0, 0
	for text := range strings.Lines(src) {
		line++
		trimmed := strings.TrimSpace(text)
		if !strings.HasPrefix(trimmed, "--") && !strings.HasPrefix(trimmed, "#") || !backMark.MatchString(trimmed) {
			offset += len(text)
			continue
		}
		pos := schema.Pos{File: file, Line: line, Col: 1}
		up, gaps = schema.Split(file, src[:offset])
		down, _ = schema.SplitFrom(pos, src[offset:])
		if !knownBackMark.MatchString(trimmed) && len(down) > 0 {
			gaps = append(gaps, schema.Gap{Pos: pos, What: "the rest of " + file, Why: fmt.Sprintf("the comment %q reads as if it took the migration back", headline(trimmed))})
		}
		return up, down, gaps
	}
	up, gaps = schema.Split(file, src)
	return up, nil, gaps
}

// dialects names the folders and file name parts that stand for another database than MySQL. Those with true are
// believed wherever they stand; the others are words that mean something else as well and count only beside a folder for MySQL.
var dialects = map[string]bool{
	"postgres": true, "postgresql": true, "pgsql": true, "psql": true, "cockroach": true, "cockroachdb": true, "crdb": true, "sqlite": true, "sqlite3": true,
	"mssql": true, "sqlserver": true, "hsqldb": true, "clickhouse": true, "cassandra": true, "cql": true, "redshift": true, "yugabyte": true, "duckdb": true,
	"pg": false, "oracle": false, "h2": false, "db2": false, "derby": false, "spanner": false, "snowflake": false, "vertica": false, "ydb": false, "turso": false,
}

// mysqlDialects are the names of MySQL and its kin, the one that is taken first in front.
var mysqlDialects = []string{"mysql", "mysql8", "mysql57", "mysql80", "mariadb", "maria"}

// dialectWords cuts a folder's name at what joins words.
func dialectWords(name string) []string {
	return strings.FieldsFunc(strings.ToLower(name), func(c rune) bool { return c == '-' || c == '_' || c == '.' || c == ' ' })
}

// dialect gives the database that a folder's name tells: "mysql", "other", or "" if it tells none. doubtful is a name
// that says so only if it stands beside one for MySQL.
func dialect(name string) (d string, doubtful bool) {
	for _, word := range dialectWords(name) {
		if slices.Contains(mysqlDialects, word) {
			return "mysql", false
		}
		if sure, known := dialects[word]; known {
			d, doubtful = "other", !sure
		}
	}
	return d, doubtful
}

// foreignPath tells whether a folder is for another database than MySQL by its path: the last folder that names a
// database decides. Where MySQL and MariaDB stand side by side, the folder for MySQL is taken.
func foreignPath(files []string, dir string) bool {
	parts := strings.Split(dir, "/")
	for i, part := range slices.Backward(parts) {
		d, doubtful := dialect(part)
		if d == "" {
			continue
		}
		parent := strings.Join(parts[:i], "/")
		if d == "other" && doubtful {
			if besideMySQL(files, parent, part, len(mysqlDialects)) {
				return true
			}
			continue
		}
		if d == "mysql" {
			if i+1 < len(parts) && olderServer(files, strings.Join(parts[:i+1], "/"), parts[i+1]) {
				return true
			}
			rank := slices.IndexFunc(mysqlDialects, func(m string) bool { return slices.Contains(dialectWords(part), m) })
			return rank > 0 && besideMySQL(files, parent, part, rank)
		}
		return true
	}
	return false
}

// olderServer tells whether a folder below one for MySQL is for an older server than a folder beside it: of mysql/v57 and
// mysql/v8 the second is taken.
func olderServer(files []string, parent, name string) bool {
	version := func(name string) []string {
		name = strings.TrimPrefix(name, "v")
		if len(name) == 2 { // 57 is 5.7
			name = name[:1] + "." + name[1:]
		}
		return strings.Split(name, ".")
	}
	if !versionFolder.MatchString(name) || !serverVersion(version(name)) {
		return false
	}
	i, _ := slices.BinarySearch(files, parent+"/")
	for ; i < len(files) && strings.HasPrefix(files[i], parent+"/"); i++ {
		sibling, _, isDir := strings.Cut(files[i][len(parent)+1:], "/")
		if isDir && versionFolder.MatchString(sibling) && compareVersions(version(name), version(sibling)) < 0 && serverVersion(version(sibling)) {
			return true
		}
	}
	return false
}

// serverVersion tells whether a version is one of MySQL's or MariaDB's, and not the project's own.
func serverVersion(v []string) bool {
	switch v[0] {
	case "5", "8", "9", "10", "11", "12":
		return len(v) <= 2
	}
	return false
}

// besideMySQL tells whether parent has a folder that is called like part, but with one of the first names of MySQL in it.
func besideMySQL(files []string, parent, part string, ranks int) bool {
	for _, m := range mysqlDialects[:ranks] {
		for _, word := range dialectWords(part) {
			sibling := path.Join(parent, strings.Replace(strings.ToLower(part), word, m, 1))
			if sibling != path.Join(parent, part) && under(files, sibling) {
				return true
			}
		}
	}
	return false
}

// foreignSign is SQL that MySQL and MariaDB refuse, and that other databases' migrations are full of.
var foreignSign = regexp.MustCompile(`(?im)\b(jsonb|bytea|timestamptz|bigserial|smallserial|autoincrement|varchar2|plpgsql|tsvector)\b|` +
	`\bcreate\s+extension\b|::\s*[a-z]+\b|\bwith(out)?\s+time\s+zone\b|^\s*pragma\s|\$\$|\bidentity\s*\(\s*1\s*,\s*1\s*\)|\bnvarchar\s*\(\s*max\s*\)|\bowner\s+to\b|` +
	`\busing\s+gin\b|\balter\s+column\s+\S+\s+(set|drop)\s+not\s+null\b`)

// mysqlSign is SQL that only MySQL and MariaDB understand, or that others do not write.
var mysqlSign = regexp.MustCompile("(?im)`|\\bengine\\s*=|\\bauto_increment\\b|\\bunsigned\\b|\\butf8mb[34]\\b|\\b(long|medium|tiny)(text|blob)\\b|\\bmodify\\s+(column\\b)?|\\btinyint\\s*\\(|" +
	"\\bon\\s+update\\s+current_timestamp|\\bdatetime\\s*\\(|\\bchange\\s+column\\b|\\bcharacter\\s+set\\b|^\\s*delimiter\\s+\\S|^\\s*(unique\\s+)?key\\s+\\w")

// noCode is what says nothing about the dialect: comments, but for those that MySQL runs, and strings.
var noCode = regexp.MustCompile(`(?m)--([ \t].*)?$|/\*[^!](?s:.*?)\*/|'(?:[^'\\]|\\.)*'`)

// foreignText tells whether files are clearly for another database: some of them (the first and the last are looked at)
// hold SQL that MySQL refuses, and none holds any that only MySQL knows. A folder whose migrations are such is left
// alone without a gap: a repository can have several databases of which MySQL is one.
func foreignText(fsys fs.FS, names []string) bool {
	if len(names) > 8 {
		names = slices.Concat(names[:4], names[len(names)-4:])
	}
	foreign := false
	for _, name := range names {
		info, err := fs.Stat(fsys, name)
		if err != nil || info.Size() > 256<<10 {
			continue
		}
		src, err := fs.ReadFile(fsys, name)
		if err != nil {
			continue
		}
		text := noCode.ReplaceAll(src, nil)
		if mysqlSign.Match(text) {
			return false
		}
		foreign = foreign || foreignSign.Match(text)
	}
	return foreign
}

// A sqlDir is a folder with the SQL files that lie directly in it.
type sqlDir struct {
	dir   string
	names []string // sorted
}

func (d *sqlDir) paths() []string {
	paths := make([]string, len(d.names))
	for i, name := range d.names {
		paths[i] = path.Join(d.dir, name)
	}
	return paths
}

// sqlDirs gives the folders that hold SQL files with names that ok accepts, sorted. Test data, vendored code and folders
// for other databases are left out.
func sqlDirs(files []string, ok func(base string) bool) []*sqlDir {
	byDir := map[string]*sqlDir{}
	var dirs []*sqlDir
	for _, file := range files {
		if !strings.HasSuffix(file, ".sql") {
			continue
		}
		dir, base := splitFile(file)
		d, seen := byDir[dir]
		if !seen {
			if !inTestData(dir) && !vendored(dir) && !foreignPath(files, dir) {
				d = &sqlDir{dir: dir}
			}
			byDir[dir] = d
		}
		if d == nil || !ok(base) {
			continue
		}
		if len(d.names) == 0 {
			dirs = append(dirs, d)
		}
		d.names = append(d.names, base)
	}
	slices.SortFunc(dirs, func(a, b *sqlDir) int { return strings.Compare(a.dir, b.dir) })
	return dirs
}

// splitFile cuts a file's path into its folder and its name. Paths of a tree are clean already.
func splitFile(file string) (dir, base string) {
	i := strings.LastIndexByte(file, '/')
	if i < 0 {
		return ".", file
	}
	return file[:i], file[i+1:]
}

// vendored tells whether a folder holds other projects' code, or stand-ins for tests.
func vendored(dir string) bool {
	for part := range strings.SplitSeq(dir, "/") {
		switch part {
		case "vendor", "node_modules", "third_party", "site-packages", "stub", "stubs", "mock", "mocks", "migratest":
			return true
		}
	}
	return false
}

// markedDirs gives the folders whose first files hold a framework's mark and whose text is for MySQL.
func markedDirs(fsys fs.FS, files []string, ok func(base string) bool, mark marker) []string {
	var dirs []string
	for _, d := range sqlDirs(files, ok) {
		if marked(fsys, d.paths(), mark) && !foreignText(fsys, d.paths()) {
			dirs = append(dirs, d.dir)
		}
	}
	return dirs
}

// marked tells whether one of the first files has a mark.
func marked(fsys fs.FS, names []string, mark marker) bool {
	for _, name := range names[:min(len(names), 3)] {
		info, err := fs.Stat(fsys, name)
		if err != nil || info.Size() > maxSQLFile {
			continue
		}
		src, err := fs.ReadFile(fsys, name)
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(src)) {
			line = strings.TrimSpace(strings.TrimPrefix(line, "\ufeff"))
			if strings.HasPrefix(line, "--") && mark(line) != markNone {
				return true
			}
		}
	}
	return false
}

// fileNames gives the names of the files in a folder, sorted; symbolic links count as what they lead to, and as
// files where they lead nowhere, so that reading them is a gap.
func fileNames(fsys fs.FS, dir string) ([]string, error) {
	entries, err := fs.ReadDir(fsys, dir)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if e.IsDir() {
			continue
		}
		if e.Type()&fs.ModeSymlink != 0 {
			if info, err := fs.Stat(fsys, path.Join(dir, e.Name())); err == nil && info.IsDir() {
				continue
			}
		}
		names = append(names, e.Name())
	}
	slices.Sort(names)
	return names, nil
}

// sqlHistory makes a history of revisions that are in order already. Where two of them have the same id, the tool
// refuses to run at all: the second is a gap.
func sqlHistory(framework, dir string, revisions []*sqlRevision) *History {
	h := &History{Framework: framework, Dir: dir, Database: sqlDatabase(dir)}
	seen := map[string]string{}
	budget := &sqlBudget{seen: map[string]bool{}}
	for i, r := range revisions {
		r.budget = budget
		if i == maxRevisions {
			h.Gaps = append(h.Gaps, schema.Gap{Pos: schema.Pos{File: dir}, What: "the migrations in " + dir, Why: fmt.Sprintf("gave up after %d", maxRevisions)})
			break
		}
		rev := r.revision()
		if first, twice := seen[rev.ID]; twice {
			h.Gaps = append(h.Gaps, schema.Gap{
				Pos: schema.Pos{File: rev.File, Line: 1, Col: 1}, What: "migration " + rev.ID,
				Why: fmt.Sprintf("%s has the same version: %s refuses both", first, framework),
			})
			continue
		}
		seen[rev.ID] = rev.File
		h.Revisions = append(h.Revisions, rev)
	}
	return h
}

// versionFolder is a folder that is named after a version of the server.
var versionFolder = regexp.MustCompile(`^v?[0-9][0-9.]*$`)

// sqlDatabase names the database that a folder's migrations are for. The names of servers and their versions do not tell
// databases of one repository apart. A folder like "db-next" holds what is staged for the same database.
func sqlDatabase(dir string) string {
	var parts []string
	next := ""
	for part := range strings.SplitSeq(dir, "/") {
		lower := strings.ToLower(part)
		d, doubtful := dialect(part)
		switch {
		case strings.HasSuffix(lower, "-next"), strings.HasSuffix(lower, "_next"):
			next = "-next"
			part = part[:len(part)-len("-next")]
		case d != "" && !doubtful && len(dialectWords(part)) == 1, versionFolder.MatchString(lower):
			continue
		}
		switch lower {
		case "versioned", "main", "resources", "assets", "internal", "pkg", "app", "sqls", "up":
			continue
		}
		parts = append(parts, strings.Trim(part, "_-"))
	}
	name := databaseName(strings.Join(parts, "/"))
	return name + next
}

// compareNumbers compares numbers of any length that are written in decimal digits.
func compareNumbers(a, b string) int {
	a, b = strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0")
	return cmp.Or(cmp.Compare(len(a), len(b)), strings.Compare(a, b))
}

// trimNumber takes the leading zeros off a number; the tools that count with integers do not see them.
func trimNumber(n string) string {
	if t := strings.TrimLeft(n, "0"); t != "" {
		return t
	}
	return "0"
}

// title makes a file name's description readable.
func title(s string) string {
	return strings.TrimSpace(strings.NewReplacer("_", " ", "-", " ").Replace(s))
}

// rows are statements that only touch rows, whatever stands in them.
var rows = regexp.MustCompile(`(?i)^\s*(insert|update|delete|replace|select)\b`)

// inDoubt is the reason why a statement that pattern matches is not the text that the server gets; "" if it is.
func inDoubt(st schema.Statement, pattern *regexp.Regexp, why string) string {
	if m := pattern.FindString(st.SQL); m != "" && !rows.MatchString(st.SQL) {
		return m + " in it is filled in " + why
	}
	return ""
}
