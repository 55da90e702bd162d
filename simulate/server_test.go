package simulate

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"log"
	"testing"

	"github.com/go-sql-driver/mysql"

	"instep/analyzer/schema"
	"instep/simulate/servertest"
)

// testServer gives a test's server as an engine would: with a guest of its own, and a prefix that only this test has. What it
// made is dropped at the end of the test.
func testServer(t testing.TB, s *servertest.Server) *Server {
	t.Helper()
	admin, err := mysql.ParseDSN(s.DSN(""))
	if err != nil {
		t.Fatal(err)
	}
	admin.Logger = log.New(io.Discard, "", 0)
	prefix := newPrefix()
	guest := admin.Clone()
	guest.User, guest.Passwd = "g"+rand.Text()[:12], rand.Text()
	srv := &Server{
		Engine:  "test",
		Version: schema.Server{MariaDB: s.MariaDB, Major: s.Major, Minor: s.Minor, Patch: s.Patch},
		Name:    s.Name,
		Prefix:  prefix,
		admin:   admin,
		guest:   guest,
	}
	ctx := context.Background()
	c, err := srv.session(ctx, asAdmin, "")
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	// As the engines do; otherwise a server with a binary log lets only SUPER make triggers (1419).
	if err := c.exec(ctx, "SET GLOBAL log_bin_trust_function_creators = 1"); err != nil {
		t.Fatal(err)
	}
	for _, g := range grants(guest.User, "%", guest.Passwd, prefix) {
		if err := c.exec(ctx, g); err != nil {
			t.Fatalf("%s: %s: %v", s.Name, g, err)
		}
	}
	t.Cleanup(func() {
		c, err := srv.session(ctx, asAdmin, "")
		if err != nil {
			t.Error(err)
			return
		}
		defer c.close()
		left, err := c.query(ctx, 0, "SELECT schema_name FROM information_schema.schemata WHERE LEFT(schema_name, "+fmt.Sprint(len(prefix))+") = '"+prefix+"'")
		if err != nil {
			t.Error(err)
		}
		for _, row := range left {
			if err := c.exec(ctx, "DROP DATABASE IF EXISTS "+quoteName(row[0].String)); err != nil {
				t.Error(err)
			}
		}
		if err := c.exec(ctx, "DROP USER IF EXISTS '"+guest.User+"'@'%'"); err != nil {
			t.Error(err)
		}
	})
	return srv
}

// TestTestServer holds the helper to what it promises: the guest has its own databases and nothing else.
func TestTestServer(t *testing.T) {
	ctx := context.Background()
	srv := testServer(t, servertest.MariaDB(t))
	name, err := srv.createDatabase(ctx, "a", "", "")
	if err != nil {
		t.Fatal(err)
	}
	c, err := srv.session(ctx, asGuest, name)
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	if err := c.exec(ctx, "CREATE TABLE t (id int)"); err != nil {
		t.Error(err)
	}
	if err := c.exec(ctx, "CREATE DATABASE elsewhere"); err == nil {
		t.Error("the guest creates a database outside its prefix")
	}
}
