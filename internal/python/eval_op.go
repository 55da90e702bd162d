package python

import (
	"math"
	"math/big"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"
)

// truth is bool(v): a Bool or an *Unknown.
func (ev *Eval) truth(v Value) (Value, error) {
	switch v := v.(type) {
	case Bool:
		return v, nil
	case *Unknown:
		if v.Data && v.Empty != nil {
			t, err := ev.truth(v.Empty)
			if err != nil {
				return nil, err
			}
			return &Unknown{Pos: v.Pos, Why: v.Why, Data: true, Empty: t}, nil
		}
		if v.Prefix != "" && !v.Acts {
			return Bool(true), nil // a string that is not empty
		}
		return v.derive(), nil
	case NoneType:
		return Bool(false), nil
	case Int:
		return Bool(v != 0), nil
	case *BigInt:
		return Bool(true), nil
	case Float:
		return Bool(v != 0), nil
	case Str:
		return Bool(v != ""), nil
	case Bytes:
		return Bool(v != ""), nil
	case *List:
		if v.taint != nil {
			return taintTruth(v.taint, len(v.Items) > 0), nil
		}
		return Bool(len(v.Items) > 0), nil
	case *Tuple:
		if v.cls == nil {
			return Bool(len(v.Items) > 0), nil
		}
	case *Dict:
		if v.cls == nil || !v.cls.python {
			if v.taint != nil {
				return taintTruth(v.taint, v.live > 0), nil
			}
			return Bool(v.live > 0), nil
		}
	case *Set:
		if v.taint != nil {
			return taintTruth(v.taint, v.live > 0), nil
		}
		return Bool(v.live > 0), nil
	case *dictView:
		if v.d.taint != nil {
			return taintTruth(v.d.taint, v.d.live > 0), nil
		}
		return Bool(v.d.live > 0), nil
	case *Range:
		return Bool(v.Len() > 0), nil
	case *bytearray:
		return Bool(len(v.b) > 0), nil
	}
	if m, ok := ev.special(v, "__bool__"); ok {
		r, err := ev.call(m, NewCall(ev.Pos(), nil))
		if err != nil {
			return nil, err
		}
		switch r := r.(type) {
		case Bool:
			return r, nil
		case *Unknown:
			return r, nil
		}
		return nil, ev.Raisef("TypeError", "__bool__ should return bool, returned %s", r.TypeName())
	}
	if m, ok := ev.special(v, "__nonzero__"); ok {
		r, err := ev.call(m, NewCall(ev.Pos(), nil))
		if err != nil {
			return nil, err
		}
		return ev.truth(r)
	}
	if t, ok := v.(Truther); ok {
		return t.Truth(ev)
	}
	if m, ok := ev.special(v, "__len__"); ok {
		r, err := ev.call(m, NewCall(ev.Pos(), nil))
		if err != nil {
			return nil, err
		}
		return ev.truth(r)
	}
	switch v := v.(type) {
	case Sizer:
		n, err := v.Size(ev)
		if err != nil {
			return nil, err
		}
		return ev.truth(n)
	case *Tuple:
		return Bool(len(v.Items) > 0), nil
	case *Dict:
		return Bool(v.live > 0), nil
	case *Instance:
		if v.base != nil {
			return ev.truth(v.base)
		}
	}
	return Bool(true), nil
}

func taintTruth(u *Unknown, empty bool) Value {
	if u.Data {
		return &Unknown{Pos: u.Pos, Why: u.Why, Data: true, Empty: Bool(empty)}
	}
	return u.derive()
}

func (ev *Eval) not(v Value) (Value, error) {
	t, err := ev.truth(v)
	if err != nil {
		return nil, err
	}
	if u, ok := t.(*Unknown); ok {
		if b, ok := u.Empty.(Bool); ok {
			return &Unknown{Pos: u.Pos, Why: u.Why, Data: true, Empty: !b}, nil
		}
		return u, nil
	}
	return !t.(Bool), nil
}

func bigOf(v Value) *big.Int {
	switch v := v.(type) {
	case Int:
		return big.NewInt(int64(v))
	case *BigInt:
		return v.V
	case Bool:
		if v {
			return big.NewInt(1)
		}
		return new(big.Int)
	}
	return nil
}

func floatOf(v Value) (float64, bool) {
	switch v := v.(type) {
	case Float:
		return float64(v), true
	case Int:
		return float64(v), true
	case Bool:
		if v {
			return 1, true
		}
		return 0, true
	case *BigInt:
		f, _ := new(big.Float).SetInt(v.V).Float64()
		return f, true
	}
	return 0, false
}

// opOldDiv is / in a file that only Python 2 accepts: of two whole numbers it gives a whole one.
const opOldDiv Op = 255

func oldDivision(a, b Value) Op {
	for _, v := range []Value{a, b} {
		switch unbase(v).(type) {
		case Int, Bool, *BigInt:
		default:
			return OpDiv
		}
	}
	return OpFloorDiv
}

// op gives the operator that o means in the file.
func (c *compiler) op(o Op) Op {
	if o != OpDiv || !c.file.Python2 {
		return o
	}
	for _, s := range c.file.Body {
		imp, ok := s.(*ImportFromStmt)
		if !ok || imp.Module != "__future__" {
			continue
		}
		for _, n := range imp.Names {
			if n.Name == "division" {
				return o
			}
		}
	}
	return opOldDiv
}

// intOf gives a bool or int that fits in 64 bits.
func intOf(v Value) (int64, bool) {
	switch v := v.(type) {
	case Int:
		return int64(v), true
	case Bool:
		if v {
			return 1, true
		}
		return 0, true
	case *Instance:
		if v.base != nil {
			return intOf(v.base)
		}
	}
	return 0, false
}

var opMethods = [...]string{
	OpAdd: "add", OpSub: "sub", OpMul: "mul", OpDiv: "truediv", OpFloorDiv: "floordiv", OpMod: "mod", OpPow: "pow",
	OpLShift: "lshift", OpRShift: "rshift", OpBitOr: "or", OpBitXor: "xor", OpBitAnd: "and", OpMatMul: "matmul",
	OpEq: "eq", OpNotEq: "ne", OpLt: "lt", OpLtE: "le", OpGt: "gt", OpGtE: "ge",
}

// emptyOf gives what a value would be without rows, if that is known.
func emptyOf(v Value) (Value, bool) {
	if u, ok := v.(*Unknown); ok {
		if u.Data && u.Empty != nil {
			return u.Empty, true
		}
		return nil, false
	}
	return v, true
}

// unknownResult gives the result of an operation on values of which one at least is not known. f computes it from known
// ones: it is used for what the result would be without rows.
func (ev *Eval) unknownResult(vs []Value, f func(vs []Value) (Value, error)) Value {
	var first *Unknown
	data := true
	known := make([]Value, len(vs))
	ok := true
	for i, v := range vs {
		u, isU := v.(*Unknown)
		if isU {
			if first == nil || first.Data && !u.Data {
				first = u
			}
			data = data && u.Data
		}
		var k bool
		known[i], k = emptyOf(v)
		ok = ok && k
	}
	acts := false
	for _, v := range vs {
		if u, isU := v.(*Unknown); isU {
			acts = acts || u.Acts
		}
	}
	out := &Unknown{Pos: first.Pos, Why: first.Why, Data: data, Acts: acts}
	if ok && data {
		if r, err := f(known); err == nil {
			if u, isU := r.(*Unknown); isU {
				r = u.Empty
			}
			out.Empty = r
		}
	}
	return out
}

// binary is a op b.
func (ev *Eval) binary(op Op, a, b Value) (Value, error) {
	if op == opOldDiv {
		op = oldDivision(a, b)
	}
	_, ua := a.(*Unknown)
	_, ub := b.(*Unknown)
	if ua || ub {
		return ev.binaryUnknown(op, a, b)
	}
	switch x := a.(type) {
	case Int:
		switch y := b.(type) {
		case Int:
			return ev.intOp(op, int64(x), int64(y))
		case Float:
			return ev.floatOp(op, float64(x), float64(y))
		}
	case Float:
		if y, ok := floatOf(b); ok {
			return ev.floatOp(op, float64(x), y)
		}
	case Str:
		switch op {
		case OpAdd:
			if y, ok := unbase(b).(Str); ok {
				if len(x)+len(y) > ev.budget.Object {
					return nil, ev.abort("a string of %d bytes", len(x)+len(y))
				}
				if err := ev.alloc(len(x) + len(y)); err != nil {
					return nil, err
				}
				return x + y, nil
			}
			if _, ok := b.(Operator); !ok {
				if _, ok := ev.special(b, "__radd__"); !ok {
					return nil, ev.Raisef("TypeError", "can only concatenate str (not \"%s\") to str", b.TypeName())
				}
			}
		case OpMod:
			return ev.percent(string(x), b, false)
		}
	case Bytes:
		switch op {
		case OpAdd:
			if y, ok := b.(Bytes); ok {
				return x + y, ev.alloc(len(x) + len(y))
			}
		case OpMod:
			r, err := ev.percent(string(x), b, true)
			if s, ok := r.(Str); ok {
				return Bytes(s), err
			}
			return r, err
		}
	}
	if op == OpMul {
		if r, err := ev.repeat(a, b); r != nil || err != nil {
			return r, err
		}
	}
	if r, err := ev.builtinOp(op, a, b); r != nil || err != nil {
		return r, err
	}
	if r, err := ev.userOp(op, a, b); r != nil || err != nil {
		return r, err
	}
	xa, xb := unbase(a), unbase(b)
	if xa != a || xb != b {
		return ev.binary(op, xa, xb)
	}
	if u := partialOf(a); u != nil {
		return u.derive(), nil
	}
	if u := partialOf(b); u != nil {
		return u.derive(), nil
	}
	if op == OpAdd {
		switch a.(type) {
		case *List:
			return nil, ev.Raisef("TypeError", "can only concatenate list (not \"%s\") to list", b.TypeName())
		case *Tuple:
			return nil, ev.Raisef("TypeError", "can only concatenate tuple (not \"%s\") to tuple", b.TypeName())
		}
	}
	name := op.String()
	if op == OpPow {
		name = "** or pow()"
	}
	return nil, ev.Raisef("TypeError", "unsupported operand type(s) for %s: '%s' and '%s'", name, a.TypeName(), b.TypeName())
}

// partialOf gives the reason if attributes of v's class are not all known.
func partialOf(v Value) *Unknown {
	if x, ok := v.(*Instance); ok {
		return x.Cls.isPartial()
	}
	return nil
}

func (ev *Eval) binaryUnknown(op Op, a, b Value) (Value, error) {
	// A native operand may make something of an unknown one: column == unknown.
	for i, v := range []Value{a, b} {
		if o, ok := v.(Operator); ok {
			other := b
			if i == 1 {
				other = a
			}
			r, err := o.Binary(ev, op, other, i == 1)
			if r != nil || err != nil {
				return r, err
			}
		}
	}
	if op == OpMod {
		if s, ok := a.(Str); ok {
			return ev.percent(string(s), b, false)
		}
	}
	r := ev.unknownResult([]Value{a, b}, func(vs []Value) (Value, error) { return ev.binary(op, vs[0], vs[1]) })
	if op == OpAdd {
		u := r.(*Unknown)
		switch x := a.(type) {
		case Str:
			if y, ok := b.(*Unknown); ok {
				u.Prefix = string(x) + y.Prefix
			}
		case *Unknown:
			u.Prefix = x.Prefix
		case *List:
			return &List{taint: u, Items: nil}, nil
		}
	}
	return r, nil
}

// userOp asks the operands' own methods.
func (ev *Eval) userOp(op Op, a, b Value) (Value, error) {
	name := opMethods[op]
	try := func(v, other Value, reflected bool) (Value, error) {
		m := "__" + name + "__"
		if reflected {
			m = "__r" + name + "__"
		}
		if f, ok := ev.special(v, m); ok {
			r, err := ev.call(f, NewCall(ev.Pos(), []Value{other}))
			if err != nil {
				return nil, err
			}
			if _, no := r.(notImplementedType); !no {
				return r, nil
			}
		}
		if o, ok := v.(Operator); ok {
			return o.Binary(ev, op, other, reflected)
		}
		return nil, nil
	}
	first := func(v Value, other Value, reflected bool) (Value, error) { return try(v, other, reflected) }
	ca, cb := ClassOf(a), ClassOf(b)
	if cb != ca && cb.Derives(ca) && ca != objectClass {
		if r, err := first(b, a, true); r != nil || err != nil {
			return r, err
		}
		return first(a, b, false)
	}
	if r, err := first(a, b, false); r != nil || err != nil {
		return r, err
	}
	return first(b, a, true)
}

// inplace is a op= b.
func (ev *Eval) inplace(op Op, a, b Value) (Value, error) {
	if op == opOldDiv {
		op = oldDivision(a, b)
	}
	switch x := a.(type) {
	case *List:
		switch op {
		case OpAdd:
			return a, ev.extend(x, b)
		case OpMul:
			r, err := ev.repeat(a, b)
			if l, ok := r.(*List); ok && err == nil {
				ev.Touch(x)
				x.Items, x.taint = l.Items, l.taint
				return x, nil
			}
			if u, ok := b.(*Unknown); ok {
				// The list itself changes, by whatever name it is known.
				ev.Touch(x)
				x.taint = taintOf(&Unknown{Pos: u.Pos, Why: u.Why, Acts: u.Acts}, x.taint, ev.mayAct(x))
				x.Items = nil
				return x, nil
			}
			if r != nil || err != nil {
				return r, err
			}
		}
	case *Set:
		if x.Frozen {
			break
		}
		if u, ok := b.(*Unknown); ok {
			switch op {
			case OpBitOr, OpBitAnd, OpSub, OpBitXor:
				ev.Touch(x)
				x.taint = taintOf(&Unknown{Pos: u.Pos, Why: u.Why, Acts: u.Acts}, x.taint, u.Acts || ev.mayAct(x))
				return x, nil
			}
		}
		if y, ok := b.(*Set); ok {
			switch op {
			case OpBitOr, OpBitAnd, OpSub, OpBitXor:
				r, err := ev.setOp(op, x, y)
				if err != nil {
					return nil, err
				}
				ev.Touch(x)
				x.Restore(r.Save())
				return x, nil
			}
		}
	case *Dict:
		if op == OpBitOr {
			return a, ev.dictUpdate(x, b)
		}
	case *Instance:
		if m, ok := ev.special(a, "__i"+opMethods[op]+"__"); ok {
			r, err := ev.call(m, NewCall(ev.Pos(), []Value{b}))
			if err != nil {
				return nil, err
			}
			if _, no := r.(notImplementedType); !no {
				return r, nil
			}
		}
	}
	return ev.binary(op, a, b)
}

func (ev *Eval) intOp(op Op, a, b int64) (Value, error) {
	switch op {
	case OpAdd:
		if s := a + b; (s > a) == (b > 0) {
			return Int(s), nil
		}
	case OpSub:
		if s := a - b; (s < a) == (b > 0) {
			return Int(s), nil
		}
	case OpMul:
		if a == 0 || b == 0 {
			return Int(0), nil
		}
		if p := a * b; p/b == a && !(a == -1 && b == math.MinInt64) && !(b == -1 && a == math.MinInt64) {
			return Int(p), nil
		}
	case OpDiv:
		if b == 0 {
			return nil, ev.Raisef("ZeroDivisionError", "division by zero")
		}
		if abs64(a) < 1<<53 && abs64(b) < 1<<53 {
			return Float(float64(a) / float64(b)), nil
		}
		f, _ := new(big.Rat).SetFrac(big.NewInt(a), big.NewInt(b)).Float64()
		return Float(f), nil
	case OpFloorDiv, OpMod:
		if b == 0 {
			if op == OpMod {
				return nil, ev.Raisef("ZeroDivisionError", "integer modulo by zero")
			}
			return nil, ev.Raisef("ZeroDivisionError", "integer division or modulo by zero")
		}
		if a != math.MinInt64 {
			q, m := a/b, a%b
			if m != 0 && (m < 0) != (b < 0) {
				q--
				m += b
			}
			if op == OpMod {
				return Int(m), nil
			}
			return Int(q), nil
		}
	case OpPow:
		if b < 0 {
			if a == 0 {
				return nil, ev.Raisef("ZeroDivisionError", "0.0 cannot be raised to a negative power")
			}
			return Float(math.Pow(float64(a), float64(b))), nil
		}
	case OpLShift:
		if b < 0 {
			return nil, ev.Raisef("ValueError", "negative shift count")
		}
		if a == 0 {
			return Int(0), nil
		}
		if b < 62 && abs64(a) < 1<<(62-b) {
			return Int(a << b), nil
		}
	case OpRShift:
		if b < 0 {
			return nil, ev.Raisef("ValueError", "negative shift count")
		}
		return Int(a >> min(b, 63)), nil
	case OpBitOr:
		return Int(a | b), nil
	case OpBitXor:
		return Int(a ^ b), nil
	case OpBitAnd:
		return Int(a & b), nil
	}
	return ev.bigOp(op, big.NewInt(a), big.NewInt(b))
}

func abs64(a int64) uint64 {
	if a < 0 {
		return uint64(-a)
	}
	return uint64(a)
}

func (ev *Eval) bigOp(op Op, a, b *big.Int) (Value, error) {
	bits := a.BitLen() + b.BitLen()
	z := new(big.Int)
	switch op {
	case OpPow:
		if b.Sign() < 0 {
			fa, _ := new(big.Float).SetInt(a).Float64()
			fb, _ := new(big.Float).SetInt(b).Float64()
			return Float(math.Pow(fa, fb)), nil
		}
		if a.BitLen() > 1 {
			if !b.IsInt64() || b.Int64() > int64(ev.budget.Object) || int64(a.BitLen())*b.Int64() > maxBits {
				return nil, ev.abort("an integer of more than %d bits", maxBits)
			}
			bits = a.BitLen() * int(b.Int64())
		}
	case OpLShift:
		if !b.IsInt64() || b.Int64()+int64(a.BitLen()) > maxBits {
			return nil, ev.abort("an integer of more than %d bits", maxBits)
		}
		bits = a.BitLen() + int(b.Int64())
	}
	if bits > 2*maxBits {
		return nil, ev.abort("an integer of more than %d bits", maxBits)
	}
	if err := ev.alloc(bits/8 + 16); err != nil {
		return nil, err
	}
	if err := ev.work(bits / 1024 * (1 + bits/65536)); err != nil {
		return nil, err
	}
	switch op {
	case OpAdd:
		z.Add(a, b)
	case OpSub:
		z.Sub(a, b)
	case OpMul:
		z.Mul(a, b)
	case OpDiv:
		if b.Sign() == 0 {
			return nil, ev.Raisef("ZeroDivisionError", "division by zero")
		}
		f, _ := new(big.Rat).SetFrac(a, b).Float64()
		if math.IsInf(f, 0) {
			return nil, ev.Raisef("OverflowError", "integer division result too large for a float")
		}
		return Float(f), nil
	case OpFloorDiv, OpMod:
		if b.Sign() == 0 {
			return nil, ev.Raisef("ZeroDivisionError", "integer division or modulo by zero")
		}
		m := new(big.Int)
		z.QuoRem(a, b, m)
		if m.Sign() != 0 && m.Sign() != b.Sign() {
			z.Sub(z, big.NewInt(1))
			m.Add(m, b)
		}
		if op == OpMod {
			return IntValue(m), nil
		}
	case OpPow:
		z.Exp(a, b, nil)
	case OpLShift:
		z.Lsh(a, uint(b.Int64()))
	case OpRShift:
		if b.Sign() < 0 {
			return nil, ev.Raisef("ValueError", "negative shift count")
		}
		n := uint(maxBits)
		if b.IsInt64() && b.Int64() < maxBits {
			n = uint(b.Int64())
		}
		z.Rsh(a, n)
	case OpBitOr:
		z.Or(a, b)
	case OpBitXor:
		z.Xor(a, b)
	case OpBitAnd:
		z.And(a, b)
	default:
		return nil, ev.Raisef("TypeError", "unsupported operand type(s) for %s: 'int' and 'int'", op)
	}
	return IntValue(z), nil
}

const maxBits = 1 << 20

func (ev *Eval) floatOp(op Op, a, b float64) (Value, error) {
	switch op {
	case OpAdd:
		return Float(a + b), nil
	case OpSub:
		return Float(a - b), nil
	case OpMul:
		return Float(a * b), nil
	case OpDiv:
		if b == 0 {
			return nil, ev.Raisef("ZeroDivisionError", "float division by zero")
		}
		return Float(a / b), nil
	case OpFloorDiv, OpMod:
		if b == 0 {
			if op == OpMod {
				return nil, ev.Raisef("ZeroDivisionError", "float modulo")
			}
			return nil, ev.Raisef("ZeroDivisionError", "float floor division by zero")
		}
		m := math.Mod(a, b)
		div := (a - m) / b
		if m != 0 {
			if (b < 0) != (m < 0) {
				m += b
				div--
			}
		} else {
			m = math.Copysign(0, b)
		}
		if op == OpMod {
			return Float(m), nil
		}
		if div != 0 {
			f := math.Floor(div)
			if div-f > 0.5 {
				f++
			}
			return Float(f), nil
		}
		return Float(math.Copysign(0, a/b)), nil
	case OpPow:
		if a == 0 && b < 0 {
			return nil, ev.Raisef("ZeroDivisionError", "0.0 cannot be raised to a negative power")
		}
		r := math.Pow(a, b)
		if math.IsNaN(r) && !math.IsNaN(a) && !math.IsNaN(b) {
			return NewUnknown(ev.Pos(), "complex numbers are not modelled"), nil
		}
		if math.IsInf(r, 0) && !math.IsInf(a, 0) && !math.IsInf(b, 0) {
			return nil, ev.Raisef("OverflowError", "(34, 'Numerical result out of range')")
		}
		return Float(r), nil
	}
	return nil, ev.Raisef("TypeError", "unsupported operand type(s) for %s: 'float' and 'float'", op)
}

// repeat is a * b for sequences; nil if neither is one.
func (ev *Eval) repeat(a, b Value) (Value, error) {
	n, ok := intOf(b)
	seq := a
	if !ok {
		if n, ok = intOf(a); !ok {
			if _, isBig := b.(*BigInt); isBig {
				switch a.(type) {
				case Str, *List, *Tuple, Bytes:
					return nil, ev.Raisef("OverflowError", "cannot fit 'int' into an index-sized integer")
				}
			}
			if _, isBig := a.(*BigInt); isBig {
				switch b.(type) {
				case Str, *List, *Tuple, Bytes:
					return nil, ev.Raisef("OverflowError", "cannot fit 'int' into an index-sized integer")
				}
			}
			return nil, nil
		}
		seq = b
	}
	n = max(n, 0)
	check := func(size int) error {
		if size > 0 && n > int64(ev.budget.Object/size) {
			return ev.abort("an object of %d items", n)
		}
		return ev.alloc(size * int(n))
	}
	switch s := seq.(type) {
	case Str:
		if err := check(len(s)); err != nil {
			return nil, err
		}
		return Str(strings.Repeat(string(s), int(n))), nil
	case Bytes:
		if err := check(len(s)); err != nil {
			return nil, err
		}
		return Bytes(strings.Repeat(string(s), int(n))), nil
	case *List:
		if s.taint != nil {
			return &List{taint: s.taint}, nil
		}
		if err := check(16 * len(s.Items)); err != nil {
			return nil, err
		}
		return &List{Items: slices.Repeat(s.Items, repeatCount(len(s.Items), n)), epoch: ev.epoch}, nil
	case *Tuple:
		if err := check(16 * len(s.Items)); err != nil {
			return nil, err
		}
		return &Tuple{Items: slices.Repeat(s.Items, repeatCount(len(s.Items), n))}, nil
	}
	return nil, nil
}

func repeatCount(size int, n int64) int {
	if size == 0 {
		return 0
	}
	return int(n)
}

// builtinOp is a op b for the remaining built-in types; nil if it does not know them.
func (ev *Eval) builtinOp(op Op, a, b Value) (Value, error) {
	switch x := a.(type) {
	case Bool, *BigInt, Int:
		if xb, ok := a.(Bool); ok {
			if yb, ok := b.(Bool); ok {
				switch op {
				case OpBitOr:
					return xb || yb, nil
				case OpBitAnd:
					return xb && yb, nil
				case OpBitXor:
					return Bool(xb != yb), nil
				}
			}
		}
		if y := bigOf(b); y != nil {
			xi, ok1 := intOf(a)
			yi, ok2 := intOf(b)
			if ok1 && ok2 {
				return ev.intOp(op, xi, yi)
			}
			return ev.bigOp(op, bigOf(a), y)
		}
		if y, ok := b.(Float); ok {
			f, _ := floatOf(a)
			return ev.floatOp(op, f, float64(y))
		}
	case *List:
		if op != OpAdd {
			return nil, nil
		}
		if y, ok := unbase(b).(*List); ok {
			if u := x.taint; u != nil {
				return &List{taint: taintOf(u, y.taint, false)}, nil
			}
			n := len(x.Items) + len(y.Items)
			if err := ev.size(n); err != nil {
				return nil, err
			}
			items := make([]Value, 0, n)
			items = append(append(items, x.Items...), y.Items...)
			return &List{Items: items, taint: y.taint, epoch: ev.epoch}, nil
		}
	case *Tuple:
		if op != OpAdd {
			return nil, nil
		}
		if y, ok := b.(*Tuple); ok {
			n := len(x.Items) + len(y.Items)
			if err := ev.size(n); err != nil {
				return nil, err
			}
			items := make([]Value, 0, n)
			return &Tuple{Items: append(append(items, x.Items...), y.Items...)}, nil
		}
	case *Set:
		if y, ok := ev.asSet(b); ok {
			switch op {
			case OpBitOr, OpBitAnd, OpSub, OpBitXor:
				return ev.setOp(op, x, y)
			}
		}
	case *Dict:
		if y, ok := b.(*Dict); ok && op == OpBitOr {
			d := &Dict{cls: x.cls, factory: x.factory}
			d.Restore(x.Save())
			d.epoch = ev.epoch
			return d, ev.dictUpdate(d, y)
		}
		if x.cls == counterClass {
			if y, ok := b.(*Dict); ok {
				return ev.counterOp(op, x, y)
			}
		}
	case *dictView:
		switch op {
		case OpBitOr, OpBitAnd, OpSub, OpBitXor:
		default:
			return nil, nil
		}
		if s, ok := ev.asSet(a); ok {
			if y, ok := ev.asSet(b); ok {
				return ev.setOp(op, s, y)
			}
			if items, u, err := ev.list(b); err == nil && u == nil {
				y := &Set{}
				for _, v := range items {
					if err := y.Add(ev, v); err != nil {
						return nil, err
					}
				}
				return ev.setOp(op, s, y)
			}
		}
		if _, _, err := ev.list(b); err != nil {
			return nil, nil
		}
		if x.kind == viewValues {
			return nil, nil
		}
		if op != OpBitAnd {
			return nil, ev.Raisef("TypeError", "unhashable type: 'list'")
		}
		// Python compares what cannot be hashed one by one, where it comes to that.
		return NewUnknown(ev.Pos(), "an operation on views of a dict with values that cannot be hashed"), nil
	case *Class:
		if op == OpBitOr {
			return &union{[]Value{a, b}}, nil
		}
	case NoneType:
		if _, ok := b.(*Class); ok && op == OpBitOr {
			return &union{[]Value{a, b}}, nil
		}
	case *union:
		if op == OpBitOr {
			return &union{append(slices.Clone(x.items), b)}, nil
		}
	}
	return nil, nil
}

// size checks that a container of n items may be made, and counts it.
func (ev *Eval) size(n int) error {
	if n > ev.budget.Object {
		return ev.abort("a container of %d items", n)
	}
	if err := ev.work(n / 16); err != nil {
		return err
	}
	return ev.alloc(16 * n)
}

// asSet gives a set, or the keys of a dict as one.
func (ev *Eval) asSet(v Value) (*Set, bool) {
	switch v := v.(type) {
	case *Set:
		return v, true
	case *dictView:
		if v.kind == viewValues {
			return nil, false
		}
		s := &Set{table: table{taint: v.d.taint}}
		for _, e := range v.d.entries {
			if e.key == nil {
				continue
			}
			if v.kind == viewKeys {
				s.put(e.hash, e.key, nil)
			} else {
				t := &Tuple{Items: []Value{e.key, e.val}}
				h, u, err := ev.hash(t)
				if u != nil || err != nil {
					return nil, false
				}
				s.put(h, t, nil)
			}
		}
		return s, true
	}
	return nil, false
}

func (ev *Eval) setOp(op Op, a, b *Set) (*Set, error) {
	if err := ev.size(a.live + b.live); err != nil {
		return nil, err
	}
	out := &Set{Frozen: a.Frozen, table: table{epoch: ev.epoch}}
	if a.taint != nil || b.taint != nil {
		u := a.taint
		if u == nil {
			u = b.taint
		}
		out.taint = u
		if !u.Data {
			return out, nil
		}
	}
	add := func(from *Set, cond func(h any) bool) {
		for _, e := range from.entries {
			if e.key != nil && cond(e.hash) {
				out.put(e.hash, e.key, nil)
			}
		}
	}
	inA := func(h any) bool { return a.find(h) >= 0 }
	inB := func(h any) bool { return b.find(h) >= 0 }
	all := func(any) bool { return true }
	switch op {
	case OpBitOr:
		add(a, all)
		add(b, all)
	case OpBitAnd:
		add(a, inB)
	case OpSub:
		add(a, func(h any) bool { return !inB(h) })
	case OpBitXor:
		add(a, func(h any) bool { return !inB(h) })
		add(b, func(h any) bool { return !inA(h) })
	}
	return out, nil
}

func (ev *Eval) unary(op Op, v Value) (Value, error) {
	switch x := v.(type) {
	case *Unknown:
		return ev.unknownResult([]Value{v}, func(vs []Value) (Value, error) { return ev.unary(op, vs[0]) }), nil
	case Float:
		switch op {
		case OpNeg:
			return -x, nil
		case OpPos:
			return x, nil
		}
	case Int, Bool, *BigInt:
		b := bigOf(x)
		switch op {
		case OpNeg:
			return IntValue(new(big.Int).Neg(b)), nil
		case OpPos:
			return IntValue(b), nil
		case OpInvert:
			return IntValue(new(big.Int).Not(b)), nil
		}
	}
	name := map[Op]string{OpNeg: "__neg__", OpPos: "__pos__", OpInvert: "__invert__"}[op]
	if m, ok := ev.special(v, name); ok {
		return ev.call(m, NewCall(ev.Pos(), nil))
	}
	if u, ok := v.(UnaryOperator); ok {
		r, err := u.Unary(ev, op)
		if r != nil || err != nil {
			return r, err
		}
	}
	if x, ok := v.(*Instance); ok && x.base != nil {
		return ev.unary(op, x.base)
	}
	return nil, ev.Raisef("TypeError", "bad operand type for unary %s: '%s'", op, v.TypeName())
}

// is tells whether two values are the same object. Small immutable values that are equal count as the same.
func is(a, b Value) bool {
	switch x := a.(type) {
	case *Tuple:
		y, ok := b.(*Tuple)
		return ok && (x == y || len(x.Items) == 0 && len(y.Items) == 0)
	}
	return comparable_(a) && comparable_(b) && a == b
}

// comparable_ tells whether == on the interface cannot panic.
func comparable_(v Value) bool {
	switch v.(type) {
	case Int, Str, Bool, Float, NoneType, *Instance, *Class, *Func, *List, *Dict, *Module, *Native:
		return true
	}
	return v == nil || reflect.TypeOf(v).Comparable()
}

// compare is a op b for comparisons.
func (ev *Eval) compare(op Op, a, b Value) (Value, error) {
	switch op {
	case OpIs, OpIsNot:
		ua, aok := a.(*Unknown)
		ub, bok := b.(*Unknown)
		if aok || bok {
			if aok && bok && ua == ub {
				return Bool(op == OpIs), nil
			}
			return ev.unknownResult([]Value{a, b}, func(vs []Value) (Value, error) { return ev.compare(op, vs[0], vs[1]) }), nil
		}
		return Bool(is(a, b) == (op == OpIs)), nil
	case OpIn, OpNotIn:
		r, err := ev.contains(b, a)
		if err != nil || op == OpIn {
			return r, err
		}
		return ev.not(r)
	}
	_, ua := a.(*Unknown)
	_, ub := b.(*Unknown)
	if ua || ub {
		for i, v := range []Value{a, b} {
			if o, ok := v.(Operator); ok {
				x, other := op, b
				if i == 1 {
					x, other = swapped(op), a
				}
				if r, err := o.Binary(ev, x, other, false); r != nil || err != nil {
					return r, err
				}
			}
		}
		// A string that is known to begin otherwise is not equal.
		if op == OpEq || op == OpNotEq {
			for _, p := range [][2]Value{{a, b}, {b, a}} {
				u, ok := p[0].(*Unknown)
				s, ok2 := p[1].(Str)
				if ok && ok2 && u.Prefix != "" && !strings.HasPrefix(string(s), u.Prefix) {
					return Bool(op == OpNotEq), nil
				}
			}
		}
		return ev.unknownResult([]Value{a, b}, func(vs []Value) (Value, error) { return ev.compare(op, vs[0], vs[1]) }), nil
	}
	if err := ev.step(); err != nil {
		return nil, err
	}
	if ev.cmpDepth > 200 {
		return nil, ev.Raisef("RecursionError", "maximum recursion depth exceeded in comparison")
	}
	ev.cmpDepth++
	defer func() { ev.cmpDepth-- }()
	if r, err := ev.builtinCompare(op, a, b); r != nil || err != nil {
		return r, err
	}
	if r, err := ev.userCompare(op, a, b); r != nil || err != nil {
		return r, err
	}
	xa, xb := unbase(a), unbase(b)
	if xa != a || xb != b {
		return ev.compare(op, xa, xb)
	}
	switch op {
	case OpEq:
		return Bool(is(a, b)), nil
	case OpNotEq:
		return Bool(!is(a, b)), nil
	}
	if u := partialOf(a); u != nil {
		return u.derive(), nil
	}
	return nil, ev.Raisef("TypeError", "'%s' not supported between instances of '%s' and '%s'", op, a.TypeName(), b.TypeName())
}

func swapped(op Op) Op {
	switch op {
	case OpLt:
		return OpGt
	case OpLtE:
		return OpGtE
	case OpGt:
		return OpLt
	case OpGtE:
		return OpLtE
	}
	return op
}

func (ev *Eval) userCompare(op Op, a, b Value) (Value, error) {
	try := func(v, other Value, op Op) (Value, error) {
		if m, ok := ev.special(v, "__"+opMethods[op]+"__"); ok {
			r, err := ev.call(m, NewCall(ev.Pos(), []Value{other}))
			if err != nil {
				return nil, err
			}
			if _, no := r.(notImplementedType); !no {
				return r, nil
			}
		}
		if x, ok := v.(*Instance); ok && x.Cls.data != nil {
			if r, err := ev.dataCompare(op, x, other); r != nil || err != nil {
				return r, err
			}
		}
		if o, ok := v.(Operator); ok {
			return o.Binary(ev, op, other, false)
		}
		return nil, nil
	}
	if r, err := try(a, b, op); r != nil || err != nil {
		return r, err
	}
	if r, err := try(b, a, swapped(op)); r != nil || err != nil {
		return r, err
	}
	if op == OpNotEq {
		r, err := try(a, b, OpEq)
		if r != nil && err == nil {
			return ev.not(r)
		}
		return nil, err
	}
	return nil, nil
}

func orderOp(op Op, c int) Value {
	switch op {
	case OpEq:
		return Bool(c == 0)
	case OpNotEq:
		return Bool(c != 0)
	case OpLt:
		return Bool(c < 0)
	case OpLtE:
		return Bool(c <= 0)
	case OpGt:
		return Bool(c > 0)
	}
	return Bool(c >= 0)
}

// builtinCompare compares built-in types; nil if it does not know them.
func (ev *Eval) builtinCompare(op Op, a, b Value) (Value, error) {
	switch x := a.(type) {
	case Str:
		if y, ok := b.(Str); ok {
			if err := ev.work(min(len(x), len(y)) >> 8); err != nil {
				return nil, err
			}
			return orderOp(op, strings.Compare(string(x), string(y))), nil
		}
	case Bytes:
		if y, ok := b.(Bytes); ok {
			return orderOp(op, strings.Compare(string(x), string(y))), nil
		}
	case Int, Bool, *BigInt:
		if y := bigOf(b); y != nil {
			xi, ok1 := intOf(a)
			yi, ok2 := intOf(b)
			if ok1 && ok2 {
				switch {
				case xi < yi:
					return orderOp(op, -1), nil
				case xi > yi:
					return orderOp(op, 1), nil
				}
				return orderOp(op, 0), nil
			}
			return orderOp(op, bigOf(a).Cmp(y)), nil
		}
		if y, ok := b.(Float); ok {
			return compareFloat(op, a, float64(y), false), nil
		}
	case Float:
		if y, ok := b.(Float); ok {
			return floatCompare(op, float64(x), float64(y)), nil
		}
		if bigOf(b) != nil {
			return compareFloat(op, b, float64(x), true), nil
		}
	case *List:
		if y, ok := b.(*List); ok {
			if x.taint != nil {
				return ev.unknownTaint(x.taint, func() (Value, error) { return ev.compareSeq(op, x.Items, y.Items) })
			}
			if y.taint != nil {
				return ev.unknownTaint(y.taint, func() (Value, error) { return ev.compareSeq(op, x.Items, y.Items) })
			}
			return ev.compareSeq(op, x.Items, y.Items)
		}
	case *Tuple:
		if y, ok := b.(*Tuple); ok {
			if x.cls != nil {
				if _, k, ok := x.cls.find("__" + opMethods[op] + "__"); ok && k.python {
					return nil, nil
				}
			}
			return ev.compareSeq(op, x.Items, y.Items)
		}
	case *Set, *dictView:
		xs, ok1 := ev.asSet(a)
		ys, ok2 := ev.asSet(b)
		if ok1 && ok2 {
			return ev.compareSets(op, xs, ys)
		}
	case *Dict:
		y, ok := b.(*Dict)
		if !ok || op != OpEq && op != OpNotEq {
			return nil, nil
		}
		if x.cls != nil && x.cls.python {
			if _, k, ok := x.cls.find("__eq__"); ok && k.python {
				return nil, nil
			}
		}
		return ev.compareDicts(op, x, y)
	case *Range:
		if y, ok := b.(*Range); ok && (op == OpEq || op == OpNotEq) {
			eq := x.Len() == y.Len() && (x.Len() == 0 || x.Start == y.Start && (x.Len() == 1 || x.Step == y.Step))
			return Bool(eq == (op == OpEq)), nil
		}
	case *BoundMethod:
		if y, ok := b.(*BoundMethod); ok && (op == OpEq || op == OpNotEq) {
			return Bool((is(x.Self, y.Self) && is(x.Fn, y.Fn)) == (op == OpEq)), nil
		}
	case *Slice:
		if y, ok := b.(*Slice); ok {
			return ev.compareSeq(op, []Value{x.Lower, x.Upper, x.Step}, []Value{y.Lower, y.Upper, y.Step})
		}
	case *bytearray:
		switch y := b.(type) {
		case *bytearray:
			return orderOp(op, strings.Compare(string(x.b), string(y.b))), nil
		case Bytes:
			return orderOp(op, strings.Compare(string(x.b), string(y))), nil
		}
	}
	return nil, nil
}

// unknownTaint gives the result of an operation on a container that is not all known.
func (ev *Eval) unknownTaint(u *Unknown, empty func() (Value, error)) (Value, error) {
	out := &Unknown{Pos: u.Pos, Why: u.Why, Data: u.Data, Acts: u.Acts}
	if u.Data {
		if v, err := empty(); err == nil && !isUnknown(v) {
			out.Empty = v
		}
	}
	return out, nil
}

func floatCompare(op Op, x, y float64) Value {
	if x != x || y != y {
		return Bool(op == OpNotEq)
	}
	switch {
	case x < y:
		return orderOp(op, -1)
	case x > y:
		return orderOp(op, 1)
	}
	return orderOp(op, 0)
}

func compareFloat(op Op, i Value, f float64, reversed bool) Value {
	if f != f {
		return Bool(op == OpNotEq)
	}
	var c int
	if math.IsInf(f, 0) {
		c = -1
		if f < 0 {
			c = 1
		}
	} else {
		c = new(big.Float).SetInt(bigOf(i)).Cmp(big.NewFloat(f))
	}
	if reversed {
		c = -c
	}
	return orderOp(op, c)
}

func (ev *Eval) compareSeq(op Op, a, b []Value) (Value, error) {
	if (op == OpEq || op == OpNotEq) && len(a) != len(b) {
		return Bool(op == OpNotEq), nil
	}
	for i := 0; i < len(a) && i < len(b); i++ {
		if is(a[i], b[i]) && !isUnknown(a[i]) {
			continue
		}
		r, err := ev.compare(OpEq, a[i], b[i])
		if err != nil {
			return nil, err
		}
		t, err := ev.truth(r)
		if err != nil {
			return nil, err
		}
		if isUnknown(t) {
			if op == OpEq || op == OpNotEq {
				// A later difference decides.
				for j := i + 1; j < len(a); j++ {
					if eq, u, err := ev.Equal(a[j], b[j]); err == nil && u == nil && !eq {
						return Bool(op == OpNotEq), nil
					}
				}
			}
			if op == OpNotEq {
				return ev.not(t)
			}
			if op == OpEq {
				return t, nil
			}
			return t.(*Unknown).derive(), nil
		}
		if t.(Bool) {
			continue
		}
		switch op {
		case OpEq:
			return Bool(false), nil
		case OpNotEq:
			return Bool(true), nil
		}
		return ev.compare(op, a[i], b[i])
	}
	return orderOp(op, len(a)-len(b)), nil
}

func (ev *Eval) compareSets(op Op, a, b *Set) (Value, error) {
	if a.taint != nil {
		return ev.unknownTaint(a.taint, func() (Value, error) {
			return ev.compareSets(op, &Set{table: table{entries: a.entries, index: a.index, live: a.live}}, b)
		})
	}
	if b.taint != nil {
		return ev.unknownTaint(b.taint, func() (Value, error) {
			return ev.compareSets(op, a, &Set{table: table{entries: b.entries, index: b.index, live: b.live}})
		})
	}
	sub := func(x, y *Set) bool {
		for _, e := range x.entries {
			if e.key != nil && y.find(e.hash) < 0 {
				return false
			}
		}
		return true
	}
	if err := ev.work((a.live + b.live) / 8); err != nil {
		return nil, err
	}
	switch op {
	case OpEq:
		return Bool(a.live == b.live && sub(a, b)), nil
	case OpNotEq:
		return Bool(a.live != b.live || !sub(a, b)), nil
	case OpLt:
		return Bool(a.live < b.live && sub(a, b)), nil
	case OpLtE:
		return Bool(sub(a, b)), nil
	case OpGt:
		return Bool(a.live > b.live && sub(b, a)), nil
	}
	return Bool(sub(b, a)), nil
}

func (ev *Eval) compareDicts(op Op, a, b *Dict) (Value, error) {
	if a.taint != nil || b.taint != nil {
		u := a.taint
		if u == nil {
			u = b.taint
		}
		return u.derive(), nil
	}
	eq := a.live == b.live
	var unknown Value
	if eq {
		for _, e := range a.entries {
			if e.key == nil {
				continue
			}
			i := b.find(e.hash)
			if i < 0 {
				eq = false
				break
			}
			r, err := ev.compare(OpEq, e.val, b.entries[i].val)
			if err != nil {
				return nil, err
			}
			t, err := ev.truth(r)
			if err != nil {
				return nil, err
			}
			if isUnknown(t) {
				unknown = t
				continue
			}
			if !t.(Bool) {
				eq = false
				break
			}
		}
	}
	if eq && unknown != nil {
		return unknown.(*Unknown).derive(), nil
	}
	return Bool(eq == (op == OpEq)), nil
}

// contains is x in c.
func (ev *Eval) contains(c, x Value) (Value, error) {
	switch c := c.(type) {
	case *Unknown:
		return ev.unknownResult([]Value{c, x}, func(vs []Value) (Value, error) { return ev.contains(vs[0], vs[1]) }), nil
	case Str:
		switch s := unbase(x).(type) {
		case Str:
			if err := ev.work(len(c) >> 6); err != nil {
				return nil, err
			}
			return Bool(strings.Contains(string(c), string(s))), nil
		case *Unknown:
			return ev.unknownResult([]Value{c, x}, func(vs []Value) (Value, error) { return ev.contains(vs[0], vs[1]) }), nil
		}
		return nil, ev.Raisef("TypeError", "'in <string>' requires string as left operand, not %s", x.TypeName())
	case Bytes:
		switch s := x.(type) {
		case Bytes:
			return Bool(strings.Contains(string(c), string(s))), nil
		case Int:
			if s < 0 || s > 255 {
				return nil, ev.Raisef("ValueError", "byte must be in range(0, 256)")
			}
			return Bool(strings.IndexByte(string(c), byte(s)) >= 0), nil
		case *BigInt:
			return nil, ev.Raisef("ValueError", "byte must be in range(0, 256)")
		case *Unknown:
			return ev.unknownResult([]Value{c, x}, func(vs []Value) (Value, error) { return ev.contains(vs[0], vs[1]) }), nil
		}
		return nil, ev.Raisef("TypeError", "a bytes-like object is required, not '%s'", x.TypeName())
	case *Dict:
		if c.cls == nil || !c.cls.python {
			return ev.inTable(&c.table, x)
		}
		if _, k, ok := c.cls.find("__contains__"); !ok || !k.python {
			return ev.inTable(&c.table, x)
		}
	case *Set:
		return ev.inTable(&c.table, x)
	case *dictView:
		if c.kind == viewKeys {
			return ev.inTable(&c.d.table, x)
		}
	case *Range:
		if i, ok := intOf(x); ok {
			n := c.Len()
			if n == 0 {
				return Bool(false), nil
			}
			d := i - c.Start
			return Bool(d%c.Step == 0 && d/c.Step >= 0 && d/c.Step < int64(n)), nil
		}
	case *Class:
		if c.enum != nil {
			for _, m := range c.enum.members {
				if is(m, x) {
					return Bool(true), nil
				}
			}
			return Bool(false), nil
		}
	}
	if m, ok := ev.special(c, "__contains__"); ok {
		r, err := ev.call(m, NewCall(ev.Pos(), []Value{x}))
		if err != nil {
			return nil, err
		}
		return ev.truth(r)
	}
	if k, ok := c.(Container); ok {
		return k.Contains(ev, x)
	}
	if b := unbase(c); b != c {
		return ev.contains(b, x)
	}
	it, err := ev.iter(c)
	if err != nil {
		if r, ok := err.(*Raise); ok && r.Exc.Cls == exceptionClass("TypeError") {
			return nil, ev.Raisef("TypeError", "argument of type '%s' is not iterable", c.TypeName())
		}
		return nil, err
	}
	var unknown Value
	for {
		v, ok, err := it.next(ev)
		if err != nil {
			return nil, err
		}
		if !ok {
			break
		}
		if is(v, x) && !isUnknown(v) {
			return Bool(true), nil
		}
		r, err := ev.compare(OpEq, v, x)
		if err != nil {
			return nil, err
		}
		t, err := ev.truth(r)
		if err != nil {
			return nil, err
		}
		if isUnknown(t) {
			unknown = t
			continue
		}
		if t.(Bool) {
			return Bool(true), nil
		}
	}
	if unknown != nil {
		return unknown, nil
	}
	if u := it.taint(); u != nil {
		return taintTruth(u, false), nil
	}
	return Bool(false), nil
}

func (ev *Eval) inTable(t *table, x Value) (Value, error) {
	h, u, err := ev.hash(unbase(x))
	if err != nil {
		return nil, err
	}
	if u != nil {
		if t.live == 0 && t.taint == nil {
			return Bool(false), nil
		}
		if u.Data && u.Empty != nil {
			r, err := ev.inTable(t, u.Empty)
			if err == nil && !isUnknown(r) {
				return &Unknown{Pos: u.Pos, Why: u.Why, Data: true, Empty: r}, nil
			}
		}
		if u.Prefix != "" && t.taint == nil {
			possible := false
			for _, e := range t.entries {
				if s, ok := e.key.(Str); ok && strings.HasPrefix(string(s), u.Prefix) || isUnknown(e.key) {
					possible = true
				}
			}
			if !possible {
				return Bool(false), nil
			}
		}
		return u.derive(), nil
	}
	if t.find(h) >= 0 {
		if t.taint != nil && t.taint.Data {
			return taintTruth(t.taint, true), nil
		}
		return Bool(true), nil
	}
	if t.taint != nil {
		return taintTruth(t.taint, false), nil
	}
	return Bool(false), nil
}

func isASCII(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// runes gives the code points of a Str as strings, so that lone surrogates survive.
func runes(s string) []string {
	out := make([]string, 0, len(s))
	for i := 0; i < len(s); {
		n := runeLen(s[i:])
		out = append(out, s[i:i+n])
		i += n
	}
	return out
}

// runeLen is the length of the first code point, where a surrogate counts as one.
func runeLen(s string) int {
	c := s[0]
	switch {
	case c < 0x80:
		return 1
	case c >= 0xF0 && len(s) >= 4:
		return 4
	case c >= 0xE0 && len(s) >= 3:
		return 3
	case c >= 0xC0 && len(s) >= 2:
		return 2
	}
	return 1
}

func strLen(s string) int {
	if isASCII(s) {
		return len(s)
	}
	n := 0
	for i := 0; i < len(s); {
		i += runeLen(s[i:])
		n++
	}
	return n
}
