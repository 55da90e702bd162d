package analyzer

import (
	"strings"

	"instep/analyzer/schema"
)

// A Pass is what a rule sees: one difference, between the ends of the upgrade or around one pending statement.
type Pass struct {
	Old, New *schema.Schema
	// Changes are all differences between Old and New, so that a rule can look around.
	Changes []schema.Change
	// Deployed is the schema at the deployed ref. It differs from Old only where the pass looks at one statement.
	Deployed *schema.Schema
	Server   schema.Server
	SQLMode  SQLMode

	rule    *Rule
	hazards []hazardAt
	judged  []bool // by index of Changes: some rule reported or accepted it
	at      int    // index of the change being looked at; -1: a statement
	stepOK  bool   // some rule reported or accepted the statement
	index   *index
}

// hazardAt is a hazard with the index of its change; -1: of a statement.
type hazardAt struct {
	Hazard
	at int
}

// Report adds a hazard of the change being looked at. Rule and Change are filled in.
func (p *Pass) Report(h Hazard) {
	h.Rule = p.rule
	if p.at >= 0 {
		h.Change = p.Changes[p.at]
	}
	p.Accept()
	p.hazards = append(p.hazards, hazardAt{h, p.at})
}

// Accept says that the rule knows what is being looked at. Report does so too.
func (p *Pass) Accept() {
	if p.at >= 0 {
		p.judged[p.at] = true
	} else {
		p.stepOK = true
	}
}

// Strict reports whether the applications' connections are in strict mode.
func (p *Pass) Strict() bool { return p.SQLMode.Strict() }

// MySQL reports whether the server is MySQL of at least that version.
func (p *Pass) MySQL(major, minor, patch int) bool {
	return !p.Server.MariaDB && atLeast(p.Server, major, minor, patch)
}

// run lets every rule look at every change that only accepts; nil accepts all.
func (p *Pass) run(rules []*Rule, only func(schema.Change) bool) {
	p.judged = make([]bool, len(p.Changes))
	p.index = newIndex(p.Changes)
	for i, c := range p.Changes {
		if only != nil && !only(c) {
			continue
		}
		p.at = i
		for _, r := range rules {
			if r.Check != nil {
				p.rule = r
				r.Check(p, c)
			}
		}
	}
	found := p.hazards[:len(p.hazards):len(p.hazards)]
	for _, r := range rules {
		if r.CheckHazard == nil {
			continue
		}
		p.rule = r
		for _, h := range found {
			if h.Breaks&(OldCode|NewCode) != 0 {
				p.at = h.at
				r.CheckHazard(p, h.Hazard)
			}
		}
	}
}

// statement lets every rule look at one pending statement and reports whether some rule knows it.
func (p *Pass) statement(rules []*Rule, st schema.Statement) bool {
	p.at, p.stepOK = -1, false
	for _, r := range rules {
		if r.CheckStep != nil {
			p.rule = r
			r.CheckStep(p, st)
		}
	}
	return p.stepOK
}

// index is what rules look up about the other changes of a pass.
type index struct {
	oldTable map[string]string // new name → old name, of renamed tables
	newTable map[string]string
	oldCol   map[[2]string]string // new table and new column name → old column name, of renamed columns
	added    map[[2]string]*schema.Column
	dropped  map[[2]string]bool // old names
	tables   map[string]bool    // added tables
	mentions map[string][]int   // word → objects of stored whose text has it; nil: not asked for yet
	stored   []Mention
	triggers map[string][]int // table of the new schema → its triggers among stored
}

func newIndex(changes []schema.Change) *index {
	x := &index{
		oldTable: map[string]string{}, newTable: map[string]string{}, oldCol: map[[2]string]string{},
		added: map[[2]string]*schema.Column{}, dropped: map[[2]string]bool{}, tables: map[string]bool{},
	}
	for _, c := range changes {
		switch c := c.(type) {
		case *schema.AddTable:
			x.tables[c.Table.Name] = true
		case *schema.RenameTable:
			x.oldTable[c.New.Name] = c.Old.Name
			x.newTable[c.Old.Name] = c.New.Name
		case *schema.RenameColumn:
			x.oldCol[[2]string{c.Table.Name, c.New.Name}] = c.Old.Name
		case *schema.AddColumn:
			x.added[[2]string{c.Table.Name, c.Column.Name}] = c.Column
		case *schema.DropColumn:
			x.dropped[[2]string{c.Table.Name, c.Column.Name}] = true
		}
	}
	return x
}

// OldTable gives the name that a table of the new schema had in the old one; the same name if it was not renamed.
func (p *Pass) OldTable(name string) string {
	if old, ok := p.index.oldTable[name]; ok {
		return old
	}
	return name
}

// NewTable gives the name that a table of the old schema has in the new one; the same name if it was not renamed.
func (p *Pass) NewTable(name string) string {
	if n, ok := p.index.newTable[name]; ok {
		return n
	}
	return name
}

// OldColumn gives the name that a column of the new schema had in the old one.
func (p *Pass) OldColumn(table, name string) string {
	if old, ok := p.index.oldCol[[2]string{table, name}]; ok {
		return old
	}
	return name
}

// AddedTable reports whether the table is added, not renamed or recreated.
func (p *Pass) AddedTable(name string) bool { return p.index.tables[name] }

// AddedColumn gives a column that is added to a table that exists, nil if it is not added.
func (p *Pass) AddedColumn(table, name string) *schema.Column {
	return p.index.added[[2]string{table, name}]
}

// DroppedColumn reports whether a column of the old schema, by its old names, is dropped.
func (p *Pass) DroppedColumn(table, name string) bool { return p.index.dropped[[2]string{table, name}] }

// CanAsk reports whether a query before the migration can name the table and its columns: they exist at the deployed ref.
func (p *Pass) CanAsk(table string, columns ...string) bool {
	for _, c := range columns {
		if !canAsk(p.Deployed, schema.Object{Kind: schema.KindColumn, Table: table, Name: c}) {
			return false
		}
	}
	return canAsk(p.Deployed, schema.Object{Kind: schema.KindTable, Table: table})
}

// canAsk reports whether the table of an object, and the column if it is one, exist.
func canAsk(s *schema.Schema, o schema.Object) bool {
	if s == nil || o.Table == "" {
		return false
	}
	t := s.Table(o.Table)
	return t != nil && (o.Kind != schema.KindColumn || t.Column(o.Name) != nil)
}

// mentions makes the index of what stands in stored objects of the new schema.
func (p *Pass) mentions() *index {
	if p.index.mentions != nil {
		return p.index
	}
	p.index.mentions, p.index.triggers = map[string][]int{}, map[string][]int{}
	p.index.stored = stored(p.New)
	for i, m := range p.index.stored {
		if m.Object.Kind == schema.KindTrigger {
			p.index.triggers[m.Object.Table] = append(p.index.triggers[m.Object.Table], i)
		}
		seen := map[string]bool{}
		for w := range strings.FieldsFuncSeq(strings.ToLower(m.Text), func(r rune) bool { return !isWord(r) }) {
			if !seen[w] {
				seen[w] = true
				p.index.mentions[w] = append(p.index.mentions[w], i)
			}
		}
	}
	return p.index
}

// Triggers gives the triggers of a table of the new schema.
func (p *Pass) Triggers(table string) []Mention {
	x := p.mentions()
	var list []Mention
	for _, i := range x.triggers[table] {
		list = append(list, x.stored[i])
	}
	return list
}

// Mentions gives the triggers, views, routines and events of the new schema in whose text a name stands as a word, in
// any case of letters.
func (p *Pass) Mentions(name string) []Mention {
	p.mentions()
	var list []Mention
	if strings.ContainsFunc(name, func(r rune) bool { return !isWord(r) }) {
		// A quoted name of several words.
		for _, m := range p.index.stored {
			if strings.Contains(strings.ToLower(m.Text), strings.ToLower(name)) {
				list = append(list, m)
			}
		}
		return list
	}
	for _, i := range p.index.mentions[strings.ToLower(name)] {
		list = append(list, p.index.stored[i])
	}
	return list
}

// A Mention is an object whose text the server keeps, with that text.
type Mention struct {
	Object schema.Object
	Text   string
}

func isWord(r rune) bool {
	return r == '_' || r == '$' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= 0x80
}

func stored(s *schema.Schema) []Mention {
	var list []Mention
	for _, v := range s.Views() {
		list = append(list, Mention{schema.Object{Kind: schema.KindView, Name: v.Name}, v.Select})
	}
	for _, t := range s.Triggers() {
		list = append(list, Mention{schema.Object{Kind: schema.KindTrigger, Table: t.Table, Name: t.Name}, t.Body})
	}
	for _, r := range s.Routines() {
		list = append(list, Mention{schema.Object{Kind: schema.KindRoutine, Name: r.Name}, r.Body})
	}
	for _, e := range s.Events() {
		list = append(list, Mention{schema.Object{Kind: schema.KindEvent, Name: e.Name}, e.Body})
	}
	return list
}
