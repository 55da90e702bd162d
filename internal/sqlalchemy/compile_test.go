package sqlalchemy

import (
	"strings"
	"testing"
)

func sized(name string, n Num) *Type {
	t := NewType(name)
	t.Length = n
	return t
}

func TestUnknownParts(t *testing.T) {
	u := &Unknown{Why: "constants is not in this repository"}
	m := NewMetaData(&Env{})
	x := NewTable(m, "t", "")
	c := NewColumn("a", sized("String", Num{Given: true, Unknown: u}))
	c.Index = true
	for _, c := range []*Column{c, NewColumn("b", UnknownType(u)), {Name: "c", Type: NewType("Integer"), Nullable: true, ServerDefault: &ServerDefault{Unknown: u}}} {
		if err := x.AppendColumn(c); err != nil {
			t.Fatal(err)
		}
	}
	ddl, err := CreateTable(x, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := plain(ddl.SQL), "CREATE TABLE t ( a VARCHAR(?), b ?, c INTEGER DEFAULT ? )"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if len(ddl.Unknown) != 1 || ddl.Unknown[0] != u {
		t.Errorf("the cause should be given once, got %v", ddl.Unknown)
	}
	ddl, err = CreateIndex(x.Indexes[0], false)
	if err != nil || ddl.SQL != "CREATE INDEX ix_t_a ON t (a)" || ddl.Unknown != nil {
		t.Errorf("an index does not depend on the length: %v, %v", ddl, err)
	}
}

func TestUnknownName(t *testing.T) {
	u := &Unknown{Why: "it is read from the environment"}
	m := NewMetaData(&Env{})
	x := NewTable(m, "", "")
	x.Unknown = u
	if err := x.AppendColumn(NewColumn("a", NewType("Integer"))); err != nil {
		t.Fatal(err)
	}
	ddl, err := CreateTable(x, false, nil)
	if err != nil || !strings.HasPrefix(ddl.SQL, "CREATE TABLE ? (") || len(ddl.Unknown) != 1 {
		t.Errorf("got %v, %v", ddl, err)
	}
	m.Naming = Naming{Unknown: u}
	k := NewConstraint(m.Env, UniqueConstraint)
	k.Pending = []string{"a"}
	if err := x.AppendConstraint(k); err != nil {
		t.Fatal(err)
	}
	if k.Name.Unknown != u {
		t.Errorf("a naming convention that is not known gives a name that is not known, got %v", k.Name)
	}
}

func TestLooseReferences(t *testing.T) {
	m := NewMetaData(&Env{})
	m.Loose = true
	x := NewTable(m, "t", "")
	c := NewColumn("a", NewType("Integer"))
	c.ForeignKeys = []*ForeignKey{{Ref: Ref{Spec: "other.gone.Id"}, OnDelete: "CASCADE"}}
	if err := x.AppendColumn(c); err != nil {
		t.Fatal(err)
	}
	ddl, err := CreateTable(x, false, nil)
	if want := "CREATE TABLE t ( a INTEGER, FOREIGN KEY(a) REFERENCES other.gone (`Id`) ON DELETE CASCADE )"; err != nil || plain(ddl.SQL) != want {
		t.Errorf("got %s, %v, want %s", plain(ddl.SQL), err, want)
	}
	m.Loose = false
	if _, err := CreateTable(x, false, nil); err == nil || !strings.HasPrefix(err.Error(), "NoReferencedTableError") {
		t.Errorf("without Loose the target must be there, got %v", err)
	}
}

// A circle of decorators and of foreign keys without types must not hang.
func TestCircles(t *testing.T) {
	a := &Type{Kind: decoratorClass("A")}
	b := &Type{Kind: decoratorClass("B"), Impl: a}
	a.Impl = b
	if ddl, err := TypeDDL(a); err != nil || len(ddl.Unknown) != 1 {
		t.Errorf("got %v, %v", ddl, err)
	}
	m := NewMetaData(&Env{})
	x := NewTable(m, "t", "")
	for _, p := range [][2]string{{"a", "t.b"}, {"b", "t.a"}} {
		c := NewColumn(p[0], nil)
		c.ForeignKeys = []*ForeignKey{{Ref: Ref{Spec: p[1]}}}
		if err := x.AppendColumn(c); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := CreateTable(x, false, nil); err == nil {
		t.Error("columns without any type should be an error")
	}
}
