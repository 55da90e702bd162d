package schema

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Server gives the server whose semantics are applied.
func (s *Schema) Server() Server { return s.server }

// Database gives the name of the database, "" as long as no statement has told it.
func (s *Schema) Database() string { return s.database }

// Charset gives the database's default character set.
func (s *Schema) Charset() string {
	if s.charset != "" {
		return s.charset
	}
	return s.server.charset()
}

// Collation gives the database's default collation.
func (s *Schema) Collation() string {
	if s.collate != "" {
		return s.collate
	}
	return s.server.defaultCollation(s.Charset())
}

// SQLMode gives the sql_mode of the session that runs the migrations: the server's default, or what a SET statement left.
// Names are in upper case, separated by commas.
func (s *Schema) SQLMode() string { return s.session.sqlMode }

// ForeignKeyChecks tells whether foreign_key_checks is on in the session that runs the migrations.
func (s *Schema) ForeignKeyChecks() bool { return s.session.foreignKeyChecks }

// Table gives the base table of that name, exact in case; nil if there is none.
func (s *Schema) Table(name string) *Table { return s.tables[name] }

// Tables gives all base tables, sorted by name.
func (s *Schema) Tables() []*Table {
	return sorted(s.tables, func(t *Table) string { return t.Name })
}

// View gives the view of that name; nil if there is none.
func (s *Schema) View(name string) *View { return s.views[name] }

// Views gives all views, sorted by name.
func (s *Schema) Views() []*View { return sorted(s.views, func(v *View) string { return v.Name }) }

// Trigger gives the trigger with that name, nil if there is none.
func (s *Schema) Trigger(name string) *Trigger { return s.trigs[name] }

// Triggers gives all triggers, sorted by name.
func (s *Schema) Triggers() []*Trigger {
	return sorted(s.trigs, func(t *Trigger) string { return t.Name })
}

// Routines gives all procedures and functions, sorted by name, the procedure before the function.
func (s *Schema) Routines() []*Routine {
	return sorted(s.procs, func(r *Routine) string {
		if r.Function {
			return r.Name + "\x01"
		}
		return r.Name + "\x00"
	})
}

// Events gives all events, sorted by name.
func (s *Schema) Events() []*Event { return sorted(s.events, func(e *Event) string { return e.Name }) }

// Sequences gives all sequences, sorted by name.
func (s *Schema) Sequences() []*Sequence {
	return sorted(s.seqs, func(q *Sequence) string { return q.Name })
}

// Dropped gives the last statement that dropped or renamed away what bore that name; nil if none did.
func (s *Schema) Dropped(o Object) *Statement { return s.dropped[o] }

func sorted[K comparable, V any](m map[K]V, name func(V) string) []V {
	return slices.SortedFunc(maps.Values(m), func(a, b V) int { return cmp.Compare(name(a), name(b)) })
}

// Column gives the column of that name, in any case of letters; nil if there is none.
func (t *Table) Column(name string) *Column {
	for _, c := range t.Columns {
		if strings.EqualFold(c.Name, name) {
			return c
		}
	}
	return nil
}

// Key gives the key of that name, in any case of letters; nil if there is none.
func (t *Table) Key(name string) *Key {
	for _, k := range t.Keys {
		if strings.EqualFold(k.Name, name) {
			return k
		}
	}
	return nil
}

// PrimaryKey gives the primary key; nil if the table has none.
func (t *Table) PrimaryKey() *Key {
	for _, k := range t.Keys {
		if k.Kind == PrimaryKey {
			return k
		}
	}
	return nil
}

// ForeignKey gives the foreign key of that name, in any case of letters; nil if there is none.
func (t *Table) ForeignKey(name string) *ForeignKey {
	for _, f := range t.ForeignKeys {
		if strings.EqualFold(f.Name, name) {
			return f
		}
	}
	return nil
}

// Check gives the CHECK constraint of that name, in any case of letters; nil if there is none.
func (t *Table) Check(name string) *Check {
	for _, c := range t.Checks {
		if strings.EqualFold(c.Name, name) {
			return c
		}
	}
	return nil
}

// String gives flavour and series as the configuration writes them: "mysql 8.4", "mariadb 10.11.6".
func (v Server) String() string {
	name := "mysql"
	if v.MariaDB {
		name = "mariadb"
	}
	name += fmt.Sprintf(" %d.%d", v.Major, v.Minor)
	if v.Patch != 0 {
		name += fmt.Sprintf(".%d", v.Patch)
	}
	return name
}
