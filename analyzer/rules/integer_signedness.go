package rules

import (
	"strconv"

	"instep/analyzer"
	"instep/analyzer/schema"
)

var integerSignedness = &analyzer.Rule{
	ID: "integer-signedness", Since: "0.1", Breaks: analyzer.OldCode | analyzer.NewCode | analyzer.Running,
	Title:  "an integer becomes signed or unsigned",
	Why:    "Each version may write values that the other schema refuses (1264). Once a column is unsigned, a subtraction on it that becomes negative fails in every sql_mode (1690), in a SELECT too.",
	Fix:    "Add a new column of the wanted type, write both, fill, switch readers, drop the old one.",
	Covers: []string{"integer-signedness"},
	Examples: []analyzer.Example{
		{
			Name: "becomes unsigned", Catalogue: "integer-signedness",
			Old: "CREATE TABLE users (n INT)", Migrate: "ALTER TABLE users MODIFY n INT UNSIGNED",
			Want: []string{"new-code users.n: write", "old-code users.n: read, write", "running users.n"},
		},
		{
			Name: "becomes signed",
			Old:  "CREATE TABLE users (n INT UNSIGNED)", Migrate: "ALTER TABLE users MODIFY n INT",
			Want: []string{"new-code users.n: read, write", "old-code users.n: write", "running users.n"},
		},
		{Name: "widened", Old: "CREATE TABLE users (n INT)", Migrate: "ALTER TABLE users MODIFY n BIGINT"},
	},
	Check: func(p *analyzer.Pass, ch schema.Change) {
		c, ok := ch.(*schema.ColumnType)
		if !ok || kindOf(c) != integerSign {
			return
		}
		o, n := ends(p, c.Table, c.Old, c.New)
		oldUse, newUse := analyzer.Write, analyzer.Write
		if c.New.Type.Unsigned {
			oldUse = readWrite
		} else {
			newUse = readWrite
		}
		what := change(n, c)
		p.Report(analyzer.Hazard{Breaks: oldCode, Hits: o, Use: oldUse, What: what, If: "old code writes what the new column does not hold (1264) or its arithmetic leaves the range (1690)"})
		p.Report(analyzer.Hazard{Breaks: newCode, Hits: n, Use: newUse, What: what, If: "new code writes what the old column does not hold (1264) or its arithmetic leaves the range (1690)"})
		condition := quote(c.Old.Name) + " < 0"
		if bits := uint(8 * integers(c.New.Type)); !c.New.Type.Unsigned {
			condition = quote(c.Old.Name) + " > " + strconv.FormatUint(1<<(bits-1)-1, 10)
		} else if bits < 64 {
			condition = quote(c.Old.Name) + " NOT BETWEEN 0 AND " + strconv.FormatUint(1<<bits-1, 10)
		}
		p.Report(analyzer.Hazard{Breaks: running, Hits: n, What: "the migration fails on values out of range (1264): " + what, If: "there are such rows", Preflight: rows(p, c, condition)})
	},
}
