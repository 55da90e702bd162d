package python

import (
	"context"
	"fmt"
	"io"
	"io/fs"
)

// A Config is what one evaluation works with. Only FS is needed.
type Config struct {
	// FS is the tree that is read. Only it is.
	FS fs.FS
	// Roots are the folders of FS in which absolute imports are looked up, in order: see ImportRoots. nil means the root.
	Roots []string
	// Cache keeps parsed files between evaluations; nil means a new one.
	Cache *Cache
	// Native gives a native module by its dotted name, or nil if it is not modelled. Each is asked for once for each
	// evaluation. The parents of a dotted name that are not modelled themselves become empty native packages.
	// Native modules come before the standard library's and those of the tree.
	Native func(ev *Eval, name string) *Module
	// Budget bounds the work; fields that are 0 have defaults.
	Budget Budget
	// Stdout gets what print writes; nil throws it away.
	Stdout io.Writer
	// UnknownCall, if set, is told of each call of code that cannot be read, after the rule of escape was applied. It may
	// report a gap. discarded says that the result is not used.
	UnknownCall func(ev *Eval, callee *Unknown, call *Call, discarded bool)
	// Context, if not nil, makes the evaluation give up when it is done.
	Context context.Context
}

// A Budget bounds an evaluation. What exceeds it ends the evaluation with one gap "gave up after …".
type Budget struct {
	Steps   int // statements, calls and iterations; 5 million
	Depth   int // calls within calls; 400
	Bytes   int // of all strings and containers that are made; 128 MB
	Object  int // bytes of one string, elements of one container; 4 million
	Modules int // modules of the tree that are imported; 2000
	File    int // bytes of one source file; MaxSize
	Forks   int // branches that are tried because a condition is not known; 20000
}

// An EffectKind says what an effect can touch.
type EffectKind uint8

// The kinds of effects.
const (
	SchemaEffect EffectKind = iota // DDL, or text that may be DDL
	DataEffect                     // touches rows only
)

// An Effect is something that the program does to the database, in order.
type Effect struct {
	Pos  Pos
	Kind EffectKind
	// Text identifies the effect: two branches with the same texts in the same order do the same.
	Text string
	// Value is whatever the native code wants to find again.
	Value any
	// Conditional says that it may not happen; only for DataEffect (for others there is a gap).
	Conditional bool
}

// A Gap is a place where the evaluation does not know what the program does to the database.
type Gap struct {
	Pos  Pos
	What string // what is not known
	Why  string // the root cause
	// Effects hang on what is not known: they may happen or not. They are not in the log of effects.
	Effects []Effect
	// Value is for the host.
	Value any
	// After is the number of effects in the log before the gap.
	After int
}

// A Note is something that a person should know, but that does not make the result uncertain.
type Note struct {
	Pos  Pos
	Text string
}

// An Eval is one evaluation: the modules that were imported, the effects, the gaps and the budget. It is not safe for
// concurrent use. Call Close at the end.
type Eval struct {
	cfg     Config
	budget  Budget
	cache   *Cache
	steps   int
	depth   int
	stack   int
	bytes   int
	gaveUp  *giveUp
	modules map[string]*Module
	loaded  int // modules of the tree

	epoch       uint32
	epochs      uint32
	forks       int
	journal     []entry
	touched     map[Mutable]uint32 // the epoch in which native state was saved last
	pending     []*pending
	speculating int                // loops of unknown length, and other places, that are recording
	changed     bool               // merge made something unknown
	firstTouch  map[Mutable]uint32 // within a loop of unknown length: the epoch that an object had when it was touched first
	madeSince   uint32             // while the end of such a loop's body is joined with its start: the epoch of that start
	effects     []Effect
	gaps        []Gap
	gapSeen     map[gapKey]bool
	notes       []Note
	tries       int // enclosing try statements that may catch
	unknowns    int // calls of unknown code so far
	lastUnknown *Unknown
	setOrder    Pos // first place where a set's order was looked at

	fr         *frame
	generators []*Generator
	builtins   map[string]Value
	cmpDepth   int
	excs       []*Instance // being handled
	visiting   map[any]bool
	lib        map[string]*Class
}

type gapKey struct {
	pos  Pos
	what string
}

// New gives a new evaluation.
func New(cfg Config) *Eval {
	ev := &Eval{cfg: cfg, budget: cfg.Budget, cache: cfg.Cache, modules: map[string]*Module{}}
	def := func(p *int, n int) {
		if *p <= 0 {
			*p = n
		}
	}
	def(&ev.budget.Steps, 5e6)
	def(&ev.budget.Depth, 400)
	def(&ev.budget.Bytes, 128<<20)
	def(&ev.budget.Object, 4e6)
	def(&ev.budget.Modules, 2000)
	def(&ev.budget.File, MaxSize)
	def(&ev.budget.Forks, 20000)
	if ev.cache == nil {
		ev.cache = new(Cache)
	}
	if ev.cfg.Roots == nil {
		ev.cfg.Roots = []string{"."}
	}
	return ev
}

// Close ends the evaluation and frees what suspended generators hold.
func (ev *Eval) Close() {
	for _, g := range ev.generators {
		g.close()
	}
	ev.generators = nil
}

// Effects gives the effects so far, in order.
func (ev *Eval) Effects() []Effect { return ev.effects }

// Gaps gives the gaps so far, in the order in which they were found.
func (ev *Eval) Gaps() []Gap { return ev.gaps }

// Notes gives the notes so far.
func (ev *Eval) Notes() []Note { return ev.notes }

// Effect records an effect. If it happens only on one branch of a condition that is not known, it becomes part of a gap.
func (ev *Eval) Effect(e Effect) {
	if len(ev.effects) >= maxEffects {
		ev.abort("%d statements", maxEffects)
		return
	}
	ev.effects = append(ev.effects, e)
}

const maxEffects = 200000

// Gap records a gap. The same gap at the same position is recorded once.
func (ev *Eval) Gap(g Gap) {
	key := gapKey{g.Pos, g.What}
	if ev.gapSeen[key] {
		return
	}
	if len(ev.gaps) >= 10000 {
		ev.abort("%d gaps", len(ev.gaps))
		return
	}
	if ev.gapSeen == nil {
		ev.gapSeen = map[gapKey]bool{}
	}
	ev.gapSeen[key] = true
	g.After = len(ev.effects)
	ev.gaps = append(ev.gaps, g)
}

// Note records a note once.
func (ev *Eval) Note(pos Pos, text string) {
	for _, n := range ev.notes {
		if n.Pos == pos && n.Text == text {
			return
		}
	}
	if len(ev.notes) < 1000 {
		ev.notes = append(ev.notes, Note{pos, text})
	}
}

// Pos is the position of the call or statement that is being evaluated.
func (ev *Eval) Pos() Pos {
	if ev.fr == nil || ev.fr.file == nil {
		return Pos{}
	}
	return ev.fr.file.PosAt(int(ev.fr.at))
}

// Speculative tells whether the evaluation is on a branch that may not be taken.
func (ev *Eval) Speculative() bool { return ev.epoch != 0 }

// giveUp is the error that ends an evaluation whose budget is exceeded. No Python code catches it.
type giveUp struct {
	pos  Pos
	text string
}

// Error gives the reason.
func (g *giveUp) Error() string { return posString(g.pos) + ": gave up after " + g.text }

// abort makes the evaluation end as soon as possible.
func (ev *Eval) abort(format string, args ...any) error {
	if ev.gaveUp == nil {
		ev.gaveUp = &giveUp{ev.Pos(), fmt.Sprintf(format, args...)}
		ev.steps = ev.budget.Steps // the next step fails
	}
	return ev.gaveUp
}
