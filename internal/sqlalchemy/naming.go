package sqlalchemy

import (
	"crypto/md5"
	"encoding/hex"
	"strconv"
	"strings"
)

// Naming is a MetaData's naming_convention.
type Naming struct {
	// Templates are by kind: "ix", "uq", "ck", "fk", "pk". Without any, indexes have "ix_%(column_0_label)s".
	Templates map[string]string
	// Tokens are conventions of the project's own, by token. They get the constraint or index that is named.
	Tokens  map[string]func(constraint any, t *Table) (string, *Unknown, error)
	Unknown *Unknown
}

// template gives the template of a kind.
func (n Naming) template(kind string) (string, bool) {
	if n.Templates == nil {
		if kind == "ix" {
			return "ix_%(column_0_label)s", true
		}
		return "", false
	}
	s, ok := n.Templates[kind]
	return s, ok
}

// A namer is what a naming convention looks at.
type namer struct {
	kind    string // "ix" …
	what    any
	name    Name
	columns []*Column
	refs    []Ref // of a foreign key
}

func (k *Constraint) namer() namer {
	n := namer{what: k, name: k.Name, columns: k.Columns}
	switch k.Kind {
	case PrimaryKey:
		n.kind = "pk"
	case UniqueConstraint:
		n.kind = "uq"
	case ForeignKeyConstraint:
		n.kind, n.refs = "fk", k.Refs
	case CheckConstraint:
		n.kind = "ck"
		if len(n.columns) == 0 && k.Expr != nil {
			n.columns = k.Expr.columns()
		}
	}
	return n
}

func (ix *Index) namer() namer {
	n := namer{kind: "ix", what: ix, name: ix.Name}
	for _, p := range ix.Columns {
		switch {
		case p.Column != nil:
			n.columns = append(n.columns, p.Column)
		case p.Expr != nil:
			n.columns = append(n.columns, p.Expr.columns()...)
		}
	}
	return n
}

// name gives the name that the convention makes; none if it leaves the name alone.
func (n Naming) name(x namer, t *Table) (Name, error) {
	if n.Unknown != nil {
		if x.name.Text != "" {
			return Name{}, nil
		}
		return Name{Unknown: n.Unknown}, nil
	}
	template, ok := n.template(x.kind)
	if !ok || x.name.Text != "" && !strings.Contains(template, "constraint_name") {
		return Name{}, nil
	}
	var b strings.Builder
	for rest := template; rest != ""; {
		i := strings.IndexByte(rest, '%')
		if i < 0 {
			b.WriteString(rest)
			break
		}
		b.WriteString(rest[:i])
		rest = rest[i+1:]
		if strings.HasPrefix(rest, "%") {
			b.WriteByte('%')
			rest = rest[1:]
			continue
		}
		end := strings.Index(rest, ")s")
		if !strings.HasPrefix(rest, "(") || end < 0 {
			return Name{}, errorf("ValueError", "unsupported format character in naming convention %q", template)
		}
		s, u, err := n.token(x, t, rest[1:end])
		if err != nil {
			return Name{}, err
		}
		if u != nil {
			return Name{Unknown: u}, nil
		}
		b.WriteString(s)
		rest = rest[end+2:]
	}
	return Name{Text: b.String(), Conv: true}, nil
}

// token gives the value of one token of a template.
func (n Naming) token(x namer, t *Table, token string) (string, *Unknown, error) {
	if f := n.Tokens[token]; f != nil {
		return f(x.what, t)
	}
	if t.Unknown != nil {
		return "", t.Unknown, nil
	}
	switch token {
	case "table_name":
		return t.Name, nil, nil
	case "constraint_name":
		if x.name.Text == "" {
			return "", nil, errorf("InvalidRequestError", "Naming convention including %%(constraint_name)s token requires that constraint is explicitly named.")
		}
		return x.name.Text, nil, nil
	case "referred_table_name":
		if len(x.refs) == 0 {
			return "", nil, errorf("KeyError", "'referred_table_name'")
		}
		_, table, _ := x.refs[0].parts()
		return table, nil, nil
	}
	prefix, rest, ok := strings.Cut(token, "column_")
	if !ok {
		return "", nil, errorf("KeyError", "'%s'", token)
	}
	digits := len(rest) - len(strings.TrimLeft(rest, "0123456789"))
	index, err := strconv.Atoi(rest[:digits])
	if err != nil {
		return "", nil, errorf("KeyError", "'%s'", token)
	}
	rest = rest[digits:]
	sep, many := "", false
	switch {
	case strings.HasPrefix(rest, "_N_"):
		sep, many, rest = "_", true, rest[2:]
	case strings.HasPrefix(rest, "N_"):
		many, rest = true, rest[1:]
	}
	attr := func(i int) (string, *Unknown, error) {
		if prefix == "referred_" {
			if rest != "_name" || i >= len(x.refs) {
				return "", nil, errorf("KeyError", "'%s'", token)
			}
			_, _, col := x.refs[i].parts()
			if c := x.refs[i].resolve(t.MetaData, false); c != nil {
				col = c.Name
			}
			return col, nil, nil
		}
		if i >= len(x.columns) {
			return "", nil, nil
		}
		c := x.columns[i]
		if c.Unknown != nil && c.Name == "" {
			return "", c.Unknown, nil
		}
		switch rest {
		case "_name":
			return c.Name, nil, nil
		case "_key":
			return c.Key, nil, nil
		case "_label":
			label := t.Name + "_" + c.Name
			if t.Schema != "" {
				label = strings.ReplaceAll(t.Schema, ".", "_") + "_" + label
			}
			return label, nil, nil
		}
		return "", nil, errorf("KeyError", "'%s'", token)
	}
	if !many {
		return attr(index)
	}
	count := len(x.columns)
	if x.refs != nil {
		count = len(x.refs)
	}
	var parts []string
	for i := range count {
		s, u, err := attr(i)
		if u != nil || err != nil {
			return "", u, err
		}
		parts = append(parts, s)
	}
	return strings.Join(parts, sep), nil, nil
}

// maxName is the length of the longest name of an index or a constraint (manual: Identifier Length Limits).
const maxName = 64

// text gives the name as it is sent: one that a convention made is shortened, with four digits of its MD5 sum at the end.
func (n Name) text() string {
	r := []rune(n.Text)
	if !n.Conv || len(r) <= maxName {
		return n.Text
	}
	sum := md5.Sum([]byte(n.Text))
	return string(r[:maxName-8]) + "_" + hex.EncodeToString(sum[:])[28:]
}
