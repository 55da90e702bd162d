package rules

import (
	"instep/analyzer"
	"instep/analyzer/schema"
)

var dropIndex = &analyzer.Rule{
	ID: "drop-index", Since: "0.1", Breaks: analyzer.OldCode | analyzer.NewCode,
	Title:  "a key is dropped",
	Why:    "Queries of old code that need the key become slow, which can stop a service as well as an error does; queries that name it in FORCE, USE or IGNORE INDEX fail (error 1176). If another key begins with the same columns, only such hints matter.",
	Fix:    "Release code that does not need the key first. Making it INVISIBLE (MariaDB: IGNORED) for a while shows who needs it.",
	Covers: []string{"drop-index"},
	Examples: []analyzer.Example{
		{
			Name: "needed", Catalogue: "drop-index",
			Old: "CREATE TABLE users (nick INT, KEY k (nick))", Migrate: "ALTER TABLE users DROP KEY k",
			Want: []string{"old-code users.nick: read"},
		},
		{
			Name: "redundant",
			Old:  "CREATE TABLE users (nick INT, age INT, KEY k (nick), KEY l (nick, age))", Migrate: "ALTER TABLE users DROP KEY k",
			Want: []string{"old-code key users.k: hint (caution)"},
		},
		{
			Name: "unique", Old: "CREATE TABLE users (nick INT, UNIQUE KEY k (nick))", Migrate: "ALTER TABLE users DROP KEY k",
			Want: []string{"old-code users.nick: read"},
		},
		{
			Name: "over an expression that can fail",
			Old:  "CREATE TABLE users (doc JSON, KEY k ((CAST(doc->'$.n' AS UNSIGNED))))", Migrate: "ALTER TABLE users DROP KEY k",
			Want: []string{"new-code users: write", "old-code users: read"},
		},
		{Name: "added", Old: "CREATE TABLE users (nick INT)", Migrate: "ALTER TABLE users ADD KEY k (nick)"},
	},
	Check: func(p *analyzer.Pass, ch schema.Change) {
		c, ok := ch.(*schema.DropKey)
		if !ok || c.Key.Kind == schema.FulltextKey {
			return
		}
		if !unique(c.Key) {
			p.Accept() // that duplicates become possible is for drop-unique-index and drop-primary-key to say
		}
		if c.Key.Implicit {
			return // it came with a foreign key and nobody asked for it
		}
		for _, o := range geometries(p, c.Table, c.Key) {
			if t := p.New.Table(p.NewTable(o.Table)); t != nil && t.Column(o.Name) != nil {
				p.Report(analyzer.Hazard{
					Breaks: newCode, Hits: column(t.Name, o.Name), Use: analyzer.Read, What: "key " + c.Key.Name + " of " + c.Table.Name + " over a geometry is there until it is dropped",
					If: "new code compares it with what is none (1416)",
				})
			}
		}
		raises := c.Key.Kind == schema.SpatialKey
		for _, part := range c.Key.Parts {
			raises = raises || part.Expr != "" && canRaise(part.Expr)
		}
		if raises {
			p.Report(analyzer.Hazard{
				Breaks: newCode, Hits: table(p.NewTable(c.Table.Name)), Use: analyzer.Write, What: "key " + c.Key.Name + " of " + c.Table.Name + " is there until it is dropped",
				If: "it cannot be computed for a value that new code writes (1416, 3751, 3903)",
			})
		}
		losesKey(p, c.Table.Name, c.Key, "key "+c.Key.Name+" of "+c.Table.Name+" is dropped")
	},
}

// losesKey reports that old code has to do without a key.
func losesKey(p *analyzer.Pass, t string, k *schema.Key, what string) {
	if covered(p.New.Table(p.NewTable(t)), k) || len(k.Parts) > 0 && k.Parts[0].Column != "" && p.DroppedColumn(t, k.Parts[0].Column) {
		p.Report(analyzer.Hazard{Breaks: oldCode, Hits: key(t, k.Name), Use: analyzer.Hint, Caution: true, What: what, If: "old code names it in an index hint (1176)"})
		return
	}
	hits := table(t)
	if len(k.Parts) > 0 && k.Parts[0].Column != "" {
		hits = column(t, k.Parts[0].Column)
	}
	p.Report(analyzer.Hazard{Breaks: oldCode, Hits: hits, Use: analyzer.Read, What: what, If: "old code needs it to be fast, or names it in an index hint (1176)"})
}
