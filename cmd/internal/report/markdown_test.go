package report

import (
	"fmt"
	"strings"
	"testing"

	"instep/analyzer"
	"instep/analyzer/schema"
)

func TestCode(t *testing.T) {
	for in, want := range map[string]string{
		"SELECT 1":               "`SELECT 1`",
		"SELECT 1 FROM `rules`":  "`` SELECT 1 FROM `rules` ``",
		"a ``` b":                "```` a ``` b ````",
		"a | b":                  "`a | b`",
		"line\nbreak \x1b[31m":   "`line break \ufffd[31m`",
		"\u202etxt.exe reversed": "`\ufffdtxt.exe reversed`",
	} {
		if got := code(in); got != want {
			t.Errorf("code(%q) = %q, want %q", in, got, want)
		}
	}
	if got, want := codeCell("a | b"), "`a \\| b`"; got != want { // in a table a bar ends even a code span
		t.Errorf("codeCell gives %q, want %q", got, want)
	}
}

// TestMarkdownCut: a section that is too long is cut, and those behind it are still there.
func TestMarkdownCut(t *testing.T) {
	var tables, drops strings.Builder
	for i := range 400 {
		fmt.Fprintf(&tables, "CREATE TABLE t%d (id INT PRIMARY KEY, c%d INT);\n", i, i)
		fmt.Fprintf(&drops, "ALTER TABLE t%d RENAME COLUMN c%d TO d%d;\n", i, i, i)
	}
	d := release(t, tables.String(), drops.String(), nil)
	d.ConfigChanges = []string{"+ ignore: [{rule: drop-column}]"}
	for i := range d.Hazards { // so that no two share their reasons
		d.Hazards[i].If = fmt.Sprint("condition ", i)
	}
	out := write(t, Markdown, d)
	_, breaks, _ := strings.Cut(out, "<details open><summary>What breaks</summary>")
	breaks, _, _ = strings.Cut(breaks, "</details>")
	if !strings.Contains(breaks, "t0.c0 is renamed") || !strings.HasSuffix(breaks, "_The rest is too long for a comment: run `instep` locally to see it._\n\n") {
		t.Errorf("what breaks is not said, or not that there is more: %.300s … %.300s", breaks, breaks[max(0, len(breaks)-300):])
	}
	if !strings.Contains(out, "    + ignore: [{rule: drop-column}]\n") {
		t.Error("that the configuration differs is not said")
	}
	if n := len(out); n > 65_000 || n < maxMarkdown/2 {
		t.Errorf("%d bytes", n)
	}
	if a, b := strings.Count(out, "<details"), strings.Count(out, "</details>"); a != b || a < 3 {
		t.Errorf("%d sections begin, %d end", a, b)
	}
}

// TestMarkdownTitle: what stands in a summary is HTML, where a backslash escapes nothing and is shown.
func TestMarkdownTitle(t *testing.T) {
	got := mdSection{title: `in a_b*[c]\ <b> @all`, lines: []string{"x\n"}}.String()
	if want := "<details><summary>in a&#95;b&#42;&#91;&#8203;c&#93;&#92; &lt;b&gt; &#64;&#8203;all</summary>\n\nx\n\n</details>\n\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestMarkdownQueries: of findings that are alike not every query is printed.
func TestMarkdownQueries(t *testing.T) {
	f := analyzer.Finding{Hazard: analyzer.Hazard{Rule: ruleByID("drop-column"), Breaks: analyzer.OldCode}, Services: []analyzer.Hit{{Name: "app", Code: analyzer.OldCode}}}
	d := &Document{Report: &analyzer.Report{Verdict: analyzer.Split}}
	for i := range 100 {
		f.What, f.Preflight = fmt.Sprint("thing ", i), fmt.Sprint("SELECT ", i)
		d.Hazards = append(d.Hazards, f)
	}
	if n := strings.Count(write(t, Markdown, d), "**ask**"); n != maxAlike {
		t.Errorf("%d queries, want %d", n, maxAlike)
	}
}

// TestGapsAlike: gaps of one reason stand together, with the reason once.
func TestGapsAlike(t *testing.T) {
	d := &Document{Report: &analyzer.Report{Verdict: analyzer.Unproven, Gaps: []schema.Gap{
		{Pos: schema.Pos{File: "1.sql", Line: 1, Col: 1}, What: "thing 1", Why: "no table"},
		{Pos: schema.Pos{File: "2.sql", Line: 1, Col: 1}, What: "thing 2", Why: "no server"},
		{Pos: schema.Pos{File: "3.sql", Line: 1, Col: 1}, What: "thing 3", Why: "no table"},
	}}}
	for _, f := range []*Format{Text, Markdown, HTML} {
		rest := write(t, f, d)
		for _, next := range []string{"1.sql:1:1", "thing 1", "3.sql:1:1", "thing 3", "no table", "2.sql:1:1", "thing 2", "no server"} {
			_, after, ok := strings.Cut(rest, next)
			if !ok {
				t.Fatalf("%s: no %q in\n%s", f.Name, next, rest)
			}
			rest = after
		}
		if strings.Contains(rest, "no table") {
			t.Errorf("%s says the reason twice", f.Name)
		}
	}
	for range 100 {
		d.Gaps = append(d.Gaps, d.Gaps[0])
	}
	if got, want := write(t, Markdown, d), fmt.Sprintf("- … and %d more like these\n\n  **why** no table\n", 102-maxAlike); !strings.Contains(got, want) {
		t.Errorf("no %q in\n%s", want, got)
	}
}

// hostileDocument is a report on a repository in which every name is an attack.
func hostileDocument() *Document {
	const evil = "<img src=x onerror=alert(1)> @everyone [a](https://evil.example) www.evil.example #1 ##[set-output name=verdict]any-order \x1b[2J \u202e\n\n# heading\n```"
	rule := &analyzer.Rule{ID: "drop-column", Why: "why", Fix: "fix"}
	pos := schema.Pos{File: evil, Line: 1, Col: 1}
	r := &analyzer.Report{
		Verdict: analyzer.Unproven, Deployed: analyzer.Ref{Rev: evil, Commit: strings.Repeat("a", 40)}, Why: evil,
		Services: []analyzer.ServiceReport{{Name: evil, Reason: evil, WindowReason: evil, Window: true, RollbackReason: evil,
			Deployed: []analyzer.DeployedAt{{Ref: analyzer.Ref{Rev: evil, Commit: strings.Repeat("b", 40)}, Reached: true, Behind: true}, {Ref: analyzer.Ref{Rev: evil}}}}},
		Migrations: []analyzer.Migration{{ID: evil, File: evil, Database: evil, State: analyzer.Pending}},
		Hazards: []analyzer.Finding{
			{Fingerprint: "1", Hazard: analyzer.Hazard{Rule: rule, Breaks: analyzer.OldCode, Hits: schema.Object{Kind: schema.KindTable, Table: evil}, What: evil, If: evil, Preflight: evil}, Pos: pos,
				Services: []analyzer.Hit{{Name: evil, Code: analyzer.OldCode}}, Evidence: []analyzer.Evidence{{Rev: evil, File: evil, Line: 1, Text: evil}}, From: analyzer.Ref{Rev: evil}},
			{Hazard: analyzer.Hazard{Rule: rule, Breaks: analyzer.OldCode, Hits: schema.Object{Kind: schema.KindTable, Table: evil}, What: evil, If: evil, Caution: true}, Fingerprint: "2", Pos: pos},
		},
		Ignored:       []analyzer.Finding{{Fingerprint: "3", Hazard: analyzer.Hazard{Rule: rule, What: evil}, Because: evil, Pos: pos}},
		UnusedIgnores: []analyzer.Ignore{{Rule: evil, Object: evil}},
		Costs:         []analyzer.Cost{{Statement: schema.Statement{SQL: evil, Pos: pos}, Algorithm: "COPY"}},
		Gaps:          []schema.Gap{{Pos: pos, What: evil, Why: evil}},
		DriftGroups:   []analyzer.DriftGroup{{Kind: "column-type", What: evil, Names: []analyzer.NameCount{{Name: evil, Count: 2}}, Count: 2}},
	}
	return &Document{Report: r, ConfigChanges: []string{"+ " + evil}}
}

// TestHostileNames holds that names of a stranger's repository stay names, whatever the format: no markup, no
// mention, no link, no escape sequence.
func TestHostileNames(t *testing.T) {
	d := hostileDocument()
	for _, f := range Formats {
		for _, brief := range []bool{false, true} {
			var b strings.Builder
			d.Brief = brief
			if err := f.Write(&b, d); err != nil {
				t.Fatalf("%s: %v", f.Name, err)
			}
			out := b.String()
			if strings.Contains(out, "##[") || f == Text && !brief && !strings.Contains(out, "set-output name") {
				t.Errorf("%s gives a command to the runner of GitHub Actions", f.Name)
			}
			for _, bad := range []string{"\x1b", "\u202e"} {
				if f.Name != "json" && strings.Contains(out, bad) {
					t.Errorf("%s lets %q through", f.Name, bad)
				}
			}
			if f.Name == "json" && strings.Contains(out, "\x1b") {
				t.Error("json holds a raw control character")
			}
			if f.Name != "markdown" {
				continue
			}
			for i, line := range strings.Split(out, "\n") {
				if strings.HasPrefix(line, "    ") {
					continue // a block of code
				}
				rest := withoutCode(line)
				for _, bad := range []string{"<img", "@everyone", "a](", "https://", "www.evil", "# heading"} {
					if strings.Contains(rest, bad) && !(bad == "# heading" && strings.HasPrefix(line, "###")) {
						t.Errorf("markdown line %d lets %q through: %s", i+1, bad, line)
					}
				}
			}
		}
	}
}

// TestTextCommands: wherever a line is wrapped, no word of a stranger's becomes a command to the runner of GitHub Actions.
func TestTextCommands(t *testing.T) {
	begins := 0
	for pad := range 120 {
		d := &Document{Report: &analyzer.Report{Verdict: analyzer.Unproven, Gaps: []schema.Gap{{What: strings.Repeat("x", pad) + " ::stop-commands::x", Why: "::error::y"}, {What: "\u00a0::warning::z"}}}}
		for line := range strings.Lines(write(t, Text, d)) {
			rest := strings.TrimSpace(line)
			if strings.HasPrefix(rest, "::") {
				t.Fatalf("a line is a command: %q", line)
			}
			if strings.HasPrefix(rest, ":\u200b:stop") {
				begins++
			}
		}
	}
	if begins == 0 {
		t.Error("no word has come to the beginning of a line, so this test shows nothing")
	}
}

// withoutCode takes the code spans out of a line of Markdown.
func withoutCode(line string) string {
	var b strings.Builder
	for line != "" {
		i := strings.IndexByte(line, '`')
		if i < 0 || i > 0 && line[i-1] == '\\' {
			if i < 0 {
				b.WriteString(line)
				break
			}
			b.WriteString(line[:i+1])
			line = line[i+1:]
			continue
		}
		b.WriteString(line[:i])
		n := len(line[i:]) - len(strings.TrimLeft(line[i:], "`"))
		fence := line[i : i+n]
		rest := line[i+n:]
		end := -1
		for at := 0; at < len(rest); {
			k := strings.Index(rest[at:], fence)
			if k < 0 {
				break
			}
			k += at
			m := len(rest[k:]) - len(strings.TrimLeft(rest[k:], "`"))
			if m == n {
				end = k
				break
			}
			at = k + m
		}
		if end < 0 {
			b.WriteString(rest)
			break
		}
		line = rest[end+n:]
	}
	return b.String()
}
