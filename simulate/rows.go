package simulate

import "instep/analyzer/schema"

// RowOptions say which rows are made.
type RowOptions struct {
	// Each is the number of rows of every table, but for those of Tables, by name.
	Each   int64
	Tables map[string]int64
	Seed   uint64 // the same seed and schema give the same rows
	// Fit are later states of the schema: values that would not fit them are left out, so that the pending statements can run.
	// Nil: rows of all kinds that the schema itself takes.
	Fit []*schema.Schema
}
