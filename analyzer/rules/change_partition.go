package rules

import (
	"slices"
	"strings"

	"instep/analyzer"
	"instep/analyzer/schema"
)

var changePartition = &analyzer.Rule{
	ID: "change-partition", Since: "0.1", Breaks: analyzer.OldCode | analyzer.NewCode | analyzer.Running,
	Title:  "the partitions of a table change",
	Why:    "A row whose value belongs to no partition is refused (error 1526): of old code after the migration, of new code before it. HASH and KEY take every value, and so does RANGE with MAXVALUE. Dropping a partition loses its rows without an error.",
	Fix:    "Give RANGE a last partition with VALUES LESS THAN MAXVALUE. Add partitions before the code that needs them, and drop them after the code that needs their rows.",
	Covers: []string{"partition-table", "partition-add", "partition-drop", "partition-remove"},
	Examples: []analyzer.Example{
		{
			Name: "by range, without a last one", Catalogue: "partition-table",
			Old: "CREATE TABLE users (id INT)", Migrate: "ALTER TABLE users PARTITION BY RANGE (id) (PARTITION p0 VALUES LESS THAN (100))",
			Want: []string{"old-code users: write", "running users"},
		},
		{Name: "by hash", Catalogue: "partition-table", Old: "CREATE TABLE users (id INT)", Migrate: "ALTER TABLE users PARTITION BY HASH (id) PARTITIONS 4"},
		{
			Name: "one more", Catalogue: "partition-add",
			Old:     "CREATE TABLE users (id INT) PARTITION BY RANGE (id) (PARTITION p0 VALUES LESS THAN (100))",
			Migrate: "ALTER TABLE users ADD PARTITION (PARTITION p1 VALUES LESS THAN (200))",
			Want:    []string{"new-code users: write"},
		},
		{
			Name: "one less", Catalogue: "partition-drop",
			Old:     "CREATE TABLE users (id INT) PARTITION BY RANGE (id) (PARTITION p0 VALUES LESS THAN (100), PARTITION p1 VALUES LESS THAN (200))",
			Migrate: "ALTER TABLE users DROP PARTITION p1",
			Want:    []string{"old-code users: hint (caution)", "old-code users: read, write, delete", "running users"},
		},
		{
			Name: "a computed column",
			Old:  "CREATE TABLE users (id INT, next INT AS (id + 1) VIRTUAL)", Migrate: "ALTER TABLE users PARTITION BY HASH (id) PARTITIONS 4",
			Want: []string{"old-code users: write"},
		},
		{
			Name: "none any more", Catalogue: "partition-remove",
			Old: "CREATE TABLE users (id INT) PARTITION BY HASH (id) PARTITIONS 4", Migrate: "ALTER TABLE users REMOVE PARTITIONING",
			Want: []string{"old-code users: hint (caution)"},
		},
	},
	Check: func(p *analyzer.Pass, ch schema.Change) {
		c, ok := ch.(*schema.ChangePartition)
		if !ok {
			return
		}
		p.Accept()
		o, n := c.Old, c.New
		old, new := table(p.OldTable(c.Table.Name)), table(c.Table.Name)
		gone := o != nil
		what := "the partitions of " + c.Table.Name + " change"
		if o != nil && n != nil && o.By == n.By && o.Sub == n.Sub && len(o.Parts) > 0 {
			kept := 0
			for _, part := range o.Parts {
				if slices.Contains(n.Parts, part) {
					kept++
				}
			}
			gone = kept < len(o.Parts)
			if gone {
				p.Report(analyzer.Hazard{Breaks: oldCode, Hits: old, Use: anyUse, What: what, If: "rows go with a partition, or a value has none left (1526)"})
				p.Report(analyzer.Hazard{Breaks: running, Hits: old, What: "partitions of " + c.Table.Name + " go", If: "they are dropped with rows that somebody needs"})
			}
			all := true
			for _, part := range n.Parts {
				all = all && slices.Contains(o.Parts, part)
			}
			if !all && !takesAll(o) {
				p.Report(analyzer.Hazard{Breaks: newCode, Hits: new, Use: analyzer.Write, What: what, If: "new code writes a value that has no partition yet (1526)"})
			}
		} else {
			if !takesAll(n) {
				p.Report(analyzer.Hazard{Breaks: oldCode, Hits: old, Use: analyzer.Write, What: what, If: "old code writes a value that has no partition (1526)"})
				p.Report(analyzer.Hazard{Breaks: running, Hits: new, What: "the migration fails on rows that have no partition (1526): " + what, If: "there are such rows"})
			}
			if !takesAll(o) {
				p.Report(analyzer.Hazard{Breaks: newCode, Hits: new, Use: analyzer.Write, What: what, If: "new code writes a value that has no partition yet (1526)"})
			}
		}
		if computesFailing(c.Table) {
			// MariaDB computes virtual columns for a row that it moves to another partition (tested on 10.11: 1264).
			h := analyzer.Hazard{Use: analyzer.Write, What: what, If: "a column of " + c.Table.Name + " is computed for a row that changes its partition, and its expression fails (1264)"}
			if n != nil {
				h.Breaks, h.Hits = oldCode, old
				p.Report(h)
			}
			if o != nil {
				h.Breaks, h.Hits = newCode, new
				p.Report(h)
			}
		}
		if gone {
			p.Report(analyzer.Hazard{Breaks: oldCode, Hits: old, Use: analyzer.Hint, Caution: true, What: what, If: "old code names a partition that is gone (1735, 1747)"})
		}
	},
}

// computesFailing reports whether the expression of a column that is not stored may fail.
func computesFailing(t *schema.Table) bool {
	return slices.ContainsFunc(t.Columns, func(c *schema.Column) bool {
		return c.Generated != nil && !c.Generated.Stored && canFail(t, c)
	})
}

// takesAll reports that every value has a partition. An expression may fail for a value, so only plain columns are trusted.
func takesAll(p *schema.Partition) bool {
	if p == nil {
		return true
	}
	words, ok := scan(p.By)
	if !ok || p.Sub != "" {
		return false
	}
	columns := 0
	kind := ""
	for i, w := range words {
		switch {
		case w.quote == '`':
			columns++
		case w.quote != 0:
			return false
		case w.is("LINEAR") && i == 0, w.text == "(", w.text == ")", w.text == ",":
		case kind == "" && (w.is("HASH") || w.is("KEY") || w.is("RANGE")):
			kind = strings.ToUpper(w.text)
		case w.is("ALGORITHM"), w.text == "=", w.is("1"), w.is("2"):
		default:
			return false
		}
	}
	switch kind {
	case "HASH", "KEY":
		return true
	case "RANGE":
		return columns == 1 && slices.ContainsFunc(p.Parts, func(s string) bool { return word(s, "maxvalue") })
	}
	return false
}
