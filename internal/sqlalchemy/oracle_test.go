package sqlalchemy

import (
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"instep/analyzer/schema"
	"instep/internal/python"
)

// cases gives the names of the functions in cases.py.
func cases(t *testing.T) []string {
	src, err := os.ReadFile("testdata/cases.py")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, m := range regexp.MustCompile(`(?m)^def (case_\w+)\(`).FindAllStringSubmatch(string(src), -1) {
		names = append(names, m[1])
	}
	slices.Sort(names)
	return names
}

// golden reads cases.golden: the statements of each case, and what it raises as a last line.
func golden(t *testing.T, text string) map[string][]string {
	out := map[string][]string{}
	name := ""
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		if m := regexp.MustCompile(`^-- (\w+) --$`).FindStringSubmatch(line); m != nil {
			name = m[1]
			out[name] = []string{}
			continue
		}
		out[name] = append(out[name], strings.TrimSuffix(line, ";"))
	}
	return out
}

// runCase runs one case with the evaluator.
func runCase(t *testing.T, name string) []string {
	e := NewEngine(schema.New(schema.Server{Major: 8, Minor: 4}), "1")
	ev := python.New(python.Config{
		FS:     os.DirFS("testdata"),
		Native: func(ev *python.Eval, name string) *python.Module { return e.Module(ev, name) },
	})
	defer ev.Close()
	e.Eval = ev
	m := ev.Load("cases.py")
	meta := NewMetaData(&e.Env)
	meta.Cls = e.classFor("MetaData")
	ev.Run(m, name, meta, e.Bind())
	var out []string
	index := regexp.MustCompile(`^(CREATE (UNIQUE |FULLTEXT |SPATIAL )*INDEX|ALTER TABLE \w+ ADD CONSTRAINT)`)
	for _, f := range ev.Effects() {
		out = append(out, plain(f.Text))
	}
	for i := 0; i < len(out); {
		j := i
		for j < len(out) && index.MatchString(out[j]) {
			j++
		}
		slices.SortFunc(out[i:j], cmp.Compare[string])
		i = max(j, i+1)
	}
	for _, g := range ev.Gaps() {
		out = append(out, fmt.Sprintf("gap: %s: %s: %s", posOf(g.Pos), g.What, g.Why))
	}
	return out
}

var (
	optioned = regexp.MustCompile(`^(CREATE (?:\w+ )?TABLE .* \))(\S.*)$`)
	option   = regexp.MustCompile(`(?:DEFAULT CHARSET|\w+)[= ](?:'(?:[^']|'')*'|\S+)`)
)

// plain writes a statement as oracle.py does: on one line, table options sorted, because the library keeps them in a set.
func plain(sql string) string {
	sql = strings.Join(strings.Fields(sql), " ")
	if m := optioned.FindStringSubmatch(sql); m != nil && !strings.Contains(m[2], "PARTITION") {
		options := option.FindAllString(m[2], -1)
		slices.Sort(options)
		return m[1] + strings.Join(options, " ")
	}
	return sql
}

func posOf(p python.Pos) string { return fmt.Sprintf("%s:%d", p.File, p.Line) }

func TestCases(t *testing.T) {
	text, err := os.ReadFile("testdata/cases.golden")
	if err != nil {
		t.Fatal(err)
	}
	want := golden(t, string(text))
	for _, name := range cases(t) {
		t.Run(name, func(t *testing.T) {
			w, ok := want[name]
			if !ok {
				t.Fatalf("cases.golden has nothing for it: run /usr/bin/python3 testdata/oracle.py > testdata/cases.golden")
			}
			got := runCase(t, name)
			// What the library raises leaves the function, and the evaluator says so in a gap.
			if n := len(w); n > 0 && strings.HasPrefix(w[n-1], "raises ") {
				class := strings.TrimPrefix(w[n-1], "raises ")
				if m := len(got); m == 0 || !strings.HasPrefix(got[m-1], "gap: ") || !strings.Contains(got[m-1], class) {
					t.Errorf("it should raise %s, but gives\n%s", class, strings.Join(got, "\n"))
				} else {
					got = got[:m-1]
				}
				w = w[:n-1]
			}
			if !slices.Equal(got, w) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(w, "\n"))
			}
		})
	}
}

// TestOracle checks that cases.golden is what the real library says.
func TestOracle(t *testing.T) {
	python := "/usr/bin/python3"
	required := slices.Contains(strings.Split(os.Getenv("INSTEP_REQUIRE"), ","), "python")
	if err := exec.Command(python, "-c", "import sqlalchemy; assert sqlalchemy.__version__.startswith('1.4')").Run(); err != nil {
		if required {
			t.Fatalf("INSTEP_REQUIRE asks for python, but %s has no SQLAlchemy 1.4: %v", python, err)
		}
		t.Skipf("SKIP: %s has no SQLAlchemy 1.4, so that cases.golden is not compared with it", python)
	}
	for script, file := range map[string]string{"testdata/oracle.py": "testdata/cases.golden", "testdata/reflect.py": "testdata/reflect.golden"} {
		got, err := exec.Command(python, script).Output()
		if err != nil {
			t.Fatal(err)
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != string(want) {
			t.Errorf("%s is not what the library says; run\n\t%s %s > %s", file, python, script, file)
		}
	}
}

// TestReflect reflects tables from the modelled schema, and compares what would be created of them with what the real library
// says after reading the same SHOW CREATE TABLE.
func TestReflect(t *testing.T) {
	text, err := os.ReadFile("testdata/reflect.sql")
	if err != nil {
		t.Fatal(err)
	}
	s := schema.New(schema.Server{Major: 8, Minor: 4})
	var names []string
	for _, sql := range strings.Split(string(text), "\n\n") {
		if s, err = s.Apply(schema.Statement{SQL: sql}); err != nil {
			t.Fatal(err)
		}
		names = append(names, regexp.MustCompile("`(\\w+)`").FindStringSubmatch(sql)[1])
	}
	want, err := os.ReadFile("testdata/reflect.golden")
	if err != nil {
		t.Fatal(err)
	}
	m := NewMetaData(&Env{})
	for _, name := range names {
		var x *Table
		if x = m.Table(name); x == nil {
			x = NewTable(m, name, "")
			if err := Reflect(s, x, nil); err != nil {
				t.Fatal(err)
			}
		}
		ddl, err := CreateTable(x, false, nil)
		if err != nil {
			t.Fatal(err)
		}
		got := []string{plain(ddl.SQL)}
		slices.SortFunc(x.Indexes, func(a, b *Index) int { return cmp.Compare(a.Name.Text, b.Name.Text) })
		for _, ix := range x.Indexes {
			ddl, err := CreateIndex(ix, false)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, plain(ddl.SQL))
		}
		if w := golden(t, string(want))[name]; !slices.Equal(got, w) {
			t.Errorf("%s: got\n%s\nwant\n%s", name, strings.Join(got, "\n"), strings.Join(w, "\n"))
		}
	}
}
