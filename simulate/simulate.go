// Package simulate runs an upgrade for real: it builds the deployed schema in a throwaway server, fills it with rows, runs
// the pending statements one by one with a reader and a writer going on, and runs the statements of old and new code on every
// state of the schema that a deployment can reach. What it saw is an analyzer.Simulation, a value; analyzer.Judge sets it
// beside the analysis.
//
// The SQL that runs may come from a stranger's pull request. It runs under an account that may change only the databases
// of this run, on a server that can reach neither files nor the network, within bounds of time, memory and disk. Nothing else of
// a repository is executed.
package simulate

import (
	"time"

	"instep/analyzer"
	"instep/analyzer/schema"
)

// An Input is what is simulated.
type Input struct {
	Upgrade   analyzer.Upgrade
	Databases []Database // in the order of Upgrade.Databases
	// Queries are the recorded statements of services. A service and code without any gets a workload that is implied by the
	// schema.
	Queries []Queries
}

// A Database is what the simulation needs beyond an analyzer.Database.
type Database struct {
	// History are the statements that made the deployed schema, in order. Nil means that they cannot be replayed (Because
	// says why): the schema is then made from analyzer.Database.Old.
	History []schema.Statement
	Because string
	// Down are the statements that take the pending ones back, in the order in which they run. Nil means that there are none, or
	// that they could not be read (NoDown says which).
	Down   []schema.Statement
	NoDown string
}

// Queries are the recorded statements of one service at one ref.
type Queries struct {
	Service string
	Code    analyzer.Breaks // OldCode or NewCode
	File    string          // its name, for messages
	SQL     string
}

// Options say how an upgrade is simulated.
type Options struct {
	EngineOptions
	Rows    RowOptions
	Dump    string        // a dump of the deployed database that is loaded instead; "" for none
	Measure bool          // run a reader and a writer beside each step, and probe what the server does
	Rate    time.Duration // pause between two statements of the reader, and of the writer
	// LockWaitTimeout is what a step is given behind an idle transaction.
	LockWaitTimeout time.Duration
	// StatementLimit ends a statement that runs longer.
	StatementLimit time.Duration
	Faults         bool // kill the server too; the other accidents are always tried
	Progress       Progress
}

// Progress is told what goes on; any of its functions may be nil.
type Progress struct {
	// Stage begins a stage, such as "loading rows", of total units; 0 if they are not known.
	Stage func(name string, total int64)
	Add   func(n int64) // units of the stage are done
	Note  func(text string)
}

func (p Progress) stage(name string, total int64) {
	if p.Stage != nil {
		p.Stage(name, total)
	}
}

func (p Progress) add(n int64) {
	if p.Add != nil {
		p.Add(n)
	}
}

func (p Progress) note(text string) {
	if p.Note != nil {
		p.Note(text)
	}
}
