package cli

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"instep/analyzer"
	"instep/analyzer/rules"
	"instep/cmd/internal/report"
	"instep/internal/forge"
)

// commentFlags are the flags of comment.
type commentFlags struct {
	from     string
	repo     string
	request  int
	api      string
	sha      string
	head     string
	key      string
	gitlab   bool
	status   bool
	check    bool
	keep     bool
	dryRun   bool
	exitZero bool
}

func newComment(o *options) *cobra.Command {
	f := &commentFlags{}
	cmd := &cobra.Command{
		Use:   "comment DEPLOYED [TARGET] | --from FILE",
		Short: "keep one comment on a pull request up to date, and set a status",
		Long: `comment says in one comment on a GitHub pull request or a GitLab merge request what the check says: it makes the comment, edits the
one that it has made before, and removes it when nothing is left to say (no schema change, nothing unproven, no change of the
configuration). However often and at however many places at once it runs, one comment is left.

It checks DEPLOYED against TARGET (HEAD, if none is given) itself, or takes the report of a check that ran elsewhere, --format json,
with --from: the way that is safe for pull requests from forks, whose analysis should have no token. Such a report is treated as
a stranger's. It never says where to comment: that is the environment's or the flags' word.

In GitHub Actions repository and pull request are known; the token is in GITHUB_TOKEN or GH_TOKEN. In GitLab CI they are known too;
the token is in GITLAB_TOKEN. It is never a flag. See docs/pull-requests.md for permissions and the set-up for forks.

The exit code is that of the check: 1 no safe order, 3 unproven; with --exit-zero it is 0 once the comment stands.`,
		Example: `  instep comment v3.110 --config-from deployed
  instep comment --from report.json --repo mozilla/balrog --pr 3245 --sha "$HEAD_SHA" --status --exit-zero
  instep comment v3.110 --dry-run`,
		Args: func(cmd *cobra.Command, args []string) error {
			if f.from == "" {
				return checkArgs(cmd, args)
			}
			if len(args) > 0 || o.worktree {
				return errors.New("--from is a check that has run: it takes no refs")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return runComment(cmd, o, f, args) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.from, "from", "", "take the report in this file, as --format json wrote it; - is standard input")
	flags.StringVar(&f.repo, "repo", "", "the repository, owner/name (default: that of GitHub Actions or GitLab CI)")
	flags.IntVar(&f.request, "pr", 0, "the number of the pull request or merge request (default: that of GitHub Actions or GitLab CI)")
	flags.StringVar(&f.api, "api", "", "the address of the forge's API, such as https://github.example.com/api/v3 (default: GITHUB_API_URL, CI_API_V4_URL)")
	flags.StringVar(&f.sha, "sha", "", "the commit, a full hash, that gets the status (default: the target's); with --from, the report has to be about it")
	flags.StringVar(&f.head, "head", "", "the commit that gets the status where the merge of it was checked: the head of the pull request")
	flags.StringVar(&f.key, "key", "", "tells the comments of several configurations apart")
	flags.BoolVar(&f.gitlab, "gitlab", false, "the forge is GitLab (default: in the pipeline of a merge request)")
	flags.BoolVar(&f.status, "status", false, "set a commit status too: success, or failure where the exit code is not 0")
	flags.BoolVar(&f.check, "check", false, "make a check run on GitHub too (an app's token or a workflow's)")
	flags.BoolVar(&f.keep, "keep-when-empty", false, "when nothing is left to say, say that in the comment's one line instead of removing it")
	flags.BoolVar(&f.dryRun, "dry-run", false, "print the comment and send nothing")
	flags.BoolVar(&f.exitZero, "exit-zero", false, "exit with 0 once the comment stands, whatever it says")
	addTargetFlags(cmd, o)
	addDemandFlags(cmd, o)
	return cmd
}

func runComment(cmd *cobra.Command, o *options, f *commentFlags, args []string) error {
	if err := f.checked(cmd, o); err != nil {
		return err
	}
	var at forgePlace
	if !f.dryRun {
		var err error
		if at, err = f.place(cmd.Flags().Changed("gitlab")); err != nil {
			return err
		}
	}
	doc, order, err := f.document(cmd, o, args)
	if err != nil {
		return err
	}
	sha := cmp.Or(f.head, f.sha, doc.Target.Commit)
	if (f.status || f.check) && sha == "" {
		return errors.New("the work tree is no commit that could get a status: say which with --sha")
	}
	comment, err := f.comment(doc)
	if err != nil {
		return err
	}
	if f.dryRun {
		if comment.Body == "" {
			fmt.Fprintln(cmd.ErrOrStderr(), "instep: nothing is left to say: there would be no comment")
		} else if err := o.document(cmd, func(w io.Writer) error { _, err := io.WriteString(w, comment.Body); return err }); err != nil {
			return err
		}
		return f.exit(o.outcome(cmd, doc, order))
	}
	host, err := at.host()
	if err != nil {
		return err
	}
	done, failed := host.Comment(cmd.Context(), at.request, comment)
	if failed == nil && !o.quiet {
		fmt.Fprintf(cmd.ErrOrStderr(), "instep: comment: %s\n", report.Clean(strings.TrimSpace(done.Action+" "+done.URL)))
	}
	// The status is set even if the comment cannot be: the one may be allowed and the other not.
	code := o.outcome(cmd, doc, order)
	failed = errors.Join(failed, f.judge(cmd, host, doc, sha, code, done.URL))
	if failed != nil {
		return failed
	}
	return f.exit(code)
}

func (f *commentFlags) exit(code exit) error {
	if code == exitOK || f.exitZero {
		return nil
	}
	return code
}

var fullHash = regexp.MustCompile(`^[0-9a-f]{40}([0-9a-f]{24})?$`)

const maxCommentKey = 100

// checked refuses flags that do not go together.
func (f *commentFlags) checked(cmd *cobra.Command, o *options) error {
	switch {
	case cmd.Flags().Changed("format") && o.format != report.Markdown.Name:
		return errors.New("--format: a comment is Markdown")
	case f.sha != "" && !fullHash.MatchString(f.sha):
		return fmt.Errorf("--sha: %q is no full hash of a commit", f.sha)
	case f.head != "" && !fullHash.MatchString(f.head):
		return fmt.Errorf("--head: %q is no full hash of a commit", f.head)
	case f.from != "" && (f.status || f.check) && f.sha == "" && f.head == "":
		return errors.New("--from: a report does not decide which commit gets a status: say which with --sha or --head")
	case f.request < 0:
		return fmt.Errorf("--pr: %d is no number of a pull request", f.request)
	case len(f.key) > maxCommentKey:
		return fmt.Errorf("--key: %d bytes are more than %d", len(f.key), maxCommentKey)
	}
	return checkFailOn(o.failOn)
}

// document gives the report, from a check or a file, and the order that is demanded of it.
func (f *commentFlags) document(cmd *cobra.Command, o *options, args []string) (*report.Document, []string, error) {
	if f.from == "" {
		q, err := o.inquire(cmd, args)
		if err != nil {
			return nil, nil, err
		}
		defer q.repo.Close()
		return &report.Document{Report: analyzer.Analyze(q.upgrade, rules.All), ConfigChanges: q.ends.changes}, q.order, nil
	}
	in := cmd.InOrStdin()
	if f.from != "-" {
		file, err := os.Open(f.from)
		if err != nil {
			return nil, nil, fmt.Errorf("--from: %w", err)
		}
		defer file.Close()
		in = file
	}
	doc, err := report.ReadJSON(in, ruleByID)
	if err != nil {
		return nil, nil, fmt.Errorf("--from %s: %w", f.from, err)
	}
	if f.sha != "" && doc.Target.Commit != f.sha {
		return nil, nil, fmt.Errorf("--from %s: the report is about %s, not about %s: it is stale, or of something else", f.from, cmp.Or(doc.Target.Commit, "a work tree"), f.sha)
	}
	var services []analyzer.Service
	for _, s := range doc.Services {
		services = append(services, analyzer.Service{Name: s.Name, Migrates: s.Migrates})
	}
	order, err := demandedOrder(o.order, services)
	return doc, order, err
}

// ruleByID gives the rule with an id, nil if there is none.
func ruleByID(id string) *analyzer.Rule {
	if i := slices.IndexFunc(rules.All, func(r *analyzer.Rule) bool { return r.ID == id }); i >= 0 {
		return rules.All[i]
	}
	return nil
}

// comment gives what is to be said: all, nothing, or that there is nothing.
func (f *commentFlags) comment(doc *report.Document) (forge.Comment, error) {
	c := forge.Comment{Key: f.key}
	d := *doc
	if nothingToSay(doc) {
		if !f.keep {
			return c, nil
		}
		d.Brief, c.Existing = true, true
	}
	var b bytes.Buffer
	err := report.Markdown.Write(&b, &d)
	c.Body = b.String()
	return c, err
}

// nothingToSay tells whether a comment would only say that nothing changes.
func nothingToSay(d *report.Document) bool {
	r := d.Combined()
	return r.Verdict == analyzer.NoChange && len(d.ConfigChanges)+len(r.Migrations)+len(r.Hazards)+len(r.Gaps)+len(r.DriftGroups) == 0
}

// judge sets the status and makes the check run that are asked for. Unproven is a failure as split is: it is not safe, and a
// status that is an error would say that the check could not be done, and should be tried again.
func (f *commentFlags) judge(cmd *cobra.Command, host forge.Host, doc *report.Document, sha string, code exit, link string) error {
	r := doc.Combined()
	name, state, title := "instep", forge.Success, report.Answer(r)
	if f.key != "" {
		name += "/" + f.key
	}
	if code != exitOK {
		state = forge.Failure
		if verdictCode(r.Verdict) == exitOK {
			title = "Not as demanded: " + title
		}
	}
	if !strings.HasPrefix(link, "https://") {
		link = ""
	}
	var failed []error
	if f.status {
		failed = append(failed, host.SetStatus(cmd.Context(), forge.Status{Commit: sha, State: state, Context: name, Description: title, URL: link}))
	}
	if f.check {
		g, ok := host.(*forge.GitHub)
		if !ok {
			return errors.Join(append(failed, errors.New("--check: GitLab has no check runs: use --status"))...)
		}
		var b bytes.Buffer
		if err := report.Markdown.Write(&b, doc); err != nil {
			return err
		}
		failed = append(failed, g.SetCheckRun(cmd.Context(), forge.CheckRun{Commit: sha, Name: name, State: state, Title: title, Summary: b.String(), URL: link}))
	}
	return errors.Join(failed...)
}

// A forgePlace is where to comment, and with which token.
type forgePlace struct {
	gitlab           bool
	repo, api, token string
	request          int
}

func (p forgePlace) host() (forge.Host, error) {
	if p.gitlab {
		return forge.NewGitLab(p.repo, p.token, p.api, forge.Retry{})
	}
	return forge.NewGitHub(p.repo, p.token, p.api, forge.Retry{}, nil)
}

// place finds out where to comment: by the flags, else by what the forge's own runner says. asked: --gitlab is given, true or not.
func (f *commentFlags) place(asked bool) (forgePlace, error) {
	env := func(names ...string) string {
		for _, n := range names {
			if v := os.Getenv(n); v != "" {
				return v
			}
		}
		return ""
	}
	p := forgePlace{gitlab: f.gitlab, repo: f.repo, api: f.api, request: f.request}
	if !asked {
		p.gitlab = env("GITHUB_ACTIONS", "GITHUB_REPOSITORY") == "" && env("CI_MERGE_REQUEST_IID") != "" && env("CI_API_V4_URL") != "" && env("CI_PROJECT_ID", "CI_PROJECT_PATH") != ""
	}
	if p.gitlab {
		// The merge request of a fork is in another project than its pipeline.
		p.repo = cmp.Or(p.repo, env("CI_MERGE_REQUEST_PROJECT_ID", "CI_PROJECT_ID", "CI_PROJECT_PATH"))
		p.api = cmp.Or(p.api, env("CI_API_V4_URL"))
		p.token = env("GITLAB_TOKEN")
		if n, err := strconv.Atoi(env("CI_MERGE_REQUEST_IID")); p.request == 0 && err == nil && n > 0 {
			p.request = n
		}
	} else {
		p.repo = cmp.Or(p.repo, env("GITHUB_REPOSITORY"))
		p.api = cmp.Or(p.api, env("GITHUB_API_URL"))
		if strings.TrimRight(p.api, "/") == "https://api.github.com" {
			p.api = ""
		}
		p.token = env("GITHUB_TOKEN", "GH_TOKEN")
		if p.request == 0 {
			var err error
			if p.request, err = githubRequest(env("GITHUB_REF"), env("GITHUB_EVENT_PATH")); err != nil {
				return p, err
			}
		}
	}
	switch {
	case !p.gitlab && !asked && env("GITHUB_ACTIONS", "GITHUB_REPOSITORY") == "" && env("GITLAB_CI") != "" && (p.repo == "" || p.request == 0):
		return p, errors.New(`this is no pipeline of a merge request: run the job in one (rules: [{if: $CI_PIPELINE_SOURCE == "merge_request_event"}]), or say where with --gitlab, --repo and --pr`)
	case p.repo == "":
		return p, errors.New("in which repository? --repo owner/name")
	case p.request == 0:
		return p, errors.New("on which pull request? --pr NUMBER")
	case p.token == "" && p.gitlab:
		return p, errors.New("there is no token: set GITLAB_TOKEN to an access token with the scope api (CI_JOB_TOKEN may not write notes)")
	case p.token == "":
		return p, errors.New("there is no token: set GITHUB_TOKEN (the job of a workflow needs env: {GITHUB_TOKEN: ${{ github.token }}} and permissions: {pull-requests: write})")
	case f.check && p.gitlab:
		return p, errors.New("--check: GitLab has no check runs: use --status")
	}
	return p, nil
}

// maxEvent bounds the file in which GitHub describes an event: a webhook's payload has at most 25 MB.
const maxEvent = 25 << 20

var pullRef = regexp.MustCompile(`^refs/pull/([1-9][0-9]{0,8})/(merge|head)$`)

// githubRequest gives the pull request that a workflow runs for, 0 if it runs for none.
func githubRequest(ref, event string) (int, error) {
	if m := pullRef.FindStringSubmatch(ref); m != nil {
		return strconv.Atoi(m[1])
	}
	if event == "" {
		return 0, nil
	}
	file, err := os.Open(event)
	if err != nil {
		return 0, fmt.Errorf("GITHUB_EVENT_PATH: %w", err)
	}
	defer file.Close()
	src, err := io.ReadAll(io.LimitReader(file, maxEvent+1))
	if err != nil {
		return 0, fmt.Errorf("GITHUB_EVENT_PATH: %w", err)
	}
	var e struct {
		PullRequest struct {
			Number int `json:"number"`
		} `json:"pull_request"`
		Issue struct {
			Number      int       `json:"number"`
			PullRequest *struct{} `json:"pull_request"`
		} `json:"issue"`
	}
	if err := json.Unmarshal(src, &e); err != nil {
		return 0, fmt.Errorf("GITHUB_EVENT_PATH: %s: %w", event, err)
	}
	if e.PullRequest.Number == 0 && e.Issue.PullRequest != nil { // a comment on a pull request
		return e.Issue.Number, nil
	}
	return e.PullRequest.Number, nil
}
