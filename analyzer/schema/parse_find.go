package schema

import "strings"

// Find gives the place inside the statement where it speaks of an object: the column's definition in a CREATE TABLE, the clause of an
// ALTER TABLE that adds, changes, renames or drops it. Where the statement's text is not the file's, or does not
// speak of the object in one place of its own, it gives the statement's own position.
func (st *Statement) Find(o Object) Pos {
	if st == nil {
		return Pos{}
	}
	if !st.Verbatim || len(st.SQL) > maxDDL {
		return st.Pos
	}
	if off, ok := st.find(o); ok {
		return st.PosAt(off)
	}
	return st.Pos
}

// find looks for the only clause about the object.
func (st *Statement) find(o Object) (off int, ok bool) {
	src := st.SQL
	ts := tokens(src, 0)
	kept := ts[:0]
	for _, t := range ts {
		switch {
		case t.bad != "":
			return 0, false
		case t.kind != tokVersionOpen && t.kind != tokVersionClose:
			kept = append(kept, t)
		}
	}
	c := &cursor{st: st, src: src, ts: kept}
	c.ts = append(c.ts, token{kind: tokEOF, start: len(src), end: len(src)})
	var clauses [][]token
	switch {
	case c.findTable("create"):
		depth := 0
		for i := c.i; i < len(kept); i++ {
			if kept[i].is(src, "(") {
				depth = 1
				from := i + 1
				for i++; i < len(kept) && depth > 0; i++ {
					if kept[i].is(src, "(") {
						depth++
					} else if kept[i].is(src, ")") {
						depth--
					}
				}
				if depth != 0 {
					return 0, false
				}
				clauses = split(src, kept[from:i-1])
				break
			}
		}
	case c.findTable("alter"):
		// Behind the name of the table, which may be qualified.
		c.i++
		for c.at(".") {
			c.i += 2
		}
		if c.i > len(kept) {
			return 0, false
		}
		clauses = split(src, kept[c.i:])
	default:
		return 0, false
	}
	found := -1
	for _, cl := range clauses {
		if !speaksOf(src, cl, o) {
			continue
		}
		if found >= 0 {
			return 0, false
		}
		found = cl[0].start
	}
	return found, found >= 0
}

// findTable reads CREATE … TABLE or ALTER … TABLE and its IF EXISTS; the cursor then stands at the table's name.
func (c *cursor) findTable(verb string) bool {
	c.i = 0
	if !c.accept(verb) {
		return false
	}
	for range 4 {
		if c.accept("table") {
			if !c.accept("if", "not", "exists") {
				c.accept("if", "exists")
			}
			return true
		}
		c.i++
	}
	return false
}

// speaksOf tells whether a clause or an element is about the object by its name.
func speaksOf(src string, ts []token, o Object) bool {
	if len(ts) == 0 {
		return false
	}
	named := func(i int) bool {
		return i < len(ts) && (ts[i].kind == tokWord || ts[i].kind == tokIdent) && strings.EqualFold(ts[i].name(src), o.Name)
	}
	i := 0
	word := func(words ...string) bool {
		for _, w := range words {
			if i < len(ts) && ts[i].is(src, w) {
				i++
				return true
			}
		}
		return false
	}
	skipIf := func() {
		if word("if") {
			word("not")
			word("exists")
		}
	}
	verb := ""
	for _, v := range [...]string{"add", "drop", "modify", "change", "alter", "rename"} {
		if word(v) {
			verb = v
			break
		}
	}
	switch o.Kind {
	case KindColumn:
		if word("index", "key", "primary", "unique", "fulltext", "spatial", "foreign", "check", "constraint", "partition", "to", "as") {
			return false
		}
		word("column")
		skipIf()
		if i < len(ts) && ts[i].is(src, "(") && verb == "add" {
			return speaksInside(src, ts[i+1:], o)
		}
		if named(i) {
			return true
		}
		return verb == "change" && named(i+1) || verb == "rename" && i+1 < len(ts) && ts[i+1].is(src, "to") && named(i+2)
	case KindKey:
		if word("constraint") && !(i < len(ts) && (ts[i].is(src, "unique") || ts[i].is(src, "primary"))) {
			if named(i) {
				i++
				return verb == "drop" || word("unique", "primary", "foreign")
			}
			i++
		}
		if word("primary") {
			return o.Name == "PRIMARY"
		}
		if word("unique", "fulltext", "spatial") {
			word("index", "key")
		} else if !word("index", "key") {
			return false
		}
		skipIf()
		return named(i) || verb == "rename" && named(i+2)
	case KindForeignKey, KindCheck:
		if word("constraint") {
			skipIf()
			return named(i)
		}
		if verb != "drop" {
			return false
		}
		if o.Kind == KindForeignKey {
			return word("foreign") && word("key") && named(i)
		}
		return word("check") && named(i)
	}
	return false
}

// speaksInside looks into ADD COLUMN (…): its place is the clause's.
func speaksInside(src string, ts []token, o Object) bool {
	for _, p := range split(src, ts[:max(len(ts)-1, 0)]) {
		if speaksOf(src, p, o) {
			return true
		}
	}
	return false
}
