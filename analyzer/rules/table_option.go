package rules

import (
	"strings"

	"instep/analyzer"
	"instep/analyzer/schema"
)

var tableOption = &analyzer.Rule{
	ID: "table-option", Since: "0.1",
	Title:  "a table option changes that no query sees",
	Why:    "Comments, statistics, the row format, the next AUTO_INCREMENT number and the default character set of future columns change nothing for queries. The storage engine does: it is not judged here, so changing it leaves the verdict unproven.",
	Fix:    "Nothing to do.",
	Covers: []string{"table-comment-stats", "table-default-charset", "table-auto-increment-value", "table-rebuild", "table-encryption-compression", "database-default-charset"},
	Examples: []analyzer.Example{
		{Name: "comment", Catalogue: "table-comment-stats", Old: "CREATE TABLE users (id INT)", Migrate: "ALTER TABLE users COMMENT = 'people'"},
		{Name: "row format", Catalogue: "table-rebuild", Old: "CREATE TABLE users (id INT)", Migrate: "ALTER TABLE users ROW_FORMAT = COMPRESSED"},
		{Name: "default character set", Catalogue: "table-default-charset", Old: "CREATE TABLE users (id INT) CHARACTER SET latin1", Migrate: "ALTER TABLE users DEFAULT CHARACTER SET utf8mb4"},
		{Name: "next number", Catalogue: "table-auto-increment-value", Old: "CREATE TABLE users (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY)", Migrate: "ALTER TABLE users AUTO_INCREMENT = 100"},
	},
	Check: func(p *analyzer.Pass, ch schema.Change) {
		switch c := ch.(type) {
		case *schema.TableOption:
			switch strings.ToUpper(c.Name) {
			case "COMMENT", "ROW_FORMAT", "KEY_BLOCK_SIZE", "AUTO_INCREMENT", "DEFAULT CHARSET", "CHARSET", "DEFAULT CHARACTER SET", "CHARACTER SET", "COLLATE", "COLLATION",
				"STATS_PERSISTENT", "STATS_AUTO_RECALC", "STATS_SAMPLE_PAGES", "AVG_ROW_LENGTH", "MIN_ROWS", "MAX_ROWS", "CHECKSUM", "DELAY_KEY_WRITE", "PACK_KEYS",
				"ENCRYPTION", "COMPRESSION", "PAGE_COMPRESSED", "PAGE_COMPRESSION_LEVEL", "ENCRYPTED", "ENCRYPTION_KEY_ID":
				p.Accept()
			}
		case *schema.ChangeDatabase:
			p.Accept() // the defaults of tables to come
		}
	},
}
