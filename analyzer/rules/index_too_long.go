package rules

import (
	"strconv"
	"strings"

	"instep/analyzer"
	"instep/analyzer/schema"
)

var indexTooLong = &analyzer.Rule{
	ID: "index-too-long", Since: "0.1", Breaks: analyzer.Running,
	Title:  "a key would be longer than 3072 bytes",
	Why:    "InnoDB keys hold at most 3072 bytes with the row formats DYNAMIC and COMPRESSED (manual: InnoDB Limits). MySQL refuses the statement (1071, 3886); MariaDB silently makes a plain key a prefix key, and a unique one a hash.",
	Fix:    "Shorten the columns or index a prefix of them.",
	Covers: []string{"varchar-widen-index-too-long"},
	Examples: []analyzer.Example{
		{
			Name: "a column grows", Catalogue: "varchar-widen-index-too-long",
			Old:     "CREATE TABLE users (s VARCHAR(100), KEY k (s)) CHARACTER SET utf8mb4",
			Migrate: "ALTER TABLE users MODIFY s VARCHAR(1000)",
			Want:    []string{"running key users.k"},
		},
		{Name: "short enough", Old: "CREATE TABLE users (s VARCHAR(100), KEY k (s)) CHARACTER SET utf8mb4", Migrate: "ALTER TABLE users MODIFY s VARCHAR(500)"},
	},
	Check: func(p *analyzer.Pass, ch schema.Change) {
		var t *schema.Table
		keys := []*schema.Key(nil)
		switch c := ch.(type) {
		case *schema.AddTable:
			t, keys = c.Table, c.Table.Keys
		case *schema.AddKey:
			t, keys = c.Table, []*schema.Key{c.Key}
		case *schema.ChangeKey:
			t, keys = c.Table, []*schema.Key{c.New}
		case *schema.ColumnType:
			t, keys = c.Table, keysOf(c.Table, c.New.Name)
		case *schema.ColumnCollation:
			t, keys = c.Table, keysOf(c.Table, c.New.Name)
		default:
			return
		}
		for _, k := range keys {
			n := keyBytes(t, k)
			if n <= 3072 || k.Kind == schema.FulltextKey || k.Kind == schema.SpatialKey || !strings.EqualFold(t.Engine, "InnoDB") {
				continue
			}
			h := analyzer.Hazard{Breaks: running, Hits: key(t.Name, k.Name), What: "key " + k.Name + " of " + t.Name + " would take " + strconv.Itoa(n) + " bytes, more than 3072 (1071)"}
			if p.Server.MariaDB {
				h.What, h.If = "key "+k.Name+" of "+t.Name+" would take "+strconv.Itoa(n)+" bytes, more than 3072", "it must hold whole values: MariaDB silently makes it a prefix key, or a hash if it is unique"
			} else {
				h.Refused = true
			}
			p.Report(h)
		}
	},
}

func keysOf(t *schema.Table, column string) []*schema.Key {
	var list []*schema.Key
	for _, k := range t.Keys {
		if contains(columns(k), column) {
			list = append(list, k)
		}
	}
	return list
}

// keyBytes gives the longest part of a key in bytes, as far as it is made of texts. The limit is for each column of a key;
// the sum of all is limited too, to the same number (tested on MariaDB 10.11 / MySQL 9.7 by the refusals 1071).
func keyBytes(t *schema.Table, k *schema.Key) int {
	sum := 0
	for _, part := range k.Parts {
		c := t.Column(part.Column)
		if c == nil {
			continue
		}
		length := part.Length
		switch c.Type.Name {
		case "char", "varchar", "binary", "varbinary":
			if length == 0 {
				length = c.Type.Length
			}
		case "tinytext", "text", "mediumtext", "longtext", "tinyblob", "blob", "mediumblob", "longblob":
		default:
			length = integers(c.Type)
			sum += length
			continue
		}
		sum += length * analyzer.CharBytes(c.Charset)
	}
	return sum
}
