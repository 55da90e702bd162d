package simulate

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"instep/analyzer/schema"
	"instep/simulate/servertest"
)

// valueTypes are all types, with what is peculiar about each; %s is where the flavours differ.
var valueTypes = []string{
	"tinyint", "tinyint(1)", "tinyint unsigned", "smallint", "smallint unsigned", "mediumint", "mediumint unsigned", "int", "int unsigned", "bigint", "bigint unsigned",
	"int(8) zerofill", "decimal(10,2)", "decimal(1,0)", "decimal(3,3)", "decimal(65,30)", "decimal(8,2) unsigned", "float", "float unsigned", "double", "float(5,2)", "double(20,4) unsigned",
	"bit(1)", "bit(2)", "bit(13)", "bit(64)", "year", "date", "datetime", "datetime(6)", "datetime(2)", "timestamp NULL", "timestamp(3) NULL", "time", "time(6)",
	"char(1)", "char(2)", "char(36)", "varchar(1)", "varchar(3)", "varchar(40)", "varchar(255)", "varchar(60) CHARACTER SET latin1",
	"varchar(60) CHARACTER SET ascii", "varchar(60) CHARACTER SET utf8mb3", "varchar(60) CHARACTER SET utf16", "varchar(60) CHARACTER SET utf16le", "varchar(60) CHARACTER SET utf32",
	"varchar(60) CHARACTER SET ucs2", "varchar(60) CHARACTER SET gbk", "varchar(60) CHARACTER SET sjis", "varchar(60) CHARACTER SET cp1251",
	"varchar(60) COLLATE utf8mb4_bin", "varchar(60) COLLATE utf8mb4_general_ci", "varchar(60) COLLATE utf8mb4_unicode_ci", "varchar(60) COLLATE utf8mb4_unicode_520_ci",
	"varchar(60) COLLATE utf8mb4_swedish_ci", "varchar(60) COLLATE utf8mb4_czech_ci", "varchar(60) COLLATE utf8mb4_roman_ci", "varchar(60) COLLATE utf8mb4_lithuanian_ci",
	"varchar(60) COLLATE utf8mb4_german2_ci", "varchar(60) COLLATE utf8mb4_danish_ci", "varchar(60) COLLATE utf8mb4_spanish2_ci", "varchar(60) COLLATE utf8mb4_hungarian_ci",
	"tinytext", "text", "text CHARACTER SET latin1", "mediumtext", "longtext", "binary(1)", "binary(16)", "binary(3)", "varbinary(2)", "varbinary(40)", "tinyblob", "blob", "mediumblob", "longblob",
	"enum('a','b''c','d e','')", "set('p','q','r s')", "set('p')", "json", "point", "geometry", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon", "geometrycollection",
}

// only gives types that one flavour has.
func only(mariadb bool) []string {
	if mariadb {
		return []string{"uuid", "inet6", "inet4"}
	}
	return []string{"varchar(60) COLLATE utf8mb4_0900_ai_ci", "varchar(60) COLLATE utf8mb4_0900_as_cs", "varchar(60) COLLATE utf8mb4_vi_0900_ai_ci", "varchar(60) COLLATE utf8mb4_es_trad_0900_ai_ci",
		"vector(3)", "point SRID 4326"}
}

// tableOf reads one CREATE TABLE.
func tableOf(t testing.TB, v schema.Server, create string) *schema.Table {
	t.Helper()
	s, err := schema.New(v).Apply(schema.Statement{SQL: create})
	if err != nil {
		t.Fatalf("%s: %v", create, err)
	}
	return s.Tables()[0]
}

func bothServers(t *testing.T, f func(t *testing.T, srv *Server)) {
	t.Run("mysql", func(t *testing.T) { f(t, testServer(t, servertest.MySQL(t))) })
	t.Run("mariadb", func(t *testing.T) { f(t, testServer(t, servertest.MariaDB(t))) })
}

// guestIn opens a session of the guest in a new database.
func guestIn(t testing.TB, srv *Server) (*session, string) {
	t.Helper()
	ctx := context.Background()
	name, err := srv.createDatabase(ctx, strings.ToLower(fmt.Sprintf("d%d", len(t.Name()))), "utf8mb4", "")
	if err != nil {
		t.Fatal(err)
	}
	c, err := srv.session(ctx, asGuest, name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.close)
	return c, name
}

// TestValues puts the edges of every type into a column, and a sequence of distinct values into a unique one: the server takes
// them as they are, and no collation takes two for the same.
func TestValues(t *testing.T) {
	bothServers(t, func(t *testing.T, srv *Server) {
		ctx := context.Background()
		c, _ := guestIn(t, srv)
		do := func(text string) {
			t.Helper()
			if err := c.exec(ctx, text); err != nil {
				t.Errorf("%.300s: %v", text, err)
			}
		}
		do("SET sql_mode = 'STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO', time_zone = '+00:00'")
		// One table of all types, and few with a unique key for each: a table costs more than its rows.
		var columns, uniques []string
		flush := func(all bool) {
			if len(uniques) > 20 || all && len(uniques) > 0 {
				do("CREATE TABLE u" + strings.Fields(uniques[0])[0] + " (" + strings.Join(uniques, ", ") + ")")
				uniques = nil
			}
		}
		types := append(slices.Clone(valueTypes), only(srv.Version.MariaDB)...)
		for i, typ := range types {
			columns = append(columns, fmt.Sprintf("c%d %s", i, typ))
		}
		do("CREATE TABLE e (" + strings.Join(columns, ", ") + ")")
		type sequence struct{ table, column, values string }
		var sequences []sequence
		for i, typ := range types {
			name := fmt.Sprintf("c%d", i)
			table := tableOf(t, srv.Version, "CREATE TABLE e ("+columns[i]+")")
			col := table.Columns[0]
			d := domainIn(table, col)
			if d.class == classUnknown {
				t.Errorf("%s: no domain", typ)
			}
			edges := edgeLiterals(col)
			if srv.Version.MariaDB && typ == "json" { // LONGTEXT with a check, which edgeLiterals does not see
				if d.class != classJSON {
					t.Error("json: its check is not seen")
				}
				edges = nil
				for _, e := range d.edges() {
					edges = append(edges, e.literal())
				}
			}
			if edges[len(edges)-1] != "NULL" || len(edges) < 3 {
				t.Errorf("%s: edges %q", typ, edges)
			}
			do(fmt.Sprintf("INSERT INTO e (%s) VALUES (%s)", name, strings.Join(edges, "), (")))
			if d.class == classText {
				var same []string
				for _, e := range d.edges() {
					if e.kind == valueText {
						same = append(same, fmt.Sprintf("SUM(BINARY CONVERT(%s USING utf8mb4) = BINARY %s) > 0", name, e.literal()))
					}
				}
				if one(t, c, "SELECT "+strings.Join(same, " AND ")+" FROM e") != "1" {
					t.Errorf("%s: not all of %.500s survived", typ, same)
				}
			}
			if d.class == classJSON || d.class == classGeometry || d.class == classVector {
				continue // takes no unique key
			}
			for _, prefix := range []int{0, 1, 3} {
				at := prefix
				big := strings.HasSuffix(col.Type.Name, "text") || strings.HasSuffix(col.Type.Name, "blob")
				long := strings.HasPrefix(col.Type.Name, "var") || strings.HasPrefix(col.Type.Name, "char") || strings.HasPrefix(col.Type.Name, "bin")
				if prefix > 0 && !big && (!long || col.Type.Length < prefix) {
					continue
				}
				if prefix == 0 && big {
					at = 60
				}
				name := fmt.Sprintf("c%d_%d", i, prefix)
				part := name
				if at > 0 {
					part = fmt.Sprintf("%s(%d)", name, at)
				}
				if len(uniques) == 0 {
					uniques = append(uniques, "key_"+name+" int")
				}
				in := "ukey_" + strings.TrimPrefix(strings.Fields(uniques[0])[0], "key_")
				uniques = append(uniques, name+" "+typ, "UNIQUE ("+part+")")
				var b strings.Builder
				for k := range min(150, d.size(at)) {
					if k > 0 {
						b.WriteString("),(")
					}
					b.WriteString(d.at(k, at).literal())
				}
				sequences = append(sequences, sequence{in, name, b.String()})
				flush(false)
			}
		}
		flush(true)
		for _, q := range sequences {
			do(fmt.Sprintf("INSERT INTO %s (%s) VALUES (%s)", q.table, q.column, q.values))
		}
	})
}

func TestQuoteText(t *testing.T) {
	for in, want := range map[string]string{"a'b": "'a''b'", `a\`: "_utf8mb4 X'615c'", "😀": "'😀'", "": "''"} {
		if got := quoteText(in); got != want {
			t.Errorf("%q: %s, want %s", in, got, want)
		}
	}
}

func TestDistinctValues(t *testing.T) {
	s := schema.Server{Major: 9, Minor: 7}
	for _, typ := range valueTypes {
		d := domainOf(tableOf(t, s, "CREATE TABLE t (c "+typ+")").Columns[0])
		seen := map[string]uint64{}
		n := min(d.size(0), 4000)
		for i := range n {
			v := d.at(i, 0)
			key := v.literal()
			if j, ok := seen[key]; ok {
				t.Errorf("%s: rows %d and %d both have %s", typ, j, i, key)
				break
			}
			seen[key] = i
		}
		c := tableOf(t, s, "CREATE TABLE t (c "+typ+")").Columns[0]
		clear(seen)
		for i := range min(d.size(0), 2000) { // the same values in another order
			key := distinctLiteral(c, i)
			if j, ok := seen[key]; ok {
				t.Errorf("%s: distinctLiteral gives %s for %d and %d", typ, key, j, i)
				break
			}
			seen[key] = i
		}
	}
}
