package python

import (
	"math/big"
	"sort"
)

// Pos is a place in a source file. Line and Col start at 1; Col counts bytes of UTF-8.
type Pos struct {
	File      string
	Line, Col int
}

// Span is a half-open range of byte offsets into File.Source.
type Span struct{ Start, End int32 }

// Range returns the span itself. It makes every struct that embeds a Span a [Node].
func (s Span) Range() Span { return s }

// Node is a piece of syntax. The spans are those of CPython's ast module, except inside
// f-strings, where CPython before 3.12 is wrong.
type Node interface{ Range() Span }

// Expr is an expression: one of the *…Expr and *…Lit types.
type Expr interface {
	Node
	isExpr()
}

// Stmt is a statement: one of the *…Stmt types.
type Stmt interface {
	Node
	isStmt()
}

// Pattern is a pattern of a case clause: one of the *…Pattern types.
type Pattern interface {
	Node
	isPattern()
}

// File is one parsed source file.
type File struct {
	Name   string
	Source string // as UTF-8, without a byte order mark; offsets count from here
	Body   []Stmt

	// Python2 is set when a construct was seen that only Python 2 accepts.
	Python2 bool

	lines []int32 // offset of the start of each line
}

// Pos returns where the node starts.
func (f *File) Pos(n Node) Pos { return f.PosAt(int(n.Range().Start)) }

// EndPos returns the place just behind the node.
func (f *File) EndPos(n Node) Pos { return f.PosAt(int(n.Range().End)) }

// PosAt returns the line and column of a byte offset into Source.
func (f *File) PosAt(offset int) Pos {
	if len(f.lines) == 0 {
		return Pos{File: f.Name, Line: 1, Col: offset + 1}
	}
	i := sort.Search(len(f.lines), func(i int) bool { return int(f.lines[i]) > offset }) - 1
	if i < 0 {
		i = 0
	}
	return Pos{File: f.Name, Line: i + 1, Col: offset - int(f.lines[i]) + 1}
}

// Text returns the source text of the node.
func (f *File) Text(n Node) string {
	s := n.Range()
	return f.Source[s.Start:s.End]
}

// Op is an operator.
type Op uint8

// The operators. OpAdd to OpMatMul are binary, OpPos to OpNot unary, OpAnd and OpOr Boolean,
// OpEq to OpNotIn comparisons.
const (
	OpNone Op = iota
	OpAdd
	OpSub
	OpMul
	OpDiv
	OpFloorDiv
	OpMod
	OpPow
	OpLShift
	OpRShift
	OpBitOr
	OpBitXor
	OpBitAnd
	OpMatMul
	OpPos
	OpNeg
	OpInvert
	OpNot
	OpAnd
	OpOr
	OpEq
	OpNotEq
	OpLt
	OpLtE
	OpGt
	OpGtE
	OpIs
	OpIsNot
	OpIn
	OpNotIn
)

var opNames = [...]string{
	OpNone: "", OpAdd: "+", OpSub: "-", OpMul: "*", OpDiv: "/", OpFloorDiv: "//", OpMod: "%",
	OpPow: "**", OpLShift: "<<", OpRShift: ">>", OpBitOr: "|", OpBitXor: "^", OpBitAnd: "&",
	OpMatMul: "@", OpPos: "+", OpNeg: "-", OpInvert: "~", OpNot: "not", OpAnd: "and", OpOr: "or",
	OpEq: "==", OpNotEq: "!=", OpLt: "<", OpLtE: "<=", OpGt: ">", OpGtE: ">=", OpIs: "is",
	OpIsNot: "is not", OpIn: "in", OpNotIn: "not in",
}

// String returns the operator as Python spells it.
func (op Op) String() string {
	if int(op) < len(opNames) {
		return opNames[op]
	}
	return ""
}

// Expressions.
type (
	// NameExpr is an identifier.
	NameExpr struct {
		Span
		Name string
	}
	// NoneLit is None.
	NoneLit struct{ Span }
	// BoolLit is True or False.
	BoolLit struct {
		Span
		Value bool
	}
	// EllipsisLit is "...".
	EllipsisLit struct{ Span }
	// IntLit is an integer. Big is nil if the value fits in Value.
	IntLit struct {
		Span
		Value int64
		Big   *big.Int
	}
	// FloatLit is a floating-point number.
	FloatLit struct {
		Span
		Value float64
	}
	// ImagLit is an imaginary number such as 2j.
	ImagLit struct {
		Span
		Value float64
	}
	// StringLit is a string literal, decoded, with what is implicitly concatenated to it.
	// It is also a literal piece of an [FStringExpr].
	StringLit struct {
		Span
		// Value is UTF-8, except that a lone surrogate is its three-byte generalised
		// UTF-8 form (as "surrogatepass" writes it).
		Value string
		// Unresolved is set when an escape \N{…} names a character that the decoder does
		// not know. Value then has U+FFFD in its place, so the text is not known.
		Unresolved bool
		// Unicode is set for a u or ur prefix of the first piece.
		Unicode bool
	}
	// BytesLit is a bytes literal, decoded.
	BytesLit struct {
		Span
		Value string
	}
	// FStringExpr is an f-string or t-string, with what is implicitly concatenated to it.
	// The parts are *StringLit and *FormatExpr, in order. No two *StringLit are neighbours,
	// and none is empty.
	FStringExpr struct {
		Span
		Parts    []Expr
		Template bool // a t-string
	}
	// FormatExpr is a replacement field {X!r:Spec} of an f-string. For {x=} the text "x="
	// is already part of the StringLit before it and Conversion is 'r' if neither a
	// conversion nor a spec was given: nothing more need be done for it.
	FormatExpr struct {
		Span
		X          Expr
		Text       string       // source text of X, with surrounding space trimmed
		Conversion byte         // 'r', 's', 'a' or 0
		Spec       *FStringExpr // nil if there is no ":"
	}
	// AttrExpr is X.Name. The name ends where the node ends.
	AttrExpr struct {
		Span
		X    Expr
		Name string
	}
	// IndexExpr is X[Index]. More than one index is a *TupleExpr; a slice is a *SliceExpr.
	IndexExpr struct {
		Span
		X, Index Expr
	}
	// SliceExpr is Lower:Upper:Step within an index; each may be nil.
	SliceExpr struct {
		Span
		Lower, Upper, Step Expr
	}
	// CallExpr is Fn(Args, Keywords). Args may hold *StarExpr.
	CallExpr struct {
		Span
		Fn       Expr
		Args     []Expr
		Keywords []Keyword
	}
	// Keyword is Name=X in a call or class header; Name is "" for **X.
	Keyword struct {
		Span
		Name string
		X    Expr
	}
	// UnaryExpr is Op X.
	UnaryExpr struct {
		Span
		Op Op
		X  Expr
	}
	// BinExpr is X Op Y.
	BinExpr struct {
		Span
		Op   Op
		X, Y Expr
	}
	// BoolExpr is two or more operands joined by the same OpAnd or OpOr.
	BoolExpr struct {
		Span
		Op Op
		Xs []Expr
	}
	// CompareExpr is X Ops[0] Ys[0] Ops[1] Ys[1] ….
	CompareExpr struct {
		Span
		X   Expr
		Ops []Op
		Ys  []Expr
	}
	// CondExpr is Then if Cond else Else.
	CondExpr struct {
		Span
		Cond, Then, Else Expr
	}
	// LambdaExpr is lambda Params: Body.
	LambdaExpr struct {
		Span
		Params []Param
		Body   Expr
	}
	// TupleExpr is a tuple, with or without parentheses.
	TupleExpr struct {
		Span
		Elts []Expr
	}
	// ListExpr is [Elts].
	ListExpr struct {
		Span
		Elts []Expr
	}
	// SetExpr is {Elts}.
	SetExpr struct {
		Span
		Elts []Expr
	}
	// DictExpr is {Keys[i]: Values[i], …}. A nil key means **Values[i].
	DictExpr struct {
		Span
		Keys, Values []Expr
	}
	// CompExpr is a comprehension or generator expression. X is its element;
	// for a dictionary X is the key and Y the value, else Y is nil.
	CompExpr struct {
		Span
		Kind CompKind
		X, Y Expr
		Fors []CompFor
	}
	// CompFor is "for Target in Iter if Ifs[0] if Ifs[1] …".
	CompFor struct {
		Span
		Target, Iter Expr
		Ifs          []Expr
		Async        bool
	}
	// AwaitExpr is await X.
	AwaitExpr struct {
		Span
		X Expr
	}
	// YieldExpr is yield X (X may be nil) or yield from X.
	YieldExpr struct {
		Span
		X    Expr
		From bool
	}
	// StarExpr is *X in a call, display, subscript or target.
	StarExpr struct {
		Span
		X Expr
	}
	// WalrusExpr is Target := X.
	WalrusExpr struct {
		Span
		Target *NameExpr
		X      Expr
	}
	// ReprExpr is Python 2's `X`.
	ReprExpr struct {
		Span
		X Expr
	}
)

// CompKind says what a [CompExpr] builds.
type CompKind uint8

// The kinds of comprehension.
const (
	ListComp CompKind = iota
	SetComp
	DictComp
	GeneratorComp
)

// Param is a parameter of a function or lambda.
type Param struct {
	Span
	Kind       ParamKind
	Name       string
	Tuple      Expr // Python 2's def f((a, b)): the target, and Name is ""
	Annotation Expr // or nil
	Default    Expr // or nil
}

// ParamKind says how a parameter is bound.
type ParamKind uint8

// The kinds of parameter, in the order in which they can be declared.
const (
	PosOnlyParam ParamKind = iota
	PlainParam             // by position or by name
	VarParam               // *args
	KwOnlyParam            // after * or *args
	KwVarParam             // **kwargs
)

// TypeParam is a type parameter in brackets: T, T: Bound = Default, *Ts or **P.
type TypeParam struct {
	Span
	Stars   int // 0, 1 (*Ts) or 2 (**P)
	Name    string
	Bound   Expr // or nil
	Default Expr // or nil
}

// Statements.
type (
	// ExprStmt is an expression as a statement, for example a docstring or a call.
	ExprStmt struct {
		Span
		X Expr
	}
	// AssignStmt is Targets[0] = Targets[1] = … = X.
	AssignStmt struct {
		Span
		Targets []Expr
		X       Expr
	}
	// AugAssignStmt is Target Op= X.
	AugAssignStmt struct {
		Span
		Target Expr
		Op     Op
		X      Expr
	}
	// AnnAssignStmt is Target: Annotation = X; X may be nil. Simple is set for a bare name
	// without parentheses.
	AnnAssignStmt struct {
		Span
		Target, Annotation, X Expr
		Simple                bool
	}
	// ReturnStmt is return X; X may be nil.
	ReturnStmt struct {
		Span
		X Expr
	}
	// DelStmt is del Targets.
	DelStmt struct {
		Span
		Targets []Expr
	}
	// PassStmt is pass.
	PassStmt struct{ Span }
	// BreakStmt is break.
	BreakStmt struct{ Span }
	// ContinueStmt is continue.
	ContinueStmt struct{ Span }
	// RaiseStmt is raise X from Cause; both may be nil. Python 2's raise X, Arg, Traceback
	// has the rest in Arg and Traceback.
	RaiseStmt struct {
		Span
		X, Cause       Expr
		Arg, Traceback Expr
	}
	// GlobalStmt is global Names.
	GlobalStmt struct {
		Span
		Names []string
	}
	// NonlocalStmt is nonlocal Names.
	NonlocalStmt struct {
		Span
		Names []string
	}
	// AssertStmt is assert Cond, Msg; Msg may be nil.
	AssertStmt struct {
		Span
		Cond, Msg Expr
	}
	// ImportStmt is import Names.
	ImportStmt struct {
		Span
		Names []Alias
	}
	// ImportFromStmt is from Module import Names, with Level leading dots.
	// from x import * has one alias with the name "*".
	ImportFromStmt struct {
		Span
		Module string // dotted; "" in from . import x
		Level  int
		Names  []Alias
	}
	// Alias is Name as AsName within an import. Name may be dotted; AsName may be "".
	Alias struct {
		Span
		Name, AsName string
	}
	// IfStmt is if Cond: Body else: Else. An elif is a lone *IfStmt in Else with Elif set.
	IfStmt struct {
		Span
		Cond       Expr
		Body, Else []Stmt
		Elif       bool
	}
	// WhileStmt is while Cond: Body else: Else.
	WhileStmt struct {
		Span
		Cond       Expr
		Body, Else []Stmt
	}
	// ForStmt is for Target in Iter: Body else: Else.
	ForStmt struct {
		Span
		Target, Iter Expr
		Body, Else   []Stmt
		Async        bool
	}
	// TryStmt is try: Body, handlers, else: Else, finally: Finally. Star is set for except*.
	TryStmt struct {
		Span
		Body     []Stmt
		Handlers []Handler
		Else     []Stmt
		Finally  []Stmt
		Star     bool
	}
	// Handler is except Type as Name: Body. Type may be nil; Name may be "".
	//
	// "except A, b:" means two things: Python 2 binds the exception to b, Python 3.14 catches
	// both A and b and binds nothing. With b in lower case it is given as Type A, Name b and Comma
	// set; whoever knows what b is can tell better. With a capital, as classes have, with a
	// dotted name, or with three and more types it is a tuple as in 3.14.
	Handler struct {
		Span
		Type   Expr
		Name   string
		Target Expr // Python 2's "except E, (a, b)": what is assigned to, and Name is ""
		Comma  bool
		Body   []Stmt
	}
	// WithStmt is with Items: Body.
	WithStmt struct {
		Span
		Items []WithItem
		Body  []Stmt
		Async bool
	}
	// WithItem is X as Target; Target may be nil.
	WithItem struct {
		Span
		X, Target Expr
	}
	// FuncStmt is a function definition. As in CPython its span starts at def (or async),
	// not at a decorator.
	FuncStmt struct {
		Span
		Name       string
		NameSpan   Span
		TypeParams []TypeParam
		Params     []Param
		Returns    Expr // or nil
		Body       []Stmt
		Decorators []Expr
		Async      bool
	}
	// ClassStmt is a class definition. Bases may hold *StarExpr.
	ClassStmt struct {
		Span
		Name       string
		NameSpan   Span
		TypeParams []TypeParam
		Bases      []Expr
		Keywords   []Keyword
		Body       []Stmt
		Decorators []Expr
	}
	// MatchStmt is match Subject: Cases.
	MatchStmt struct {
		Span
		Subject Expr
		Cases   []MatchCase
	}
	// MatchCase is case Pattern if Guard: Body; Guard may be nil.
	MatchCase struct {
		Span
		Pattern Pattern
		Guard   Expr
		Body    []Stmt
	}
	// TypeAliasStmt is type Name[TypeParams] = X.
	TypeAliasStmt struct {
		Span
		Name       *NameExpr
		TypeParams []TypeParam
		X          Expr
	}
	// PrintStmt is Python 2's print >>Dest, Xs. NoNewline is set for a trailing comma.
	PrintStmt struct {
		Span
		Dest      Expr
		Xs        []Expr
		NoNewline bool
	}
	// ExecStmt is Python 2's exec X in Globals, Locals.
	ExecStmt struct {
		Span
		X, Globals, Locals Expr
	}
)

// Patterns.
type (
	// ValuePattern compares with == : a literal or a dotted name.
	ValuePattern struct {
		Span
		X Expr
	}
	// SingletonPattern compares with "is": None, True or False.
	SingletonPattern struct {
		Span
		X Expr
	}
	// SequencePattern is [a, b, *rest].
	SequencePattern struct {
		Span
		Patterns []Pattern
	}
	// StarPattern is *Name in a sequence; Name is "" for *_.
	StarPattern struct {
		Span
		Name string
	}
	// MappingPattern is {Keys[i]: Patterns[i], **Rest}; Rest is "" if absent.
	MappingPattern struct {
		Span
		Keys     []Expr
		Patterns []Pattern
		Rest     string
	}
	// ClassPattern is Class(Patterns, KwNames[i]=KwPatterns[i]).
	ClassPattern struct {
		Span
		Class      Expr
		Patterns   []Pattern
		KwNames    []string
		KwPatterns []Pattern
	}
	// AsPattern is Pattern as Name. Pattern is nil for a bare name; Name is "" for the
	// wildcard _.
	AsPattern struct {
		Span
		Pattern Pattern
		Name    string
	}
	// OrPattern is Patterns[0] | Patterns[1] | ….
	OrPattern struct {
		Span
		Patterns []Pattern
	}
)

func (*NameExpr) isExpr()    {}
func (*NoneLit) isExpr()     {}
func (*BoolLit) isExpr()     {}
func (*EllipsisLit) isExpr() {}
func (*IntLit) isExpr()      {}
func (*FloatLit) isExpr()    {}
func (*ImagLit) isExpr()     {}
func (*StringLit) isExpr()   {}
func (*BytesLit) isExpr()    {}
func (*FStringExpr) isExpr() {}
func (*FormatExpr) isExpr()  {}
func (*AttrExpr) isExpr()    {}
func (*IndexExpr) isExpr()   {}
func (*SliceExpr) isExpr()   {}
func (*CallExpr) isExpr()    {}
func (*UnaryExpr) isExpr()   {}
func (*BinExpr) isExpr()     {}
func (*BoolExpr) isExpr()    {}
func (*CompareExpr) isExpr() {}
func (*CondExpr) isExpr()    {}
func (*LambdaExpr) isExpr()  {}
func (*TupleExpr) isExpr()   {}
func (*ListExpr) isExpr()    {}
func (*SetExpr) isExpr()     {}
func (*DictExpr) isExpr()    {}
func (*CompExpr) isExpr()    {}
func (*AwaitExpr) isExpr()   {}
func (*YieldExpr) isExpr()   {}
func (*StarExpr) isExpr()    {}
func (*WalrusExpr) isExpr()  {}
func (*ReprExpr) isExpr()    {}

func (*ExprStmt) isStmt()       {}
func (*AssignStmt) isStmt()     {}
func (*AugAssignStmt) isStmt()  {}
func (*AnnAssignStmt) isStmt()  {}
func (*ReturnStmt) isStmt()     {}
func (*DelStmt) isStmt()        {}
func (*PassStmt) isStmt()       {}
func (*BreakStmt) isStmt()      {}
func (*ContinueStmt) isStmt()   {}
func (*RaiseStmt) isStmt()      {}
func (*GlobalStmt) isStmt()     {}
func (*NonlocalStmt) isStmt()   {}
func (*AssertStmt) isStmt()     {}
func (*ImportStmt) isStmt()     {}
func (*ImportFromStmt) isStmt() {}
func (*IfStmt) isStmt()         {}
func (*WhileStmt) isStmt()      {}
func (*ForStmt) isStmt()        {}
func (*TryStmt) isStmt()        {}
func (*WithStmt) isStmt()       {}
func (*FuncStmt) isStmt()       {}
func (*ClassStmt) isStmt()      {}
func (*MatchStmt) isStmt()      {}
func (*TypeAliasStmt) isStmt()  {}
func (*PrintStmt) isStmt()      {}
func (*ExecStmt) isStmt()       {}

func (*ValuePattern) isPattern()     {}
func (*SingletonPattern) isPattern() {}
func (*SequencePattern) isPattern()  {}
func (*StarPattern) isPattern()      {}
func (*MappingPattern) isPattern()   {}
func (*ClassPattern) isPattern()     {}
func (*AsPattern) isPattern()        {}
func (*OrPattern) isPattern()        {}
