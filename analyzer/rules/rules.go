// Package rules holds the rules that know how schema changes hurt running code. A rule is one value in one file; its
// examples are its tests and its documentation.
package rules

import "instep/analyzer"

// All are all rules, in the order of the catalogue: tables, columns, keys, foreign keys, checks.
var All = []*analyzer.Rule{}
