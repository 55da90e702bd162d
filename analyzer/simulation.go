package analyzer

import (
	"fmt"

	"instep/analyzer/schema"
)

// A Simulation is what running an upgrade on a real server has shown. Package simulate makes it, Judge compares it with a
// Report, and formats print it. It holds facts and counts; the few times in it are measurements and differ from run to run.
type Simulation struct {
	Server    SimulatedServer
	Databases []SimulatedDatabase // as in Upgrade.Databases, those with pending statements
	// Judgment is what follows; Judge fills it in.
	Judgment Judgment
}

// A SimulatedServer is the server that the upgrade was run on.
type SimulatedServer struct {
	Engine     string // "docker", "local", "dsn"
	Name       string // "mysql 9.7.4"
	Configured string // "mysql 8.0": the server that the analysis is for
	// Differs says in a sentence what to doubt where flavour or series are not the configured ones; "" where they are.
	Differs string
	// Notes are remarks about the server: how it was chosen, what a cluster's DDL does differently, limits.
	Notes []string
	// Connect says how to reach a server that was kept; "" if it is gone.
	Connect string
}

// A SimulatedDatabase is the upgrade of one database. Its states are numbered: 0 is the deployed schema, i is the schema
// after Steps[i-1].
type SimulatedDatabase struct {
	Name      string // as Database.Name
	Load      SimulatedLoad
	Steps     []SimulatedStep
	Workloads []SimulatedWorkload
	Cells     []Cell // by service as given, old code first, then by state
	Faults    []Fault
}

// A SimulatedLoad says what the deployed database was made of.
type SimulatedLoad struct {
	From    string // "migrations", "schema" or "dump"
	Because string // why it was not made from the migrations, "" if it was or if a dump was asked for
	// Statements is the number of statements that were run, Tables and Rows what they and the generator made.
	Statements, Tables int
	Rows               int64
	Millis             float64 // of the generated rows' loading
	Seed               uint64
	// Fitted: the rows avoid values on which a pending statement fails. Rows of all kinds were tried first; see
	// SimulatedStep.OnRows.
	Fitted bool
	// Differences are where the server's schema is not the one that instep worked out: instep's fault, and to be
	// reported. Each is a sentence.
	Differences []string
	// Skipped are statements of the history that could not be run, with the reason.
	Skipped []SkippedStatement
}

// A SkippedStatement was not run, or was refused by the server while the deployed schema was built.
type SkippedStatement struct {
	Statement schema.Statement
	Why       string
	Error     *ServerError // nil if it was not sent
}

// A ServerError is an error of the database server.
type ServerError struct {
	Code    int // the server's number; 0 if the connection broke or the time was up
	Message string
}

// String gives the number and the message: "1054: Unknown column 'nick' in 'field list'".
func (e *ServerError) String() string {
	if e.Code == 0 {
		return e.Message
	}
	return fmt.Sprintf("%d: %s", e.Code, e.Message)
}

// A SimulatedStep is one pending statement as it ran.
type SimulatedStep struct {
	Statement schema.Statement
	// Error is why it failed on the loaded rows. The upgrade then ends here: there are no later states.
	Error *ServerError
	// OnRows is why it failed on rows of all kinds (longest, NULL, alike, extreme). It says that rows exist on which it
	// fails, not that production has them.
	OnRows *ServerError
	// Predicted is the rule of a hazard that the analysis gives for such a failure, "" if there is none. Judge fills it in.
	Predicted string
	// Skipped says why it was not run although it is pending, "" if it was.
	Skipped string

	Millis float64 // how long it took
	Table  string  // that it is about, "" if it is about none or several
	Rows   int64   // in that table
	// Work is what the server did to the table, read from its dictionary: "metadata", "index", "rebuild" or "copy"; ""
	// where it does not apply (CREATE, DROP, DML) or is not known.
	Work string
	// Algorithm and Lock are the strongest that the server accepts for the statement: INSTANT, NOCOPY, INPLACE, COPY;
	// NONE, SHARED, EXCLUSIVE. "" where they do not apply.
	Algorithm, Lock string
	// Estimated is the analysis' estimate, such as "INPLACE, LOCK=NONE"; "" if there is none. Judge fills it in.
	Estimated string
	// Reader and Writer went on at a set rate meanwhile.
	Reader, Writer Traffic
	// LockWait is what happened while an idle transaction held a lock on the table; nil if it was not tried.
	LockWait *LockWait
	// RowVersions of the table afterwards, and the server's limit (MySQL, InnoDB: 64, 255 since 9.1); 0 where unknown.
	RowVersions, RowVersionLimit int
}

// Traffic is what a client that sends one statement after the other met while a pending statement ran.
type Traffic struct {
	Sent         int
	WorstMillis  float64 // the longest that one took
	BeforeMillis float64 // the longest that one took before the statement began
	Errors       []ErrorCount
}

// An ErrorCount is an error and how often it occurred.
type ErrorCount struct {
	Code    int
	Message string // the first one's
	Count   int
}

// LockWait is how a statement fares behind a transaction that has read the table and stays open.
type LockWait struct {
	TimeoutSeconds int // the lock_wait_timeout that it was given
	Error          *ServerError
	Millis         float64 // how long it waited
	// ReaderMillis is how long a plain SELECT that came after it waited.
	ReaderMillis float64
}

// A SimulatedWorkload says what one version of a service's code sent.
type SimulatedWorkload struct {
	Service string
	Code    Breaks // OldCode or NewCode
	Source  string // "implied by the schema at v3.110", "queries.sql"
	// Transactions that were made, and of them those that fail on the code's own schema and are left out.
	Transactions, Invalid int
	InvalidErrors         []ErrorCount
	// Tables and Columns that the transactions name, of those that the schema has.
	Tables, TablesOf   int
	Columns, ColumnsOf int
	Uses               Use
	Unread             []string // what of a file of queries could not be used, each with file:line and reason
}

// A Cell is one version of a service's code on one state of the schema.
type Cell struct {
	Service string
	Code    Breaks
	State   int
	// Sent are the transactions that are valid on the code's own schema; Failed of them met an error.
	Sent, Failed int
	// Failures are the first of them, at most MaxFailures with different errors or tables.
	Failures []Failure
	// Changed are results that differ from those on the code's own schema, by statement, at most MaxFailures; ChangedCount is their number.
	Changed      []ChangedResult
	ChangedCount int
	// Warnings are those that do not occur on the code's own schema.
	Warnings []ErrorCount
	// Overlap: old code ran on rows that new code had written before, in the same transaction.
	Overlap bool
}

// MaxFailures bounds the failures that a cell lists.
const MaxFailures = 8

// A Failure is a transaction that a server refused.
type Failure struct {
	SQL    string // the statement that failed
	Source string // file:line where it was recorded, "" if it was made
	Table  string
	Use    Use
	Error  ServerError
	Count  int // transactions of the cell with this error on this table
}

// A ChangedResult is a statement that gives other rows than before.
type ChangedResult struct {
	SQL        string
	Was, Is    string // the first difference, shortened
	Rows, Were int    // how many
}

// A Fault is what an accident leaves behind.
type Fault struct {
	// Kind is "stopped" (between two steps), "killed" (the server, during a step), "two-migrators", "rollback" (old code
	// after new code has written), "down" (the down migration) or "lost" (data that a step loses though nothing goes wrong).
	Kind string
	// Step is the number of the pending statement after which, or during which, it happened; 0 where it does not apply. Of an
	// upgrade that fails on the rows it is the last step that ran.
	Step int
	// State is the known state that the database was found in, the lowest of several that are alike (a step may change rows only),
	// -1 if it is in none.
	State int
	// What happened, in a sentence.
	What string
	// Rerun is the error that running the upgrade again gives, as a framework does it: from the first statement of the
	// migration that it has not noted as applied. Nil if it succeeds or was not tried (see Retried).
	Rerun   *ServerError
	Retried bool
	// ByHand says what a person has to do, "" if nothing.
	ByHand string
	// Lost is data that is gone, each with table and column.
	Lost []string
	// Bad: it ends in a state that needs a person (ByHand), or with lost data (Lost).
	Bad bool
}

// An Outcome says how a prediction of the analysis stands to what was run.
type Outcome string

// The outcomes.
const (
	Confirmed    Outcome = "confirmed"     // it ran as predicted
	Refuted      Outcome = "refuted"       // predicted to break, and no statement failed: needlessly strict, or not exercised
	Unpredicted  Outcome = "unpredicted"   // predicted to work, and a statement failed
	NotExercised Outcome = "not-exercised" // nothing was run that could tell
)

// A Judgment is what follows from a simulation, beside what the analysis says.
type Judgment struct {
	// Evidence is the verdict of the simulation alone, and EvidenceOrder an order that ran without an error.
	Evidence      Verdict
	EvidenceOrder []string
	// Verdict is what counts: the analysis, made stricter by what failed without having been predicted. It is never looser.
	Verdict  Verdict
	Order    []string
	Why      string
	Services []ServiceEvidence
	Orders   []OrderEvidence
	// Unpredicted are the failures that the analysis does not give, each in a sentence.
	Unpredicted []string
}

// ServiceEvidence is the evidence about one service.
type ServiceEvidence struct {
	Name  string
	Place Place // by evidence alone
	// OldCode is about old code on the schemas after the deployed one, NewCode about new code on those before the target.
	OldCode, NewCode Outcome
	OldFailed        bool
	NewFailed        bool
	// OldStates and NewStates are the states with failures.
	OldStates, NewStates []int
}

// OrderEvidence is one order of deployment, walked through all states that it can reach.
type OrderEvidence struct {
	Order []string // with MigrationStep where no service migrates
	Safe  bool     // no statement failed
	// Window: what failed are old processes of the migrating service only, which fail in every order.
	Window bool
	Failed []OrderFailure // the first failure of each service and code
}

// OrderFailure is where an order fails.
type OrderFailure struct {
	Database string
	Service  string
	Code     Breaks
	State    int
	Error    ServerError
	SQL      string
}
