package rules

import (
	"strings"

	"instep/analyzer"
	"instep/analyzer/schema"
)

var addColumnDefaultExpression = &analyzer.Rule{
	ID: "add-column-default-expression", Since: "0.1", Breaks: analyzer.Running,
	Title:  "a column is added with an expression as its default",
	Why:    "MySQL refuses a default that differs from call to call, such as UUID(), with error 1674 while the binary log is on. Otherwise the table is copied and writes wait.",
	Fix:    "Add the column nullable, then SET DEFAULT (expression) as a step of its own, then fill old rows in batches.",
	Covers: []string{"add-column-default-expression"},
	Examples: []analyzer.Example{
		{
			Name: "UUID", Catalogue: "add-column-default-expression",
			Old: "CREATE TABLE users (id INT)", Migrate: "ALTER TABLE users ADD COLUMN tag CHAR(36) NOT NULL DEFAULT (UUID())",
			Want: []string{"running users.tag"},
		},
		{Name: "literal", Old: "CREATE TABLE users (id INT)", Migrate: "ALTER TABLE users ADD COLUMN age INT DEFAULT 3"},
	},
	Check: func(p *analyzer.Pass, c schema.Change) {
		add, ok := c.(*schema.AddColumn)
		if !ok || add.Column.Default == nil || !add.Column.Default.Expr || p.Server.MariaDB {
			return
		}
		text := strings.ToUpper(add.Column.Default.Value)
		for _, f := range []string{"UUID", "RAND", "NOW", "SYSDATE", "USER", "CONNECTION_ID", "UNIX_TIMESTAMP"} {
			if word(text, f) {
				p.Report(analyzer.Hazard{
					Breaks: running, Hits: column(add.Table.Name, add.Column.Name),
					What: "the default of " + add.Table.Name + "." + add.Column.Name + " differs from call to call, so the statement is refused (1674)",
					If:   "the binary log is on",
				})
				return
			}
		}
	},
}
