package migrate

import (
	"io/fs"
	"path"
	"regexp"
	"strings"

	"instep/analyzer/schema"
	"instep/internal/python"
)

// environmentGaps gives what env.py plainly does to the schema by itself, or to the statements of the revisions: tables made by
// create_all(), DDL in a text, another compilation of SQLAlchemy's constructs, an implementation of Alembic's operations. It
// is not followed when and to which database that happens. What concerns databases, other servers' objects and Alembic's own
// version table is left out.
func environmentGaps(fsys fs.FS, dir string) []schema.Gap {
	file := path.Join(dir, "env.py")
	src, err := fs.ReadFile(fsys, file)
	if err != nil {
		return nil
	}
	tree, err := python.Parse(file, src)
	if err != nil {
		return nil
	}
	var gaps []schema.Gap
	table := versionTable(fsys, dir).Name
	gap := func(n python.Node, what, why string) {
		gaps = append(gaps, schema.Gap{Pos: schemaPos(tree.Pos(n)), What: what, Why: why})
	}
	walkFile(tree, func(n python.Node) bool {
		switch n := n.(type) {
		case *python.CallExpr:
			fn, ok := n.Fn.(*python.AttrExpr)
			if !ok {
				break
			}
			switch fn.Name {
			case "create_all", "drop_all":
				gap(n, "what "+fn.Name+"() does in "+file, "env.py changes the schema beside the revisions")
			case "execute", "exec_driver_sql":
				if len(n.Args) == 0 {
					break
				}
				python.Walk(n.Args[0], func(x python.Node) bool {
					s, ok := x.(*python.StringLit)
					if ok && ddlInEnv.MatchString(s.Value) && !otherInEnv.MatchString(s.Value) && !strings.Contains(s.Value, table) {
						gap(n, "the effect of "+headline(s.Value), "env.py changes the schema beside the revisions")
					}
					return true
				})
			}
		case *python.FuncStmt:
			for _, d := range n.Decorators {
				if call, ok := d.(*python.CallExpr); ok && compilesForMySQL(call) {
					gap(call, "the statements that SQLAlchemy makes", "env.py compiles one of its constructs in a way of its own")
				}
			}
		case *python.ClassStmt:
			for _, base := range n.Bases {
				if strings.HasPrefix(lastName(base), "MySQL") && strings.HasSuffix(lastName(base), "Impl") {
					gap(n, "the statements that Alembic makes", "env.py implements its operations in a way of its own")
				}
			}
		}
		return true
	})
	return gaps
}

var (
	ddlInEnv   = regexp.MustCompile(`(?is)^\s*(CREATE|ALTER|DROP|RENAME|TRUNCATE|CALL)\s`)
	otherInEnv = regexp.MustCompile(`(?is)^\s*\w+\s+(DATABASE|SCHEMA|EXTENSION|TYPE|ROLE|USER|SEQUENCE|DOMAIN)\b`)
)

// lastName is the last name of a dotted expression.
func lastName(x python.Expr) string {
	switch x := x.(type) {
	case *python.NameExpr:
		return x.Name
	case *python.AttrExpr:
		return x.Name
	}
	return ""
}

// compilesForMySQL tells whether a decorator is @compiles(construct) or @compiles(construct, "mysql") of one of the constructs or
// types that DDL is made of. Constructs of the project's own are read where migrations use them.
func compilesForMySQL(call *python.CallExpr) bool {
	if lastName(call.Fn) != "compiles" || len(call.Args) == 0 || !compiledConstructs[lastName(call.Args[0])] {
		return false
	}
	for _, d := range call.Args[1:] {
		if s, ok := d.(*python.StringLit); !ok || s.Value == "mysql" || s.Value == "mariadb" {
			return true
		}
	}
	return len(call.Args) == 1
}

var compiledConstructs = wordSet(`CreateTable CreateColumn CreateIndex AddConstraint DropTable DropIndex DropConstraint
	PrimaryKeyConstraint ForeignKeyConstraint UniqueConstraint CheckConstraint
	AddColumn DropColumn ColumnType ColumnNullable ColumnDefault AlterColumn RenameTable MySQLChangeColumn MySQLModifyColumn MySQLAlterDefault
	DateTime DATETIME TIMESTAMP Date DATE Time TIME String VARCHAR Unicode Text TEXT UnicodeText CHAR Integer INTEGER BigInteger BIGINT
	SmallInteger SMALLINT Float FLOAT REAL Numeric NUMERIC DECIMAL Boolean BOOLEAN LargeBinary BLOB BINARY VARBINARY JSON Enum Uuid UUID`)
