// Package python reads Python source statically: text to syntax tree to values.
// Nothing is ever executed.
//
// [Parse] accepts the syntax of Python 3.8 to 3.14 and, leniently, what Python 2 wrote
// differently (print and exec statements, "except E, e", backticks, 0777, 10L, ur"",
// <>, tuple parameters). It is a reader, not a judge: many programs that CPython rejects
// after parsing ("return" outside a function, a duplicate argument) are accepted.
// A file with a syntax error has no tree: guessing what a broken file meant would be worse
// than saying that it cannot be read.
//
// The input may be hostile. Size and depth are bounded (see [MaxSize] and [MaxDepth]),
// so whoever walks a tree may do it recursively.
package python
