package simulate

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"
)

// dsnAbout is what kind of a server one is.
type dsnAbout struct {
	cluster string
	notes   []string
	// elsewhere: connections may reach several servers, so that a user-level lock that is free here may be held there.
	elsewhere bool
}

// dsnSays is what a server says of itself; "" where it does not know the question.
type dsnSays struct {
	version, comment, aurora, wsrep, nodes, group, ndb string
	proxy                                              string
}

// ask gives the first column of the first row, "" where the server does not understand.
func ask(ctx context.Context, c *session, text string) string {
	limited, cancel := context.WithTimeout(ctx, dsnPatience)
	defer cancel()
	rows, err := c.query(limited, 1, text)
	if err != nil || len(rows) == 0 {
		return ""
	}
	// SHOW gives a name and a value.
	return rows[0][len(rows[0])-1].String
}

// recognise finds out which product a server is.
func recognise(ctx context.Context, c *session) (dsnAbout, error) {
	says := dsnSays{
		version: ask(ctx, c, "SELECT VERSION()"),
		comment: ask(ctx, c, "SELECT @@version_comment"),
		// Aurora User Guide: Checking Aurora MySQL versions using SQL.
		aurora: ask(ctx, c, "SELECT @@aurora_version"),
		wsrep:  ask(ctx, c, "SELECT @@wsrep_on"),
		nodes:  ask(ctx, c, "SHOW GLOBAL STATUS LIKE 'wsrep_cluster_size'"),
		group:  ask(ctx, c, "SELECT COUNT(*) FROM performance_schema.replication_group_members WHERE member_state <> 'OFFLINE'"),
		ndb:    ask(ctx, c, "SHOW GLOBAL STATUS LIKE 'Ndb_number_of_data_nodes'"),
		// ProxySQL answers for this variable itself; a server does not know it.
		proxy: ask(ctx, c, "SELECT @@proxy_version"),
	}
	return recognised(says), ctx.Err()
}

// recognised gives the product of what a server says. Only TiDB's and MariaDB's answers are known from their manuals, Vitess'
// and the proxies' from their sources: a proxy that hides itself is taken for what is behind it.
func recognised(says dsnSays) dsnAbout {
	about := dsnAbout{}
	version, comment := strings.ToLower(says.version), strings.ToLower(says.comment)
	on := says.wsrep == "1" || strings.EqualFold(says.wsrep, "ON")
	nodes, _ := strconv.Atoi(says.nodes)
	group, _ := strconv.Atoi(says.group)
	ndb, _ := strconv.Atoi(says.ndb)
	switch {
	case strings.Contains(version, "tidb") || strings.Contains(comment, "tidb"):
		about.cluster = "TiDB"
		about.notes = []string{
			// TiDB manual: Metadata Lock; FOREIGN KEY Constraints; ALTER TABLE (MySQL compatibility); MySQL Compatibility (Unsupported features).
			"TiDB changes schemas online and asynchronously: writers go on, what needs other data (an index, a changed type) is written in the background, LOCK has no effect and ALGORITHM does not choose how it is done, and no statement queues behind a waiting ALTER",
			"TiDB: by default since 6.5 a change waits for transactions that have used the table (metadata lock); without that lock, or where data is changed, the transaction fails at its end instead (8028, Information schema is changed)",
			"TiDB: foreign keys are checked since 6.6, and are generally available since 8.5; there are no triggers, stored procedures or events",
		}
	case strings.Contains(version, "vitess") || strings.Contains(comment, "vitess") || strings.Contains(comment, "planetscale"):
		about.cluster, about.elsewhere = "Vitess", true
		about.notes = []string{
			// Vitess manual: Schema changes, DDL strategies; Foreign Keys in Vitess; MySQL Compatibility.
			"Vitess runs a change in each shard, under the session's ddl_strategy: direct sends it to MySQL as it is; vitess makes a copy by VReplication in the background and swaps it in, and the statement returns before that with a UUID",
			"Vitess: foreign keys hold within a shard only (foreignKeyMode unmanaged), and Online DDL does not work well with tables that have them",
		}
	case says.aurora != "" || strings.Contains(version, "aurora"):
		about.cluster = "Aurora"
		note := "Aurora MySQL 3 has the instant DDL of MySQL 8.0"
		if strings.HasPrefix(says.aurora, "2.") || strings.HasPrefix(version, "5.7") {
			note = "Aurora MySQL 2 has no instant DDL but, in lab mode, a fast DDL of its own, for nullable columns without default at the end of a table"
		}
		about.notes = []string{
			// Aurora User Guide: Altering tables in Amazon Aurora using Fast DDL.
			note + "; other changes rebuild or copy the table as in the MySQL version that it is compatible with, on storage that its readers share",
		}
	case on && nodes > 0:
		about.cluster, about.elsewhere = "Galera", true
		about.notes = []string{
			// MariaDB manual: Performing Schema Upgrades in Galera Cluster; Percona XtraDB Cluster manual: Online schema upgrade.
			fmt.Sprintf("Galera (%d nodes): with wsrep_OSU_method=TOI, the default, a change runs on all nodes at the same place in the order of transactions, and all of them stop committing for as long as it takes, however online it would be on one server", nodes),
			"Galera: with RSU each node is changed alone while it is desynchronised; old and new schema then replicate to each other, which only compatible changes survive",
		}
	case group > 0:
		about.cluster, about.elsewhere = "Group Replication", true
		about.notes = []string{
			// MySQL manual: Group Replication Limitations.
			"Group Replication: every table needs a primary key; in multi-primary mode a change on one member and writes to the same table on another are not detected as a conflict",
		}
	case ndb > 0:
		about.cluster, about.elsewhere = "NDB Cluster", true
		about.notes = []string{
			// MySQL manual: Online Operations with ALTER TABLE in NDB Cluster.
			"NDB Cluster: tables of the engine NDB have online rules of their own; what was measured holds for the engine of the tables here",
		}
	}
	if says.proxy != "" || strings.Contains(comment, "proxysql") || strings.Contains(version, "proxysql") || strings.Contains(version+comment, "maxscale") {
		about.elsewhere = true
		about.notes = append(about.notes, "there is a proxy before the server: two statements of a session may reach different servers, so what depends on a session may be wrong")
	}
	return about
}

// A dsnClient is one connection to a server.
type dsnClient struct {
	id                            int64
	user, host, database, command string
}

// clientsOf gives the connections that an account may see: all with PROCESS, else its own.
func clientsOf(ctx context.Context, c *session) ([]dsnClient, error) {
	rows, err := c.query(ctx, 0, "SHOW PROCESSLIST")
	if err != nil {
		return nil, err
	}
	var list []dsnClient
	for _, r := range rows {
		id, err := strconv.ParseInt(r[0].String, 10, 64)
		if err != nil || len(r) < 5 {
			continue
		}
		host, _, err := net.SplitHostPort(r[2].String)
		if err != nil {
			host = r[2].String
		}
		list = append(list, dsnClient{id: id, user: r[1].String, host: host, database: r[3].String, command: r[4].String})
	}
	return list, nil
}

// systemDatabases are those that belong to the server, or to the service that runs it.
var systemDatabases = []string{"mysql", "sys", "performance_schema", "information_schema", "metrics_schema", "innodb", "tmp", "ndbinfo"}

// productionFacts gives what speaks for that somebody needs a server. Each alone is enough to refuse it, except how long it
// has run. What the account cannot see is no fact: but then it cannot harm it either.
func productionFacts(ctx context.Context, c *session, addr string) []string {
	var facts []string
	// Older statistics than the table may be 0 (MySQL manual: information_schema_stats_expiry). MariaDB has no such variable.
	c.exec(ctx, "SET SESSION information_schema_stats_expiry = 0")
	rows, err := c.query(ctx, 0, "SELECT table_schema, COUNT(*), COALESCE(SUM(table_rows), 0) FROM information_schema.tables "+
		"WHERE table_type = 'BASE TABLE' AND LOWER(table_schema) NOT IN ('"+strings.Join(systemDatabases, "','")+"') "+
		"GROUP BY table_schema ORDER BY 3 DESC, 1")
	if err != nil {
		facts = append(facts, fmt.Sprintf("what databases it holds is not to be found out within %v (%s)", dsnPatience, dsnShort(err.Error(), 120)))
	}
	full := 0
	for _, r := range rows {
		n, _ := strconv.ParseInt(r[2].String, 10, 64)
		if n < dsnRows || isRunDatabase(r[0].String) {
			continue
		}
		if full++; full <= 3 {
			tables := " tables"
			if r[1].String == "1" {
				tables = " table"
			}
			facts = append(facts, fmt.Sprintf("its database %s holds %s%s with about %d rows", dsnShort(r[0].String, 64), r[1].String, tables, n))
		}
	}
	if full > 3 {
		facts = append(facts, fmt.Sprintf("%d more databases hold rows", full-3))
	}
	facts = append(facts, clientFacts(ctx, c)...)
	for _, show := range []string{"SHOW REPLICA STATUS", "SHOW SLAVE STATUS"} {
		if rows, err := c.query(ctx, 1, show); err == nil {
			if len(rows) > 0 {
				facts = append(facts, "it is a replica")
			}
			break
		}
	}
	if ask(ctx, c, "SELECT @@global.read_only") == "1" {
		facts = append(facts, "it is read-only")
	}
	says := strings.ToLower(strings.Join([]string{
		ask(ctx, c, "SELECT VERSION()"), ask(ctx, c, "SELECT @@version_comment"), ask(ctx, c, "SELECT @@basedir"), ask(ctx, c, "SELECT @@hostname"),
	}, "\n"))
	facts = append(facts, hostFacts(addr, says)...)
	if len(facts) > 0 {
		seconds, _ := strconv.ParseInt(ask(ctx, c, "SHOW GLOBAL STATUS LIKE 'Uptime'"), 10, 64)
		if days := seconds / int64(24*time.Hour/time.Second); days >= 7 {
			facts = append(facts, fmt.Sprintf("it has run for %d days", days))
		}
	}
	return facts
}

// isRunDatabase tells whether a database is one of a run's, or its marker.
func isRunDatabase(name string) bool {
	return len(name) >= len("instep_")+12 && dsnRun.MatchString(name[:len("instep_")+12]) &&
		(len(name) == len("instep_")+12 || name[len("instep_")+12] == '_')
}

// clientFacts gives who else is connected. Other runs of instep do not count: their guests, their databases, and sessions of
// the account that we use from where we are that are in no database.
func clientFacts(ctx context.Context, c *session) []string {
	clients, err := clientsOf(ctx, c)
	if err != nil {
		return nil
	}
	var self dsnClient
	for _, other := range clients {
		if other.id == c.id {
			self = other
		}
	}
	var facts, who []string
	count, replicas := 0, 0
	for _, other := range clients {
		switch {
		case strings.HasPrefix(other.command, "Binlog Dump"):
			replicas++
			continue
		case other.command == "Daemon" || other.user == "system user" || other.user == "event_scheduler" || other.command == "Slave_IO" || other.command == "Slave_SQL":
			continue
		case other.id == self.id || isRunDatabase(other.user) || isRunDatabase(other.database):
			continue
		case other.database == "" && other.user == self.user && other.host == self.host:
			continue
		}
		count++
		name := dsnShort(other.user, 64) + "@" + dsnShort(other.host, 64)
		if !slices.Contains(who, name) {
			who = append(who, name)
		}
	}
	slices.Sort(who)
	switch {
	case count == 1:
		facts = append(facts, "another client is connected ("+who[0]+")")
	case count > 1:
		more := ""
		if len(who) > 3 {
			who, more = who[:3], ", …"
		}
		facts = append(facts, fmt.Sprintf("%d other clients are connected (%s%s)", count, strings.Join(who, ", "), more))
	}
	if replicas == 1 {
		facts = append(facts, "a replica reads from it")
	} else if replicas > 1 {
		facts = append(facts, fmt.Sprintf("%d replicas read from it", replicas))
	}
	return facts
}

// dsnServices are signs of a service that runs servers for others: in the address, or in what the server says of its version,
// its host and where it is installed.
var dsnServices = []struct{ address, says, name string }{
	{".rds.amazonaws.com", "/rdsdbbin", "Amazon RDS"},
	{"", "aurora", "Amazon Aurora"},
	{"", "-google", "Google Cloud SQL"},
	{".mysql.database.azure.com", "azure", "Azure Database"},
	{".psdb.cloud", "planetscale", "PlanetScale"},
	{".tidbcloud.com", "", "TiDB Cloud"},
	{".aivencloud.com", "", "Aiven"},
	{".db.ondigitalocean.com", "", "DigitalOcean"},
	{".mysql.rds.aliyuncs.com", "", "Alibaba Cloud RDS"},
}

// hostFacts judges a server by its address and by what it says of itself, in lower case.
func hostFacts(addr, says string) []string {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		host = addr
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	var facts []string
	for _, s := range dsnServices {
		if s.address != "" && strings.HasSuffix(host, s.address) || s.says != "" && strings.Contains(says, s.says) {
			facts = append(facts, "it is run by "+s.name)
			break
		}
	}
	words := strings.FieldsFunc(host+"\n"+says, func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') })
	for _, w := range words {
		if name := strings.TrimRight(w, "0123456789"); name == "prod" || name == "production" || name == "live" {
			facts = append(facts, "its name says "+w)
			break
		}
	}
	return facts
}

// dsnShort bounds what a server says, for messages.
func dsnShort(text string, most int) string {
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "…"
}
