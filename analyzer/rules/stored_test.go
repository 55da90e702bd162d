package rules

import (
	"fmt"
	"strings"
	"testing"

	"instep/analyzer"
	"instep/analyzer/schema"
)

func TestPositional(t *testing.T) {
	for text, want := range map[string]bool{
		"insert into log values (new.id)":              true,
		"insert into `log` select id from users":       true,
		"replace log values (1)":                       true,
		"insert ignore into log values (1)":            true,
		"insert into log (id) values (new.id)":         false,
		"insert into log set id = new.id":              false,
		"insert into log2 values (new.id)":             false,
		"set @x = 'insert into log values'":            false,
		"update log set id = 1":                        false,
		"/* insert into log */ insert into log values": true, // not read, so it is taken to
	} {
		if got := positional(text, "log"); got != want {
			t.Errorf("%s: %v, want %v", text, got, want)
		}
	}
}

func TestUnqualified(t *testing.T) {
	for text, want := range map[string]bool{
		"set @n = (select count(*) from a join b where x = 1)":   true,
		"set @n = (select count(*) from a join b where a.x = 1)": false,
		"set new.x = 1": false,
		"set @n = 'x'":  false,
		"set @n = `x`":  true,
	} {
		if got := unqualified(text, "x"); got != want {
			t.Errorf("%s: %v, want %v", text, got, want)
		}
	}
}

func TestComputes(t *testing.T) {
	for text, want := range map[string]bool{
		"select id,nick from users":               false,
		"select `u`.`id` as `x` from `users` `u`": false,
		"select * from users":                     false,
		"select lower(nick) from users":           true,
		"select id from users where nick = 'á'":   true,
		"select distinct nick from users":         true,
		"select a from b union select c from d":   true,
	} {
		if got := computes(text); got != want {
			t.Errorf("%s: %v, want %v", text, got, want)
		}
	}
}

func TestTakesAll(t *testing.T) {
	for by, want := range map[string]bool{
		"BY HASH (id) PARTITIONS 4":                        true,
		"BY LINEAR HASH (id) PARTITIONS 4":                 true,
		"BY HASH (id + 1) PARTITIONS 4":                    false,
		"BY KEY (id) PARTITIONS 2":                         true,
		"BY RANGE (id) (PARTITION p VALUES LESS THAN (9))": false,
		"BY RANGE (id) (PARTITION p VALUES LESS THAN (9), PARTITION q VALUES LESS THAN MAXVALUE)":        true,
		"BY RANGE COLUMNS (id, a) (PARTITION p VALUES LESS THAN (9, MAXVALUE))":                          false,
		"BY LIST (id) (PARTITION p VALUES IN (1, 2))":                                                    false,
		"BY RANGE (id) SUBPARTITION BY HASH (a) SUBPARTITIONS 2 (PARTITION p VALUES LESS THAN MAXVALUE)": false,
	} {
		s, err := schema.New(schema.Server{Major: 8, Minor: 4}).Apply(schema.Statement{SQL: "CREATE TABLE users (id INT NOT NULL, a INT NOT NULL, PRIMARY KEY (id, a)) PARTITION " + by})
		if err != nil {
			t.Fatalf("%s: %v", by, err)
		}
		if p := s.Table("users").Partition; takesAll(p) != want {
			t.Errorf("%s: %v, want %v; %+v", by, !want, want, p)
		}
	}
}

func TestPlainView(t *testing.T) {
	for sel, want := range map[string]bool{
		"id, nick FROM users":                          true,
		"users.id, `nick` FROM users WHERE nick > 'a'": true,
		"id AS x FROM users":                           false,
		"* FROM users":                                 false,
		"DISTINCT id FROM users":                       false,
		"id, 1 FROM users":                             false,
		"id FROM users GROUP BY id":                    false,
		"id FROM users LIMIT 1":                        false,
		"users.id FROM users, posts":                   false,
		"id FROM users WHERE id IN (SELECT 1)":         false,
	} {
		s := schema.New(schema.Server{Major: 8, Minor: 4})
		for _, sql := range []string{"CREATE TABLE users (id INT, nick TEXT)", "CREATE TABLE posts (x INT)", "CREATE VIEW v AS SELECT " + sel} {
			var err error
			if s, err = s.Apply(schema.Statement{SQL: sql}); err != nil {
				t.Fatalf("%s: %v", sql, err)
			}
		}
		if got := plainView(s.View("v")); got != want {
			t.Errorf("%s: %v, want %v", sel, got, want)
		}
	}
}

// TestStoredObjectsThatMentionEachOther: views in a circle of names, and many of them, are each told of once.
func TestStoredObjectsThatMentionEachOther(t *testing.T) {
	var old strings.Builder
	old.WriteString("CREATE TABLE users (id INT, nick TEXT)")
	for i := range 60 {
		fmt.Fprintf(&old, "; CREATE VIEW v%d AS SELECT nick AS v%d, nick AS v%d FROM users", i, (i+1)%60, (i+7)%60)
	}
	r := analyzer.Analyze(upgrade(t, analyzer.Example{Old: old.String(), Migrate: "ALTER TABLE users DROP COLUMN nick"}), []*analyzer.Rule{storedObjectNamesColumn})
	if len(r.Hazards) != 120 {
		t.Errorf("%d findings, want 120", len(r.Hazards))
	}
}

// TestStoredObjectsOfReaders: a service that only reads fires no trigger, but it meets a view.
func TestStoredObjectsOfReaders(t *testing.T) {
	for _, test := range []struct {
		old, migrate string
		want         analyzer.Place
	}{
		{"CREATE TABLE users (id INT)", "CREATE TRIGGER g BEFORE INSERT ON users FOR EACH ROW SET NEW.id = 1", analyzer.Anywhere},
		{"CREATE TABLE users (id INT); CREATE TRIGGER g BEFORE INSERT ON users FOR EACH ROW SET NEW.id = 1", "DROP TRIGGER g", analyzer.Anywhere},
		{"CREATE TABLE users (id INT); CREATE TABLE log (id INT); CREATE TRIGGER g BEFORE INSERT ON users FOR EACH ROW INSERT INTO log (id) VALUES (1)", "ALTER TABLE log ADD COLUMN n INT NOT NULL", analyzer.After},
		{"CREATE TABLE users (id INT); CREATE VIEW v AS SELECT id FROM users", "DROP VIEW v", analyzer.Before},
		{"CREATE TABLE users (id INT, n INT); CREATE VIEW v AS SELECT n FROM users", "ALTER TABLE users DROP COLUMN n", analyzer.Nowhere},
		{"CREATE TABLE users (id INT)", "CREATE VIEW v AS SELECT id FROM users", analyzer.After},
	} {
		u := upgrade(t, analyzer.Example{Old: test.old, Migrate: test.migrate})
		u.Services = []analyzer.Service{{Name: "reader", Access: analyzer.ReadAccess}}
		r := analyzer.Analyze(u, All)
		if r.Verdict == analyzer.Unproven || r.Services[0].Place != test.want {
			t.Errorf("%s: %s, %s, want %s", test.migrate, r.Verdict, r.Services[0].Place, test.want)
		}
	}
}
