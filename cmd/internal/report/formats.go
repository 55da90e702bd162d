// Package report prints a finished analyzer.Report. A format decides nothing: it is one file with one value, listed below.
package report

import (
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"instep/analyzer"
)

// A Document is what a format prints.
type Document struct {
	*analyzer.Report
	// Simulation is what running the upgrade has shown, judged; nil if it was not run.
	Simulation *analyzer.Simulation
	// ConfigChanges are the lines by which the configuration differs between the two refs, each with "+" or "-" before
	// it: a pull request could silence its own findings.
	ConfigChanges []string
	// Color: escape sequences for colours may be used.
	Color bool
	// Brief: only the answer.
	Brief bool
}

// A Format is a way of printing a report.
type Format struct {
	Name  string
	Doc   string
	Write func(w io.Writer, d *Document) error
}

// Formats are all formats; the first is the default.
var Formats = []*Format{Text, JSON, Markdown, HTML, GitHub, GitLab, SARIF, JUnit}

const runnerCommand = "##["

// Clean makes text of a stranger's repository fit for a terminal: control characters, which could move the cursor or
// change what was printed before, are replaced, and so is what is no UTF-8. Line breaks become spaces. A CI log is a terminal too:
// the runner of GitHub Actions takes ##[ for a command wherever it stands in a line (actions/runner, ActionCommand.TryParse), so a
// zero-width space comes into it.
func Clean(s string) string {
	s = strings.ReplaceAll(s, runnerCommand, "##\u200b[")
	ok := func(r rune) bool {
		return r != utf8.RuneError && !unicode.IsControl(r) && !unicode.Is(unicode.Bidi_Control, r)
	}
	if strings.IndexFunc(s, func(r rune) bool { return !ok(r) }) < 0 {
		return s
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t' || r == '\r':
			return ' '
		case !ok(r):
			return '\ufffd'
		}
		return r
	}, s)
}

// shorten cuts text to at most n runes.
func shorten(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n-1]) + "…"
}

// statement gives SQL on one line, shortened.
func statement(sql string, n int) string {
	return shorten(Clean(strings.Join(strings.Fields(sql), " ")), n)
}

// CleanCode is Clean for a line of code: tabs stay.
func CleanCode(s string) string {
	parts := strings.Split(s, "\t")
	for i, p := range parts {
		parts[i] = Clean(strings.TrimSuffix(p, "\r"))
	}
	return strings.Join(parts, "\t")
}
