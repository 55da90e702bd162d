package analyzer

import "instep/analyzer/schema"

// A Pass is what a rule sees: one difference, between the ends of the upgrade or around one pending statement.
type Pass struct {
	Old, New *schema.Schema
	// Changes are all differences between Old and New, so that a rule can look around.
	Changes []schema.Change
	Server  schema.Server
	SQLMode SQLMode

	rule    *Rule
	hazards []Hazard
	judged  []bool // by index of Changes: some rule reported or accepted it
	at      int    // index of the change being looked at; -1: none
}

// Report adds a hazard. Rule is filled in; so is Change, if it is nil, with the change being looked at.
func (p *Pass) Report(h Hazard) {
	h.Rule = p.rule
	if h.Change == nil && p.at >= 0 {
		h.Change = p.Changes[p.at]
	}
	p.Accept()
	p.hazards = append(p.hazards, h)
}

// Accept says that the rule knows the change being looked at. Report does so too.
func (p *Pass) Accept() {
	if p.at >= 0 {
		p.judged[p.at] = true
	}
}

// Strict reports whether the applications' connections are in strict mode.
func (p *Pass) Strict() bool { return p.SQLMode.Strict() }
