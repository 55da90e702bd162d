// Package analyzer answers which service goes first. Analyze takes an Upgrade, which is everything that is known
// about a release, as values, and gives a finished Report: hazards, places, order, costs of online DDL, gaps.
//
// The package does no I/O: it reads no file, no clock and no network, so the same Upgrade always gives the same Report.
//
// Two views of an upgrade are kept apart. The net view is the difference of the two schemas: it is what code sees, so
// compatibility is judged on it. The steps are the pending statements in order: they are what the server runs, so
// failures, lost rows, locks and the states in between are judged on them.
package analyzer

import (
	"strings"

	"instep/analyzer/schema"
)

// An Upgrade is a release to be judged. The caller fills in all that it knows; the comment of each field says what
// an empty one means.
type Upgrade struct {
	// Deployed is the ref that services are deployed at and whose migrations databases have run. Where services are at
	// different refs, Deployments are the others.
	Deployed, Target Ref
	Deployments      []Deployment
	Behind           bool // of Deployed, as in Deployment
	// Databases are the databases whose migrations the repository holds, usually one.
	Databases []Database
	// Services are the units that are deployed. Empty means one service named "code", with the migration as a step of its own.
	Services []Service
	// Consumers read the database but are deployed with no service.
	Consumers []Consumer
	// Usage says what the code of a service or consumer does with the schema. Nil means Assume.
	Usage Usage
	// Server is the flavour and version that runs the migrations. Its zero value means MySQL 8.4.
	Server schema.Server
	// SQLMode is that of the applications' connections.
	SQLMode SQLMode
	// Ignores are the user's decisions to live with a hazard.
	Ignores []Ignore
}

// A Ref is one end of an upgrade.
type Ref struct {
	Rev    string // as the user wrote it: "v3.110"
	Commit string // the full hash
}

// A Deployment is another ref than Upgrade.Deployed at which processes of some services are: of a service that was not
// deployed with the others, or is just being deployed.
type Deployment struct {
	Ref
	Services []string // by name
	// Databases are as in Upgrade, from this ref to the target.
	Databases []Database
	// Usage answers for code at this ref and at the target. Nil means Assume.
	Usage Usage
	// Reached: databases have surely run all that this ref's history has, and what Upgrade.Deployed's has beyond it, so that what
	// is judged from here is only the old code of Services. Otherwise databases may be as this ref leaves them: its pending statements may have to be run, and the
	// new code of every service may meet its schema.
	Reached bool
	// Behind: it is an older release than another ref at which services are. Nothing is judged by it.
	Behind bool
}

// A Database is one database with the histories of both refs.
type Database struct {
	Name      string // "" when there is only one
	Framework string // at the target ref
	// Old is the replay of the deployed ref's whole history.
	Old *schema.Schema
	// New is the replay of the target ref's whole history: the schema that new code is written for.
	// What the upgrade really gives is Old plus Steps. Where the two differ the verdict is unproven.
	New *schema.Schema
	// Steps are the statements of the pending migrations in the order in which the server runs them, applied one after
	// the other to Old: Steps[0].Before is Old. A statement that cannot be applied is no step but a gap in PendingGaps.
	Steps []Step
	// Migrations are those that are not simply shared: pending, edited, removed or rebased ones.
	Migrations []Migration
	// HistoryGaps are gaps of the history that both refs share; PendingGaps those of the pending migrations, of edited
	// ones, and of the target's history as a whole (two heads, a missing parent).
	HistoryGaps []schema.Gap
	PendingGaps []schema.Gap
	// Rebased is set if the target's history does not continue the deployed one: another framework, or squashed.
	Rebased *Rebased
}

// A Step is one pending statement with the schema before and after it.
type Step struct {
	Statement     schema.Statement
	Before, After *schema.Schema
}

// A State says how a migration of one ref stands to the history of the other.
type State string

// The states of a migration.
const (
	Pending State = "pending" // only at the target ref: the upgrade runs it
	Edited  State = "edited"  // at both refs with another meaning; databases ran the deployed one
	Removed State = "removed" // only at the deployed ref; databases ran it
	ReBased State = "rebased" // part of a history that does not continue the deployed one
)

// A Migration is one entry of the report's list of migrations.
type Migration struct {
	Database  string // filled in by Analyze
	Framework string // filled in by Analyze where it is ""
	ID        string
	File      string
	// Statements are the statements of the migration at the target ref (at the deployed ref for a removed one).
	Statements []schema.Statement
	State      State
}

// Rebased says that the target's history does not continue the deployed one. Analyze lists how the two ends differ.
type Rebased struct {
	// Why is the fact: "the framework changed from sqlalchemy-migrate to alembic".
	Why string
	// Pos is where the new history begins.
	Pos schema.Pos
	// Baseline is the configured id at which existing databases are stamped: they are not rebuilt, nothing in them is
	// altered, and Steps holds only what comes after it. "" means that nobody said so, which makes the verdict unproven.
	Baseline string
}

// An Access says what a service may do with the databases.
type Access string

// The kinds of access. AnyAccess and WriteAccess allow every use.
const (
	AnyAccess   Access = ""
	ReadAccess  Access = "read"
	WriteAccess Access = "write"
	NoAccess    Access = "none"
)

// Allows gives those of the uses that the access permits.
func (a Access) Allows(u Use) Use {
	switch a {
	case NoAccess:
		return 0
	case ReadAccess:
		return u & (Read | Hint | Position)
	}
	return u
}

// A Rollout says how a service's old processes are replaced by new ones.
type Rollout string

// The kinds of rollout. The zero value is a rolling one.
const (
	Rolling  Rollout = "rolling"
	Canary   Rollout = "canary"
	Recreate Rollout = "recreate" // all old processes stop before new ones start
)

// A Service is a unit that is deployed on its own.
type Service struct {
	Name     string
	Migrates bool // its deployment runs the pending migrations before its new processes start
	Access   Access
	Rollout  Rollout
	// Elsewhere: none of its processes is at Upgrade.Deployed. The Deployments that name it say where they are.
	Elsewhere bool
}

// A Consumer reads a database but is no service: a cron job, an export, another repository.
type Consumer struct {
	Name string
}

// A Use is a set of ways in which code uses an object of the schema.
type Use uint16

// The kinds of use. Hint and Position are not assumed of code about which nothing is known: an ORM names its columns
// and no index. Hazards that need them are cautions.
const (
	Read     Use = 1 << iota // selects it or names it in a condition
	Insert                   // puts rows that name it
	Update                   // sets it in rows that exist
	Delete                   // deletes rows of it
	Omit                     // puts rows without naming it
	Hint                     // names it in an index hint
	Position                 // relies on the number or order of columns: SELECT *, INSERT without a column list

	Write = Insert | Update
)

var useNames = [...]string{"read", "insert", "update", "delete", "omit", "hint", "position"}

// String gives the uses in a fixed order, joined by commas; insert and update together are "write".
func (u Use) String() string {
	var names []string
	for i, name := range useNames {
		bit := Use(1) << i
		switch {
		case u&bit == 0:
		case u&Write == Write && bit == Insert:
			names = append(names, "write")
		case u&Write == Write && bit == Update:
		default:
			names = append(names, name)
		}
	}
	return strings.Join(names, ", ")
}

// A Breaks is a set of what a hazard hurts.
type Breaks uint8

// What a hazard can hurt.
const (
	OldCode Breaks = 1 << iota // old code on the new schema (or on a state in between)
	NewCode                    // new code on the old schema (or on a state in between)
	Running                    // the migration itself: it fails, blocks or loses rows
)

// Names gives the names of the bits in a fixed order: "old-code", "new-code", "running".
func (b Breaks) Names() []string {
	names := []string{}
	if b&OldCode != 0 {
		names = append(names, "old-code")
	}
	if b&NewCode != 0 {
		names = append(names, "new-code")
	}
	if b&Running != 0 {
		names = append(names, "running")
	}
	return names
}

// String joins the names by commas.
func (b Breaks) String() string { return strings.Join(b.Names(), ", ") }

// A Usage answers whether the code of a service or consumer, by name, uses the object in any of the ways of use. code is
// OldCode or NewCode. The answer to a set is Yes if any of it is, Assumed if nothing is proved against any of it.
// Objects of an old-code hazard are named as the old schema names them, those of a new-code hazard as the new one does,
// but for Omit, whose column may be unknown to the code: the question is then whether it puts rows into the table
// without naming the column.
type Usage func(name string, code Breaks, object schema.Object, use Use) Answer

// Assume is the default assumption: code at a ref uses all of the schema of that ref, which is what an ORM does.
func Assume(name string, code Breaks, object schema.Object, use Use) Answer {
	return Answer{Is: Assumed}
}

// An Is is the value of an answer.
type Is uint8

// The three values of an answer.
const (
	Assumed Is = iota // nothing is known
	Yes               // there is evidence
	No                // it is proved that it does not
)

// An Answer says whether code uses an object, and why that is believed.
type Answer struct {
	Is       Is
	Evidence []Evidence // of a Yes
	Because  string     // of a No
	// Named: the evidence of a Yes shows only that the code names the object, not how it uses it. It confirms what is
	// assumed anyway; it does not make a caution real.
	Named bool
}

// Evidence is a place in the sources that shows a use.
type Evidence struct {
	Rev  string
	File string
	Line int
	Text string
}

// An SQLMode is the sql_mode of connections: "" and "strict" are strict, "loose" is not, anything else is a list of
// modes as MySQL writes it.
type SQLMode string

// Strict reports whether the mode rejects invalid and missing values (manual: Server SQL Modes, Strict SQL Mode).
func (m SQLMode) Strict() bool {
	switch strings.ToLower(string(m)) {
	case "", "strict":
		return true
	}
	for mode := range strings.SplitSeq(strings.ToUpper(string(m)), ",") {
		switch strings.TrimSpace(mode) {
		case "STRICT_TRANS_TABLES", "STRICT_ALL_TABLES", "TRADITIONAL":
			return true
		}
	}
	return false
}

// An Ignore is a user's decision that a hazard does not matter. The hazard stays in the report, but takes part
// neither in places nor in the verdict.
type Ignore struct {
	Rule    string
	Object  string // as Object.String writes it; "" means every object
	Because string
	// Fingerprint names one finding instead of a rule and an object.
	Fingerprint string
	// Quiet: it is not among the unused ones if it matches nothing.
	Quiet bool
	// Approved says whom the finding hit when somebody decided so. If it is not nil, a finding that hits anybody else, or other code of
	// theirs, is not ignored: that was not known then.
	Approved *Approval
}

// An Approval is whom a finding hit when it was approved; nobody, if both are empty.
type Approval struct {
	Services, Consumers []Hit // their evidence does not count
}

// A Hazard is one way in which a change hurts. Rules make them; Analyze fills in what stands in Finding.
type Hazard struct {
	Rule   *Rule // filled in by Pass.Report
	Change schema.Change
	Breaks Breaks
	// Hits and Use: the code that uses this object in this way is the code that breaks. For Running, Hits is what the
	// migration fails on or loses.
	Hits schema.Object
	Use  Use
	// If is "" or the condition that makes the hazard real, as the end of a sentence that begins with "if".
	If   string
	What string // "users.nick is dropped"
	// Caution: the default assumption does not make this real. It places a service only if its usage gives a Yes.
	// Cautions are: uses that are not assumed (index hints, reading by position), silent changes of meaning that the
	// catalogue of hazards does not let decide the order, and breaks that come from rows that new code writes rather
	// than from the change itself (an old reader meets a NULL or an enum value it does not know).
	Caution bool
	// Mediated: the break comes from rows that new code has written, not from the change itself. It is a Caution too. It
	// matters as long as old code runs beside new code, and when old code comes back.
	Mediated bool
	// Refused: the server surely refuses the statement, so the upgrade does not reach its end. Only with Running.
	Refused bool
	// Preflight is a query that tells whether If holds: it gives rows exactly if it does. "" if there is none.
	Preflight string
}

// A Rule knows one kind of hazard. It is a value in a file of its own; its examples are its tests and its documentation.
type Rule struct {
	ID    string // kebab-case, never changes
	Since string // the version of instep that brought it
	// Breaks is what its hazards can hurt; Check reports nothing else.
	Breaks Breaks
	Title  string
	Why    string
	Fix    string
	// Covers are the ids of the hazard catalogue that the rule speaks for.
	Covers   []string
	Examples []Example
	// Check looks at one change. It reports hazards with Pass.Report, and with Pass.Accept that it knows the change and
	// found it harmless. A change that no rule reports or accepts makes the verdict unproven.
	Check func(p *Pass, c schema.Change)
	// CheckHazard looks at a hazard of code that another rule has reported, for those who meet it through something that the
	// server keeps, such as a trigger. It is not asked about what CheckHazard reports. It may be nil.
	CheckHazard func(p *Pass, h Hazard)
	// CheckStep looks at one pending statement, for hazards that are in no schema: rows. It may be nil.
	CheckStep func(p *Pass, st schema.Statement)
}

// An Example shows a rule at work. Old and New are SQL: the statements that make the old schema, and those that turn
// it into the new one.
type Example struct {
	Name    string
	Old     string
	Migrate string
	SQLMode SQLMode
	Server  schema.Server // zero: MySQL 8.4
	// Want are the hazards that the rule must report, cautions included, each as "old-code users.nick: read, write",
	// with " (caution)" behind a caution. Empty: the rule is silent.
	Want []string
	// Catalogue is the id of the hazard catalogue that the example stands for, "" if none.
	Catalogue string
}

// A Place says where a service stands in relation to the migration. Demands combine with |.
type Place uint8

// The places. Nowhere means that the release has to be split.
const (
	Anywhere Place = 0
	Before   Place = 1 << 0
	After    Place = 1 << 1
	Nowhere  Place = Before | After
)

// String gives "anywhere", "before", "after" or "nowhere".
func (p Place) String() string {
	return [...]string{"anywhere", "before", "after", "nowhere"}[p&Nowhere]
}

// A Verdict is the answer about a release.
type Verdict string

// The verdicts.
const (
	NoChange Verdict = "no-change"
	AnyOrder Verdict = "any-order"
	Ordered  Verdict = "ordered"
	Split    Verdict = "split"
	Unproven Verdict = "unproven"
)

// MigrationStep stands in Report.Order for the migration where no service runs it.
const MigrationStep = "migration"

// A Report is the finished answer: complete and sorted, with no nil slices, so that a format only prints it.
type Report struct {
	Verdict Verdict
	// Order is one safe order, and empty unless the verdict is AnyOrder or Ordered: services placed before, the migrating
	// service or MigrationStep, then the others. A service placed anywhere stands behind the migration. Within each
	// group services keep the order in which they were given. Services without access are left out: nothing ties them.
	Order            []string
	Deployed, Target Ref
	Services         []ServiceReport // as given
	Migrations       []Migration     // as given, by database
	Changes          []ChangeReport  // the net changes, by database, then in Diff's order
	// Hazards are sorted by database, position, object, rule, what breaks and use. Ignored ones are not among them.
	Hazards []Finding
	// Ignored are the hazards that the user ignores, each with the reason; sorted likewise.
	Ignored []Finding
	// UnusedIgnores are the ignores that match nothing.
	UnusedIgnores []Ignore
	Costs         []Cost // one for each pending statement that changes a schema
	// Gaps are those that make the verdict unproven; OtherGaps are gaps of the shared history that touch nothing of what changes.
	Gaps      []schema.Gap
	OtherGaps []schema.Gap
	// Drift are differences between databases of a re-based history and the new history's schema.
	Drift       []Difference
	DriftGroups []DriftGroup // the same, alike ones together
	// Proviso is the remark about metadata locks that belongs to every cost; "" where there is none.
	Proviso string
	// Why is the verdict's reason in a sentence or two.
	Why string
}

// A Status says how one version of a service's code stands to the schema of the other ref.
type Status string

// The statuses. AssumedBreaks means that a hazard hits it by the default assumption only.
const (
	OK            Status = "ok"
	BreaksFor     Status = "breaks"
	AssumedBreaks Status = "assumed-breaks"
)

// A ServiceReport is what the report says about one service.
type ServiceReport struct {
	Name     string
	Migrates bool
	Access   Access
	Rollout  Rollout
	// Deployed are the refs at which its processes are: Report.Deployed first if it is among them, then as given.
	Deployed []DeployedAt
	// Place is Anywhere for the migrating service if it is fine, and carries Before if it has a window; formats print
	// "migrates" instead. Use PlaceName.
	Place            Place
	OldCodeNewSchema Status
	NewCodeOldSchema Status
	// Window: it migrates, and its old processes still run while the schema changes, and break on it.
	Window      bool
	CanRollBack bool
	// Because are the fingerprints of the hazards that decide the above, sorted.
	Because []string
	// Reason says in a sentence why it has its place; WindowReason and RollbackReason explain the other two, "" if there is nothing to say.
	Reason         string
	WindowReason   string
	RollbackReason string
}

// A DeployedAt is a ref at which processes of a service are.
type DeployedAt struct {
	Ref
	Reached bool // true of Report.Deployed; else as in Deployment
	Behind  bool // as in Deployment
}

// PlaceName gives the place as it is printed: "migrates" for the migrating service, else Place's name.
func (s ServiceReport) PlaceName() string {
	if s.Migrates {
		return "migrates"
	}
	return s.Place.String()
}

// A Class says whom a change hurts, whatever the services are.
type Class string

// The classes of a change.
const (
	Additive     Class = "additive"     // only new code, on the old schema
	Destructive  Class = "destructive"  // only old code, on the new schema
	Compatible   Class = "compatible"   // nobody
	Incompatible Class = "incompatible" // both
)

// A ChangeReport is one net change.
type ChangeReport struct {
	Database string
	Change   schema.Change
	Object   schema.Object
	Kind     string
	Class    Class
	Pos      schema.Pos
	SQL      string // of the statement that made it; "" if unknown
	// Unknown: no rule judges the change; there is a gap for it, and Class is Incompatible because nothing is known.
	Unknown bool
}

// A Finding is a hazard with what it means for this upgrade.
type Finding struct {
	Hazard
	Database string
	// Fingerprint identifies the finding over runs: a hash of facts, never of prose.
	Fingerprint string
	Pos         schema.Pos
	// Between: the hazard is there only in a state between two pending statements, not on the new schema.
	Between bool
	// Services and Consumers are those whose code it hits. A caution hits only with evidence.
	Services  []Hit
	Consumers []Hit
	// Evidence is all evidence of the hits, sorted, without duplicates.
	Evidence []Evidence
	// Because is the reason of an ignored one.
	Because string
	// From is the first Deployment from which it is seen; zero if it is seen from Report.Deployed.
	From Ref
}

// A Hit is a service or consumer that a hazard hits.
type Hit struct {
	Name     string
	Code     Breaks // which of its code: OldCode, NewCode or both; of a consumer always OldCode
	Assumed  bool   // by the default assumption, without evidence
	Evidence []Evidence
}

// A Cost is the estimate of what a pending statement does to a table while it runs.
type Cost struct {
	Database      string
	Statement     schema.Statement
	Algorithm     string // INSTANT, INPLACE, NOCOPY or COPY; "" for statements without one (CREATE, DROP, DML)
	Lock          string // NONE, SHARED or EXCLUSIVE: the least that the server accepts
	RebuildsTable bool
	Because       string
}

// A Difference is one way in which existing databases differ from the schema of a re-based history.
type Difference struct {
	Database string
	Change   schema.Change
	Object   schema.Object
	What     string // "bigint → int"
}

// A DriftGroup is differences of one kind and content: Count objects, counted by their own name.
type DriftGroup struct {
	Database string
	Kind     string
	What     string
	Names    []NameCount // by count, then name
	Count    int
}

// A NameCount is a column's or key's own name and how often it occurs.
type NameCount struct {
	Name  string
	Count int
}
