// Package sqlalchemy models SQLAlchemy, as far as schema migrations and models need it: its constructs as Go values,
// its DDL compiler for MySQL, reflection from a modelled schema, and the native modules through which the evaluator of
// package python offers all of it to Python sources. Nothing is executed and no database is asked.
//
// The specification is the real library, version 1.4, on a MySQL connection; where 2.0 differs the comment says so.
//
// Ignorance travels as a value: an argument that could not be evaluated makes an *Unknown, which turns up in the
// compiled DDL's Unknown list. The text then has "?" in its place.
package sqlalchemy
