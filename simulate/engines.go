package simulate

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"instep/analyzer/schema"
)

// Engines are all engines, in the order in which they are tried.
var Engines = []*Engine{Docker, Local, DSN}

// Start starts a server of the engine that the options name. It first removes what runs that have died left behind. Without a
// name, an option that only one engine has names it; else Docker is taken, or a server program of this machine, whichever
// starts. An existing server is never taken unless it is given. What was taken, and why not another, is said to note, which
// may be nil, and stands in the server's notes.
//
// An *UnavailableError names all that was tried, and the one command that would provide an engine.
func Start(ctx context.Context, o EngineOptions, note func(string)) (*Server, error) {
	return startAmong(ctx, Engines, o, note)
}

func startAmong(ctx context.Context, engines []*Engine, o EngineOptions, note func(string)) (*Server, error) {
	name := o.Engine
	if name == "" {
		name = "auto"
	}
	if name == "auto" {
		switch {
		case o.DSN != "":
			name = "dsn"
		case o.Mysqld != "":
			name = "local"
		case o.Image != "":
			name = "docker"
		}
	}
	var candidates []*Engine
	var names []string
	for _, e := range engines {
		if e.Name == name || name == "auto" && e.Name != "dsn" {
			candidates = append(candidates, e)
		}
		names = append(names, e.Name)
	}
	if len(candidates) == 0 {
		return nil, fmt.Errorf("there is no engine %q: give auto, %s", name, strings.Join(names, " or "))
	}
	o.Engine = name
	if name == "dsn" && o.DSN == "" {
		o.DSN = os.Getenv("INSTEP_DSN")
	}
	for _, e := range engines {
		e.Sweep(ctx, o) // what cannot be removed now is left to another run
	}
	var failed []error
	for _, e := range candidates {
		s, err := e.Start(ctx, o)
		if err == nil {
			taken := "the server is " + s.Name + " (" + s.Engine + ")"
			if s.Cluster != "" {
				taken = "the server is " + s.Cluster + ", " + s.Name + " (" + s.Engine + ")"
			}
			if note != nil {
				note(taken)
			}
			for _, err := range failed {
				s.Notes = append(s.Notes, err.Error())
			}
			return s, nil
		}
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		failed = append(failed, err)
	}
	if len(failed) == 1 {
		return nil, failed[0]
	}
	return nil, noneStarted(failed)
}

// noneStarted makes one error of what was tried. An engine that is there and does not start is a matter of its own: installing
// another would hide it.
func noneStarted(failed []error) error {
	all := &UnavailableError{}
	var tried []string
	for _, err := range failed {
		var u *UnavailableError
		if !errors.As(err, &u) {
			return errors.Join(failed...)
		}
		tried = append(tried, u.Tried)
		if all.Provide == "" {
			all.Provide = u.Provide
		}
	}
	all.Tried = "there is no engine to start a server with: " + strings.Join(tried, "; ")
	return all
}

// readVersion asks a server for its version: "mysql 9.7.4".
func readVersion(ctx context.Context, c *session) (schema.Server, string, error) {
	rows, err := c.query(ctx, 1, "SELECT VERSION()")
	if err != nil {
		return schema.Server{}, "", err
	}
	if len(rows) == 0 {
		return schema.Server{}, "", errors.New("the server gives no version")
	}
	return dockerVersion(rows[0][0].String)
}

// Differs says what does not carry over from the server to the one that the analysis is for; "" if they are of one series. The
// differences between the flavours were measured on MySQL 9.7.4 and MariaDB 10.11, with a million rows.
func Differs(s *Server, configured schema.Server) string {
	if configured == (schema.Server{}) {
		configured = schema.Server{Major: 8, Minor: 4} // as schema.New
	}
	v := s.Version
	flavour := func(v schema.Server) string {
		if v.MariaDB {
			return "MariaDB"
		}
		return "MySQL"
	}
	here := fmt.Sprintf("%s %d.%d", flavour(v), v.Major, v.Minor)
	there := fmt.Sprintf("%s %d.%d", flavour(configured), configured.Major, configured.Minor)
	switch {
	case v.MariaDB && !configured.MariaDB:
		return "this ran on " + here + ", the configured server is " + there + ": MariaDB is no stand-in for MySQL. It adds a DATE NOT NULL " +
			"without default to a table with rows where MySQL refuses (1292); it takes DEFAULT (UUID()) where MySQL refuses (1674); dropping an indexed " +
			"column, removing AUTO_INCREMENT and moving a column are instant where MySQL rebuilds or copies the table; other error numbers, algorithms and durations differ too"
	case !v.MariaDB && configured.MariaDB:
		return "this ran on " + here + ", the configured server is " + there + ": MySQL is no stand-in for MariaDB. It refuses a DATE NOT NULL " +
			"without default on a table with rows (1292), where MariaDB stores the zero date; it refuses DEFAULT (UUID()) (1674), where MariaDB copies the table; it rebuilds or copies " +
			"the table where MariaDB is instant (dropping an indexed column, removing AUTO_INCREMENT, moving a column); it has no sequences and no IF EXISTS in ALTER TABLE; " +
			"other error numbers, algorithms and durations differ too"
	case v.Major != configured.Major || v.Minor != configured.Minor:
		return "this ran on " + here + ", the configured server is " + there + ": what a server refuses, and how it carries out a change, can differ between series"
	case configured.Patch != 0 && v.Patch != 0 && v.Patch != configured.Patch && !v.MariaDB && v.Major == 8 && v.Minor == 0:
		// Columns could be added instantly only at the end before 8.0.29, and not be dropped (manual: Online DDL Operations).
		return fmt.Sprintf("this ran on %s.%d, the configured server is %s.%d: releases of this series differ in what is instant", here, v.Patch, there, configured.Patch)
	}
	return ""
}
