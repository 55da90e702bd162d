package schema

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// splitted writes the result of Split as one line per statement and gap.
func splitted(src string) string {
	statements, gaps := Split("f", src)
	var b strings.Builder
	for _, st := range statements {
		fmt.Fprintf(&b, "%d:%d %q\n", st.Pos.Line, st.Pos.Col, st.SQL)
	}
	for _, g := range gaps {
		fmt.Fprintf(&b, "gap %d:%d %s: %s\n", g.Pos.Line, g.Pos.Col, g.What, g.Why)
	}
	return b.String()
}

func TestSplit(t *testing.T) {
	for _, tt := range []struct{ name, src, want string }{
		{"empty", " \n-- nothing\n;;\n", ""},
		{"two", "SELECT 1;\n  SELECT 2 ;", "1:1 \"SELECT 1\"\n2:3 \"SELECT 2\"\n"},
		{"no end", "SELECT 1", "1:1 \"SELECT 1\"\n"},
		{"comments outside", "-- a;\n/* b; */ SELECT /* c; */ 1 /* d */; # e;", "2:10 \"SELECT /* c; */ 1\"\n"},
		{"quotes", "SELECT ';', \"a;\"\"\", 'it''s;\\';', `b;`; x", "1:1 \"SELECT ';', \\\"a;\\\"\\\"\\\", 'it''s;\\\\';', `b;`\"\n1:40 \"x\"\n"},
		{"BOM and CRLF", "\ufeffa;\r\nb\r\n;", "1:4 \"a\"\n2:1 \"b\"\n"},
		{"delimiter", "DELIMITER $$\nCREATE PROCEDURE p() BEGIN a; b; END$$\ndelimiter ;\nc;", "2:1 \"CREATE PROCEDURE p() BEGIN a; b; END\"\n4:1 \"c\"\n"},
		{"semicolon before the delimiter", "DELIMITER //\nCREATE TRIGGER t AFTER INSERT ON x FOR EACH ROW BEGIN a; END;\n//\nDELIMITER ;\n", "2:1 \"CREATE TRIGGER t AFTER INSERT ON x FOR EACH ROW BEGIN a; END\"\n"},
		{"several statements to a delimiter", "DELIMITER //\nCREATE TABLE a (b int); CREATE TABLE c (d int)//", "2:1 \"CREATE TABLE a (b int)\"\n2:25 \"CREATE TABLE c (d int)\"\n"},
		{"quoted delimiter", "DELIMITER '//'\na//b", "2:1 \"a\"\n2:4 \"b\"\n"},
		{"delimiter without end", "DELIMITER\na;", "2:1 \"a\"\ngap 1:1 a DELIMITER line: it names no usable delimiter\n"},
		{"begin and end", "CREATE PROCEDURE p() BEGIN a; BEGIN b; END; END; c;", "1:1 \"CREATE PROCEDURE p() BEGIN a; BEGIN b; END; END\"\n1:50 \"c\"\n"},
		{"transaction", "BEGIN; a; COMMIT;", "1:1 \"BEGIN\"\n1:8 \"a\"\n1:11 \"COMMIT\"\n"},
		{"not atomic", "BEGIN NOT ATOMIC a; b; END; c", "1:1 \"BEGIN NOT ATOMIC a; b; END\"\n1:29 \"c\"\n"},
		{"if at the top", "IF 1 THEN a; END IF; b", "1:1 \"IF 1 THEN a; END IF\"\n1:22 \"b\"\n"},
		{"if as the body", "CREATE TRIGGER t BEFORE UPDATE ON x FOR EACH ROW IF (a) THEN SET b=1; ELSEIF c THEN d; ELSE IF e THEN f; END IF; END IF; g",
			"1:1 \"CREATE TRIGGER t BEFORE UPDATE ON x FOR EACH ROW IF (a) THEN SET b=1; ELSEIF c THEN d; ELSE IF e THEN f; END IF; END IF\"\n1:122 \"g\"\n"},
		{"if as a function", "CREATE FUNCTION f() RETURNS INT RETURN IF(a,b,c); d", "1:1 \"CREATE FUNCTION f() RETURNS INT RETURN IF(a,b,c)\"\n1:51 \"d\"\n"},
		{"if as a function in a body", "CREATE PROCEDURE p() BEGIN SET a = IF(b,c,d); SELECT CASE WHEN x THEN IF(a,b,c) ELSE IF(d,e,f) END; END; g",
			"1:1 \"CREATE PROCEDURE p() BEGIN SET a = IF(b,c,d); SELECT CASE WHEN x THEN IF(a,b,c) ELSE IF(d,e,f) END; END\"\n1:106 \"g\"\n"},
		{"if exists", "CREATE PROCEDURE IF NOT EXISTS p() BEGIN DROP TABLE IF EXISTS a; END; b", "1:1 \"CREATE PROCEDURE IF NOT EXISTS p() BEGIN DROP TABLE IF EXISTS a; END\"\n1:71 \"b\"\n"},
		{"case", "CREATE PROCEDURE p() BEGIN CASE a WHEN 1 THEN b; ELSE BEGIN END; END CASE; SET x = CASE y WHEN 1 THEN 2 END; END; c",
			"1:1 \"CREATE PROCEDURE p() BEGIN CASE a WHEN 1 THEN b; ELSE BEGIN END; END CASE; SET x = CASE y WHEN 1 THEN 2 END; END\"\n1:115 \"c\"\n"},
		{"loops and labels", "CREATE PROCEDURE p(IN a INT) COMMENT 'x' main: BEGIN l: LOOP a; LEAVE l; END LOOP l; WHILE b DO c; END WHILE; REPEAT d; UNTIL e END REPEAT; END main; f",
			"1:1 \"CREATE PROCEDURE p(IN a INT) COMMENT 'x' main: BEGIN l: LOOP a; LEAVE l; END LOOP l; WHILE b DO c; END WHILE; REPEAT d; UNTIL e END REPEAT; END main\"\n1:151 \"f\"\n"},
		{"handlers", "CREATE PROCEDURE p() BEGIN DECLARE c CURSOR FOR SELECT 1; DECLARE EXIT HANDLER FOR SQLEXCEPTION, NOT FOUND BEGIN a; END; DECLARE CONTINUE HANDLER FOR 1062 SET b=1; END; d",
			"1:1 \"CREATE PROCEDURE p() BEGIN DECLARE c CURSOR FOR SELECT 1; DECLARE EXIT HANDLER FOR SQLEXCEPTION, NOT FOUND BEGIN a; END; DECLARE CONTINUE HANDLER FOR 1062 SET b=1; END\"\n1:170 \"d\"\n"},
		{"names begin and end", "CREATE PROCEDURE p() BEGIN SELECT begin, end FROM t WHERE t.end > end; SET NEW.end = NEW.begin; END; d",
			"1:1 \"CREATE PROCEDURE p() BEGIN SELECT begin, end FROM t WHERE t.end > end; SET NEW.end = NEW.begin; END\"\n1:102 \"d\"\n"},
		{"a simple body", "CREATE TRIGGER t BEFORE INSERT ON begin FOR EACH ROW SET NEW.a = begin; b", "1:1 \"CREATE TRIGGER t BEFORE INSERT ON begin FOR EACH ROW SET NEW.a = begin\"\n1:73 \"b\"\n"},
		{"for update behind an expression", "CREATE PROCEDURE p() BEGIN SELECT CASE a WHEN 1 THEN 2 END FOR UPDATE; END; b", "1:1 \"CREATE PROCEDURE p() BEGIN SELECT CASE a WHEN 1 THEN 2 END FOR UPDATE; END\"\n1:77 \"b\"\n"},
		{"event", "CREATE EVENT e ON SCHEDULE EVERY 1 DAY STARTS NOW() DO BEGIN a; b; END; c", "1:1 \"CREATE EVENT e ON SCHEDULE EVERY 1 DAY STARTS NOW() DO BEGIN a; b; END\"\n1:73 \"c\"\n"},
		{"definer", "CREATE DEFINER=`r`@`%` FUNCTION f(a SET('x')) RETURNS VARCHAR(5) CHARACTER SET utf8 DETERMINISTIC BEGIN RETURN 1; END; c",
			"1:1 \"CREATE DEFINER=`r`@`%` FUNCTION f(a SET('x')) RETURNS VARCHAR(5) CHARACTER SET utf8 DETERMINISTIC BEGIN RETURN 1; END\"\n1:120 \"c\"\n"},
		{"dump of a trigger", "DELIMITER ;;\n/*!50003 CREATE*/ /*!50017 DEFINER=`r`@`%`*/ /*!50003 TRIGGER t BEFORE INSERT ON x FOR EACH ROW BEGIN a; END */;;\nDELIMITER ;",
			"2:1 \"/*!50003 CREATE*/ /*!50017 DEFINER=`r`@`%`*/ /*!50003 TRIGGER t BEFORE INSERT ON x FOR EACH ROW BEGIN a; END */\"\n"},
		{"version comment", "/*!40101 SET a=1; */; b", "1:1 \"/*!40101 SET a=1; */\"\n1:23 \"b\"\n"},
		{"sandbox", "/*!999999\\- enable the sandbox mode */\nSET a=1;", "2:1 \"SET a=1\"\n"},
		{"client ends", "SELECT 1\\G\nSELECT 2\\g SELECT 3;", "1:1 \"SELECT 1\"\n2:1 \"SELECT 2\"\n2:12 \"SELECT 3\"\n"},
		{"use", "USE a\nCREATE TABLE b (c int);\nuse d;", "1:1 \"USE a\"\n2:1 \"CREATE TABLE b (c int)\"\n3:1 \"use d\"\n"},
		{"source", "source other.sql\nSELECT 1;\\. x", "2:1 \"SELECT 1\"\ngap 1:1 a command of the mysql client: source: the server does not know it, and what it does is not read\ngap 2:10 a command of the mysql client: \\.: the server does not know it, and what it does is not read\n"},
		{"open string", "a; SELECT 'b;\nc;", "1:1 \"a\"\ngap 1:10 the rest of the script: string is not closed\n"},
		{"open comment", "a; b /* c", "1:1 \"a\"\ngap 1:5 the rest of the script: comment is not closed\n"},
		{"open body", "a; CREATE PROCEDURE p() BEGIN b; c", "1:1 \"a\"\ngap 1:4 the rest of the script: the body of this statement is not closed: an END is missing\n"},
		{"open body ends at the delimiter", "DELIMITER $$\nCREATE PROCEDURE p() BEGIN b;$$\nc$$", "2:1 \"CREATE PROCEDURE p() BEGIN b;\"\n3:1 \"c\"\n"},
		{"NUL", "a; b\x00c; d;", "1:1 \"a\"\ngap 1:5 the rest of the script: it has binary content: a NUL byte\n"},
		{"UTF-16", "\xff\xfea\x00", "gap 1:1 a script in UTF-16: only UTF-8 is read\n"},
		{"latin1 in a string", "SELECT '\xe9'; -- \xe9\n", "1:1 \"SELECT '\\xe9'\"\n"},
		{"latin1 in a name", "SELECT \xe9; b", "1:11 \"b\"\ngap 1:1 a statement: a name in it is not valid UTF-8\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := splitted(tt.src); got != tt.want {
				t.Errorf("%s\ngot:\n%swant:\n%s", tt.src, got, tt.want)
			}
		})
	}
}

func TestSplitNesting(t *testing.T) {
	src := "CREATE PROCEDURE p() " + strings.Repeat("BEGIN ", 100_000)
	statements, gaps := Split("f", src)
	if len(statements) != 0 || len(gaps) != 1 || !strings.Contains(gaps[0].Why, "1000 blocks") {
		t.Errorf("got %d statements, gaps %v", len(statements), gaps)
	}
}

// TestSplitLarge holds Split to its bounds: 50 MB in proportionate time, and the worst that can stand in them.
func TestSplitLarge(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED with -short: scripts of 50 MB")
	}
	const size = 50 << 20
	for _, tt := range []struct {
		name, unit       string
		statements, gaps int
	}{
		{"a dump", script, 3 * (size / len(script)), 0},
		{"one statement", "INSERT INTO a VALUES (1,'x'),", 1, 0},
		{"many statements", "a;", maxStatements, 1},
		{"ends", "CREATE EVENT e DO BEGIN END /* */", 1, 0},
		{"an open string", "'a\\'", 0, 1},
		{"comments", "/* a */ -- b\n", 0, 0},
		{"an open comment", "/*!99999", 0, 1},
		{"spaces", "   \n", 0, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			start := time.Now()
			statements, gaps := Split("f", strings.Repeat(tt.unit, size/len(tt.unit)))
			if len(statements) != tt.statements || len(gaps) != tt.gaps {
				t.Errorf("%d statements, %d gaps, want %d and %d", len(statements), len(gaps), tt.statements, tt.gaps)
			}
			if took := time.Since(start); took > 30*time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
}

func TestSplitFrom(t *testing.T) {
	statements, _ := SplitFrom(Pos{"f", 7, 3}, "a; b\n; c")
	var got []string
	for _, st := range statements {
		got = append(got, st.Pos.String())
	}
	if want := "f:7:3 f:7:6 f:8:3"; strings.Join(got, " ") != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestPosAt(t *testing.T) {
	st := Statement{SQL: "a\n bc", Pos: Pos{"f", 3, 5}, Verbatim: true}
	for offset, want := range map[int]Pos{0: {"f", 3, 5}, 1: {"f", 3, 6}, 3: {"f", 4, 2}, 99: {"f", 4, 4}, -1: {"f", 3, 5}} {
		if got := st.PosAt(offset); got != want {
			t.Errorf("%d: %v, want %v", offset, got, want)
		}
	}
	st.Verbatim = false
	if got := st.PosAt(3); got != st.Pos {
		t.Errorf("not verbatim: %v", got)
	}
}

// FuzzSplit holds Split to its law: the statements are pieces of the script at their positions, in order, and between them
// stands nothing that the server would execute.
func FuzzSplit(f *testing.F) {
	for _, s := range []string{
		"CREATE TABLE a (b int); -- c\nALTER TABLE a DROP b;",
		"DELIMITER $$\nCREATE PROCEDURE p() BEGIN IF a THEN b; END IF; END$$\nDELIMITER ;\nx;",
		"CREATE TRIGGER t AFTER DELETE ON x FOR EACH ROW BEGIN CASE a WHEN 1 THEN b; END CASE; END; y",
		"/*!50003 CREATE*/ /*!50017 DEFINER=`r`@`%`*/ /*!50003 TRIGGER t */;", "USE a\nSELECT 1\\G", "source x\n'", "a\x00b", "\ufeffa;\r\n`",
		"BEGIN NOT ATOMIC a; END; b", "DELIMITER //\na//\nDELIMITER '\nb//", "CREATE EVENT e DO REPEAT a; UNTIL 1 END REPEAT; c",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, src string) {
		statements, gaps := Split("f", src)
		lines := strings.SplitAfter(src, "\n")
		starts := make([]int, len(lines)+1)
		for i, l := range lines {
			starts[i+1] = starts[i] + len(l)
		}
		offset := func(p Pos) int {
			if p.File != "f" || p.Line < 1 || p.Line > len(lines) || p.Col < 1 || p.Col > len(lines[p.Line-1])+1 {
				t.Fatalf("%q: position %v is not in the script", src, p)
			}
			return starts[p.Line-1] + p.Col - 1
		}
		gapped := map[int]bool{}
		for _, g := range gaps {
			gapped[offset(g.Pos)] = true
		}
		at := 0
		for _, st := range statements {
			start := offset(st.Pos)
			if start < at {
				t.Fatalf("%q: statements overlap at %v", src, st.Pos)
			}
			if !strings.HasPrefix(src[start:], st.SQL) || st.SQL == "" {
				t.Fatalf("%q: %q is not at %v", src, st.SQL, st.Pos)
			}
			checkBetween(t, src, at, start, gapped)
			at = start + len(st.SQL)
			if end := st.PosAt(len(st.SQL)); offset(end) != at {
				t.Fatalf("%q: the end of %q is said to be at %v", src, st.SQL, end)
			}
		}
		checkBetween(t, src, at, len(src), gapped)
		if len(gaps) == 0 && len(statements) == 0 && utf8.ValidString(src) {
			// Nothing was found and nothing is missing: then nothing is there.
			l := lexer{src: strings.TrimPrefix(src, "\ufeff"), runs: runsSomewhere}
			for tok := l.next(); tok.kind != tokEOF; tok = l.next() {
				if tok.kind == tokString {
					t.Fatalf("%q: a string is lost", src)
				}
				if tok.is(l.src, "delimiter") {
					break
				}
			}
		}
	})
}

// checkBetween allows between statements: whitespace, comments, terminators, DELIMITER lines, and anything behind a gap
// up to the next statement.
func checkBetween(t *testing.T, src string, from, to int, gapped map[int]bool) {
	t.Helper()
	l := lexer{src: src[:to], pos: from, runs: runsSomewhere}
	if from == 0 && strings.HasPrefix(src, "\ufeff") {
		l.pos = len("\ufeff")
	}
	for off := from; off < to; off++ {
		if gapped[off] {
			return
		}
	}
	if gapped[to] {
		return
	}
	custom := strings.Contains(strings.ToLower(src), "delimiter")
	for tok := l.next(); tok.kind != tokEOF; tok = l.next() {
		text := tok.text(src)
		if tok.kind == tokComment || text == ";" || text == `\g` || text == `\G` || custom {
			continue
		}
		t.Fatalf("%q: %q stands between statements", src, text)
	}
}

// script is a migration of the usual kind, for benchmarks.
const script = `-- adds users
CREATE TABLE users (
  id INT UNSIGNED NOT NULL AUTO_INCREMENT,
  name VARCHAR(100) NOT NULL DEFAULT 'it''s', -- the name
  data LONGTEXT,
  PRIMARY KEY (id), KEY users_name (name)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
ALTER TABLE users ADD COLUMN nick VARCHAR(40) NULL, DROP COLUMN data;
INSERT INTO users (id, name) VALUES (1, 'a;b'), (2, "c");
`

func BenchmarkSplit(b *testing.B) {
	src := strings.Repeat(script, 1000)
	b.SetBytes(int64(len(src)))
	b.ReportAllocs()
	for b.Loop() {
		if statements, gaps := Split("f", src); len(statements) != 3000 || len(gaps) != 0 {
			b.Fatal(len(statements), gaps)
		}
	}
}

func BenchmarkSplitBody(b *testing.B) {
	src := strings.Repeat("CREATE PROCEDURE p() BEGIN IF a THEN SELECT CASE b WHEN 1 THEN 2 END; ELSE SET c = 1; END IF; END;\n", 1000)
	b.SetBytes(int64(len(src)))
	b.ReportAllocs()
	for b.Loop() {
		if statements, gaps := Split("f", src); len(statements) != 1000 || len(gaps) != 0 {
			b.Fatal(len(statements), gaps)
		}
	}
}
