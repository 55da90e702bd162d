package report

import (
	"encoding/json"
	"fmt"
	"html"
	"maps"
	"math/rand/v2"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"instep/analyzer"
	"instep/analyzer/rules"
	"instep/analyzer/schema"
)

func ruleByID(id string) *analyzer.Rule {
	if i := slices.IndexFunc(rules.All, func(r *analyzer.Rule) bool { return r.ID == id }); i >= 0 {
		return rules.All[i]
	}
	return nil
}

// wellFormed gives the hand-made reports what a finished report has.
func wellFormed(d *Document) *Document {
	for i := range d.Services {
		for _, s := range []*analyzer.Status{&d.Services[i].OldCodeNewSchema, &d.Services[i].NewCodeOldSchema} {
			if *s == "" {
				*s = analyzer.OK
			}
		}
	}
	return d
}

// readable are documents of all kinds that can be read back.
func readable(t testing.TB) map[string]*Document {
	docs := map[string]*Document{"ran": ran(), "fine": fine(), "stopped": stopped(), "hostile": wellFormed(hostileDocument())}
	w := wide()
	w.Order, w.Simulation.Judgment.Order = nil, nil
	for _, s := range w.Services {
		w.Order = append(w.Order, s.Name)
	}
	w.Simulation.Judgment.Order = w.Order
	docs["wide"] = w
	const evil = "<b>@all [x](https://evil.example) `` ``` | \\| <!-- instep:0 --> --> \n/close\n"
	h := wellFormed(hostile(evil))
	h.Order = []string{evil, analyzer.MigrationStep, "app"}
	h.Simulation.Judgment.Services[0].NewCode = analyzer.Confirmed
	h.Simulation.Judgment.Order = nil
	docs["hostile run"] = h
	return docs
}

func readBack(t testing.TB, d *Document, rule func(string) *analyzer.Rule) *Document {
	t.Helper()
	var b strings.Builder
	if err := JSON.Write(&b, d); err != nil {
		t.Fatal(err)
	}
	back, err := ReadJSON(strings.NewReader(b.String()), rule)
	if err != nil {
		t.Fatalf("%v\n%.3000s", err, b.String())
	}
	return back
}

// TestReadJSON holds that a document says the same in every format after it was written as JSON and read back.
func TestReadJSON(t *testing.T) {
	docs := readable(t)
	maps.Copy(docs, releases(t))
	docs["window"] = release(t, usersTable, "ALTER TABLE users MODIFY nick VARCHAR(5) NOT NULL; CREATE TABLE notes (id INT PRIMARY KEY); INSERT INTO notes VALUES (1);", nil)
	rebased := release(t, usersTable, "", nil)
	rebased.ConfigChanges = []string{"- services: {}", "+ services: {app: {access: none}}"}
	rebased.DriftGroups = hostileDocument().DriftGroups
	rebased.UnusedIgnores = []analyzer.Ignore{{Rule: "drop-column", Object: "users.nick", Because: "why not"}}
	rebased.OtherGaps = []schema.Gap{{Pos: schema.Pos{File: "db/0.sql"}, What: "x", Why: "y"}}
	docs["config and drift"] = rebased
	behind := release(t, usersTable, "ALTER TABLE users DROP COLUMN nick", nil)
	behind.Services[0].Deployed = []analyzer.DeployedAt{{Ref: analyzer.Ref{Rev: "v0", Commit: strings.Repeat("0", 40)}, Reached: true, Behind: true}}
	behind.Hazards[0].From = analyzer.Ref{Rev: "v0", Commit: strings.Repeat("0", 40)}
	if out := write(t, Text, behind); !strings.Contains(out, "at v0 (000000000), behind") || !strings.Contains(out, "from  what is deployed at v0") || !strings.Contains(out, "Old code of admin may break already") {
		t.Errorf("who is behind is not said:\n%s", out)
	}
	docs["behind"] = behind
	if l := behind.timeline().Lanes[1]; l.Name != "admin" || !l.Spans[0].Broken || l.Spans[0].From != 0 {
		t.Errorf("old code that is behind is drawn as if it worked: %+v", l)
	}
	for name, d := range docs {
		t.Run(name, func(t *testing.T) {
			rule := ruleByID
			if strings.HasPrefix(name, "hostile") {
				rule = func(id string) *analyzer.Rule { return &analyzer.Rule{ID: id, Why: "why", Fix: "fix"} }
			}
			back := readBack(t, d, rule)
			for _, f := range Formats {
				if f == JSON && len(d.Drift) > 0 {
					continue
				}
				if diff := cmp.Diff(write(t, f, d), write(t, f, back)); diff != "" {
					t.Errorf("%s (-written +read back):\n%s", f.Name, diff)
				}
				brief := [2]*Document{new(*d), new(*back)}
				brief[0].Brief, brief[1].Brief = true, true
				if diff := cmp.Diff(write(t, f, brief[0]), write(t, f, brief[1])); diff != "" {
					t.Errorf("%s, brief (-written +read back):\n%s", f.Name, diff)
				}
			}
		})
	}
}

// edited gives a report's JSON with some text put in another's place, which has to be there.
func edited(t testing.TB, d *Document, pairs ...string) string {
	t.Helper()
	var b strings.Builder
	if err := JSON.Write(&b, d); err != nil {
		t.Fatal(err)
	}
	s := b.String()
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(s, pairs[i]) {
			t.Fatalf("%q is not in\n%s", pairs[i], s)
		}
		s = strings.Replace(s, pairs[i], pairs[i+1], 1)
	}
	return s
}

func TestReadJSONRefuses(t *testing.T) {
	docs := releases(t)
	docs["ran"] = ran()
	for _, tt := range []struct {
		name, doc string
		edit      []string
		want      string
	}{
		{"another major version", "split", []string{`"1.3"`, `"2.0"`}, "format 2.0"},
		{"an older minor version", "split", []string{`"1.3"`, `"1.1"`}, "format 1.1, which lacks"},
		{"no version", "split", []string{`"1.3"`, `"x"`}, "which is none"},
		{"a verdict", "split", []string{`"verdict": "split"`, `"verdict": "fine"`}, `verdict: "fine" is not known`},
		{"a safe verdict for a split", "split", []string{`"verdict": "split"`, `"verdict": "any-order"`, `"order": []`, `"order": ["app", "admin"]`}, "does not go with its verdict"},
		{"no change for a split", "split", []string{`"verdict": "split"`, `"verdict": "no-change"`}, "does not go with its verdict"},
		{"no change with gaps", "unproven", []string{`"verdict": "unproven"`, `"verdict": "no-change"`}, "it has gaps"},
		{"the other order", "ordered", []string{"\"app\",\n    \"admin\"", "\"admin\",\n    \"app\""}, "or with its order"},
		{"an order of strangers", "ordered", []string{"\"app\",\n    \"admin\"", "\"app\", \"admin\", \"@all\""}, "no service"},
		{"an order for a split", "split", []string{`"order": []`, `"order": ["app"]`}, "it has an order"},
		{"a place", "ordered", []string{`"place": "before"`, `"place": "<b>"`}, "the place"},
		{"a status", "ordered", []string{`"old_code_new_schema": "breaks"`, `"old_code_new_schema": "| x |"`}, "old_code_new_schema"},
		{"a rule", "ordered", []string{`"rule": "drop-column"`, "\"rule\": \"` <b>\""}, "rule"},
		{"an algorithm", "ordered", []string{`"algorithm": "INSTANT"`, `"algorithm": "<b>"`}, "algorithm"},
		{"a commit", "ordered", []string{strings.Repeat("1", 40), "@everyone"}, "commit"},
		{"a fingerprint", "ordered", []string{`"fingerprint": "`, `"fingerprint": "<`}, "fingerprint"},
		{"a quick action", "no-change", []string{`"config_changes": []`, `"config_changes": ["/merge"]`}, "config_changes"},
		{"other hits", "ordered", []string{`"assumed": false`, `"name": "x"`}, "not those of its hits"},
		{"a negative line", "ordered", []string{`"line": 1`, `"line": -1`}, "out of range"},
		{"a looser run", "ran", []string{`"verdict": "split"`, `"verdict": "ordered"`}, "not those of the simulation"},
		{"a state of code", "ran", []string{`"code": "old-code"`, `"code": "running"`}, "code"},
		{"something behind it", "split", []string{"{\n", "{}\n{\n"}, "no JSON"},
		{"a word of an outcome", "ran", []string{`"old_code": "confirmed"`, `"old_code": "@all"`}, "old_code"},
	} {
		_, err := ReadJSON(strings.NewReader(edited(t, docs[tt.doc], tt.edit...)), ruleByID)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error %v, want %q", tt.name, err, tt.want)
		}
	}
	for text, want := range map[string]string{
		"": "the check that was to write it has failed", "{": "no JSON", "null": "no format_version", "[]": "no JSON document of instep", `{"format_version": 1.2}`: "no JSON document of instep",
		`{"format_version": "1.3"}`:                                                  `verdict: ""`,
		`{"format_version": "1.3", "hazards": 1}`:                                    "hazards",
		strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000):                  "",
		strings.Repeat("[", 100) + strings.Repeat("]", 100):                          "nested more than",
		`{"services": [` + strings.Repeat("{},", maxJSONList) + `{}]}`:               "a list has more than",
		`{"x": "` + strings.Repeat("x", maxJSONText+1) + `"}`:                        "a text has more than",
		strings.Repeat(" ", maxJSON+1):                                               "more than 16 MiB",
		`[` + strings.Repeat("["+strings.Repeat("1,", 15_000)+"1],", 40) + `1]`:      "more than 500000 values",
		edited(t, docs["no-change"], `"services": [`, `"services": [`+many(501)+`,`): "more than 500",
		edited(t, docs["ran"], `"cells": [`, `"cells": [`+cells(501)+`,`):            "more than 500",
	} {
		if _, err := ReadJSON(strings.NewReader(text), ruleByID); want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%.60q: error %v, want %q", text, err, want)
		}
	}
}

// TestReadJSONContradicts: a verdict by which an order is safe has to follow from the hazards.
func TestReadJSONContradicts(t *testing.T) {
	for _, tt := range []struct {
		name, doc string
		edit      func(d *Document)
		want      string
	}{
		{"split made any order", "split", func(d *Document) {
			d.Verdict, d.Order = analyzer.AnyOrder, []string{"admin", "app"}
			for i := range d.Services {
				s := &d.Services[i]
				s.Place, s.Window, s.CanRollBack, s.OldCodeNewSchema, s.NewCodeOldSchema = analyzer.Anywhere, false, true, analyzer.OK, analyzer.OK
			}
		}, "the hazards that hit it"},
		{"it breaks, and may go anywhere", "fine", func(d *Document) { d.Services[1].OldCodeNewSchema = analyzer.BreaksFor }, "what is said of its code"},
		{"new code breaks, and may go anywhere", "fine", func(d *Document) { d.Services[1].NewCodeOldSchema = analyzer.AssumedBreaks }, "what is said of its code"},
		{"a place for nothing", "ordered", func(d *Document) { d.Services[1].OldCodeNewSchema = analyzer.OK }, "what is said of its code"},
		{"a window kept quiet", "ordered", func(d *Document) { d.Services[0].Window = false }, "nothing is said of a window"},
		{"a way back that is none", "ordered", func(d *Document) { d.Services[1].CanRollBack = true }, "of going back"},
		{"a stranger is hit", "ordered", func(d *Document) { d.Hazards[0].Services[1].Name = "other" }, "is not listed"},
		{"two have to be the first", "ordered", func(d *Document) { d.Services[1].Migrates, d.Services[1].Window = true, true }, "several services would have to be the first"},
		{"no change, and changes", "no-change", func(d *Document) { d.Changes = []analyzer.ChangeReport{{Kind: "x", Class: analyzer.Additive}} }, "it has changes"},
		{"no change, and a consumer is hit", "no-change", func(d *Document) {
			d.Hazards = []analyzer.Finding{{Hazard: analyzer.Hazard{Rule: ruleByID("drop-column")}, Consumers: []analyzer.Hit{{Name: "x", Code: analyzer.OldCode}}}}
		}, "it has changes"},
		{"the run failed", "fine", func(d *Document) { d.Simulation.Databases[0].Steps[0].Error = &analyzer.ServerError{Message: "x"} }, "failed in the run"},
		{"deployed at many refs", "ordered", func(d *Document) { d.Services[0].Deployed = make([]analyzer.DeployedAt, maxRefs+1) }, "deployed at 21 refs"},
	} {
		docs := releases(t)
		docs["fine"] = fine()
		d := docs[tt.doc]
		readBack(t, d, ruleByID)
		tt.edit(d)
		if _, err := ReadJSON(strings.NewReader(edited(t, d)), ruleByID); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error %v, want %q", tt.name, err, tt.want)
		}
	}
}

// TestReadJSONBefore: what the version before has printed, without the keys of this one, says the same.
func TestReadJSONBefore(t *testing.T) {
	for name, d := range releases(t) {
		text := edited(t, d, `"1.3"`, `"1.2"`)
		text = regexp.MustCompile(`(?s),\s*"deployed": \[.*?\]`).ReplaceAllString(text, "")
		text = regexp.MustCompile(`,\s*"from": "[^"]*"`).ReplaceAllString(text, "")
		if strings.Contains(text, `"deployed": [`) || strings.Contains(text, `"from"`) {
			t.Fatalf("%s still holds what is new:\n%s", name, text)
		}
		back, err := ReadJSON(strings.NewReader(text), ruleByID)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, f := range []*Format{Text, Markdown, HTML} {
			if diff := cmp.Diff(write(t, f, d), write(t, f, back)); diff != "" {
				t.Errorf("%s, %s (-written +read back):\n%s", name, f.Name, diff)
			}
		}
	}
}

func many(n int) string {
	return strings.TrimSuffix(strings.Repeat(`{"place": "anywhere", "old_code_new_schema": "ok", "new_code_old_schema": "ok"},`, n), ",")
}

func cells(n int) string {
	var parts []string
	for i := range n {
		parts = append(parts, fmt.Sprintf(`{"service": "s%d", "code": "old-code"}`, i))
	}
	return strings.Join(parts, ",")
}

// TestReadJSONUnknown: keys that a later minor version brings are passed over; a rule that is not known keeps its id; prose of rules
// and the answer are the program's own.
func TestReadJSONUnknown(t *testing.T) {
	d := releases(t)["split"]
	text := edited(t, d, `"1.3"`, `"1.7", "answer": "Deploy!", "new": {"a": [1, {"b": null}]}`, `"rule": "`, `"why": "lies", "fix": "lies", "title": "lies", "rule": "zz-`)
	back, err := ReadJSON(strings.NewReader(text), ruleByID)
	if err != nil {
		t.Fatal(err)
	}
	out := write(t, Markdown, back)
	if !strings.Contains(out, "`zz-") || strings.Contains(out, "lies") || strings.Contains(out, "Deploy!") || !strings.HasPrefix(out, "### ⛔ Split this release") {
		t.Error(out)
	}
}

var (
	ownTags = regexp.MustCompile(`<details>|<details open>|</details>|<summary>|</summary>|<br>`)
	anyLink = regexp.MustCompile(`[^\\]\]\(|^\s*\[[^\]]*[^\\]\]:`)
)

// breaksOut gives the first thing in Markdown of ours that only a stranger's text can have brought, "" if there is none.
func breaksOut(out string) string {
	for i, line := range strings.Split(out, "\n") {
		if strings.HasPrefix(line, "    ") {
			continue // a block of code
		}
		rest := ownTags.ReplaceAllString(withoutCode(line), " ")
		rest = strings.TrimPrefix(rest, "### ")
		for _, bad := range []string{"<", "-->"} {
			if strings.Contains(rest, bad) {
				return fmt.Sprintf("line %d holds %s: %.300q", i+1, bad, line)
			}
		}
		if m := anyLink.FindString(rest); m != "" {
			return fmt.Sprintf("line %d holds the link %q: %.300q", i+1, m, line)
		}
		if m := reference.FindString(html.UnescapeString(rest)); m != "" {
			return fmt.Sprintf("line %d holds the reference %q: %.300q", i+1, m, line)
		}
		if strings.HasPrefix(strings.TrimSpace(rest), "/") && !strings.HasPrefix(strings.TrimSpace(line), "`") {
			return fmt.Sprintf("line %d is a quick action of GitLab's: %.300q", i+1, line)
		}
	}
	return ""
}

// attacks are texts that try to be more than text in a comment.
var attacks = []string{
	"<img src=x onerror=alert(1)>", "@everyone and a@evil.example.org", "@-x @_y @.z", "[a](https://evil.example)", "https://evil.example/?a=b", "www.evil.example", "WWW.evil.example",
	"#1 GH-1 GL-1 !1 $1 ~1 %1 &1 [issue:1]", "`", "``", "```\n<b>", "a `` <b>x</b> @all", " ` ", "|", `\|<b>`, "x | <b> | y", "--> <!-- instep:00112233445566778899 -->", "\n\n/close\n/merge\n", "\r\n# heading\r\n",
	"</details></summary><h1>", "&lt;b&gt;", "\\<b>", "\x1b[2J\u202e\u200b", "\xff\xfe", "", " ", "    code", "- [ ] x", "![i](https://evil.example/i.png)", "<https://evil.example>", "[x]: https://evil.example",
	"xmpp:a@b.example mailto:a@b.example", "javascript:alert(1)", "$`x`$ $$y$$", "::error::x",
}

// attacked gives a document in which every string is an attack.
func attacked(attack string) []*Document {
	docs := []*Document{wellFormed(hostileDocument()), wellFormed(hostile(attack))}
	replaceAll(docs[0], attack)
	docs[1].Simulation.Judgment.Services[0].NewCode = analyzer.Confirmed
	return docs
}

func replaceAll(d *Document, s string) {
	r := d.Report
	r.Deployed.Rev, r.Target.Rev, r.Why, r.Proviso = s, s, s, s
	for i := range r.Services {
		x := &r.Services[i]
		x.Name, x.Reason, x.WindowReason, x.RollbackReason = s, s, s, s
	}
	r.Migrations[0].ID, r.Migrations[0].File, r.Migrations[0].Database = s, s, s
	for i := range r.Hazards {
		h := &r.Hazards[i]
		h.Hits.Table, h.What, h.If, h.Preflight, h.Pos.File = s, s, s, s, s
		for k := range h.Services {
			h.Services[k].Name = s
		}
		for k := range h.Evidence {
			h.Evidence[k] = analyzer.Evidence{Rev: s, File: s, Line: 1, Text: s}
		}
	}
	r.Ignored[0].What, r.Ignored[0].Because = s, s
	r.Costs[0].Statement.SQL = s
	r.Gaps[0] = schema.Gap{Pos: schema.Pos{File: s, Line: 1}, What: s, Why: s}
	r.DriftGroups[0].What, r.DriftGroups[0].Names[0].Name = s, s
	d.ConfigChanges = []string{"+ " + s}
}

// TestAttacks holds that a stranger's text stays text in a comment; what a parser of GitHub's makes of it, too, where there is one.
func TestAttacks(t *testing.T) {
	_, err := exec.LookPath("cmark-gfm")
	if err != nil {
		t.Log("SKIPPED, NOT TESTED: what cmark-gfm makes of a comment: it is not installed")
	}
	mixed := slices.Clone(attacks)
	r := rand.New(rand.NewPCG(1, 2))
	for range 60 {
		var b strings.Builder
		for range 2 + r.IntN(5) {
			b.WriteString(attacks[r.IntN(len(attacks))])
		}
		mixed = append(mixed, b.String())
	}
	for _, attack := range mixed {
		for i, d := range attacked(attack) {
			out := write(t, Markdown, d)
			if bad := breaksOut(out); bad != "" {
				t.Errorf("%q in document %d: %s", attack, i, bad)
			}
			if err == nil {
				if bad := rendersBadly(t, out); bad != "" {
					t.Errorf("%q in document %d, rendered: %s", attack, i, bad)
				}
			}
		}
	}
}

var (
	htmlCode = regexp.MustCompile(`(?s)<code>.*?</code>`)
	htmlTag  = regexp.MustCompile(`<[^>]*>`)
	// reference is what a forge makes a link of, in text.
	reference = regexp.MustCompile(`@[\w.-]|(^|\W)#\d|!\d|\$\d|~[\w"]|&\d|(?i:\bg[hl]-\d|www\.\w|://)|\[\w+:\d`)
)

// rendersBadly gives a tag or a reference that has no business in a comment.
func rendersBadly(t *testing.T, markdown string) string {
	cmd := exec.Command("cmark-gfm", "-e", "autolink", "-e", "table", "-e", "strikethrough", "-e", "tasklist", "--unsafe")
	cmd.Stdin = strings.NewReader(markdown)
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	text := htmlCode.ReplaceAllString(string(out), "`")
	known := regexp.MustCompile(`^</?(p|h[1-6]|ul|ol|li|table|thead|tbody|tr|th|td|strong|em|code|pre|br|hr|details|summary|blockquote|del)( ?/| open| align="\w+"| start="\d+")?>$|^<input type="checkbox"[^>]*>$`)
	for _, tag := range htmlTag.FindAllString(text, -1) {
		if !known.MatchString(tag) {
			return "the tag " + tag
		}
	}
	text = html.UnescapeString(htmlTag.ReplaceAllString(text, " "))
	if at := reference.FindStringIndex(text); at != nil {
		return fmt.Sprintf("the reference in %q", text[max(0, at[0]-30):min(len(text), at[1]+30)])
	}
	return ""
}

// TestHuge holds that a comment stays short enough, and is made soon, whatever a report of allowed size holds.
func TestHuge(t *testing.T) {
	d := wellFormed(hostileDocument())
	long := strings.Repeat("@<x> ", 20_000)
	for i := range maxRead - 1 {
		name := fmt.Sprintf("%d%s", i, long[:2000])
		d.Services = append(d.Services, analyzer.ServiceReport{Name: name, Reason: long[:4000], OldCodeNewSchema: analyzer.BreaksFor, NewCodeOldSchema: analyzer.OK, Place: analyzer.Before})
	}
	f := d.Hazards[0]
	f.Rule, f.Evidence = ruleByID("drop-column"), nil
	for i := range 8000 {
		g := f
		g.What, g.Services = fmt.Sprint(i), []analyzer.Hit{{Name: fmt.Sprint("service ", i%400), Code: analyzer.OldCode}}
		d.Hazards = append(d.Hazards, g)
	}
	for range 5000 {
		d.Gaps = append(d.Gaps, schema.Gap{What: "x", Why: long[:200]})
	}
	start := time.Now()
	back := readBack(t, d, ruleByID)
	out := write(t, Markdown, back)
	if n := utf8.RuneCountInString(out); n > 65_000 {
		t.Errorf("%d characters", n)
	}
	if took := time.Since(start); took > 60*time.Second {
		t.Errorf("it took %v", took)
	}
	if !strings.Contains(out, "too long for a comment") {
		t.Error("what is left out is not said")
	}
	if bad := breaksOut(out); bad != "" {
		t.Error(bad)
	}
}

// TestHugeEvidence: the time that it takes is in proportion to the report's size.
func TestHugeEvidence(t *testing.T) {
	d := releases(t)["ordered"]
	f := d.Hazards[0]
	for i := range 240 {
		f.Evidence = nil
		for k := range maxRead {
			f.Evidence = append(f.Evidence, analyzer.Evidence{Line: i*maxRead + k})
		}
		d.Hazards = append(d.Hazards, f)
	}
	text := strings.NewReplacer(`"rev": "",`, "", `"file": "",`, "", `"text": ""`, `"x": 0`).Replace(edited(t, d))
	start := time.Now()
	back, err := ReadJSON(strings.NewReader(text), ruleByID)
	if err != nil {
		t.Fatal(err)
	}
	if out := write(t, Markdown, back); !strings.Contains(out, "**seen**") {
		t.Errorf("the evidence is not there:\n%s", out)
	}
	if took := time.Since(start); took > 30*time.Second { // a second on a machine that does nothing else; minutes if each is compared with each
		t.Errorf("it took %v", took)
	}
	d.Hazards = slices.Repeat(d.Hazards[:1], maxRead+1)
	for i := range d.Hazards {
		d.Hazards[i].Consumers = []analyzer.Hit{{Name: fmt.Sprint(i), Code: analyzer.OldCode}}
	}
	if _, err := ReadJSON(strings.NewReader(edited(t, d)), ruleByID); err == nil || !strings.Contains(err.Error(), "that are hit, more than 500") {
		t.Errorf("very many names: %v", err)
	}
}

// TestHugeCell: a cell names two errors, and looks no further.
func TestHugeCell(t *testing.T) {
	c := analyzer.Cell{Sent: 1, Failed: 1, Failures: make([]analyzer.Failure, 300_000)}
	for i := range c.Failures {
		c.Failures[i].Error.Code = i + 1
	}
	start := time.Now()
	if got := newCell(&c).text; got != "1+2+… ×1" {
		t.Error(got)
	}
	if took := time.Since(start); took > 10*time.Second { // milliseconds; minutes if each is compared with each
		t.Errorf("it took %v", took)
	}
}

func FuzzReadJSON(f *testing.F) {
	for _, d := range readable(f) {
		var b strings.Builder
		if err := JSON.Write(&b, d); err != nil {
			f.Fatal(err)
		}
		f.Add([]byte(b.String()))
	}
	for _, a := range attacks[:6] {
		for _, d := range attacked(a) {
			var b strings.Builder
			if err := JSON.Write(&b, d); err != nil {
				f.Fatal(err)
			}
			f.Add([]byte(b.String()))
		}
	}
	f.Add([]byte(`{"format_version": "1.3", "verdict": "no-change"}`))
	f.Fuzz(func(t *testing.T, src []byte) {
		start := time.Now()
		d, err := ReadJSON(strings.NewReader(string(src)), ruleByID)
		if err != nil {
			return
		}
		for _, format := range Formats {
			out := write(t, format, d)
			if format != Markdown {
				continue
			}
			if bad := breaksOut(out); bad != "" {
				t.Error(bad)
			}
			if n := utf8.RuneCountInString(out); n >= 65_536 {
				t.Errorf("%d characters", n)
			}
		}
		if took := time.Since(start); took > 30*time.Second { // a second on a machine that does nothing else
			t.Errorf("it took %v for %d bytes", took, len(src))
		}
		if !json.Valid(src) {
			t.Error("what is no JSON was read")
		}
	})
}

// FuzzAttack puts any text wherever a report holds one.
func FuzzAttack(f *testing.F) {
	for _, a := range attacks {
		f.Add(a)
	}
	f.Fuzz(func(t *testing.T, attack string) {
		for _, d := range attacked(attack) {
			if bad := breaksOut(write(t, Markdown, d)); bad != "" {
				t.Error(bad)
			}
		}
	})
}
