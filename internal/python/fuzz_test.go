package python

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// checkLaws fails if a tree breaks a law that holds for whatever Parse accepts.
func checkLaws(t *testing.T, f *File) {
	t.Helper()
	end := int32(len(f.Source))
	bad := func(law string, n Node) {
		s := n.Range()
		t.Fatalf("%s: %T at %d:%d in %.300q", law, n, s.Start, s.End, f.Source)
	}
	var check func(n Node, outer Span)
	check = func(n Node, outer Span) {
		s := n.Range()
		if s.Start < 0 || s.Start > s.End || s.End > end {
			bad("a span lies in the file", n)
		}
		if s.Start < outer.Start || s.End > outer.End {
			bad("a node lies in its parent", n)
		}
		// Decorators stand before the span of what they decorate, and a default behind the
		// span of its parameter, as in CPython.
		outside := map[Node]bool{}
		switch n := n.(type) {
		case *FuncStmt:
			for _, x := range n.Decorators {
				outside[x] = true
			}
		case *ClassStmt:
			for _, x := range n.Decorators {
				outside[x] = true
			}
		case *Param:
			if n.Default != nil {
				outside[n.Default] = true
			}
		}
		Walk(n, func(c Node) bool {
			if c == n {
				return true
			}
			if outside[c] {
				check(c, Span{0, end})
			} else {
				check(c, s)
			}
			return false
		})
		for _, list := range stmtLists(n) {
			checkOrder(list, bad)
		}
		switch n := n.(type) {
		case *TupleExpr:
			checkOrder(n.Elts, bad)
		case *CallExpr:
			checkOrder(n.Args, bad)
		case *FStringExpr:
			for i, x := range n.Parts {
				x, isString := x.(*StringLit)
				if isString && x.Value == "" {
					bad("no text of an f-string is empty", n)
				}
				if isString && i > 0 {
					if _, ok := n.Parts[i-1].(*StringLit); ok {
						bad("no two texts of an f-string are neighbours", n)
					}
				}
			}
		}
	}
	for _, s := range f.Body {
		check(s, Span{0, end})
		if height(s) > MaxDepth {
			bad("a tree is no higher than MaxDepth", s)
		}
	}
	checkOrder(f.Body, bad)
	last := Pos{Line: 1, Col: 1}
	for i := range f.Source {
		p := f.PosAt(i)
		if p.Line == last.Line && p.Col < last.Col || p.Line < last.Line || p.Line < 1 || p.Col < 1 {
			t.Fatalf("position %v of offset %d is before %v", p, i, last)
		}
		last = p
	}
}

func stmtLists(n Node) [][]Stmt {
	switch n := n.(type) {
	case *IfStmt:
		return [][]Stmt{n.Body, n.Else}
	case *ForStmt:
		return [][]Stmt{n.Body, n.Else}
	case *WhileStmt:
		return [][]Stmt{n.Body, n.Else}
	case *TryStmt:
		return [][]Stmt{n.Body, n.Else, n.Finally}
	case *WithStmt:
		return [][]Stmt{n.Body}
	case *FuncStmt:
		return [][]Stmt{n.Body}
	case *ClassStmt:
		return [][]Stmt{n.Body}
	}
	return nil
}

// checkOrder fails if the nodes of a list overlap or are out of order.
func checkOrder[N Node](list []N, bad func(string, Node)) {
	for i := 1; i < len(list); i++ {
		if list[i].Range().Start < list[i-1].Range().End {
			bad("siblings are in order", list[i])
		}
	}
}

// checkAlone fails if a statement or expression reads differently when it stands alone.
func checkAlone(t *testing.T, f *File) {
	t.Helper()
	for _, s := range f.Body {
		if d, ok := s.(*FuncStmt); ok && d.Decorators != nil {
			continue
		}
		if d, ok := s.(*ClassStmt); ok && d.Decorators != nil {
			continue
		}
		text := f.Text(s) + "\n"
		alone, err := Parse("x.py", []byte(text))
		if err != nil || len(alone.Body) != 1 || sexpr(alone.Body[0]) != sexpr(s) {
			t.Fatalf("a statement reads the same alone: %q in %.300q: %v", text, f.Source, err)
		}
	}
	if len(f.Source) > 2000 {
		return
	}
	for _, s := range f.Body {
		Walk(s, func(n Node) bool {
			x, ok := n.(Expr)
			if !ok {
				return true
			}
			switch x := x.(type) {
			case *StarExpr, *SliceExpr:
				return true
			case *IndexExpr:
				// The index may hold slices, and a lone starred tuple.
				return false
			case *FStringExpr:
				return false
			case *TupleExpr:
				for _, e := range x.Elts {
					if _, ok := e.(*StarExpr); ok {
						return true
					}
				}
			}
			text := "(" + f.Text(x) + "\n)"
			alone, err := Parse("x.py", []byte(text))
			if err != nil || len(alone.Body) != 1 {
				t.Fatalf("an expression parses alone: %q in %.300q: %v", text, f.Source, err)
			}
			e, ok := alone.Body[0].(*ExprStmt)
			if !ok || sexpr(e.X) != sexpr(x) {
				t.Fatalf("an expression reads the same alone: %q in %.300q", text, f.Source)
			}
			return true
		})
	}
}

// FuzzParse checks that Parse neither panics nor hangs, whatever it is given, and that what it accepts
// obeys the laws.
func FuzzParse(f *testing.F) {
	for _, src := range corpus(f) {
		f.Add(src)
		// Also each statement by itself: small inputs mutate better.
		file, err := Parse("x.py", src)
		if err != nil {
			f.Fatal(err)
		}
		for _, s := range file.Body {
			f.Add([]byte(file.Text(s)))
		}
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		if len(src) > 1<<16 {
			return
		}
		file, err := Parse("x.py", src)
		if err != nil {
			pos := err.(*SyntaxError).Pos
			if file != nil || err.Error() == "" || pos.Line < 1 || pos.Col < 1 || pos.File != "x.py" {
				t.Fatalf("an error has a position and a message: %v %v", err, pos)
			}
			return
		}
		checkLaws(t, file)
		checkAlone(t, file)
	})
}

// mutate changes a source a little: tokens are dropped, doubled, swapped, or taken from elsewhere.
func mutate(r *rand.Rand, src string, pool []string) string {
	l := lexer{src: src}
	func() {
		defer func() { _ = recover() }()
		l.run()
	}()
	var parts []string // tokens with the space before them
	last := 0
	for _, t := range l.toks {
		if int(t.end) > last {
			parts = append(parts, src[last:t.end])
			last = int(t.end)
		}
	}
	parts = append(parts, src[last:])
	for range 1 + r.IntN(3) {
		i, j := r.IntN(len(parts)), r.IntN(len(parts))
		switch r.IntN(5) {
		case 0:
			parts[i] = ""
		case 1:
			parts[i] += parts[i]
		case 2:
			parts[i], parts[j] = parts[j], parts[i]
		case 3:
			parts[i] = " " + pool[r.IntN(len(pool))]
		case 4:
			parts[i] += " " + pool[r.IntN(len(pool))]
		}
	}
	return strings.Join(parts, "")
}

// TestCPythonMutated compares with CPython on mutated fixtures: what CPython accepts must be read, and be
// the same tree. (The reverse does not hold: this parser accepts more.)
func TestCPythonMutated(t *testing.T) {
	o := startOracle(t)
	rounds := 3000
	if testing.Short() {
		rounds = 300
	}
	var stmts, pool []string
	for _, name := range []string{"syntax", "migration", "modern"} {
		src := corpus(t)[name]
		f, err := Parse(name, src)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range f.Body {
			stmts = append(stmts, f.Text(s)+"\n")
		}
		l := lexer{src: f.Source}
		l.run()
		for _, k := range l.toks {
			if text := f.Source[k.start:k.end]; strings.TrimSpace(text) != "" {
				pool = append(pool, text)
			}
		}
	}
	r := rand.New(rand.NewPCG(1, 2))
	path := filepath.Join(t.TempDir(), "x.py")
	accepted := 0
	for range rounds {
		src := mutate(r, stmts[r.IntN(len(stmts))], pool)
		if err := os.WriteFile(path, []byte(src), 0o666); err != nil {
			t.Fatal(err)
		}
		want, ok := o.dump(t, path)
		if !ok {
			continue
		}
		accepted++
		compareDump(t, src, []byte(src), want, o.fspans)
		if t.Failed() {
			t.Fatalf("source: %q", src)
		}
	}
	t.Logf("CPython accepts %d of %d mutations", accepted, rounds)
	if accepted < rounds/20 {
		t.Errorf("only %d of %d mutations were compared", accepted, rounds)
	}
}
