package simulate

import (
	"context"
	"errors"
	"strings"
	"testing"

	"instep/analyzer/schema"
)

// TestStartLocal: without Docker, a server of this machine is taken, and it is said why.
func TestStartLocal(t *testing.T) {
	o := localOptions(t)
	t.Setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
	o.Engine = "auto"
	var said []string
	s, err := Start(t.Context(), o, func(text string) { said = append(said, text) })
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if got := strings.Join(said, "\n"); got != "the server is "+s.Name+" (local)" {
		t.Errorf("said %q", got)
	}
	if got := strings.Join(s.Notes, "\n"); !strings.Contains(got, "docker: no engine answers at unix:///nowhere/docker.sock") {
		t.Errorf("notes %q", got)
	}
}

// TestStartNothing: where there is no engine, one message says what was tried and the one command that would provide one.
func TestStartNothing(t *testing.T) {
	t.Setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
	t.Setenv("PATH", t.TempDir())
	nowhere := &Engine{Name: "local", Sweep: Local.Sweep, Start: func(ctx context.Context, o EngineOptions) (*Server, error) {
		_, err := findLocal(ctx, o, nil)
		return nil, err
	}}
	_, err := startAmong(t.Context(), []*Engine{Docker, nowhere, DSN}, EngineOptions{}, nil)
	var missing *UnavailableError
	if !errors.As(err, &missing) {
		t.Fatalf("%v", err)
	}
	want := "there is no engine to start a server with: docker: no engine answers at unix:///nowhere/docker.sock (there is no such socket); " +
		"local: no mysqld or mariadbd on PATH"
	if missing.Tried != want {
		t.Errorf("tried %q,\n want %q", missing.Tried, want)
	}
	if missing.Provide == "" || strings.Contains(missing.Provide, "\n") {
		t.Errorf("provide %q", missing.Provide)
	}
}

func TestStartOrder(t *testing.T) {
	unavailable := &UnavailableError{Tried: "none", Provide: "some"}
	broken := errors.New("it is broken")
	engine := func(name string, started *[]string, err error) *Engine {
		return &Engine{Name: name, Sweep: func(context.Context, EngineOptions) error { *started = append(*started, "sweep "+name); return err },
			Start: func(_ context.Context, o EngineOptions) (*Server, error) {
				*started = append(*started, name)
				if err != nil {
					return nil, err
				}
				return &Server{Engine: name, Name: "mysql 9.7.4"}, nil
			}}
	}
	for _, tt := range []struct {
		o             EngineOptions
		docker, local error
		want          string
		err           string
	}{
		{EngineOptions{}, nil, nil, "docker", ""},
		{EngineOptions{Engine: "auto"}, unavailable, nil, "docker local", ""},
		{EngineOptions{Engine: "auto"}, broken, nil, "docker local", ""},
		{EngineOptions{Engine: "auto"}, broken, unavailable, "docker local", "it is broken\nnone"},
		{EngineOptions{Engine: "auto"}, unavailable, unavailable, "docker local", "there is no engine to start a server with: none; none"},
		{EngineOptions{Engine: "docker"}, unavailable, nil, "docker", "none"},
		{EngineOptions{Engine: "local"}, nil, nil, "local", ""},
		{EngineOptions{DSN: "x"}, nil, nil, "dsn", ""},
		{EngineOptions{Mysqld: "x"}, nil, nil, "local", ""},
		{EngineOptions{Image: "x"}, nil, nil, "docker", ""},
		{EngineOptions{Engine: "podman"}, nil, nil, "", `there is no engine "podman": give auto, docker or local or dsn`},
	} {
		var started []string
		engines := []*Engine{engine("docker", &started, tt.docker), engine("local", &started, tt.local), engine("dsn", &started, nil)}
		s, err := startAmong(t.Context(), engines, tt.o, nil)
		if tt.want != "" {
			tt.want = "sweep docker sweep local sweep dsn " + tt.want
		}
		if got := strings.Join(started, " "); got != tt.want {
			t.Errorf("%+v: %s, want %s", tt.o, got, tt.want)
		}
		if (err == nil) != (tt.err == "") || err != nil && err.Error() != tt.err {
			t.Errorf("%+v: %v, want %s", tt.o, err, tt.err)
		}
		if err == nil && tt.docker != nil && !strings.Contains(strings.Join(s.Notes, "\n"), tt.docker.Error()) {
			t.Errorf("%+v: notes %q", tt.o, s.Notes)
		}
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(broken)
	var started []string
	if _, err := startAmong(ctx, []*Engine{engine("docker", &started, unavailable), engine("local", &started, nil)}, EngineOptions{}, nil); err != broken {
		t.Errorf("cancelled: %v", err)
	}
}

func TestDiffers(t *testing.T) {
	mysql := func(major, minor, patch int) schema.Server {
		return schema.Server{Major: major, Minor: minor, Patch: patch}
	}
	maria := schema.Server{MariaDB: true, Major: 10, Minor: 11, Patch: 14}
	for _, tt := range []struct {
		server, configured schema.Server
		want               string // a part of it
	}{
		{mysql(9, 7, 4), mysql(9, 7, 0), ""},
		{mysql(9, 7, 4), mysql(9, 7, 1), ""},
		{mysql(8, 4, 2), schema.Server{}, ""},
		{mysql(9, 7, 4), schema.Server{}, "this ran on MySQL 9.7, the configured server is MySQL 8.4: what a server refuses"},
		{mysql(8, 0, 36), mysql(8, 0, 22), "this ran on MySQL 8.0.36, the configured server is MySQL 8.0.22: releases"},
		{maria, maria, ""},
		{maria, mysql(8, 4, 0), "MariaDB is no stand-in for MySQL. It adds a DATE NOT NULL without default"},
		{mysql(8, 4, 0), maria, "MySQL is no stand-in for MariaDB. It refuses a DATE NOT NULL"},
	} {
		got := Differs(&Server{Version: tt.server}, tt.configured)
		if (got == "") != (tt.want == "") || !strings.Contains(got, tt.want) {
			t.Errorf("%v for %v: %q, want %q", tt.server, tt.configured, got, tt.want)
		}
	}
}
