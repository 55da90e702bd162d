package forge

import (
	"context"
	"fmt"
	"net/http"
	"regexp"

	"github.com/google/go-github/v88/github"
)

// commitHash is a full hash: what goes into the address of a request.
var commitHash = regexp.MustCompile(`^[0-9a-f]{40}([0-9a-f]{24})?$`)

// A CheckRun is a status with a page of text on GitHub.
type CheckRun struct {
	Commit  string
	Name    string
	State   State  // Success or Failure
	Title   string // the answer
	Summary string // Markdown
	URL     string // that it links to; "" for none
}

// maxSummary is how long GitHub lets a check run's summary be: 65,535 characters.
const maxSummary = 65535

// SetCheckRun makes a completed check run. Only an app may: the token of a workflow (GITHUB_TOKEN) is one, a person's is not.
// GitHub shows the newest run of a name and app, so each run makes one.
func (g *GitHub) SetCheckRun(ctx context.Context, c CheckRun) error {
	if !commitHash.MatchString(c.Commit) {
		return fmt.Errorf("%q is no commit", c.Commit)
	}
	if len(c.Summary) > maxSummary {
		return fmt.Errorf("the check run's summary has %d bytes, more than %d", len(c.Summary), maxSummary)
	}
	status, conclusion, title := "completed", "failure", shorten(c.Title, maxDescription)
	if c.State == Success {
		conclusion = "success"
	}
	opts := github.CreateCheckRunOptions{
		Name: c.Name, HeadSHA: c.Commit, Status: &status, Conclusion: &conclusion,
		Output: &github.CheckRunOutput{Title: &title, Summary: &c.Summary},
	}
	if c.URL != "" {
		opts.DetailsURL = &c.URL
	}
	err := g.do(ctx, "making a check run of "+c.Commit, true, func() error {
		_, _, err := g.client.Checks.CreateCheckRun(ctx, g.owner, g.name, opts)
		return err
	})
	if code(err) == http.StatusForbidden {
		return fmt.Errorf("%w; a check run can be made by an app only, such as a workflow's GITHUB_TOKEN with checks: write: with a person's token, set a status", err)
	}
	return err
}
