package report

import (
	"bytes"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"instep/analyzer"
)

// Markdown prints the report for a pull request: the answer first, details folded.
var Markdown = &Format{
	Name:  "markdown",
	Doc:   "for a pull request or an issue",
	Write: writeMarkdown,
}

// maxMarkdown keeps the document under the 65,536 characters that GitHub takes in a comment.
const maxMarkdown = 60000

// What stands before the folded sections is bounded too: how many bytes the document may have after the table of services and
// after their reasons, and how many runes a sentence and a name may have there.
const (
	maxTable    = 20000
	maxReasons  = 40000
	maxSentence = 1000
	maxName     = 100
)

func writeMarkdown(w io.Writer, d *Document) error {
	var b bytes.Buffer
	answer := d.answer()
	all := *d
	all.Report = d.Combined()
	d = &all
	icon := map[analyzer.Verdict]string{
		analyzer.NoChange: "✅", analyzer.AnyOrder: "✅", analyzer.Ordered: "➡️", analyzer.Split: "⛔", analyzer.Unproven: "❓",
	}[d.Verdict]
	fmt.Fprintf(&b, "### %s %s\n\n", icon, md(shorten(answer, maxSentence)))
	if d.Brief {
		_, err := w.Write(b.Bytes())
		return err
	}
	fmt.Fprintf(&b, "%s → %s", code(shorten(ref(d.Deployed), maxName)), code(shorten(ref(d.Target), maxName)))
	if why := d.why(); why != "" {
		fmt.Fprintf(&b, ": %s", md(shorten(why, maxSentence)))
	}
	b.WriteString("\n\n")
	for _, line := range d.deployments() {
		b.WriteString(md(shorten(line, maxSentence)) + "\n\n")
	}
	if len(d.Services) > 0 && (len(d.Changes) > 0 || d.Verdict != analyzer.NoChange) {
		b.WriteString("| service | place | old code, new schema | new code, old schema | window | rollback |\n| --- | --- | --- | --- | --- | --- |\n")
		for i, s := range d.Services {
			if b.Len() > maxTable {
				fmt.Fprintf(&b, "| … and %d more |\n", len(d.Services)-i)
				break
			}
			fmt.Fprintf(&b, "| %s | %s |\n", md(shorten(s.Name, maxName)), strings.Join(d.cells(s), " | "))
		}
		b.WriteString("\n")
		reasons := d.reasons()
		for i, r := range reasons {
			line := fmt.Sprintf("- **%s**: %s\n", md(shorten(r[0], maxName)), md(shorten(r[1], maxSentence)))
			if b.Len()+len(line) > maxReasons {
				fmt.Fprintf(&b, "- … and %d more\n", len(reasons)-i)
				break
			}
			b.WriteString(line)
		}
		b.WriteString("\n")
	}
	if d.Simulation != nil {
		matrix := mdMatrix(d)
		if b.Len()+len(matrix) > maxMarkdown {
			matrix = "_What running it has shown is too long for a comment: run `instep simulate` locally to see it._\n\n"
		}
		b.WriteString(matrix)
	}
	var parts []mdSection
	add := func(title string, open bool, lines []string) {
		if len(lines) > 0 {
			parts = append(parts, mdSection{title, open, lines})
		}
	}
	if d.Simulation != nil {
		mdSimulation(d, add)
	}
	var gaps []string
	for _, alike := range d.gapGroups() {
		var b strings.Builder
		for i, g := range alike {
			if i == maxAlike && len(alike) > maxAlike+1 {
				fmt.Fprintf(&b, "- … and %d more like these\n", len(alike)-i)
				break
			}
			fmt.Fprintf(&b, "- %s%s\n", mdAt(g.Pos.String(), g.Pos.File != ""), md(g.What))
		}
		if why := alike[0].Why; why != "" {
			fmt.Fprintf(&b, "\n  **why** %s\n\n", md(why))
		}
		gaps = append(gaps, b.String())
	}
	add(fmt.Sprintf("Not proved (%d)", len(d.Gaps)), true, gaps)
	add("What breaks", d.Verdict == analyzer.Split, mdFindings(d, hit))
	add("When the migration runs", false, mdFindings(d, func(f analyzer.Finding) bool { return !hit(f) && f.Breaks == analyzer.Running }))
	var short []string
	for _, f := range alikes(slices.DeleteFunc(slices.Clone(d.Hazards), func(f analyzer.Finding) bool { return hit(f) || f.Breaks == analyzer.Running }), kindKey) {
		short = append(short, fmt.Sprintf("- `%s` %s\n", f[0].Rule.ID, md(shortText(f))))
	}
	add("Worth a thought (assumed of no code)", false, short)
	title, lines := d.driftLines()
	var drift []string
	for _, l := range lines {
		drift = append(drift, fmt.Sprintf("- %d × %s\n", l.count, md(l.text)))
	}
	add(title, false, drift)
	var migrations []string
	for _, m := range d.Migrations {
		migrations = append(migrations, fmt.Sprintf("- %s %s in %s (%s)\n", m.State, code(m.ID), code(m.File), plural(len(m.Statements), "statement")))
	}
	add("Migrations", false, migrations)
	var costs []string
	for i, c := range d.Costs {
		if i == 0 {
			costs = append(costs, "| statement | algorithm | lock | rebuilds the table |\n| --- | --- | --- | --- |\n")
		}
		costs = append(costs, fmt.Sprintf("| %s | %s | %s | %s |\n", codeCell(statement(c.Statement.SQL, 100)), dash(c.Algorithm), dash(c.Lock), yesno(c.RebuildsTable)))
	}
	if len(costs) > 0 && d.Proviso != "" {
		costs = append(costs, "\n"+md(d.Proviso)+"\n")
	}
	add("Cost of the pending statements (estimate)", false, costs)
	var ignored []string
	for _, f := range d.Ignored {
		ignored = append(ignored, fmt.Sprintf("- %s (%s): %s\n", md(f.What), f.Rule.ID, md(f.Because)))
	}
	add("Ignored, as configured", true, ignored)
	if len(d.ConfigChanges) > 0 {
		var diff strings.Builder
		for _, l := range d.ConfigChanges {
			diff.WriteString("    " + Clean(l) + "\n")
		}
		add("The configuration differs from the deployed one", true, []string{diff.String()})
	}
	left := 0
	for _, p := range parts {
		text, room := p.String(), maxMarkdown-b.Len()
		if len(text) > room {
			text = p.cut(room / 2) // what comes behind it needs room too
		}
		if text == "" {
			left++
		}
		b.WriteString(text)
	}
	if left > 0 {
		fmt.Fprintf(&b, "_%d of %d sections are too long for a comment: run `instep` locally to see them._\n", left, len(parts))
	}
	_, err := w.Write(b.Bytes())
	return err
}

// An mdSection is folded, or open at first. Each of its lines stands for itself: some may be left out.
type mdSection struct {
	title string
	open  bool
	lines []string
}

func (s mdSection) String() string {
	state := ""
	if s.open {
		state = " open"
	}
	// This is HTML to its end, where a backslash would be shown.
	title := backslashed.ReplaceAllStringFunc(md(s.title), func(m string) string { return fmt.Sprintf("&#%d;", m[1]) })
	return fmt.Sprintf("<details%s><summary>%s</summary>\n\n%s\n</details>\n\n", state, title, strings.Join(s.lines, ""))
}

var backslashed = regexp.MustCompile(`\\[[:punct:]]`)

// cut gives the section with as many of its first lines as have room, "" if none has.
func (s mdSection) cut(room int) string {
	const rest = "\n_The rest is too long for a comment: run `instep` locally to see it._\n"
	whole := s.lines
	s.lines = []string{rest}
	room -= len(s.String())
	n := 0
	for n < len(whole) && len(whole[n]) <= room {
		room -= len(whole[n])
		n++
	}
	if n == 0 {
		return ""
	}
	s.lines = append(slices.Clone(whole[:n]), rest)
	return s.String()
}

func mdFindings(d *Document, want func(analyzer.Finding) bool) []string {
	var all []analyzer.Finding
	for _, f := range merged(d.Hazards) {
		if want(f) {
			all = append(all, f)
		}
	}
	var out []string
	for _, g := range alikes(all, alikeKey) {
		var b strings.Builder
		for k, f := range g {
			if k == maxAlike && len(g) > maxAlike+1 {
				fmt.Fprintf(&b, "- … and %d more like these\n", len(g)-k)
				break
			}
			fmt.Fprintf(&b, "- %s%s\n", mdAt(f.Pos.String(), f.Pos.File != ""), md(f.What))
		}
		f := g[0]
		b.WriteString("\n")
		for _, row := range [][2]string{{"who", hitText(f)}, {"if", f.If}, {"from", fromText(f)}, {"why", f.Rule.Why}, {"fix", f.Rule.Fix}} {
			if row[1] != "" {
				fmt.Fprintf(&b, "  **%s** %s<br>\n", row[0], md(row[1]))
			}
		}
		asked := 0
		for _, f := range g {
			if f.Preflight == "" {
				continue
			}
			if asked++; asked <= maxAlike {
				fmt.Fprintf(&b, "  **ask** %s<br>\n", code(f.Preflight))
			}
		}
		seen := evidence(g)
		for _, e := range seen[:min(len(seen), maxSeen)] {
			fmt.Fprintf(&b, "  **seen** %s (%s): %s<br>\n", code(fmt.Sprintf("%s:%d", e.File, e.Line)), md(e.Rev), code(shorten(e.Text, maxQuoted)))
		}
		fmt.Fprintf(&b, "  rule `%s`\n\n", f.Rule.ID)
		out = append(out, b.String())
	}
	return out
}

func mdAt(pos string, known bool) string {
	if !known {
		return ""
	}
	return code(pos) + " "
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// md escapes text for Markdown and for the HTML in it, so that a name in a stranger's repository stays a name: no
// links, no mentions, no tags. An entity keeps a character from the parser; but the forges look for references (@user, #1, !1,
// [issue:1], www., GH-1, GL-1) in what the parser gives, where an entity is the character again, and cmark-gfm looks there for addresses of
// mail: only a zero-width space keeps it from them. Not handled: commit hashes, which link only to the forge's own repository,
// and prefixes that a repository has configured.
func md(s string) string {
	text := Clean(s)
	var b strings.Builder
	b.Grow(len(text))
	begin := len(text) - len(strings.TrimLeft(text, " "))
	for i, r := range text {
		// What stands behind r: a word that it makes a reference of?
		rest := text[i+utf8.RuneLen(r):]
		word := func(quote string) bool {
			next, _ := utf8.DecodeRuneInString(rest)
			return rest != "" && (next == '_' || unicode.IsLetter(next) || unicode.IsDigit(next) || strings.ContainsRune(quote, next))
		}
		apart := false
		switch r {
		case '<':
			b.WriteString("&lt;")
		case '>':
			b.WriteString("&gt;")
		case '&':
			b.WriteString("&amp;")
			apart = word("")
		case '@':
			b.WriteString("&#64;")
			apart = rest != "" && rest[0] != ' '
		case '#':
			b.WriteString("&#35;")
			apart = word("")
		case ':':
			// A colon makes a bare address a link.
			b.WriteString("&#58;")
			apart = strings.HasPrefix(rest, "/")
		case '.':
			if apart = i >= 3 && strings.EqualFold(text[i-3:i], "www"); apart {
				b.WriteString("&#46;")
			} else {
				b.WriteRune(r)
			}
		case '-':
			b.WriteRune(r)
			apart = i >= 2 && (strings.EqualFold(text[i-2:i], "gh") || strings.EqualFold(text[i-2:i], "gl")) && word("")
		case '\\', '`', '_', ']', '|':
			b.WriteByte('\\')
			b.WriteRune(r)
		case '*', '[', '~', '!', '$':
			b.WriteByte('\\')
			b.WriteRune(r)
			apart = word(`"`)
		case '%', '^':
			b.WriteRune(r)
			apart = word(`"`)
		case '/':
			// At the beginning of a line it is a command to GitLab, which looks for it before anything is parsed.
			if i == begin {
				b.WriteString("&#47;")
			} else {
				b.WriteRune(r)
			}
		default:
			b.WriteRune(r)
		}
		if apart {
			b.WriteString("&#8203;")
		}
	}
	return b.String()
}

// codeCell is code for the cell of a table, where a bar ends it even there.
func codeCell(s string) string { return strings.ReplaceAll(code(s), "|", `\|`) }

// code gives text as a code span: between more backticks than stand in it, so that it cannot end the span. No other character
// means anything there. Nothing is a blank: two backticks alone would begin a span.
func code(s string) string {
	s = Clean(s)
	if s == "" {
		s = " "
	}
	if !strings.Contains(s, "`") {
		return "`" + s + "`"
	}
	longest, run := 0, 0
	for _, r := range s {
		if r == '`' {
			run++
			longest = max(longest, run)
		} else {
			run = 0
		}
	}
	fence := strings.Repeat("`", longest+1)
	return fence + " " + s + " " + fence
}
