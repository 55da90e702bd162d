package report

import (
	"encoding/json"
	"fmt"
	"io"
)

// GitLab prints a code quality report, which GitLab shows at the lines of a merge request (documentation: Code Quality, report
// format).
var GitLab = &Format{
	Name:  "gitlab",
	Doc:   "a GitLab code quality report",
	Write: writeGitLab,
}

type gitlabIssue struct {
	Description string         `json:"description"`
	CheckName   string         `json:"check_name"`
	Fingerprint string         `json:"fingerprint"`
	Severity    string         `json:"severity"`
	Location    gitlabLocation `json:"location"`
}

type gitlabLocation struct {
	Path  string      `json:"path"`
	Lines gitlabLines `json:"lines"`
}

type gitlabLines struct {
	Begin int `json:"begin"`
}

func writeGitLab(w io.Writer, d *Document) error {
	d = d.judged()
	issues := []gitlabIssue{}
	seen := map[string]int{} // of two with one fingerprint GitLab drops one: lines of code can be alike
	add := func(m remark, severity, text, file string, line int, fingerprint string) {
		if file == "" {
			file = configName // GitLab drops what has no file
		}
		if seen[fingerprint]++; seen[fingerprint] > 1 {
			fingerprint = digest(fingerprint, fmt.Sprint(seen[fingerprint]))
		}
		issues = append(issues, gitlabIssue{text, m.rule, fingerprint, severity, gitlabLocation{Clean(file), gitlabLines{max(line, 1)}}})
	}
	severity := [...]string{blocks: "blocker", matters: "major", informs: "info"}
	for _, m := range d.remarks() {
		if m.ignored != "" {
			continue
		}
		add(m, severity[m.level], m.text, m.pos.File, m.pos.Line, m.fingerprint)
		for _, e := range m.evidence {
			add(m, "info", m.evidenceText(e), e.File, e.Line, digest(m.fingerprint, e.Rev, e.File, e.Text))
		}
	}
	out, err := json.MarshalIndent(issues, "", "  ")
	if err != nil {
		return err
	}
	_, err = w.Write(append(out, '\n'))
	return err
}

// configName stands for what has no place of its own.
const configName = ".instep.yaml"
