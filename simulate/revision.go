package simulate

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/go-sql-driver/mysql"
)

// maxRevisions bounds how many rows of a framework's table are read.
const maxRevisions = 100000

// A revisionTable is where a migration framework keeps what a database has seen.
type revisionTable struct {
	framework string
	table     string
	column    string // tells frameworks apart whose tables have the same name; "" if none does
	// query gives the ids that were applied, as text; a second column is 0 for one that failed half-way.
	query string
	// ordered: one row names the newest, and all before it were applied; ids are numbers.
	ordered bool
	// numbers: ids are numbers, with dots between them, so that 0003 is 3 and 1.0 is 1.
	numbers bool
}

// revisionTables are from the frameworks' documentation and sources; version tables can be renamed, which is not seen here. Of several
// that a database has, the first counts.
var revisionTables = []revisionTable{
	{"alembic", "alembic_version", "", "SELECT version_num, 1 FROM alembic_version", false, false},
	// Flyway adds a row for each run: what undoes a version, or marks it as deleted, takes back the rows before it.
	{"flyway", "flyway_schema_history", "", "SELECT version, success FROM flyway_schema_history f WHERE version IS NOT NULL AND type NOT LIKE 'UNDO%' AND type <> 'DELETE' AND NOT EXISTS (" +
		"SELECT 1 FROM flyway_schema_history u WHERE u.version = f.version AND u.installed_rank > f.installed_rank AND u.success AND (u.type LIKE 'UNDO%' OR u.type = 'DELETE'))", false, true},
	{"golang-migrate", "schema_migrations", "dirty", "SELECT version, 1 - dirty FROM schema_migrations", true, false},
	{"dbmate", "schema_migrations", "version", "SELECT version, 1 FROM schema_migrations", false, false},
	// goose adds a row for each run, up and down: the last one of an id counts.
	{"goose", "goose_db_version", "", "SELECT version_id, 1 FROM goose_db_version g WHERE is_applied AND id = (SELECT MAX(id) FROM goose_db_version WHERE version_id = g.version_id)", false, true},
	{"sql-migrate", "gorp_migrations", "", "SELECT id, 1 FROM gorp_migrations", false, false},
	{"diesel", "__diesel_schema_migrations", "", "SELECT version, 1 FROM __diesel_schema_migrations", false, false},
	{"django", "django_migrations", "", "SELECT CONCAT(app, '.', name), 1 FROM django_migrations", false, false},
	// The last: projects have left it for others, and its table stays.
	{"sqlalchemy-migrate", "migrate_version", "", "SELECT version, 1 FROM migrate_version", true, false},
}

// A Revision says whether a database has seen a migration.
type Revision struct {
	Applied bool
	// State says where the database is: "alembic is at 0041".
	State string
}

// ReadRevision asks a live database whether the migration with that id, as its framework names it, has been applied. It only
// reads. Of Alembic a database remembers its newest revisions only: an older id is not known to it.
func ReadRevision(ctx context.Context, dsn, id string) (Revision, error) {
	cfg, err := ParseDSN(dsn)
	if err != nil {
		return Revision{}, err
	}
	if cfg.DBName == "" {
		return Revision{}, errors.New("the DSN names no database: user:password@tcp(host:3306)/database")
	}
	connector, err := mysql.NewConnector(cfg)
	if err != nil {
		return Revision{}, err
	}
	db := sql.OpenDB(connector)
	defer db.Close()
	rows, err := db.QueryContext(ctx, "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name IN ('"+
		strings.Join(revisionTableNames(), "', '")+"')")
	if err != nil {
		return Revision{}, err
	}
	defer rows.Close()
	have := map[string][]string{}
	for rows.Next() {
		var table, column string
		if err := rows.Scan(&table, &column); err != nil {
			return Revision{}, err
		}
		have[table] = append(have[table], strings.ToLower(column))
	}
	if err := rows.Err(); err != nil {
		return Revision{}, err
	}
	for _, t := range revisionTables {
		columns := have[t.table]
		if columns == nil || t.column != "" && !slices.Contains(columns, t.column) {
			continue
		}
		return t.read(ctx, db, id)
	}
	return Revision{State: "no migration has run: the database has none of " + strings.Join(revisionTableNames(), ", ")}, nil
}

func (t revisionTable) read(ctx context.Context, db *sql.DB, id string) (Revision, error) {
	rows, err := db.QueryContext(ctx, fmt.Sprintf("%s LIMIT %d", t.query, maxRevisions))
	if err != nil {
		return Revision{}, err
	}
	defer rows.Close()
	r := Revision{State: t.framework + " has applied nothing"}
	for rows.Next() {
		var have string
		var whole int
		if err := rows.Scan(&have, &whole); err != nil {
			return Revision{}, err
		}
		same := have == id || t.ordered && atLeast(have, id) || t.numbers && sameNumbers(have, id)
		switch {
		case whole == 0 && (same || t.ordered):
			return Revision{State: fmt.Sprintf("%s failed half-way at %s", t.framework, have)}, nil
		case t.ordered && !same:
			// Of several repositories (sqlalchemy-migrate) all have to be there: nothing says whose id it is.
			return Revision{State: fmt.Sprintf("%s is at %s", t.framework, have)}, nil
		case t.ordered:
			r = Revision{Applied: true, State: fmt.Sprintf("%s is at %s", t.framework, have)}
			continue
		case same:
			return Revision{Applied: true, State: fmt.Sprintf("%s is at %s", t.framework, have)}, rows.Err()
		}
		r.State = fmt.Sprintf("%s is at %s", t.framework, have)
	}
	return r, rows.Err()
}

// atLeast compares ids that are numbers, whatever their leading zeros are. It takes a lower number for run: golang-migrate
// passes over a file that arrives late with a number below the database's version, and its table cannot tell.
func atLeast(have, id string) bool {
	h, ok1 := new(big.Int).SetString(have, 10)
	i, ok2 := new(big.Int).SetString(id, 10)
	return ok1 && ok2 && h.Cmp(i) >= 0
}

// sameNumbers compares ids that are numbers with dots between them, as Flyway does: zeros before a number and .0 at the end do not count.
func sameNumbers(have, id string) bool {
	norm := func(s string) (string, bool) {
		parts := strings.Split(s, ".")
		for i, p := range parts {
			if p == "" || strings.Trim(p, "0123456789") != "" {
				return "", false
			}
			parts[i] = strings.TrimLeft(p, "0")
		}
		return strings.TrimRight(strings.Join(parts, "."), "."), true
	}
	h, ok1 := norm(have)
	i, ok2 := norm(id)
	return ok1 && ok2 && h == i
}

func revisionTableNames() []string {
	var names []string
	for _, t := range revisionTables {
		if !slices.Contains(names, t.table) {
			names = append(names, t.table)
		}
	}
	return names
}

// ParseDSN reads a data source name, as the Go driver writes it. Its errors do not quote it: it holds a password.
func ParseDSN(dsn string) (*mysql.Config, error) {
	cfg, err := mysql.ParseDSN(dsn)
	if err != nil {
		return nil, errors.New("the DSN cannot be read: write it as user:password@tcp(host:3306)/database")
	}
	cfg.AllowAllFiles = false
	return cfg, nil
}
