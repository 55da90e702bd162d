package report

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"

	"instep/analyzer"
)

// JUnit prints the report as a test suite, which every CI server shows: one case for the verdict, one for each service.
var JUnit = &Format{
	Name:  "junit",
	Doc:   "a JUnit test report",
	Write: writeJUnit,
}

type junitSuites struct {
	XMLName  xml.Name   `xml:"testsuites"`
	Tests    int        `xml:"tests,attr"`
	Failures int        `xml:"failures,attr"`
	Suite    junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Cases    []junitCase `xml:"testcase"`
}

type junitCase struct {
	Class   string        `xml:"classname,attr"`
	Name    string        `xml:"name,attr"`
	Failure *junitFailure `xml:"failure,omitempty"`
	Out     string        `xml:"system-out,omitempty"`
}

type junitFailure struct {
	Type    string `xml:"type,attr"`
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

func writeJUnit(w io.Writer, d *Document) error {
	answer := d.answer()
	d = d.judged()
	var notes, failures []string
	for _, m := range d.remarks() {
		line := fmt.Sprintf("%s: %s [%s]", Clean(m.pos.String()), m.text, m.rule)
		switch {
		case m.ignored != "":
			notes = append(notes, line+" Ignored: "+sentence(m.ignored))
		case m.level == blocks:
			failures = append(failures, line)
		default:
			notes = append(notes, line)
		}
	}
	suite := junitSuite{Name: "instep " + ref(d.Deployed) + " → " + ref(d.Target)}
	out := []string{answer}
	for _, line := range d.deployments() {
		out = append(out, Clean(line))
	}
	release := junitCase{Class: "instep", Name: "a safe order exists", Out: strings.Join(append(out, notes...), "\n")}
	if d.Verdict == analyzer.Split || d.Verdict == analyzer.Unproven {
		release.Failure = &junitFailure{Type: string(d.Verdict), Message: answer, Text: strings.Join(failures, "\n")}
	}
	suite.Cases = append(suite.Cases, release)
	for _, s := range d.Services {
		c := junitCase{Class: "instep.services", Name: Clean(s.Name) + ": " + d.cells(s)[0], Out: strings.TrimSpace(strings.Join([]string{sentence(s.Reason), sentence(s.WindowReason), sentence(s.RollbackReason)}, " "))}
		if s.Place == analyzer.Nowhere {
			c.Failure = &junitFailure{Type: string(analyzer.Split), Message: Clean(s.Name) + " has no safe place", Text: Clean(s.Reason)}
		}
		suite.Cases = append(suite.Cases, c)
	}
	for _, c := range suite.Cases {
		suite.Tests++
		if c.Failure != nil {
			suite.Failures++
		}
	}
	text, err := xml.MarshalIndent(junitSuites{Tests: suite.Tests, Failures: suite.Failures, Suite: suite}, "", "  ")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "%s%s\n", xml.Header, text)
	return err
}
