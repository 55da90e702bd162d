package schema

import (
	"strings"
	"testing"
)

// TestSQL shows the text of one of everything. TestSQLServers holds it to what servers take and say.
func TestSQL(t *testing.T) {
	s := build(t, New(Server{Major: 8, Minor: 4}), "1", "SET foreign_key_checks = 0; SET sql_mode = '';"+`
CREATE TABLE child (id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT, parent INT NULL, name VARCHAR(20) CHARACTER SET latin1 DEFAULT 'it''s', flag BOOL NOT NULL DEFAULT 1,
  at TIMESTAMP NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP, twice INT AS (parent * 2) STORED, kind ENUM('a','b') COMMENT 'which', doc JSON, gone INT DEFAULT 1 INVISIBLE,
  PRIMARY KEY (id), UNIQUE KEY u (name(5), flag DESC), KEY e ((parent + 1)), FULLTEXT KEY f (name) COMMENT 'words', CONSTRAINT fk FOREIGN KEY (parent) REFERENCES parent (id) ON DELETE CASCADE,
  CONSTRAINT c CHECK (parent > 0) NOT ENFORCED) ENGINE=InnoDB COMMENT='kids' ROW_FORMAT=COMPRESSED AUTO_INCREMENT=7;
CREATE TABLE parent (id INT PRIMARY KEY, day DATE DEFAULT '0000-00-00');
ALTER TABLE child ALTER COLUMN kind DROP DEFAULT;
CREATE TABLE parts (id INT NOT NULL, PRIMARY KEY (id)) PARTITION BY RANGE (id) SUBPARTITION BY HASH (id) (PARTITION p0 VALUES LESS THAN (5) (SUBPARTITION s0, SUBPARTITION s1), PARTITION p1 VALUES LESS THAN MAXVALUE (SUBPARTITION s2, SUBPARTITION s3));
DELIMITER //
CREATE TRIGGER tr BEFORE INSERT ON parent FOR EACH ROW BEGIN SET NEW.id = 1; END//
CREATE FUNCTION fn(a INT) RETURNS INT DETERMINISTIC RETURN a//
CREATE EVENT ev ON SCHEDULE EVERY 1 DAY DO DELETE FROM parent//
DELIMITER ;
CREATE TABLE old (id INT);
CREATE VIEW lost AS SELECT id FROM old;
DROP TABLE old;
CREATE VIEW b AS SELECT id FROM parent;
CREATE VIEW a AS SELECT id FROM b;
`)
	want := "SET foreign_key_checks = 0;\n\n" +
		"SET sql_mode = ''; -- a column's default is the zero date, which the strict mode refuses\n\n" +
		"CREATE TABLE `child` (\n" +
		"  `id` bigint unsigned NOT NULL AUTO_INCREMENT,\n" +
		"  `parent` int DEFAULT NULL,\n" +
		"  `name` varchar(20) CHARACTER SET latin1 COLLATE latin1_swedish_ci DEFAULT 'it''s',\n" +
		"  `flag` tinyint(1) NOT NULL DEFAULT '1',\n" +
		"  `at` timestamp NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,\n" +
		"  `twice` int GENERATED ALWAYS AS (`parent` * 2) STORED,\n" +
		"  `kind` enum('a','b') COMMENT 'which',\n" +
		"  `doc` json DEFAULT NULL,\n" +
		"  `gone` int DEFAULT '1' /*!80023 INVISIBLE */,\n" +
		"  PRIMARY KEY (`id`),\n" +
		"  UNIQUE KEY `u` (`name`(5),`flag` DESC),\n" +
		"  KEY `fk` (`parent`),\n" +
		"  KEY `e` ((`parent` + 1)),\n" +
		"  FULLTEXT KEY `f` (`name`) COMMENT 'words',\n" +
		"  CONSTRAINT `fk` FOREIGN KEY (`parent`) REFERENCES `parent` (`id`) ON DELETE CASCADE,\n" +
		"  CONSTRAINT `c` CHECK (`parent` > 0) /*!80016 NOT ENFORCED */\n" +
		") ENGINE=InnoDB AUTO_INCREMENT=7 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci ROW_FORMAT=COMPRESSED COMMENT='kids';\n\n" +
		"ALTER TABLE `child` ALTER COLUMN `kind` DROP DEFAULT;\n\n" +
		"CREATE TABLE `parent` (\n  `id` int NOT NULL,\n  `day` date DEFAULT '0000-00-00',\n  PRIMARY KEY (`id`)\n) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci;\n\n" +
		"CREATE TABLE `parts` (\n  `id` int NOT NULL,\n  PRIMARY KEY (`id`)\n) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci\n" +
		"PARTITION BY RANGE (`id`)\nSUBPARTITION BY HASH (`id`)\n" +
		"(PARTITION `p0` VALUES LESS THAN (5) (SUBPARTITION `s0`,SUBPARTITION `s1`),\n PARTITION `p1` VALUES LESS THAN MAXVALUE (SUBPARTITION `s2`,SUBPARTITION `s3`));\n\n" +
		"SET sql_mode = DEFAULT;\n\nSET foreign_key_checks = 1;\n\n" +
		"CREATE FUNCTION `fn`(a INT) RETURNS INT DETERMINISTIC RETURN a;\n\n" +
		"CREATE ALGORITHM=UNDEFINED SQL SECURITY DEFINER VIEW `b` (`id`) AS SELECT id FROM parent;\n\n" +
		"CREATE ALGORITHM=UNDEFINED SQL SECURITY DEFINER VIEW `a` (`id`) AS SELECT id FROM b;\n\n" +
		"-- no server takes this view, because there is no `old`:\n-- CREATE ALGORITHM=UNDEFINED SQL SECURITY DEFINER VIEW `lost` (`id`) AS SELECT id FROM old;\n\n" +
		"DELIMITER ;;\nCREATE TRIGGER `tr` BEFORE INSERT ON `parent` FOR EACH ROW BEGIN SET NEW.id = 1; END\n;;\nDELIMITER ;\n\n" +
		"CREATE EVENT `ev` ON SCHEDULE EVERY 1 DAY DO DELETE FROM parent;\n"
	if got := s.SQL(); got != want {
		g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
		for i := range g {
			if i >= len(w) || g[i] != w[i] {
				t.Fatalf("line %d:\n%s\nwant\n%s\nin\n%s", i+1, g[i], w[min(i, len(w)-1)], got)
			}
		}
		t.Fatalf("got\n%s\nwant\n%s", got, want)
	}
}

func TestTypeSQL(t *testing.T) {
	maria := Server{MariaDB: true, Major: 10, Minor: 11}
	for _, tt := range []struct {
		typ         Type
		mysql, mari string
	}{
		{Type{Name: "int", Length: 11, Scale: -1}, "int", "int(11)"},
		{Type{Name: "int", Length: -1, Scale: -1}, "int", "int(11)"},
		{Type{Name: "bigint", Length: -1, Scale: -1, Unsigned: true}, "bigint unsigned", "bigint(20) unsigned"},
		{Type{Name: "tinyint", Length: 1, Scale: -1}, "tinyint(1)", "tinyint(1)"},
		{Type{Name: "tinyint", Length: 4, Scale: -1}, "tinyint", "tinyint(4)"},
		{Type{Name: "smallint", Length: -1, Scale: -1, Unsigned: true}, "smallint unsigned", "smallint(5) unsigned"},
		{Type{Name: "int", Length: 5, Scale: -1, Unsigned: true, Zerofill: true}, "int(5) unsigned zerofill", "int(5) unsigned zerofill"},
		{Type{Name: "year", Length: 4, Scale: -1}, "year", "year(4)"},
		{Type{Name: "decimal", Length: 10, Scale: 0}, "decimal(10,0)", "decimal(10,0)"},
		{Type{Name: "datetime", Length: 0, Scale: -1}, "datetime", "datetime"},
		{Type{Name: "datetime", Length: 3, Scale: -1}, "datetime(3)", "datetime(3)"},
		{Type{Name: "enum", Length: -1, Scale: -1, Members: []string{"a", "b'c"}}, "enum('a','b''c')", "enum('a','b''c')"},
	} {
		if got := tt.typ.SQL(); got != tt.mysql {
			t.Errorf("MySQL: %s, want %s", got, tt.mysql)
		}
		if got := tt.typ.sql(maria); got != tt.mari {
			t.Errorf("MariaDB: %s, want %s", got, tt.mari)
		}
	}
	for patch, want := range map[int]bool{0: false, 18: true, 19: false} {
		if got := (Server{Major: 8, Minor: 0, Patch: patch}).showsWidths(); got != want {
			t.Errorf("8.0.%d shows widths: %v", patch, got)
		}
	}
}
