package sqlalchemy

import (
	"strconv"
	"strings"
	"sync"

	"instep/internal/python"
)

// A Num is a number in a type's definition that may be missing or not known. The zero value is missing.
type Num struct {
	N       int
	Given   bool
	Unknown *Unknown // Given is set too
}

// N gives a number that is known.
func N(n int) Num { return Num{N: n, Given: true} }

// truthy tells whether Python takes the number as true: 0 counts as missing for lengths.
func (n Num) truthy() bool { return n.Given && (n.Unknown != nil || n.N != 0) }

// Affinity is the family that a type belongs to, as the library sees it.
type Affinity uint8

// The affinities that matter to DDL.
const (
	OtherAffinity Affinity = iota
	IntegerAffinity
	NumericAffinity
	StringAffinity
	BooleanAffinity
	DateAffinity
	BinaryAffinity
	EnumAffinity
	JSONAffinity
)

// A Type is an instance of one of the library's types.
type Type struct {
	python.Object
	Kind         *TypeClass
	Length       Num
	Precision    Num
	Scale        Num
	DisplayWidth Num
	FSP          Num
	Unsigned     bool
	Zerofill     bool
	ASCII        bool
	Unicode      bool
	Binary       bool
	National     bool
	Charset      string
	Collation    string
	Members      []string // of Enum and SET
	NotNative    bool     // Enum(native_enum=False)
	// CreateConstraint: a Boolean or an Enum that is not native brings a CHECK along, named CheckName.
	CreateConstraint bool
	CheckName        Name
	// Impl is what a TypeDecorator stands for on MySQL.
	Impl *Type
	// Variants are with_variant's types by dialect; the first of a dialect counts.
	Variants []Variant
	// Spec is what get_col_spec() of a user's own type gives.
	Spec    string
	Unknown *Unknown // nothing is known of it
	// load, if not nil, gives what stands for the type on MySQL: a project's load_dialect_impl(), or its impl.
	load func() (*Type, error)
	// spec, if not nil, calls a project's get_col_spec().
	spec func() (string, *Unknown, error)
}

// A Variant is a type that stands for another one on a dialect.
type Variant struct {
	Dialect string
	Type    *Type
}

// A TypeClass is one of the library's classes of types.
type TypeClass struct {
	Name    string
	Dialect string // "" for sqlalchemy.types, else the module under sqlalchemy.dialects
	Base    string // the class that it is derived from, for isinstance: "Integer", "mysql.TINYINT"
	// Visit is the name under which the compiler knows it; upper case for SQL's own names.
	Visit    string
	Affinity Affinity
	// Params are the names of the positional parameters.
	Params []string
}

// qualified gives "TINYINT" or "mysql.TINYINT".
func (c *TypeClass) qualified() string {
	if c.Dialect == "" {
		return c.Name
	}
	return c.Dialect + "." + c.Name
}

// String gives the class's name.
func (c *TypeClass) String() string { return c.Name }

func class(name, base, visit string, a Affinity, params string) *TypeClass {
	dialect := ""
	if i := strings.IndexByte(name, '.'); i >= 0 {
		dialect, name = name[:i], name[i+1:]
	}
	return &TypeClass{Name: name, Dialect: dialect, Base: base, Visit: visit, Affinity: a, Params: strings.Fields(params)}
}

// TypeClasses gives the library's classes of types, each base before what is derived from it. Types of other
// dialects than MySQL have a Visit that MySQL's compiler does not know: they cannot become DDL. The slice must not be changed.
func TypeClasses() []*TypeClass { return allTypes() }

// allTypes makes the classes once; they are never written to.
var allTypes = sync.OnceValue(makeTypes)

// typesByName finds them by their qualified name.
var typesByName = sync.OnceValue(func() map[string]*TypeClass {
	m := map[string]*TypeClass{}
	for _, c := range allTypes() {
		m[c.qualified()] = c
	}
	return m
})

func makeTypes() []*TypeClass {
	const (
		str   = "length collation"
		mystr = "length"
		num   = "precision scale"
	)
	cs := []*TypeClass{
		class("TypeEngine", "", "", OtherAffinity, ""),
		class("UserDefinedType", "TypeEngine", "user_defined", OtherAffinity, ""),
		class("NullType", "TypeEngine", "null", OtherAffinity, ""),
		class("Integer", "TypeEngine", "integer", IntegerAffinity, ""),
		class("SmallInteger", "Integer", "small_integer", IntegerAffinity, ""),
		class("BigInteger", "Integer", "big_integer", IntegerAffinity, ""),
		class("Numeric", "TypeEngine", "numeric", NumericAffinity, num+" decimal_return_scale asdecimal"),
		class("Float", "Numeric", "float", NumericAffinity, "precision asdecimal decimal_return_scale"),
		class("Double", "Float", "double", NumericAffinity, "precision asdecimal decimal_return_scale"),
		class("String", "TypeEngine", "string", StringAffinity, str),
		class("Text", "String", "text", StringAffinity, str),
		class("Unicode", "String", "unicode", StringAffinity, str),
		class("UnicodeText", "Text", "unicode_text", StringAffinity, str),
		class("Boolean", "TypeEngine", "boolean", BooleanAffinity, "create_constraint name"),
		class("Date", "TypeEngine", "date", DateAffinity, ""),
		class("DateTime", "TypeEngine", "datetime", DateAffinity, "timezone"),
		class("Time", "TypeEngine", "time", DateAffinity, "timezone"),
		class("Interval", "TypeEngine", "interval", DateAffinity, "native second_precision day_precision"),
		class("LargeBinary", "TypeEngine", "large_binary", BinaryAffinity, "length"),
		class("PickleType", "TypeEngine", "large_binary", BinaryAffinity, "protocol pickler comparator impl"),
		class("Enum", "String", "enum", EnumAffinity, ""),
		class("JSON", "TypeEngine", "JSON", JSONAffinity, "none_as_null"),
		class("ARRAY", "TypeEngine", "ARRAY", OtherAffinity, "item_type"),
		class("Uuid", "TypeEngine", "uuid", OtherAffinity, "as_uuid native_uuid"),
		class("UUID", "Uuid", "UUID", OtherAffinity, "as_uuid"),
		class("MatchType", "Boolean", "match", BooleanAffinity, ""),
		class("TupleType", "TypeEngine", "tuple", OtherAffinity, ""),
		class("INTEGER", "Integer", "INTEGER", IntegerAffinity, ""),
		class("INT", "Integer", "INTEGER", IntegerAffinity, ""),
		class("SMALLINT", "SmallInteger", "SMALLINT", IntegerAffinity, ""),
		class("BIGINT", "BigInteger", "BIGINT", IntegerAffinity, ""),
		class("FLOAT", "Float", "FLOAT", NumericAffinity, "precision asdecimal decimal_return_scale"),
		class("REAL", "Float", "REAL", NumericAffinity, "precision asdecimal decimal_return_scale"),
		class("DOUBLE", "Double", "DOUBLE", NumericAffinity, "precision asdecimal decimal_return_scale"),
		class("DOUBLE_PRECISION", "Double", "DOUBLE_PRECISION", NumericAffinity, "precision asdecimal decimal_return_scale"),
		class("NUMERIC", "Numeric", "NUMERIC", NumericAffinity, num+" decimal_return_scale asdecimal"),
		class("DECIMAL", "Numeric", "DECIMAL", NumericAffinity, num+" decimal_return_scale asdecimal"),
		class("CHAR", "String", "CHAR", StringAffinity, str),
		class("VARCHAR", "String", "VARCHAR", StringAffinity, str),
		class("NCHAR", "Unicode", "NCHAR", StringAffinity, str),
		class("NVARCHAR", "Unicode", "NVARCHAR", StringAffinity, str),
		class("TEXT", "Text", "TEXT", StringAffinity, str),
		class("CLOB", "Text", "CLOB", StringAffinity, str),
		class("BLOB", "LargeBinary", "BLOB", BinaryAffinity, "length"),
		class("BINARY", "TypeEngine", "BINARY", BinaryAffinity, "length"),
		class("VARBINARY", "TypeEngine", "VARBINARY", BinaryAffinity, "length"),
		class("BOOLEAN", "Boolean", "BOOLEAN", BooleanAffinity, "create_constraint name"),
		class("DATE", "Date", "DATE", DateAffinity, ""),
		class("DATETIME", "DateTime", "DATETIME", DateAffinity, "timezone"),
		class("TIME", "Time", "TIME", DateAffinity, "timezone"),
		class("TIMESTAMP", "DateTime", "TIMESTAMP", DateAffinity, "timezone"),

		class("mysql.INTEGER", "INTEGER", "INTEGER", IntegerAffinity, "display_width"),
		class("mysql.BIGINT", "BIGINT", "BIGINT", IntegerAffinity, "display_width"),
		class("mysql.MEDIUMINT", "Integer", "MEDIUMINT", IntegerAffinity, "display_width"),
		class("mysql.TINYINT", "Integer", "TINYINT", IntegerAffinity, "display_width"),
		class("mysql.SMALLINT", "SMALLINT", "SMALLINT", IntegerAffinity, "display_width"),
		class("mysql.NUMERIC", "NUMERIC", "NUMERIC", NumericAffinity, num+" asdecimal"),
		class("mysql.DECIMAL", "DECIMAL", "DECIMAL", NumericAffinity, num+" asdecimal"),
		class("mysql.DOUBLE", "DOUBLE", "DOUBLE", NumericAffinity, num+" asdecimal"),
		class("mysql.REAL", "REAL", "REAL", NumericAffinity, num+" asdecimal"),
		class("mysql.FLOAT", "FLOAT", "FLOAT", NumericAffinity, num+" asdecimal"),
		class("mysql.BIT", "TypeEngine", "BIT", OtherAffinity, "length"),
		class("mysql.TIME", "TIME", "TIME", DateAffinity, "timezone fsp"),
		class("mysql.TIMESTAMP", "TIMESTAMP", "TIMESTAMP", DateAffinity, "timezone fsp"),
		class("mysql.DATETIME", "DATETIME", "DATETIME", DateAffinity, "timezone fsp"),
		class("mysql.YEAR", "TypeEngine", "YEAR", OtherAffinity, "display_width"),
		class("mysql.TEXT", "TEXT", "TEXT", StringAffinity, mystr),
		class("mysql.TINYTEXT", "String", "TINYTEXT", StringAffinity, ""),
		class("mysql.MEDIUMTEXT", "String", "MEDIUMTEXT", StringAffinity, ""),
		class("mysql.LONGTEXT", "String", "LONGTEXT", StringAffinity, ""),
		class("mysql.VARCHAR", "VARCHAR", "VARCHAR", StringAffinity, mystr),
		class("mysql.CHAR", "CHAR", "CHAR", StringAffinity, mystr),
		class("mysql.NVARCHAR", "NVARCHAR", "NVARCHAR", StringAffinity, mystr),
		class("mysql.NCHAR", "NCHAR", "NCHAR", StringAffinity, mystr),
		class("mysql.TINYBLOB", "LargeBinary", "TINYBLOB", BinaryAffinity, "length"),
		class("mysql.MEDIUMBLOB", "LargeBinary", "MEDIUMBLOB", BinaryAffinity, "length"),
		class("mysql.LONGBLOB", "LargeBinary", "LONGBLOB", BinaryAffinity, "length"),
		class("mysql.ENUM", "Enum", "ENUM", EnumAffinity, ""),
		class("mysql.SET", "String", "SET", StringAffinity, ""),
		class("mysql.JSON", "JSON", "JSON", JSONAffinity, "none_as_null"),
	}
	for _, name := range strings.Fields("ARRAY BIT BYTEA CIDR CITEXT DATERANGE DATEMULTIRANGE DOMAIN ENUM HSTORE INET INT4RANGE INT8RANGE INT4MULTIRANGE INT8MULTIRANGE INTERVAL JSON JSONB JSONPATH MACADDR MACADDR8 MONEY NUMRANGE NUMMULTIRANGE OID REGCLASS REGCONFIG TIME TIMESTAMP TSQUERY TSRANGE TSMULTIRANGE TSTZRANGE TSTZMULTIRANGE TSVECTOR UUID") {
		cs = append(cs, class("postgresql."+name, "TypeEngine", "postgresql_"+name, OtherAffinity, ""))
	}
	for _, name := range strings.Fields("BFILE BINARY_DOUBLE BINARY_FLOAT DATE INTERVAL LONG NCLOB NUMBER RAW ROWID VARCHAR2 NVARCHAR2") {
		cs = append(cs, class("oracle."+name, "TypeEngine", "oracle_"+name, OtherAffinity, ""))
	}
	for _, name := range strings.Fields("BIT DATETIME2 DATETIMEOFFSET IMAGE MONEY NTEXT REAL ROWVERSION SMALLDATETIME SMALLMONEY SQL_VARIANT TIME TIMESTAMP TINYINT UNIQUEIDENTIFIER XML") {
		cs = append(cs, class("mssql."+name, "TypeEngine", "mssql_"+name, OtherAffinity, ""))
	}
	for _, name := range strings.Fields("DATE DATETIME TIME JSON") {
		cs = append(cs, class("sqlite."+name, map[string]string{"DATE": "DATE", "DATETIME": "DATETIME", "TIME": "TIME", "JSON": "JSON"}[name], name, DateAffinity, ""))
	}
	return cs
}

// FindTypeClass gives the class of that name: "Integer", "VARCHAR", "mysql.TINYINT"; nil if there is none.
func FindTypeClass(name string) *TypeClass { return typesByName()[name] }

// NewType gives an instance of the class of that name without any argument. It panics if there is no such class, and
// so is meant for names that are written in the source.
func NewType(name string) *Type {
	c := FindTypeClass(name)
	if c == nil {
		panic("sqlalchemy: no type " + name)
	}
	return &Type{Kind: c}
}

// UnknownType gives a type of which nothing is known.
func UnknownType(u *Unknown) *Type { return &Type{Kind: &TypeClass{Name: "NullType"}, Unknown: u} }

// decoratorClass gives the class that a TypeDecorator of the project is for the compiler.
func decoratorClass(name string) *TypeClass {
	return &TypeClass{Name: name, Base: "TypeEngine", Visit: "type_decorator"}
}

// Resolve gives the type that stands for t on MySQL: variants and decorators are followed.
func (t *Type) Resolve() (*Type, error) {
	for range 50 {
		if t == nil || t.Unknown != nil {
			return t, nil
		}
		next := t.Impl
		if t.load != nil {
			var err error
			if next, err = t.load(); err != nil {
				return nil, err
			}
		}
		for _, v := range t.Variants {
			if v.Dialect == "mysql" {
				next = v.Type
				break
			}
		}
		if next == nil {
			return t, nil
		}
		t = next
	}
	return UnknownType(&Unknown{Why: "the type decorators go in a circle"}), nil
}

// affinity gives the family of the type. Variants do not count: the library asks the type itself.
func (t *Type) affinity() Affinity {
	for range 50 {
		if t == nil || t.Impl == nil {
			break
		}
		t = t.Impl
	}
	if t == nil {
		return OtherAffinity
	}
	return t.Kind.Affinity
}

// mysqlOwn tells whether the type is one of dialects.mysql, whose own arguments the compiler renders.
func (t *Type) mysqlOwn() bool { return t.Kind.Dialect == "mysql" }

// check gives the CHECK constraint that a Boolean or an Enum brings along when its column is attached; nil if it
// brings none. It does not count on MySQL if a variant stands there instead.
func (t *Type) check(c *Column) *Constraint {
	inner := t
	for range 50 {
		if inner == nil || inner.Impl == nil {
			break
		}
		inner = inner.Impl
	}
	if inner == nil || !inner.CreateConstraint || inner.Unknown != nil {
		return nil
	}
	if r, err := t.Resolve(); err != nil || r.Kind.Affinity != inner.Kind.Affinity {
		return nil
	}
	var values []*Expr
	switch {
	case inner.Kind.Affinity == BooleanAffinity:
		values = []*Expr{rawExpr("0"), rawExpr("1")}
	case inner.Kind.Affinity == EnumAffinity && inner.NotNative:
		for _, m := range inner.Members {
			values = append(values, rawExpr(quoteString(m)))
		}
	default:
		return nil
	}
	name := inner.CheckName
	if !name.Given() {
		name = Name{TypeBound: true}
	}
	e := columnExpr(c)
	return &Constraint{Kind: CheckConstraint, Name: name, Columns: []*Column{c}, TypeBound: true,
		Expr: &Expr{parts: concat(e.parts, raw(" IN ("), joinExprs(values, ", "), raw(")")), prec: precCompare}}
}

// ddl renders the type for a column, or gives the library's error.
func (c *compiler) typeDDL(t *Type) (string, error) {
	r, err := t.Resolve()
	if err != nil {
		return "", err
	}
	if r == nil {
		return "", errorf("CompileError", "Can't generate DDL for NullType(); did you forget to specify a type on this Column?")
	}
	if r.Unknown != nil {
		c.unknown(r.Unknown)
		return "?", nil
	}
	if e := engineOf(r.Cls); e != nil {
		if f := e.customFor(r.Cls); f != nil {
			s, u, err := e.compileCustom(f, r)
			if u != nil {
				c.unknown(u)
				s = "?"
			}
			return s, err
		}
	}
	switch r.Kind.Visit {
	case "null", "":
		return "", errorf("CompileError", "Can't generate DDL for NullType(); did you forget to specify a type on this Column?")
	case "user_defined":
		if r.spec != nil {
			s, u, err := r.spec()
			if u != nil {
				c.unknown(u)
				s = "?"
			}
			return s, err
		}
		if r.Spec == "" {
			return "", errorf("AttributeError", "'%s' object has no attribute 'get_col_spec'", r.Kind.Name)
		}
		return r.Spec, nil
	case "numeric", "NUMERIC":
		return c.numeric(r, "NUMERIC", true), nil
	case "DECIMAL":
		return c.numeric(r, "DECIMAL", true), nil
	case "double", "DOUBLE":
		return c.numeric(r, "DOUBLE", false), nil
	case "REAL", "real":
		return c.numeric(r, "REAL", false), nil
	case "float", "FLOAT":
		if r.mysqlOwn() && r.Scale.Given && r.Precision.Given {
			return c.numeric(r, "FLOAT", true), nil
		}
		r2 := *r
		r2.Scale = Num{}
		return c.numeric(&r2, "FLOAT", true), nil
	case "integer", "INTEGER":
		return c.integer(r, "INTEGER"), nil
	case "big_integer", "BIGINT":
		return c.integer(r, "BIGINT"), nil
	case "small_integer", "SMALLINT":
		return c.integer(r, "SMALLINT"), nil
	case "MEDIUMINT", "TINYINT":
		return c.integer(r, r.Kind.Visit), nil
	case "BIT":
		return "BIT" + c.paren(r.Length, r.Length.Given), nil
	case "YEAR":
		return "YEAR" + c.paren(r.DisplayWidth, r.DisplayWidth.Given), nil
	case "date", "DATE":
		return "DATE", nil
	case "datetime", "DATETIME", "interval":
		return "DATETIME" + c.paren(r.FSP, r.FSP.truthy()), nil
	case "time", "TIME":
		return "TIME" + c.paren(r.FSP, r.FSP.truthy()), nil
	case "TIMESTAMP":
		return "TIMESTAMP" + c.paren(r.FSP, r.FSP.truthy()), nil
	case "boolean", "BOOLEAN":
		return "BOOL", nil
	case "JSON":
		return "JSON", nil
	case "uuid":
		return "CHAR(32)", nil
	case "text", "unicode_text", "TEXT":
		return extendString(r, "TEXT"+c.paren(r.Length, r.Length.truthy()), false), nil
	case "TINYTEXT", "MEDIUMTEXT", "LONGTEXT":
		return extendString(r, r.Kind.Visit, false), nil
	case "string", "unicode", "VARCHAR":
		return c.varchar(r, false)
	case "NVARCHAR":
		return c.varchar(r, true)
	case "CHAR":
		return extendString(r, "CHAR"+c.paren(r.Length, r.Length.truthy()), false), nil
	case "NCHAR":
		return extendString(r, "CHAR"+c.paren(r.Length, r.Length.truthy()), true), nil
	case "large_binary", "BLOB":
		return "BLOB" + c.paren(r.Length, r.Length.truthy()), nil
	case "TINYBLOB", "MEDIUMBLOB", "LONGBLOB", "CLOB", "DOUBLE_PRECISION":
		return strings.ReplaceAll(r.Kind.Visit, "_", " "), nil
	case "BINARY":
		return "BINARY" + c.paren(r.Length, r.Length.truthy()), nil
	case "VARBINARY":
		if !r.Length.Given {
			return "", errorf("TypeError", "%%d format: a number is required, not NoneType")
		}
		return "VARBINARY" + c.paren(r.Length, true), nil
	case "enum", "ENUM":
		if r.NotNative {
			return c.varchar(r, false)
		}
		return extendString(r, "ENUM("+members(r.Members)+")", false), nil
	case "SET":
		return extendString(r, "SET("+members(r.Members)+")", false), nil
	}
	return "", errorf("UnsupportedCompilationError", "Compiler can't render element of type %s", r.Kind.Name)
}

func members(ms []string) string {
	var qs []string
	for _, m := range ms {
		qs = append(qs, "'"+strings.ReplaceAll(m, "'", "''")+"'")
	}
	return strings.Join(qs, ",")
}

// num renders a number, "?" if it is not known.
func (c *compiler) num(n Num) string {
	if n.Unknown != nil {
		c.unknown(n.Unknown)
		return "?"
	}
	return strconv.Itoa(n.N)
}

// paren renders a number in parentheses, nothing unless it should be there.
func (c *compiler) paren(n Num, there bool) string {
	if !there {
		return ""
	}
	return "(" + c.num(n) + ")"
}

// numeric renders a type with precision and scale. Types that need both leave out a lone precision.
func (c *compiler) numeric(t *Type, name string, alone bool) string {
	switch {
	case t.Precision.Given && t.Scale.Given:
		name += "(" + c.num(t.Precision) + ", " + c.num(t.Scale) + ")"
	case t.Precision.Given && alone:
		name += "(" + c.num(t.Precision) + ")"
	}
	return extendNumeric(t, name)
}

func (c *compiler) integer(t *Type, name string) string {
	return extendNumeric(t, name+c.paren(t.DisplayWidth, t.mysqlOwn() && t.DisplayWidth.Given))
}

func extendNumeric(t *Type, spec string) string {
	if t.mysqlOwn() {
		if t.Unsigned {
			spec += " UNSIGNED"
		}
		if t.Zerofill {
			spec += " ZEROFILL"
		}
	}
	return spec
}

func (c *compiler) varchar(t *Type, national bool) (string, error) {
	if !t.Length.truthy() {
		name := "VARCHAR"
		if national {
			name = "NVARCHAR"
		}
		return "", errorf("CompileError", "%s requires a length on dialect mysql", name)
	}
	return extendString(t, "VARCHAR"+c.paren(t.Length, true), national), nil
}

// extendString adds character set and collation.
func extendString(t *Type, spec string, national bool) string {
	collation := ""
	switch {
	case t.Collation != "":
		collation = " COLLATE " + t.Collation
	case t.Binary:
		collation = " BINARY"
	}
	switch {
	case national || t.National:
		return "NATIONAL " + spec + collation
	case t.Charset != "":
		return spec + " CHARACTER SET " + t.Charset + collation
	case t.ASCII:
		return spec + " ASCII" + collation
	case t.Unicode:
		return spec + " UNICODE" + collation
	}
	return spec + collation
}

// NewEnum gives an Enum ("Enum") or a mysql.ENUM of these members. Its length, which only matters if it is not native, is that
// of the longest.
func NewEnum(class string, members ...string) *Type {
	t := NewType(class)
	t.Members = members
	t.Length = N(longest(members))
	return t
}

func longest(ss []string) int {
	n := 0
	for _, s := range ss {
		if l := len([]rune(s)); l > n {
			n = l
		}
	}
	return n
}
