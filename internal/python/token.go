package python

// kind is the kind of a token. Soft keywords (match, case, type, async, await, nonlocal,
// print, exec) are names.
type kind uint8

const (
	tEOF kind = iota
	tNewline
	tIndent
	tDedent
	tName
	tNumber
	tString
	tFStart  // prefix and opening quotes of an f-string or t-string
	tFMiddle // literal text in it, undecoded
	tFEnd    // closing quotes
	tFOpen   // { of a replacement field
	tFClose  // }
	tFColon  // : before a format spec
	tFBang   // ! before a conversion

	tLParen
	tRParen
	tLBracket
	tRBracket
	tLBrace
	tRBrace
	tComma
	tColon
	tSemi
	tDot
	tEllipsis
	tAssign
	tWalrus
	tArrow
	tAt
	tBacktick
	tPlus
	tMinus
	tStar
	tSlash
	tDoubleSlash
	tPercent
	tDoubleStar
	tLShift
	tRShift
	tBar
	tCaret
	tAmp
	tTilde
	tEq
	tNotEq
	tLt
	tLtE
	tGt
	tGtE
	tPlusEq
	tMinusEq
	tStarEq
	tSlashEq
	tDoubleSlashEq
	tPercentEq
	tDoubleStarEq
	tLShiftEq
	tRShiftEq
	tBarEq
	tCaretEq
	tAmpEq
	tAtEq

	tAnd
	tAs
	tAssert
	tBreak
	tClass
	tContinue
	tDef
	tDel
	tElif
	tElse
	tExcept
	tFalse
	tFinally
	tFor
	tFrom
	tGlobal
	tIf
	tImport
	tIn
	tIs
	tLambda
	tNone
	tNot
	tOr
	tPass
	tRaise
	tReturn
	tTrue
	tTry
	tWhile
	tWith
	tYield

	numKinds
)

// token is a piece of the source, from start to end.
type token struct {
	start, end int32
	kind       kind
}

// keyword returns the kind of a keyword, or tName.
func keyword(s string) kind {
	switch s {
	case "and":
		return tAnd
	case "as":
		return tAs
	case "assert":
		return tAssert
	case "break":
		return tBreak
	case "class":
		return tClass
	case "continue":
		return tContinue
	case "def":
		return tDef
	case "del":
		return tDel
	case "elif":
		return tElif
	case "else":
		return tElse
	case "except":
		return tExcept
	case "False":
		return tFalse
	case "finally":
		return tFinally
	case "for":
		return tFor
	case "from":
		return tFrom
	case "global":
		return tGlobal
	case "if":
		return tIf
	case "import":
		return tImport
	case "in":
		return tIn
	case "is":
		return tIs
	case "lambda":
		return tLambda
	case "None":
		return tNone
	case "not":
		return tNot
	case "or":
		return tOr
	case "pass":
		return tPass
	case "raise":
		return tRaise
	case "return":
		return tReturn
	case "True":
		return tTrue
	case "try":
		return tTry
	case "while":
		return tWhile
	case "with":
		return tWith
	case "yield":
		return tYield
	}
	return tName
}

// Precedences of binary operators, loosest first. Zero is no binary operator.
const (
	precOr = 1 + iota
	precAnd
	precNot
	precCompare
	precBitOr
	precBitXor
	precBitAnd
	precShift
	precArith
	precTerm
)

// binary gives precedence and operator of the tokens that join two operands.
// ** is not among them: it binds tighter than a unary operator on its left.
var binary = [numKinds]struct {
	prec uint8
	op   Op
}{
	tOr: {precOr, OpOr}, tAnd: {precAnd, OpAnd},
	tEq: {precCompare, OpEq}, tNotEq: {precCompare, OpNotEq},
	tLt: {precCompare, OpLt}, tLtE: {precCompare, OpLtE},
	tGt: {precCompare, OpGt}, tGtE: {precCompare, OpGtE},
	tIs: {precCompare, OpIs}, tIn: {precCompare, OpIn}, tNot: {precCompare, OpNotIn},
	tBar: {precBitOr, OpBitOr}, tCaret: {precBitXor, OpBitXor}, tAmp: {precBitAnd, OpBitAnd},
	tLShift: {precShift, OpLShift}, tRShift: {precShift, OpRShift},
	tPlus: {precArith, OpAdd}, tMinus: {precArith, OpSub},
	tStar: {precTerm, OpMul}, tSlash: {precTerm, OpDiv}, tDoubleSlash: {precTerm, OpFloorDiv},
	tPercent: {precTerm, OpMod}, tAt: {precTerm, OpMatMul},
}

// augmented gives the operator of an augmented assignment.
var augmented = [numKinds]Op{
	tPlusEq: OpAdd, tMinusEq: OpSub, tStarEq: OpMul, tSlashEq: OpDiv, tDoubleSlashEq: OpFloorDiv,
	tPercentEq: OpMod, tDoubleStarEq: OpPow, tLShiftEq: OpLShift, tRShiftEq: OpRShift,
	tBarEq: OpBitOr, tCaretEq: OpBitXor, tAmpEq: OpBitAnd, tAtEq: OpMatMul,
}

// startsExpr says which tokens can begin an expression, a starred one included.
var startsExpr = [numKinds]bool{
	tName: true, tNumber: true, tString: true, tFStart: true, tLParen: true, tLBracket: true,
	tLBrace: true, tMinus: true, tPlus: true, tTilde: true, tNot: true, tLambda: true,
	tEllipsis: true, tNone: true, tTrue: true, tFalse: true, tBacktick: true, tStar: true,
}

// startsPrint says which tokens after the name print can only be the operand of Python 2's
// statement. A parenthesis, bracket or sign is read as Python 3 does.
var startsPrint = [numKinds]bool{
	tName: true, tNumber: true, tString: true, tFStart: true, tLBrace: true, tTilde: true,
	tNot: true, tLambda: true, tNone: true, tTrue: true, tFalse: true, tBacktick: true,
	tRShift: true,
}
