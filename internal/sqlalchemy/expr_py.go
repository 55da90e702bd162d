package sqlalchemy

import (
	"strings"

	"instep/internal/python"
)

// exprClass gives the class of SQL expressions, so that isinstance(x, ClauseElement) works.
func (e *Engine) exprClass(name string) *python.Class {
	key := "expr." + name
	c := e.classes[key]
	if c == nil {
		c = &python.Class{Name: name, Module: "sqlalchemy.sql.elements", Data: e}
		if name != "ClauseElement" {
			c.Bases = []*python.Class{e.exprClass("ClauseElement")}
		} else {
			c.Is = func(v python.Value) bool {
				switch v.(type) {
				case *Expr, *Column, *statement, *funcClass, *Table:
					return true
				}
				return false
			}
		}
		e.classes[key] = c
	}
	return c
}

func (e *Engine) exprValue(x *Expr) python.Value {
	if x.Unknown != nil && len(x.parts) == 1 {
		return python.NewUnknown(python.Pos{}, x.Unknown.Why)
	}
	if x.Cls == nil {
		x.Cls = e.exprClass("TextClause")
	}
	return x
}

// exprArg gives the expression that a value is; nil if it is no SQL expression.
func (e *Engine) exprArg(v python.Value) *Expr {
	switch v := v.(type) {
	case *Expr:
		return v
	case *Column:
		return columnExpr(v)
	case *statement:
		return &Expr{parts: concat(raw("("), v.parts(), raw(")")), prec: precAtom}
	case *funcClass:
		return Func(v.name)
	case *python.Instance:
		// A construct of the project, which @compiles teaches to render.
		if v.Cls == nil || !v.Cls.Derives(e.exprClass("ClauseElement")) {
			return nil
		}
		f := e.customFor(v.Cls)
		if f == nil {
			return UnknownExpr(&Unknown{Why: "how " + v.Cls.Name + " is compiled is not modelled"})
		}
		s, u, err := e.compileCustom(f, v)
		if err != nil {
			u = &Unknown{Why: "how " + v.Cls.Name + " is compiled cannot be computed: " + err.Error()}
		}
		if u != nil {
			return UnknownExpr(u)
		}
		return &Expr{parts: raw(s), prec: precAtom, function: true}
	}
	return nil
}

// operand gives the expression for an operand: literals become values.
func (e *Engine) operand(v python.Value) *Expr {
	if x := e.exprArg(v); x != nil {
		return x
	}
	switch v := v.(type) {
	case nil, python.NoneType:
		return Literal(nil)
	case python.Str:
		return Literal(string(v))
	case *nameValue:
		return Literal(string(v.Str))
	case python.Int:
		return Literal(int64(v))
	case python.Float:
		return Literal(float64(v))
	case python.Bool:
		return Literal(bool(v))
	case *python.Unknown:
		return UnknownExpr(why(v))
	case *python.BigInt:
		return rawExpr(v.V.String())
	}
	return UnknownExpr(&Unknown{Why: "the SQL of a " + v.TypeName() + " is not modelled"})
}

// sqlText reads an argument that is SQL: a str is text.
func (e *Engine) sqlText(v python.Value) *Expr {
	if s, ok := v.(python.Str); ok {
		return Text(string(s))
	}
	return e.operand(v)
}

// ExprArg reads an argument that is SQL text, an expression or a literal.
func (e *Engine) ExprArg(v python.Value) *Expr { return e.sqlText(v) }

var binaryOps = map[python.Op]string{
	python.OpAdd: "+", python.OpSub: "-", python.OpMul: "*", python.OpDiv: "/", python.OpMod: "%",
	python.OpEq: "=", python.OpNotEq: "!=", python.OpLt: "<", python.OpLtE: "<=", python.OpGt: ">", python.OpGtE: ">=",
	python.OpBitAnd: "AND", python.OpBitOr: "OR",
}

func exprBinary(e *Engine, x *Expr, op python.Op, other python.Value, reflected bool) (python.Value, error) {
	sql, ok := binaryOps[op]
	if !ok {
		return nil, nil
	}
	y := e.operand(other)
	if reflected {
		x, y = y, x
	}
	null := len(y.parts) == 1 && y.parts[0].text == "NULL"
	switch {
	case sql == "=" && null:
		sql = "IS"
	case sql == "!=" && null:
		sql = "IS NOT"
	case sql == "+" && (x.isString() || y.isString()):
		return e.exprValue(Func("concat", x, y)), nil
	}
	return e.exprValue(Binary(x, sql, y)), nil
}

func (x *Expr) isString() bool {
	if _, ok := x.value.(string); ok {
		return true
	}
	return x.typ != nil && x.typ.affinity() == StringAffinity
}

// exprAttr gives the methods of SQL expressions.
func exprAttr(e *Engine, x *Expr, name string) (python.Value, bool) {
	method := func(f func(args []*Expr, call *python.Call) *Expr) (python.Value, bool) {
		return pure(name, func(ev *python.Eval, call *python.Call) (python.Value, error) {
			var args []*Expr
			for _, a := range call.Args {
				args = append(args, e.operand(a))
			}
			return e.exprValue(f(args, call)), nil
		}), true
	}
	binary := func(op string) (python.Value, bool) {
		return method(func(args []*Expr, call *python.Call) *Expr {
			if len(args) == 0 {
				return UnknownExpr(&Unknown{Why: name + "() without argument"})
			}
			return Binary(x, op, args[0])
		})
	}
	like := func(op, before, after string) (python.Value, bool) {
		return method(func(args []*Expr, call *python.Call) *Expr {
			if len(args) == 0 {
				return UnknownExpr(&Unknown{Why: name + "() without argument"})
			}
			if s, ok := args[0].value.(string); ok {
				return Binary(x, op, Literal(before+s+after))
			}
			return Binary(x, op, args[0])
		})
	}
	switch name {
	case "in_", "notin_", "not_in":
		op := " IN ("
		if name != "in_" {
			op = " NOT IN ("
		}
		return pure(name, func(ev *python.Eval, call *python.Call) (python.Value, error) {
			if len(call.Args) != 1 {
				return nil, ev.Raisef("TypeError", "%s() takes one argument", name)
			}
			var items []*Expr
			if s := e.exprArg(call.Args[0]); s != nil {
				return e.exprValue(&Expr{prec: precCompare, parts: concat(x.group(precCompare, true), raw(strings.TrimSuffix(op, "(")), s.parts)}), nil
			}
			vals, u, err := ev.Iterate(call.Args[0])
			if err != nil {
				return nil, err
			}
			if u != nil {
				items = append(items, UnknownExpr(why(u)))
			}
			for _, v := range vals {
				items = append(items, e.operand(v))
			}
			return e.exprValue(&Expr{prec: precCompare, parts: concat(x.group(precCompare, true), raw(op), joinExprs(items, ", "), raw(")"))}), nil
		}), true
	case "is_":
		return binary("IS")
	case "isnot", "is_not":
		return binary("IS NOT")
	case "like":
		return binary("LIKE")
	case "notlike", "not_like":
		return binary("NOT LIKE")
	case "regexp_match":
		return binary("REGEXP")
	case "startswith":
		return like("LIKE", "", "%")
	case "endswith":
		return like("LIKE", "%", "")
	case "contains":
		return like("LIKE", "%", "%")
	case "ilike":
		return method(func(args []*Expr, call *python.Call) *Expr {
			if len(args) == 0 {
				return x
			}
			return Binary(Func("lower", x), "LIKE", Func("lower", args[0]))
		})
	case "between":
		return method(func(args []*Expr, call *python.Call) *Expr {
			if len(args) < 2 {
				return x
			}
			return &Expr{prec: precCompare, parts: concat(x.group(precCompare, true), raw(" BETWEEN "), args[0].parts, raw(" AND "), args[1].parts)}
		})
	case "concat":
		return method(func(args []*Expr, call *python.Call) *Expr { return Func("concat", append([]*Expr{x}, args...)...) })
	case "op":
		return pure(name, func(ev *python.Eval, call *python.Call) (python.Value, error) {
			s, _ := e.text(first(call.Args, nil))
			return pure("op", func(ev *python.Eval, call *python.Call) (python.Value, error) {
				if len(call.Args) == 0 {
					return e.exprValue(x), nil
				}
				return e.exprValue(Binary(x, s, e.operand(call.Args[0]))), nil
			}), nil
		}), true
	case "desc", "asc":
		return method(func([]*Expr, *python.Call) *Expr {
			return &Expr{prec: precComma, parts: concat(x.parts, raw(" "+strings.ToUpper(name)))}
		})
	case "nullsfirst", "nullslast", "nulls_first", "nulls_last", "self_group", "execution_options", "compile":
		if name == "compile" {
			return pure(name, func(ev *python.Eval, call *python.Call) (python.Value, error) {
				ddl, err := ExprSQL(x)
				if err != nil {
					return nil, e.exception(err)
				}
				if len(ddl.Unknown) > 0 {
					return python.NewUnknown(call.Pos(), ddl.Unknown[0].Why), nil
				}
				return python.Str(ddl.SQL), nil
			}), true
		}
		return method(func([]*Expr, *python.Call) *Expr { return x })
	case "label":
		return method(func(args []*Expr, call *python.Call) *Expr {
			y := *x
			if len(args) > 0 {
				y.label, _ = args[0].value.(string)
			}
			return &y
		})
	case "distinct":
		return method(func([]*Expr, *python.Call) *Expr {
			return &Expr{prec: precAtom, parts: concat(raw("DISTINCT "), x.parts)}
		})
	case "collate":
		return method(func(args []*Expr, call *python.Call) *Expr {
			if len(args) == 0 {
				return x
			}
			s, _ := args[0].value.(string)
			return &Expr{prec: precMul, parts: concat(x.parts, raw(" COLLATE "+quote(s)))}
		})
	case "bindparams":
		return pure(name, func(ev *python.Eval, call *python.Call) (python.Value, error) {
			y := &Expr{prec: x.prec}
			for _, p := range x.parts {
				for _, k := range call.Kw {
					if p.bind && p.key == k.Name {
						p = e.operand(k.Value).parts[0]
					}
				}
				for _, a := range call.Args {
					if b, ok := a.(*Expr); ok && len(b.parts) == 1 && b.parts[0].key == p.key && p.key != "" && b.parts[0].literal != "" {
						p = b.parts[0]
					}
				}
				y.parts = append(y.parts, p)
			}
			return e.exprValue(y), nil
		}), true
	case "text":
		return python.Str(x.plain()), true
	case "name", "key":
		if x.label != "" {
			return python.Str(x.label), true
		}
	case "type":
		return e.typeValue(x.typ), true
	case "columns":
		return method(func([]*Expr, *python.Call) *Expr { return x })
	}
	return nil, false
}

// plain gives the text of a text() with its parameters as they were written.
func (x *Expr) plain() string {
	var b strings.Builder
	for _, p := range x.parts {
		switch {
		case p.bind && p.key != "":
			b.WriteString(":" + p.key)
		case p.bind:
			b.WriteString(p.literal)
		default:
			b.WriteString(p.text)
		}
	}
	return b.String()
}

// Attr implements python.Attrer.
func (e *Expr) Attr(ev *python.Eval, name string) (python.Value, bool) {
	g := engineOf(e.Cls)
	if g == nil {
		return nil, false
	}
	return exprAttr(g, e, name)
}

// Binary implements python.Operator.
func (e *Expr) Binary(ev *python.Eval, op python.Op, other python.Value, reflected bool) (python.Value, error) {
	g := engineOf(e.Cls)
	if g == nil {
		return nil, nil
	}
	return exprBinary(g, e, op, other, reflected)
}

// Unary implements python.UnaryOperator.
func (e *Expr) Unary(ev *python.Eval, op python.Op) (python.Value, error) {
	g := engineOf(e.Cls)
	if g == nil {
		return nil, nil
	}
	switch op {
	case python.OpInvert:
		return g.exprValue(&Expr{prec: precNot, unary: true, parts: concat(raw("NOT "), e.group(precNot, false))}), nil
	case python.OpNeg:
		return g.exprValue(&Expr{prec: precUnary, unary: true, parts: concat(raw("-"), e.group(precUnary, false))}), nil
	}
	return nil, nil
}

// Text implements python.Texter.
func (e *Expr) Text(ev *python.Eval, repr bool) (python.Value, error) {
	if repr {
		return python.NewUnknown(ev.Pos(), "the text of an SQL expression is not modelled"), nil
	}
	return python.Str(e.plain()), nil
}

// A funcClass is func.name, or a name of it such as func.mysql.name.
type funcClass struct {
	e    *Engine
	name string
}

// TypeName implements python.Value.
func (*funcClass) TypeName() string { return "_FunctionGenerator" }

// Attr implements python.Attrer.
func (f *funcClass) Attr(ev *python.Eval, name string) (python.Value, bool) {
	if strings.HasPrefix(name, "__") {
		return nil, false
	}
	// func.if_ stands for IF: one trailing underscore is cut off.
	name = strings.TrimSuffix(name, "_")
	if f.name != "" {
		name = f.name + "." + name
	}
	return &funcClass{e: f.e, name: name}, true
}

// Call implements python.Caller.
func (f *funcClass) Call(ev *python.Eval, call *python.Call) (python.Value, error) {
	var args []*Expr
	for _, a := range call.Args {
		args = append(args, f.e.operand(a))
	}
	if call.Splat != nil {
		return call.Splat, nil
	}
	return f.e.exprValue(Func(f.name, args...)), nil
}

// exprFunctions gives the functions of sqlalchemy.sql that make expressions.
func (e *Engine) exprFunctions() []any {
	p := func(name string, f func(ev *python.Eval, call *python.Call) (python.Value, error)) []any {
		return []any{name, pure(name, f)}
	}
	expr := func(name string, f func(args []*Expr, call *python.Call) *Expr) []any {
		return p(name, func(ev *python.Eval, call *python.Call) (python.Value, error) {
			var args []*Expr
			for _, a := range call.Args {
				args = append(args, e.operand(a))
			}
			return e.exprValue(f(args, call)), nil
		})
	}
	var out []any
	add := func(x []any) { out = append(out, x...) }
	add([]any{"func", &funcClass{e: e}})
	add(p("text", func(ev *python.Eval, call *python.Call) (python.Value, error) {
		s, u := e.text(first(call.Args, call.Keyword("text")))
		if u != nil {
			// What is known of it may tell that it is only a query.
			if k, ok := first(call.Args, call.Keyword("text")).(*python.Unknown); ok {
				return k, nil
			}
			return python.NewUnknown(call.Pos(), u.Why), nil
		}
		x := Text(s)
		for i, q := range x.parts {
			for _, b := range namedParams(e, call.Keyword("bindparams")) {
				if q.bind && q.key == b.key {
					x.parts[i] = b
				}
			}
		}
		return e.exprValue(x), nil
	}))
	for _, name := range []string{"literal_column", "column"} {
		add(p(name, func(ev *python.Eval, call *python.Call) (python.Value, error) {
			v := first(call.Args, call.Keyword("text"))
			s, u := e.text(v)
			if u != nil {
				return python.NewUnknown(call.Pos(), u.Why), nil
			}
			if name == "literal_column" {
				return e.exprValue(rawExpr(s)), nil
			}
			// A column() is a Column that belongs to no table.
			c := NewColumn(s, nil)
			c.Cls = e.classFor("Column")
			if len(call.Args) > 1 {
				t, err := e.typeArg(call.Args[1])
				if err != nil {
					return nil, err
				}
				c.Type = t
			}
			return c, nil
		}))
	}
	for _, name := range []string{"literal", "bindparam"} {
		add(p(name, func(ev *python.Eval, call *python.Call) (python.Value, error) {
			args := call.Args
			key := ""
			if name == "bindparam" {
				key, _ = e.text(first(args, call.Keyword("key")))
				if len(args) > 0 {
					args = args[1:]
				}
			}
			v := first(args, call.Keyword("value"))
			if v == nil {
				return e.exprValue(&Expr{prec: precAtom, parts: []part{{bind: true, key: key}}}), nil
			}
			x := e.operand(v)
			if len(x.parts) == 1 {
				q := *x
				q.parts = []part{x.parts[0]}
				q.parts[0].key = key
				return e.exprValue(&q), nil
			}
			return e.exprValue(x), nil
		}))
	}
	for _, c := range [][2]string{{"null", "NULL"}, {"true", "true"}, {"false", "false"}} {
		sql := c[1]
		add(p(c[0], func(*python.Eval, *python.Call) (python.Value, error) { return e.exprValue(rawExpr(sql)), nil }))
	}
	for _, c := range [][2]string{{"and_", "AND"}, {"or_", "OR"}} {
		op := c[1]
		add(expr(c[0], func(args []*Expr, call *python.Call) *Expr {
			if len(args) == 0 {
				return rawExpr("")
			}
			x := args[0]
			for _, y := range args[1:] {
				x = Binary(x, op, y)
			}
			return x
		}))
	}
	add(expr("not_", func(args []*Expr, call *python.Call) *Expr {
		if len(args) == 0 {
			return rawExpr("")
		}
		return &Expr{prec: precNot, unary: true, parts: concat(raw("NOT "), args[0].group(precNot, false))}
	}))
	for _, name := range []string{"desc", "asc", "distinct"} {
		add(p(name, func(ev *python.Eval, call *python.Call) (python.Value, error) {
			x := e.operand(first(call.Args, nil))
			if s, ok := first(call.Args, nil).(python.Str); ok {
				x = rawExpr(quote(string(s)))
			}
			v, _ := exprAttr(e, x, name)
			return ev.Call(call.Pos(), v, nil)
		}))
	}
	for _, name := range []string{"cast", "type_coerce"} {
		add(p(name, func(ev *python.Eval, call *python.Call) (python.Value, error) {
			if len(call.Args) < 2 {
				return python.NewUnknown(call.Pos(), name+"() without type"), nil
			}
			x := e.operand(call.Args[0])
			t, err := e.typeArg(call.Args[1])
			if err != nil {
				return nil, err
			}
			if name == "type_coerce" {
				y := *x
				y.typ = t
				return e.exprValue(&y), nil
			}
			as, u, err := e.castType(t)
			if err != nil {
				return nil, err
			}
			if u != nil {
				return python.NewUnknown(call.Pos(), u.Why), nil
			}
			if as == "" {
				return e.exprValue(x), nil // the library leaves out casts that MySQL does not have
			}
			return e.exprValue(&Expr{prec: precAtom, typ: t, parts: concat(raw("CAST("), x.parts, raw(" AS "+as+")"))}), nil
		}))
	}
	add(p("case", func(ev *python.Eval, call *python.Call) (python.Value, error) {
		return python.NewUnknown(call.Pos(), "case() is not modelled"), nil
	}))
	add(p("exists", func(ev *python.Eval, call *python.Call) (python.Value, error) {
		x := e.operand(first(call.Args, nil))
		return e.exprValue(&Expr{prec: precAtom, parts: concat(raw("EXISTS "), x.parts)}), nil
	}))
	add(p("quoted_name", func(ev *python.Eval, call *python.Call) (python.Value, error) {
		s, u := e.text(first(call.Args, call.Keyword("value")))
		if u != nil {
			return python.NewUnknown(call.Pos(), u.Why), nil
		}
		q := call.Keyword("quote")
		if len(call.Args) > 1 {
			q = call.Args[1]
		}
		b, _ := e.optionalBool(q)
		return &nameValue{Str: python.Str(s), quote: b}, nil
	}))
	add(p("conv", func(ev *python.Eval, call *python.Call) (python.Value, error) {
		s, u := e.text(first(call.Args, nil))
		if u != nil {
			return python.NewUnknown(call.Pos(), u.Why), nil
		}
		return Conv(s), nil
	}))
	return out
}

// castType gives the type in CAST(… AS type) on MySQL; "" if it has none.
func (e *Engine) castType(t *Type) (string, *Unknown, error) {
	r, err := t.Resolve()
	if err != nil || r == nil {
		return "", nil, err
	}
	if r.Unknown != nil {
		return "", r.Unknown, nil
	}
	switch r.Kind.Affinity {
	case IntegerAffinity:
		if r.Unsigned {
			return "UNSIGNED INTEGER", nil, nil
		}
		return "SIGNED INTEGER", nil, nil
	case StringAffinity:
		return extendString(r, "CHAR"+(&compiler{}).paren(r.Length, r.Length.truthy()), false), nil, nil
	case BinaryAffinity:
		return "BINARY", nil, nil
	case JSONAffinity:
		return "JSON", nil, nil
	case DateAffinity:
		if r.Kind.Visit == "TIMESTAMP" {
			return "DATETIME", nil, nil
		}
		ddl, err := TypeDDL(r)
		return ddl.SQL, nil, err
	case NumericAffinity:
		if r.Kind.Visit == "numeric" || r.Kind.Visit == "NUMERIC" || r.Kind.Visit == "DECIMAL" {
			ddl, err := TypeDDL(r)
			return strings.Replace(ddl.SQL, "NUMERIC", "DECIMAL", 1), nil, err
		}
	}
	return "", nil, nil
}

// namedParams gives the parameters in a list of bindparam().
func namedParams(e *Engine, v python.Value) []part {
	if absent(v) {
		return nil
	}
	items, _, err := e.Eval.Iterate(v)
	if err != nil {
		return nil
	}
	var out []part
	for _, it := range items {
		if x, ok := it.(*Expr); ok && len(x.parts) == 1 {
			out = append(out, x.parts[0])
		}
	}
	return out
}
