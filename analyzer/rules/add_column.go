package rules

import (
	"strings"

	"instep/analyzer"
	"instep/analyzer/schema"
)

var addColumn = &analyzer.Rule{
	ID: "add-column", Since: "0.1", Breaks: analyzer.OldCode | analyzer.NewCode,
	Title: "a column is added",
	Why:   "New code that runs before the migration names a column that does not exist yet (error 1054): also a column that only stands in a model, for an ORM selects every column it knows.",
	Fix:   "Run the migration before the new code. Rows that old code writes meanwhile have no value in the column: new code must cope.",
	Covers: []string{
		"add-column-nullable", "add-column-name-capture", "add-column-not-null-default", "add-column-default-now", "add-column-middle",
		"add-column-auto-increment", "add-column-invisible", "add-column-enum-not-null-no-default",
	},
	Examples: []analyzer.Example{
		{
			Name: "nullable", Catalogue: "add-column-nullable",
			Old: "CREATE TABLE users (id INT)", Migrate: "ALTER TABLE users ADD COLUMN nick TEXT",
			Want: []string{"new-code users.nick: read, write", "old-code users: position (caution)", "old-code users.nick: read (caution)"},
		},
		{
			Name: "the name is used unqualified in a subquery", Catalogue: "add-column-name-capture",
			Old: "CREATE TABLE a (id INT, x INT); CREATE TABLE b (id INT)", Migrate: "ALTER TABLE b ADD COLUMN x INT",
			Want: []string{"new-code b.x: read, write", "old-code b: position (caution)", "old-code b.x: read (caution)"},
		},
		{
			Name: "with a default", Catalogue: "add-column-not-null-default",
			Old: "CREATE TABLE users (id INT)", Migrate: "ALTER TABLE users ADD COLUMN age INT NOT NULL DEFAULT 7",
			Want: []string{"new-code users.age: read, write", "old-code users: position (caution)", "old-code users.age: read (caution)"},
		},
		{
			Name: "with the time of the migration", Catalogue: "add-column-default-now",
			Old: "CREATE TABLE users (id INT)", Migrate: "ALTER TABLE users ADD COLUMN seen DATETIME DEFAULT CURRENT_TIMESTAMP",
			Want: []string{"new-code users.seen: read (caution)", "new-code users.seen: read, write", "old-code users: position (caution)", "old-code users.seen: read (caution)"},
		},
		{
			Name: "in front", Catalogue: "add-column-middle",
			Old: "CREATE TABLE users (id INT)", Migrate: "ALTER TABLE users ADD COLUMN nick TEXT FIRST",
			Want: []string{"new-code users.nick: read, write", "old-code users: position (caution)", "old-code users.nick: read (caution)"},
		},
		{
			Name: "counting itself", Catalogue: "add-column-auto-increment",
			Old: "CREATE TABLE users (name TEXT)", Migrate: "ALTER TABLE users ADD COLUMN id INT NOT NULL AUTO_INCREMENT PRIMARY KEY",
			Want: []string{"new-code users.id: read, write", "old-code users: position (caution)", "old-code users.id: read (caution)"},
		},
		{
			Name: "invisible", Catalogue: "add-column-invisible",
			Old: "CREATE TABLE users (id INT)", Migrate: "ALTER TABLE users ADD COLUMN nick TEXT INVISIBLE",
			Want: []string{"new-code users.nick: read, write", "old-code users.nick: read (caution)"},
		},
		{
			Name: "an ENUM takes its first member", Catalogue: "add-column-enum-not-null-no-default",
			Old: "CREATE TABLE users (id INT)", Migrate: "ALTER TABLE users ADD COLUMN state ENUM('new','old') NOT NULL",
			Want: []string{"new-code users.state: read (caution)", "new-code users.state: read, write", "old-code users: position (caution)", "old-code users.state: read (caution)"},
		},
		{Name: "another change", Old: "CREATE TABLE users (id INT)", Migrate: "CREATE TABLE nicks (id INT)"},
	},
	Check: func(p *analyzer.Pass, c schema.Change) {
		add, ok := c.(*schema.AddColumn)
		if !ok {
			return
		}
		t, col := add.Table.Name, add.Column
		o := column(t, col.Name)
		what := o.String() + " is added"
		p.Report(analyzer.Hazard{Breaks: newCode, Hits: o, Use: readWrite, What: what})
		if !col.Invisible {
			// An invisible column is neither in SELECT * nor wanted by an INSERT without a list (manual: Invisible Columns).
			p.Report(analyzer.Hazard{
				Breaks: oldCode, Hits: table(p.OldTable(t)), Use: analyzer.Position, Caution: true, What: what,
				If: "old code inserts without a list of columns (1136), reads SELECT * by position or in a UNION (1222), or joins naturally",
			})
		}
		p.Report(analyzer.Hazard{
			Breaks: oldCode, Hits: column(p.OldTable(t), col.Name), Use: analyzer.Read, Caution: true, What: what,
			If: "old code uses " + col.Name + " of another table without its name in a query on " + t + ": it becomes ambiguous (1052) or silently means the new column",
		})
		switch {
		case col.Type.Name == "enum" && !col.Nullable && col.Default == nil:
			p.Report(analyzer.Hazard{
				Breaks: newCode, Hits: o, Use: analyzer.Read, Caution: true,
				What: "rows that old code writes get the first member in " + o.String(), If: "that is no true value for them",
			})
		case col.Default != nil && col.Default.Expr && strings.HasPrefix(strings.ToUpper(col.Default.Value), "CURRENT_TIMESTAMP"):
			p.Report(analyzer.Hazard{
				Breaks: newCode, Hits: o, Use: analyzer.Read, Caution: true,
				What: "rows that exist get the time of the migration in " + o.String(), If: "somebody takes it for a real time",
			})
		}
	},
}
