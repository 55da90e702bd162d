package schema

import (
	"fmt"
	"regexp"
	"strings"
	"sync"

	"github.com/pingcap/tidb/pkg/parser"
	"github.com/pingcap/tidb/pkg/parser/ast"
	"github.com/pingcap/tidb/pkg/parser/mysql"
	_ "github.com/pingcap/tidb/pkg/parser/test_driver" // the parser's literals
	"github.com/pingcap/tidb/pkg/parser/types"
)

// parsers keeps parsers for reuse: a new one costs more than most statements. The schemas of one history share it.
type parsers struct{ pool sync.Pool }

func newParsers() *parsers {
	return &parsers{sync.Pool{New: func() any { return parser.New() }}}
}

// parse parses one statement. A parser that panics is an error, and the parser is not used again.
func (ps *parsers) parse(sql string, mode lexMode) (st ast.StmtNode, err error) {
	p := ps.pool.Get().(*parser.Parser)
	defer func() {
		if r := recover(); r != nil {
			st, err = nil, fmt.Errorf("the parser failed: %v", r)
		}
	}()
	var m mysql.SQLMode
	if mode&ansiQuotes != 0 {
		m |= mysql.ModeANSIQuotes
	}
	if mode&noBackslashEscapes != 0 {
		m |= mysql.ModeNoBackslashEscapes
	}
	p.SetSQLMode(m)
	st, err = p.ParseOneStmt(sql, "", "")
	ps.pool.Put(p)
	return st, err
}

// nearLine finds the place in a message of the parser.
var nearLine = regexp.MustCompile(`^line (\d+) column (\d+) near "`)

// parseElements has the parser read the definitions, and puts what it says into the elements.
func (c *cursor) parseElements(ps *parsers, elems []element) {
	var b strings.Builder
	b.WriteString("CREATE TABLE t (")
	empty := true
	for _, e := range elems {
		if e.text == "" {
			continue
		}
		if !empty {
			b.WriteByte(',')
		}
		b.WriteString(e.text)
		empty = false
	}
	if empty {
		return
	}
	b.WriteString(")")
	// Everything has been written with standard quotes, but for strings that keep their spelling.
	node, err := ps.parse(b.String(), c.mode&noBackslashEscapes)
	if err != nil && len(elems) > 1 {
		// One by one, so that only what cannot be read is lost.
		for i := range elems {
			c.parseElements(ps, elems[i:i+1])
		}
		return
	}
	if err != nil && elems[0].col != nil {
		e := &elems[0]
		table := ""
		if len(c.objects) > 0 {
			table = c.objects[0].Table
		}
		c.gap(&Error{Pos: c.st.PosAt(e.toks[0].start), Msg: "cannot read this definition: " + parserMessage(err)}, Object{KindColumn, table, e.col.name})
		e.col.lifted = true
		e.col.typ = Type{Name: strings.ToLower(e.toks[min(1, len(e.toks)-1)].text(c.src)), Length: -1, Scale: -1, Unknown: true}
		return
	}
	if err != nil {
		c.fail(elems[0].toks[0].start, 0, "cannot read this definition: %s", parserMessage(err))
	}
	create, ok := node.(*ast.CreateTableStmt)
	if !ok {
		c.fail(elems[0].toks[0].start, 0, "cannot read this definition")
	}
	cols, cons := create.Cols, create.Constraints
	for i := range elems {
		e := &elems[i]
		switch {
		case e.col != nil && len(cols) > 0:
			c.takeColumn(e, cols[0])
			cols = cols[1:]
		case e.text != "" && e.col == nil && len(cons) > 0:
			c.takeConstraint(e, cons[0])
			cons = cons[1:]
		case e.text != "":
			c.fail(e.toks[0].start, 0, "cannot read this definition")
		}
	}
	if len(cols)+len(cons) > 0 {
		c.fail(elems[0].toks[0].start, 0, "cannot read these definitions")
	}
}

// parserMessage shortens the parser's message: its place is in a text that nobody has seen.
func parserMessage(err error) string {
	s := err.Error()
	if m := nearLine.FindString(s); m != "" {
		if words := strings.Fields(s[len(m):]); len(words) > 0 {
			return "near " + clip(strings.TrimSuffix(words[0], `"`), 60)
		}
		return "it ends too early"
	}
	return clip(s, 120)
}

// takeColumn takes what the parser says about a column.
func (c *cursor) takeColumn(e *element, n *ast.ColumnDef) {
	col := e.col
	if !col.lifted {
		col.typ = c.fieldType(e, n.Tp)
		if n.Tp.GetCharset() == "binary" && strings.HasSuffix(col.typ.Name, "text") {
			col.charset = "binary"
		}
	}
	for _, o := range n.Options {
		switch o.Tp {
		case ast.ColumnOptionNotNull:
			col.notNull, col.null = true, false
		case ast.ColumnOptionNull:
			col.null, col.notNull = true, false
		case ast.ColumnOptionAutoIncrement:
			col.auto = true
		case ast.ColumnOptionPrimaryKey:
			col.primary = true
		case ast.ColumnOptionUniqKey:
			col.unique = true
		case ast.ColumnOptionReference:
			f := &fkDef{at: col.at}
			f.Columns = []string{col.name}
			f.refer(o.Refer)
			col.ref = f
		default:
			c.fail(e.toks[0].start, 0, "cannot read an attribute of column %s", quoteName(col.name))
		}
	}
}

// fieldType converts the parser's type.
func (c *cursor) fieldType(e *element, ft *types.FieldType) Type {
	t := Type{Length: -1, Scale: -1, Unsigned: mysql.HasUnsignedFlag(ft.GetFlag()), Zerofill: mysql.HasZerofillFlag(ft.GetFlag())}
	if t.Zerofill {
		t.Unsigned = true // manual: Numeric Type Attributes
	}
	bin := ft.GetCharset() == "binary"
	blob := func(text, blob string) {
		if t.Name = text; bin {
			t.Name = blob
		}
		t.Length = ft.GetFlen()
	}
	fsp := func(name string) {
		if t.Name = name; ft.GetDecimal() > 0 {
			t.Length = ft.GetDecimal()
		}
	}
	switch ft.GetType() {
	case mysql.TypeTiny:
		t.Name, t.Length = "tinyint", ft.GetFlen()
	case mysql.TypeShort:
		t.Name, t.Length = "smallint", ft.GetFlen()
	case mysql.TypeInt24:
		t.Name, t.Length = "mediumint", ft.GetFlen()
	case mysql.TypeLong:
		t.Name, t.Length = "int", ft.GetFlen()
	case mysql.TypeLonglong:
		t.Name, t.Length = "bigint", ft.GetFlen()
	case mysql.TypeNewDecimal:
		t.Name, t.Length, t.Scale = "decimal", ft.GetFlen(), ft.GetDecimal()
		if t.Length <= 0 {
			t.Length = 10
		}
		t.Scale = max(t.Scale, 0)
	case mysql.TypeFloat:
		t.Name, t.Length, t.Scale = "float", ft.GetFlen(), ft.GetDecimal()
	case mysql.TypeDouble:
		t.Name, t.Length, t.Scale = "double", ft.GetFlen(), ft.GetDecimal()
	case mysql.TypeBit:
		t.Name, t.Length = "bit", max(ft.GetFlen(), 1)
	case mysql.TypeString:
		t.Name, t.Length = "char", ft.GetFlen()
		if bin {
			t.Name = "binary"
		}
		if t.Length < 0 {
			t.Length = 1
		}
	case mysql.TypeVarchar, mysql.TypeVarString:
		t.Name, t.Length = "varchar", ft.GetFlen()
		if bin {
			t.Name = "varbinary"
		}
	case mysql.TypeTinyBlob:
		blob("tinytext", "tinyblob")
		t.Length = -1
	case mysql.TypeBlob:
		blob("text", "blob")
	case mysql.TypeMediumBlob:
		blob("mediumtext", "mediumblob")
		t.Length = -1
	case mysql.TypeLongBlob:
		blob("longtext", "longblob")
		t.Length = -1
	case mysql.TypeEnum:
		t.Name, t.Members = "enum", ft.GetElems()
	case mysql.TypeSet:
		t.Name, t.Members = "set", ft.GetElems()
	case mysql.TypeJSON:
		t.Name = "json"
	case mysql.TypeDate, mysql.TypeNewDate:
		t.Name = "date"
	case mysql.TypeDatetime:
		fsp("datetime")
	case mysql.TypeTimestamp:
		fsp("timestamp")
	case mysql.TypeDuration:
		fsp("time")
	case mysql.TypeYear:
		t.Name = "year"
	default:
		c.fail(e.toks[0].start, 0, "cannot read the type of column %s", quoteName(e.col.name))
	}
	return t
}

// takeConstraint takes what the parser says about a key or a foreign key.
func (c *cursor) takeConstraint(e *element, n *ast.Constraint) {
	if e.fk != nil {
		if n.Tp != ast.ConstraintForeignKey || n.Refer == nil {
			c.fail(e.toks[0].start, 0, "cannot read this foreign key")
		}
		for _, k := range n.Keys {
			if k.Column == nil {
				c.fail(e.toks[0].start, 0, "cannot read this foreign key")
			}
			e.fk.Columns = append(e.fk.Columns, k.Column.Name.O)
		}
		e.fk.refer(n.Refer)
		return
	}
	k := e.key
	if len(k.exprs) != len(n.Keys) {
		c.fail(e.toks[0].start, 0, "cannot read this key")
	}
	for i, p := range n.Keys {
		if p.Column == nil {
			c.fail(e.toks[0].start, 0, "cannot read this key")
		}
		part := KeyPart{Column: p.Column.Name.O, Desc: p.Desc}
		if p.Length > 0 {
			part.Length = p.Length
		}
		if x := k.exprs[i]; x.text != "" {
			part.Column, part.Expr = "", x.text
		}
		k.Parts = append(k.Parts, part)
	}
	if n.Option != nil {
		k.Parser = n.Option.ParserName.O
	}
}

func (f *fkDef) refer(r *ast.ReferenceDef) {
	f.refDB, f.RefTable = r.Table.Schema.O, r.Table.Name.O
	for _, p := range r.IndexPartSpecifications {
		if p.Column != nil {
			f.RefColumns = append(f.RefColumns, p.Column.Name.O)
		}
	}
	if r.OnDelete != nil {
		f.OnDelete = r.OnDelete.ReferOpt.String()
	}
	if r.OnUpdate != nil {
		f.ForeignKey.OnUpdate = r.OnUpdate.ReferOpt.String()
	}
}
