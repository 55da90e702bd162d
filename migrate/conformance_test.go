package migrate

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"instep/analyzer/schema"
)

// The conformance history: one story in SQL, which TestConformance tells in every framework's own form.
// Frameworks that are not written in SQL have a tree of their own that tells it, in testdata/conformance/FRAMEWORK.
var conformance = []struct{ name, up, down string }{
	{
		"create_users",
		`CREATE TABLE users (
  id INT NOT NULL AUTO_INCREMENT,
  name VARCHAR(100) NOT NULL,
  email VARCHAR(255),
  created DATETIME NOT NULL,
  PRIMARY KEY (id)
);
CREATE UNIQUE INDEX ix_users_email ON users (email);
`, "DROP TABLE users;\n",
	},
	{
		"create_posts",
		`CREATE TABLE posts (
  id BIGINT NOT NULL AUTO_INCREMENT,
  user_id INT NOT NULL,
  title VARCHAR(200) NOT NULL,
  body TEXT,
  score FLOAT,
  PRIMARY KEY (id),
  CONSTRAINT fk_posts_user FOREIGN KEY (user_id) REFERENCES users (id)
);
INSERT INTO users (name, created) VALUES ('a;b -- not a comment', '2024-01-01');
`, "DROP TABLE posts;\n",
	},
	{
		"more_columns",
		`ALTER TABLE users ADD COLUMN nick VARCHAR(40), ADD COLUMN active BOOL NOT NULL DEFAULT '1';
ALTER TABLE posts ADD COLUMN views INT NOT NULL DEFAULT '0';
CREATE INDEX ix_posts_title ON posts (title);
`, "ALTER TABLE posts DROP COLUMN views;\n",
	},
	{
		"change_columns",
		`ALTER TABLE users MODIFY name VARCHAR(150) NOT NULL;
ALTER TABLE posts CHANGE body content TEXT;
ALTER TABLE posts MODIFY score DOUBLE;
`, "ALTER TABLE posts CHANGE content body TEXT;\n",
	},
	{
		"rename_and_drop",
		`ALTER TABLE users RENAME TO accounts;
ALTER TABLE accounts DROP COLUMN nick;
DROP INDEX ix_posts_title ON posts;
`, "ALTER TABLE accounts RENAME TO users;\n",
	},
	{
		"tags",
		`CREATE TABLE tags (
  post_id BIGINT NOT NULL,
  tag VARCHAR(30) NOT NULL,
  PRIMARY KEY (post_id, tag),
  CONSTRAINT fk_tags_post FOREIGN KEY (post_id) REFERENCES posts (id) ON DELETE CASCADE
);
CREATE INDEX ix_tags_tag ON tags (tag);
`, "DROP TABLE tags;\n",
	},
}

// conformanceForms are the frameworks whose migrations are SQL files.
var conformanceForms = map[string]func() map[string]string{
	"sql":            oneFileEach("migrations/%02d_%s.sql", "%s"),
	"goose":          oneFileEach("migrations/%05d_%s.sql", "-- +goose Up\n-- +goose StatementBegin\n%s-- +goose StatementEnd\n\n-- +goose Down\n%s"),
	"sql-migrate":    oneFileEach("migrations/%d-%s.sql", "-- +migrate Up\n%s\n-- +migrate Down\n%s"),
	"dbmate":         oneFileEach("db/migrations/2024010100000%d_%s.sql", "-- migrate:up\n%s\n-- migrate:down\n%s"),
	"flyway":         twoFilesEach("db/migration/V1_%d__%s.sql", "db/migration/U1_%d__%s.sql"),
	"golang-migrate": twoFilesEach("migrations/%d_%s.up.sql", "migrations/%d_%s.down.sql"),
	"diesel":         twoFilesEach("migrations/2024-01-0%d-000000_%s/up.sql", "migrations/2024-01-0%[1]d-000000_%[2]s/down.sql"),
	"schema-manifest": func() map[string]string {
		files := map[string]string{}
		for i, m := range conformance {
			dir := fmt.Sprintf("schema/mysql/versioned/v1.%d/", i+8) // so that v1.10 follows v1.9
			files[dir+m.name+".sql"] = m.up
			files[dir+"manifest.json"] = fmt.Sprintf(`{"CurrVersion": "1.%d", "SchemaUpdateCqlFiles": [%q]}`, i+8, m.name+".sql")
		}
		return files
	},
}

func oneFileEach(name, text string) func() map[string]string {
	return func() map[string]string {
		files := map[string]string{}
		for i, m := range conformance {
			if strings.Count(text, "%s") == 1 {
				files[fmt.Sprintf(name, i+1, m.name)] = fmt.Sprintf(text, m.up)
			} else {
				files[fmt.Sprintf(name, i+1, m.name)] = fmt.Sprintf(text, m.up, m.down)
			}
		}
		return files
	}
}

func twoFilesEach(up, down string) func() map[string]string {
	return func() map[string]string {
		files := map[string]string{}
		for i, m := range conformance {
			files[fmt.Sprintf(up, i+1, m.name)] = m.up
			files[fmt.Sprintf(down, i+1, m.name)] = m.down
		}
		return files
	}
}

// TestConformance holds that one history gives one schema, whatever framework it is written in.
func TestConformance(t *testing.T) {
	want := schema.New(mysql84)
	for _, m := range conformance {
		statements, _ := schema.Split("", m.up)
		for _, st := range statements {
			next, err := want.Apply(st)
			if err != nil {
				t.Fatal(err)
			}
			want = next
		}
	}
	if len(want.Tables()) != 3 || want.Table("accounts") == nil {
		t.Fatalf("the story itself went wrong:\n%s", want.SQL())
	}
	trees := map[string]fs.FS{}
	for name, files := range conformanceForms {
		trees[name] = tree(files())
	}
	dirs, err := filepath.Glob("testdata/conformance/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range dirs {
		trees[filepath.Base(dir)] = os.DirFS(dir)
	}
	for name, fsys := range trees {
		t.Run(name, func(t *testing.T) {
			histories, err := Find(fsys, paths(fsys), nil)
			if err != nil {
				t.Fatal(err)
			}
			if len(histories) != 1 || histories[0].Framework != name {
				t.Fatalf("found %s", found(t, fsys))
			}
			r := (*Cache)(nil).Replay(fsys, histories[0], schema.New(mysql84))
			for _, g := range r.AllGaps() {
				t.Errorf("gap %s: %s: %s", g.Pos, g.What, g.Why)
			}
			if len(r.Migrations) != len(conformance) {
				t.Errorf("%d migrations, want %d", len(r.Migrations), len(conformance))
			}
			if got, want := r.Schema.SQL(), want.SQL(); got != want {
				t.Errorf("got:\n%s\nwant:\n%s", got, want)
			}
			if _, inSQL := conformanceForms[name]; !inSQL {
				return
			}
			for _, m := range r.Migrations {
				for _, st := range m.Statements {
					checkPosition(t, fsys, st)
				}
				for _, st := range m.Down {
					checkPosition(t, fsys, st)
				}
				if len(m.Down) == 0 && name != "sql" && name != "schema-manifest" {
					t.Errorf("migration %s has no way back", m.ID)
				}
			}
		})
	}
}

// checkPosition holds that a statement stands in its file where it says.
func checkPosition(t *testing.T, fsys fs.FS, st schema.Statement) {
	t.Helper()
	src, err := fs.ReadFile(fsys, st.Pos.File)
	if err != nil {
		t.Fatal(err)
	}
	rest := string(src)
	for range st.Pos.Line - 1 {
		_, rest, _ = strings.Cut(rest, "\n")
	}
	if st.Pos.Col < 1 || st.Pos.Col > len(rest) || !strings.HasPrefix(rest[st.Pos.Col-1:], st.SQL) {
		t.Errorf("%s: not there: %s", st.Pos, st.SQL)
	}
}

// BenchmarkSQLMigrations rebuilds the schema of a thousand migrations, as golang-migrate keeps them.
func BenchmarkSQLMigrations(b *testing.B) {
	files := map[string]string{}
	for i := range 1000 {
		up := fmt.Sprintf("ALTER TABLE t%d ADD COLUMN c%d VARCHAR(%d) NOT NULL DEFAULT 'x', ADD KEY k%d (c%d);\n", i%50, i, i%200+1, i, i)
		if i < 50 {
			up = fmt.Sprintf("CREATE TABLE t%d (\n  id INT UNSIGNED NOT NULL AUTO_INCREMENT,\n  name VARCHAR(100) NOT NULL,\n  PRIMARY KEY (id)\n) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;\n", i)
		}
		files[fmt.Sprintf("migrations/%04d_x.up.sql", i+1)] = up
		files[fmt.Sprintf("migrations/%04d_x.down.sql", i+1)] = "SELECT 1;\n"
	}
	fsys := tree(files)
	names := paths(fsys)
	b.ReportAllocs()
	for b.Loop() {
		histories, err := Find(fsys, names, nil)
		if err != nil || len(histories) != 1 {
			b.Fatal(histories, err)
		}
		r := (*Cache)(nil).Replay(fsys, histories[0], schema.New(mysql84))
		if len(r.AllGaps()) != 0 || len(r.Schema.Tables()) != 50 {
			b.Fatal(r.AllGaps())
		}
	}
}
