package rules

import (
	"strings"

	"instep/analyzer"
	"instep/analyzer/schema"
)

var enumRemove = &analyzer.Rule{
	ID: "enum-remove", Since: "0.1", Breaks: analyzer.OldCode | analyzer.Running,
	Title:  "an ENUM or SET loses members",
	Why:    "Old code may still write the member (error 1265 in strict mode, an empty text otherwise). The migration fails on rows that hold it, or empties them if its own sql_mode is loose.",
	Fix:    "Stop writing the member, change the rows that hold it, remove it one release later.",
	Covers: []string{"enum-remove", "set-append-remove"},
	Examples: []analyzer.Example{
		{
			Name: "removed", Catalogue: "enum-remove",
			Old: "CREATE TABLE users (e ENUM('a','b'))", Migrate: "ALTER TABLE users MODIFY e ENUM('a')",
			Want: []string{"old-code users.e: write", "running users.e"},
		},
		{
			Name: "SET", Catalogue: "set-append-remove",
			Old: "CREATE TABLE users (e SET('a','b'))", Migrate: "ALTER TABLE users MODIFY e SET('a')",
			Want: []string{"old-code users.e: write", "running users.e"},
		},
		{
			Name: "one for another", Old: "CREATE TABLE users (e ENUM('a','b','c'))", Migrate: "ALTER TABLE users MODIFY e ENUM('a','c','d')",
			Want: []string{"old-code users.e: write", "running users.e"},
		},
		{Name: "appended", Old: "CREATE TABLE users (e ENUM('a','b'))", Migrate: "ALTER TABLE users MODIFY e ENUM('a','b','c')"},
	},
	Check: func(p *analyzer.Pass, ch schema.Change) {
		c, ok := ch.(*schema.ColumnType)
		if !ok || kindOf(c) != members {
			return
		}
		d := memberDiff(c.Old.Type.Members, c.New.Type.Members)
		if len(d.removed) > 0 && !d.replaced {
			narrowed(p, c, "1265, or an empty text in loose mode", rows(p, c, holdsMember(c.Old, d.removed)))
		}
	},
}

// holdsMember gives the condition that a column holds one of the members.
func holdsMember(c *schema.Column, gone []string) string {
	var list []string
	for _, m := range gone {
		text := "'" + strings.ReplaceAll(strings.ReplaceAll(m, "\\", "\\\\"), "'", "''") + "'"
		if c.Type.Name == "set" {
			list = append(list, "FIND_IN_SET("+text+", "+quote(c.Name)+")")
		} else {
			list = append(list, text)
		}
	}
	if c.Type.Name == "set" {
		return strings.Join(list, " OR ")
	}
	return quote(c.Name) + " IN (" + strings.Join(list, ", ") + ")"
}
