package python

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// findPython returns a Python interpreter. Without one the test is skipped, or fails if
// INSTEP_REQUIRE names python.
func findPython(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("python3")
	if err == nil {
		err = exec.Command(path, "-c", "import ast, sys; sys.exit(sys.version_info < (3, 11))").Run()
	}
	if err != nil {
		if slices.Contains(strings.Split(os.Getenv("INSTEP_REQUIRE"), ","), "python") {
			t.Fatalf("INSTEP_REQUIRE names python, but there is no python3 of version 3.11 or newer: %v", err)
		}
		t.Skipf("SKIPPED, NOT TESTED: needs python3 of version 3.11 or newer, to compare with CPython's ast: %v", err)
	}
	return path
}

// oracle is a running testdata/dump_ast.py.
type oracle struct {
	in  io.WriteCloser
	out *bufio.Reader
	// fspans is set if positions inside f-strings can be compared.
	fspans bool
}

func startOracle(t *testing.T) *oracle {
	t.Helper()
	cmd := exec.Command(findPython(t), "testdata/dump_ast.py")
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		cmd.Wait()
	})
	o := &oracle{in: in, out: bufio.NewReader(out)}
	version, err := o.out.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	o.fspans = strings.TrimSpace(version) == "fspans"
	return o
}

// dump returns CPython's dump of a file; ok is false if CPython rejects it.
func (o *oracle) dump(t *testing.T, path string) (dump string, ok bool) {
	t.Helper()
	fmt.Fprintln(o.in, path)
	line, err := o.out.ReadString('\n')
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	n, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	if n < 0 {
		return "", false
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(o.out, b); err != nil {
		t.Fatal(err)
	}
	return string(b), true
}

// TestCPython compares our trees with CPython's over its standard library: every node, every
// value and every span. Not compared are positions inside f-strings (wrong before Python
// 3.12), contexts (they follow from the place of a node) and strings with a \N{…} that
// is left unresolved.
func TestCPython(t *testing.T) {
	python := findPython(t)
	list, err := exec.Command(python, "testdata/dump_ast.py", "list").Output()
	if err != nil {
		t.Fatal(err)
	}
	o := startOracle(t)
	compared, unread, size := 0, 0, 0
	for i, path := range strings.Fields(string(list)) {
		if strings.Contains(path, "-packages/") && os.Getenv("INSTEP_PYTHON_ALL") == "" {
			continue
		}
		if testing.Short() && i%20 != 0 {
			continue
		}
		src, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		want, ok := o.dump(t, path)
		if !ok {
			continue
		}
		if !compareDump(t, path, src, want, o.fspans) {
			unread++
			continue
		}
		compared++
		size += len(src)
	}
	t.Logf("compared %d files, %d bytes; %d files are in encodings or names that are not read", compared, size, unread)
	if compared < 20 || unread > compared/100 {
		t.Errorf("only %d files were compared, %d were not read", compared, unread)
	}
}

// TestCPythonSyntax compares our trees with CPython's over the fixtures, some of which are newer or
// older than the interpreter at hand.
func TestCPythonSyntax(t *testing.T) {
	o := startOracle(t)
	for name, src := range corpus(t) {
		want, ok := o.dump(t, "testdata/parse/"+name+".py")
		if !ok {
			if name != "modern" && name != "python314" && name != "python2" {
				t.Errorf("CPython does not parse %s", name)
			}
			continue
		}
		compareDump(t, name, src, want, o.fspans)
	}
}

// refused reports whether an error means that a source is not read although CPython reads it.
func refused(err error) bool {
	return strings.HasPrefix(err.Error(), "encoding ") || strings.Contains(err.Error(), "(NFKC)") ||
		strings.Contains(err.Error(), "differs between versions")
}

// compareDump fails the test where our dump of src first differs from CPython's. It returns false if
// the file is one of the few that CPython reads and we refuse.
func compareDump(t *testing.T, path string, src []byte, want string, fspans bool) bool {
	t.Helper()
	f, err := Parse(path, src)
	if err != nil {
		if refused(err) {
			t.Logf("%s is not read: %v", path, err)
			return false
		}
		pos := err.(*SyntaxError).Pos
		t.Errorf("%s:%d:%d: %v", path, pos.Line, pos.Col, err)
		return true
	}
	if filepath.Base(path) == "test_print.py" {
		return false // has "print >>f, x", which Python 3 parses as a tuple
	}
	d := dumper{f: f, fspans: fspans}
	d.line("Module")
	d.stmts("body", f.Body)
	got := strings.TrimSuffix(d.b.String(), "\n")
	if got == want {
		return true
	}
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range g {
		if i >= len(w) {
			t.Errorf("%s: more nodes than CPython's, from line %d of the dump: %s", path, i, g[i])
			return true
		}
		if g[i] != w[i] && !(g[i] == ".value s?" && strings.HasPrefix(w[i], ".value s")) {
			from := max(0, i-6)
			t.Errorf("%s: line %d of the dump\ngot:\n%s\nwant:\n%s", path, i,
				strings.Join(g[from:min(i+3, len(g))], "\n"), strings.Join(w[from:min(i+3, len(w))], "\n"))
			return true
		}
	}
	if len(g) < len(w) {
		t.Errorf("%s: fewer nodes than CPython's", path)
	}
	return true
}

// dumper writes a tree as testdata/dump_ast.py does.
type dumper struct {
	f       *File
	b       strings.Builder
	fspans  bool
	noSpans int // f-strings around the node whose inner spans are not compared
}

func (d *dumper) line(format string, args ...any) {
	fmt.Fprintf(&d.b, format, args...)
	d.b.WriteByte('\n')
}

func (d *dumper) node(name string, s Span) {
	d.b.WriteString(name)
	if d.noSpans == 0 {
		a, b := d.f.Pos(s), d.f.EndPos(s)
		fmt.Fprintf(&d.b, " %d:%d-%d:%d", a.Line, a.Col, b.Line, b.Col)
	}
	d.b.WriteByte('\n')
}

func (d *dumper) str(field, s string) { d.line(".%s s%s", field, hex.EncodeToString([]byte(s))) }

func (d *dumper) optStr(field, s string) {
	if s != "" {
		d.str(field, s)
	}
}

func (d *dumper) names(field string, names []string) {
	if len(names) > 0 {
		d.line(".%s %d", field, len(names))
		for _, s := range names {
			d.line("s%s", hex.EncodeToString([]byte(s)))
		}
	}
}

func (d *dumper) stmts(field string, list []Stmt) {
	if len(list) > 0 {
		d.line(".%s %d", field, len(list))
		for _, s := range list {
			d.stmt(s)
		}
	}
}

func (d *dumper) exprs(field string, list []Expr) {
	if len(list) > 0 {
		d.line(".%s %d", field, len(list))
		for _, x := range list {
			if x == nil {
				d.line("None")
				continue
			}
			d.expr(x)
		}
	}
}

// opt writes a field that may be missing.
func (d *dumper) opt(field string, x Expr) {
	if x != nil {
		d.line(".%s", field)
		d.expr(x)
	}
}

func (d *dumper) op(field string, op Op) {
	d.line(".%s", field)
	d.line("%s", astOps[op])
}

var astOps = [...]string{
	OpAdd: "Add", OpSub: "Sub", OpMul: "Mult", OpDiv: "Div", OpFloorDiv: "FloorDiv", OpMod: "Mod", OpPow: "Pow",
	OpLShift: "LShift", OpRShift: "RShift", OpBitOr: "BitOr", OpBitXor: "BitXor", OpBitAnd: "BitAnd", OpMatMul: "MatMult",
	OpPos: "UAdd", OpNeg: "USub", OpInvert: "Invert", OpNot: "Not", OpAnd: "And", OpOr: "Or", OpEq: "Eq", OpNotEq: "NotEq",
	OpLt: "Lt", OpLtE: "LtE", OpGt: "Gt", OpGtE: "GtE", OpIs: "Is", OpIsNot: "IsNot", OpIn: "In", OpNotIn: "NotIn",
}

func hexFloat(x float64) string { return fmt.Sprintf("%016x", math.Float64bits(x)) }

func (d *dumper) expr(x Expr) {
	s := x.Range()
	switch x := x.(type) {
	case *NameExpr:
		d.node("Name", s)
		d.str("id", x.Name)
	case *NoneLit:
		d.node("Constant", s)
		d.line(".value None")
	case *BoolLit:
		d.node("Constant", s)
		d.line(".value %s", map[bool]string{true: "True", false: "False"}[x.Value])
	case *EllipsisLit:
		d.node("Constant", s)
		d.line(".value Ellipsis")
	case *IntLit:
		d.node("Constant", s)
		if x.Big != nil {
			d.line(".value 0x%s", x.Big.Text(16))
		} else {
			d.line(".value 0x%x", x.Value)
		}
	case *FloatLit:
		d.node("Constant", s)
		d.line(".value f%s", hexFloat(x.Value))
	case *ImagLit:
		d.node("Constant", s)
		d.line(".value j%s", hexFloat(x.Value))
	case *StringLit:
		d.node("Constant", s)
		if x.Unresolved {
			d.line(".value s?")
		} else {
			d.str("value", x.Value)
		}
		if x.Unicode && d.f.Source[s.Start] == 'u' { // CPython does not count a capital U
			d.str("kind", "u")
		}
	case *BytesLit:
		d.node("Constant", s)
		d.line(".value b%s", hex.EncodeToString([]byte(x.Value)))
	case *FStringExpr:
		d.node("JoinedStr", s)
		if !d.fspans {
			d.noSpans++
		}
		d.exprs("values", x.Parts)
		if !d.fspans {
			d.noSpans--
		}
	case *FormatExpr:
		d.node("FormattedValue", s)
		d.opt("value", x.X)
		if x.Conversion == 0 {
			d.line(".conversion -0x1")
		} else {
			d.line(".conversion 0x%x", x.Conversion)
		}
		if x.Spec != nil {
			d.opt("format_spec", x.Spec)
		}
	case *AttrExpr:
		d.node("Attribute", s)
		d.opt("value", x.X)
		d.str("attr", x.Name)
	case *IndexExpr:
		d.node("Subscript", s)
		d.opt("value", x.X)
		d.opt("slice", x.Index)
	case *SliceExpr:
		d.node("Slice", s)
		d.opt("lower", x.Lower)
		d.opt("upper", x.Upper)
		d.opt("step", x.Step)
	case *CallExpr:
		d.node("Call", s)
		d.opt("func", x.Fn)
		d.exprs("args", x.Args)
		d.keywords(x.Keywords)
	case *UnaryExpr:
		d.node("UnaryOp", s)
		d.op("op", x.Op)
		d.opt("operand", x.X)
	case *BinExpr:
		d.node("BinOp", s)
		d.opt("left", x.X)
		d.op("op", x.Op)
		d.opt("right", x.Y)
	case *BoolExpr:
		d.node("BoolOp", s)
		d.op("op", x.Op)
		d.exprs("values", x.Xs)
	case *CompareExpr:
		d.node("Compare", s)
		d.opt("left", x.X)
		d.line(".ops %d", len(x.Ops))
		for _, op := range x.Ops {
			d.line("%s", astOps[op])
		}
		d.exprs("comparators", x.Ys)
	case *CondExpr:
		d.node("IfExp", s)
		d.opt("test", x.Cond)
		d.opt("body", x.Then)
		d.opt("orelse", x.Else)
	case *LambdaExpr:
		d.node("Lambda", s)
		d.params(x.Params)
		d.opt("body", x.Body)
	case *TupleExpr:
		d.node("Tuple", s)
		d.exprs("elts", x.Elts)
	case *ListExpr:
		d.node("List", s)
		d.exprs("elts", x.Elts)
	case *SetExpr:
		d.node("Set", s)
		d.exprs("elts", x.Elts)
	case *DictExpr:
		d.node("Dict", s)
		d.exprs("keys", x.Keys)
		d.exprs("values", x.Values)
	case *CompExpr:
		d.node([...]string{ListComp: "ListComp", SetComp: "SetComp", DictComp: "DictComp", GeneratorComp: "GeneratorExp"}[x.Kind], s)
		if x.Kind == DictComp {
			d.opt("key", x.X)
			d.opt("value", x.Y)
		} else {
			d.opt("elt", x.X)
		}
		d.line(".generators %d", len(x.Fors))
		for _, f := range x.Fors {
			d.line("comprehension")
			d.opt("target", f.Target)
			d.opt("iter", f.Iter)
			d.exprs("ifs", f.Ifs)
			d.line(".is_async 0x%x", map[bool]int{true: 1}[f.Async])
		}
	case *AwaitExpr:
		d.node("Await", s)
		d.opt("value", x.X)
	case *YieldExpr:
		if x.From {
			d.node("YieldFrom", s)
		} else {
			d.node("Yield", s)
		}
		d.opt("value", x.X)
	case *StarExpr:
		d.node("Starred", s)
		d.opt("value", x.X)
	case *WalrusExpr:
		d.node("NamedExpr", s)
		d.opt("target", x.Target)
		d.opt("value", x.X)
	default:
		d.line("%T", x)
	}
}

func (d *dumper) keywords(list []Keyword) {
	if len(list) > 0 {
		d.line(".keywords %d", len(list))
		for _, k := range list {
			d.node("keyword", k.Span)
			d.optStr("arg", k.Name)
			d.opt("value", k.X)
		}
	}
}

// params writes CPython's arguments node, which has a list for each kind of parameter.
func (d *dumper) params(params []Param) {
	d.line(".args")
	d.line("arguments")
	of := func(k ParamKind) (list []Param) {
		for _, p := range params {
			if p.Kind == k {
				list = append(list, p)
			}
		}
		return list
	}
	arg := func(p Param) {
		d.node("arg", p.Span)
		d.str("arg", p.Name)
		d.opt("annotation", p.Annotation)
	}
	args := func(field string, list []Param) {
		if len(list) > 0 {
			d.line(".%s %d", field, len(list))
			for _, p := range list {
				arg(p)
			}
		}
	}
	one := func(field string, list []Param) {
		for _, p := range list {
			d.line(".%s", field)
			arg(p)
		}
	}
	args("posonlyargs", of(PosOnlyParam))
	args("args", of(PlainParam))
	one("vararg", of(VarParam))
	args("kwonlyargs", of(KwOnlyParam))
	var defaults, kwDefaults []Expr
	for _, p := range params {
		switch {
		case p.Kind == KwOnlyParam:
			kwDefaults = append(kwDefaults, p.Default)
		case p.Default != nil:
			defaults = append(defaults, p.Default)
		}
	}
	d.exprs("kw_defaults", kwDefaults)
	one("kwarg", of(KwVarParam))
	d.exprs("defaults", defaults)
}

func (d *dumper) aliases(list []Alias) {
	d.line(".names %d", len(list))
	for _, a := range list {
		d.node("alias", a.Span)
		d.str("name", a.Name)
		d.optStr("asname", a.AsName)
	}
}

func (d *dumper) typeParams(list []TypeParam) {
	if len(list) > 0 {
		d.line(".type_params %d", len(list))
		for _, p := range list {
			d.node([...]string{"TypeVar", "TypeVarTuple", "ParamSpec"}[p.Stars], p.Span)
			d.str("name", p.Name)
			d.opt("bound", p.Bound)
			d.opt("default_value", p.Default)
		}
	}
}

func async(is bool, name string) string {
	if is {
		return "Async" + name
	}
	return name
}

func (d *dumper) stmt(x Stmt) {
	s := x.Range()
	switch x := x.(type) {
	case *ExprStmt:
		d.node("Expr", s)
		d.opt("value", x.X)
	case *AssignStmt:
		d.node("Assign", s)
		d.exprs("targets", x.Targets)
		d.opt("value", x.X)
	case *AugAssignStmt:
		d.node("AugAssign", s)
		d.opt("target", x.Target)
		d.op("op", x.Op)
		d.opt("value", x.X)
	case *AnnAssignStmt:
		d.node("AnnAssign", s)
		d.opt("target", x.Target)
		d.opt("annotation", x.Annotation)
		d.opt("value", x.X)
		d.line(".simple 0x%x", map[bool]int{true: 1}[x.Simple])
	case *ReturnStmt:
		d.node("Return", s)
		d.opt("value", x.X)
	case *DelStmt:
		d.node("Delete", s)
		d.exprs("targets", x.Targets)
	case *PassStmt:
		d.node("Pass", s)
	case *BreakStmt:
		d.node("Break", s)
	case *ContinueStmt:
		d.node("Continue", s)
	case *RaiseStmt:
		d.node("Raise", s)
		d.opt("exc", x.X)
		d.opt("cause", x.Cause)
	case *GlobalStmt:
		d.node("Global", s)
		d.names("names", x.Names)
	case *NonlocalStmt:
		d.node("Nonlocal", s)
		d.names("names", x.Names)
	case *AssertStmt:
		d.node("Assert", s)
		d.opt("test", x.Cond)
		d.opt("msg", x.Msg)
	case *ImportStmt:
		d.node("Import", s)
		d.aliases(x.Names)
	case *ImportFromStmt:
		d.node("ImportFrom", s)
		d.optStr("module", x.Module)
		d.aliases(x.Names)
		d.line(".level 0x%x", x.Level)
	case *IfStmt:
		d.node("If", s)
		d.opt("test", x.Cond)
		d.stmts("body", x.Body)
		d.stmts("orelse", x.Else)
	case *WhileStmt:
		d.node("While", s)
		d.opt("test", x.Cond)
		d.stmts("body", x.Body)
		d.stmts("orelse", x.Else)
	case *ForStmt:
		d.node(async(x.Async, "For"), s)
		d.opt("target", x.Target)
		d.opt("iter", x.Iter)
		d.stmts("body", x.Body)
		d.stmts("orelse", x.Else)
	case *TryStmt:
		if x.Star {
			d.node("TryStar", s)
		} else {
			d.node("Try", s)
		}
		d.stmts("body", x.Body)
		if len(x.Handlers) > 0 {
			d.line(".handlers %d", len(x.Handlers))
			for _, h := range x.Handlers {
				d.node("ExceptHandler", h.Span)
				d.opt("type", h.Type)
				d.optStr("name", h.Name)
				d.stmts("body", h.Body)
			}
		}
		d.stmts("orelse", x.Else)
		d.stmts("finalbody", x.Finally)
	case *WithStmt:
		d.node(async(x.Async, "With"), s)
		d.line(".items %d", len(x.Items))
		for _, w := range x.Items {
			d.line("withitem")
			d.opt("context_expr", w.X)
			d.opt("optional_vars", w.Target)
		}
		d.stmts("body", x.Body)
	case *FuncStmt:
		d.node(async(x.Async, "FunctionDef"), s)
		d.str("name", x.Name)
		d.params(x.Params)
		d.stmts("body", x.Body)
		d.exprs("decorator_list", x.Decorators)
		d.opt("returns", x.Returns)
		d.typeParams(x.TypeParams)
	case *ClassStmt:
		d.node("ClassDef", s)
		d.str("name", x.Name)
		d.exprs("bases", x.Bases)
		d.keywords(x.Keywords)
		d.stmts("body", x.Body)
		d.exprs("decorator_list", x.Decorators)
		d.typeParams(x.TypeParams)
	case *MatchStmt:
		d.node("Match", s)
		d.opt("subject", x.Subject)
		d.line(".cases %d", len(x.Cases))
		for _, c := range x.Cases {
			d.line("match_case")
			d.line(".pattern")
			d.pattern(c.Pattern)
			d.opt("guard", c.Guard)
			d.stmts("body", c.Body)
		}
	case *TypeAliasStmt:
		d.node("TypeAlias", s)
		d.opt("name", x.Name)
		d.typeParams(x.TypeParams)
		d.opt("value", x.X)
	default:
		d.line("%T", x)
	}
}

func (d *dumper) patterns(field string, list []Pattern) {
	if len(list) > 0 {
		d.line(".%s %d", field, len(list))
		for _, x := range list {
			d.pattern(x)
		}
	}
}

func (d *dumper) pattern(x Pattern) {
	s := x.Range()
	switch x := x.(type) {
	case *ValuePattern:
		d.node("MatchValue", s)
		d.opt("value", x.X)
	case *SingletonPattern:
		d.node("MatchSingleton", s)
		switch x := x.X.(type) {
		case *NoneLit:
			d.line(".value None")
		case *BoolLit:
			d.line(".value %s", map[bool]string{true: "True", false: "False"}[x.Value])
		}
	case *SequencePattern:
		d.node("MatchSequence", s)
		d.patterns("patterns", x.Patterns)
	case *StarPattern:
		d.node("MatchStar", s)
		d.optStr("name", x.Name)
	case *MappingPattern:
		d.node("MatchMapping", s)
		d.exprs("keys", x.Keys)
		d.patterns("patterns", x.Patterns)
		d.optStr("rest", x.Rest)
	case *ClassPattern:
		d.node("MatchClass", s)
		d.opt("cls", x.Class)
		d.patterns("patterns", x.Patterns)
		d.names("kwd_attrs", x.KwNames)
		d.patterns("kwd_patterns", x.KwPatterns)
	case *AsPattern:
		d.node("MatchAs", s)
		if x.Pattern != nil {
			d.line(".pattern")
			d.pattern(x.Pattern)
		}
		d.optStr("name", x.Name)
	case *OrPattern:
		d.node("MatchOr", s)
		d.patterns("patterns", x.Patterns)
	}
}
