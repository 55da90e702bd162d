package rules

import (
	"instep/analyzer"
	"instep/analyzer/schema"
)

var addFunctionalIndex = &analyzer.Rule{
	ID: "add-functional-index", Since: "0.1", Breaks: analyzer.OldCode | analyzer.Running,
	Title:  "a key over an expression is added",
	Why:    "The expression is computed for every row that old code writes. A value that it cannot convert refuses the whole write (3751, 3903, 3157). The migration fails on rows that exist with such a value.",
	Fix:    "Make the expression total: a wide result type, NULLIF, IF(JSON_VALID(x), …).",
	Covers: []string{"add-functional-index", "multi-valued-index"},
	Examples: []analyzer.Example{
		{
			Name: "cannot fail", Catalogue: "add-functional-index",
			Old: "CREATE TABLE users (name VARCHAR(40))", Migrate: "ALTER TABLE users ADD KEY k ((LOWER(name)))",
			Want: []string{"old-code users: write (caution)", "running key users.k"},
		},
		{
			Name: "converts", Catalogue: "multi-valued-index",
			Old: "CREATE TABLE users (doc JSON)", Migrate: "ALTER TABLE users ADD KEY k ((CAST(doc->'$.ids' AS UNSIGNED ARRAY)))",
			Want: []string{"old-code users: write", "running key users.k"},
		},
		{Name: "plain", Old: "CREATE TABLE users (nick INT)", Migrate: "ALTER TABLE users ADD KEY k (nick)"},
	},
	Check: func(p *analyzer.Pass, ch schema.Change) {
		var t *schema.Table
		var k *schema.Key
		switch c := ch.(type) {
		case *schema.AddKey:
			t, k = c.Table, c.Key
		case *schema.ChangeKey:
			if keyChangeOf(c) != expressionChange {
				return
			}
			t, k = c.Table, c.New
		default:
			return
		}
		if !expression(k) {
			return
		}
		raises := false
		for _, part := range k.Parts {
			raises = raises || part.Expr != "" && canRaise(part.Expr)
		}
		what := "key " + k.Name + " of " + t.Name + " computes an expression for every row"
		p.Report(analyzer.Hazard{Breaks: oldCode, Hits: table(p.OldTable(t.Name)), Use: analyzer.Write, Caution: !raises, What: what, If: "it fails for a value that old code writes"})
		p.Report(analyzer.Hazard{Breaks: running, Hits: key(t.Name, k.Name), What: what, If: "it fails for a row that exists"})
	},
}
