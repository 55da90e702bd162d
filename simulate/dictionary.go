package simulate

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"instep/analyzer/schema"
)

// counter is what SHOW CREATE TABLE prints of the next number to give out, which is data and no schema.
var counter = regexp.MustCompile(`\) ENGINE=(\w+) AUTO_INCREMENT=\d+`)

// definitions reads what the server says a database's tables are, and the views and triggers, as a schema.
func definitions(ctx context.Context, c *session, version schema.Server, database string) (*schema.Schema, error) {
	s, err := schema.New(version).Apply(schema.Statement{SQL: "SET foreign_key_checks=0, sql_mode=''"})
	if err != nil {
		return nil, err
	}
	tables, err := c.query(ctx, 0, "SELECT table_name, table_type FROM information_schema.tables WHERE table_schema = '"+database+"' ORDER BY table_name")
	if err != nil {
		return nil, err
	}
	var views []string
	for _, t := range tables {
		if t[1].String == "VIEW" {
			views = append(views, t[0].String)
			continue
		}
		rows, err := c.query(ctx, 1, "SHOW CREATE TABLE "+quoteName(database)+"."+quoteName(t[0].String))
		if err != nil || len(rows) == 0 {
			return nil, fmt.Errorf("SHOW CREATE TABLE %s: %w", t[0].String, err)
		}
		next, err := s.Apply(schema.Statement{SQL: counter.ReplaceAllString(rows[0][1].String, ") ENGINE=$1")})
		if err != nil {
			return nil, fmt.Errorf("SHOW CREATE TABLE %s: %w", t[0].String, err)
		}
		s = next
	}
	for _, name := range views {
		rows, err := c.query(ctx, 1, "SHOW CREATE VIEW "+quoteName(database)+"."+quoteName(name))
		if err != nil || len(rows) == 0 {
			continue // it names what is gone (1356)
		}
		if next, err := s.Apply(schema.Statement{SQL: strings.ReplaceAll(rows[0][1].String, quoteName(database)+".", "")}); err == nil {
			s = next
		}
	}
	return s, nil
}
