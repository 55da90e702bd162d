package servertest

import (
	"strings"
	"testing"
)

func TestServers(t *testing.T) {
	for _, tt := range []struct {
		name, version string
		start         func(testing.TB) *Server
	}{
		{"local mariadb", "mariadb ", MariaDB},
		{"docker mysql", "mysql 9.7.", MySQL},
		{"docker mariadb", "mariadb 10.11.", DockerMariaDB},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := tt.start(t)
			if !strings.HasPrefix(s.Name, tt.version) {
				t.Errorf("it is %s, want %s", s.Name, tt.version)
			}
			if again := tt.start(t); again != s {
				t.Error("a second server was started")
			}
			db, name := s.Database(t)
			if _, err := db.Exec("CREATE TABLE t (id int PRIMARY KEY)"); err != nil {
				t.Fatal(err)
			}
			if got := s.ShowCreate(t, name); len(got) != 1 || !strings.HasPrefix(got["t"], "CREATE TABLE `t` (\n") {
				t.Errorf("ShowCreate gives %q", got)
			}
			_, other := s.Database(t)
			if got := s.ShowCreate(t, other); len(got) != 0 {
				t.Errorf("a fresh database holds %q", got)
			}
		})
	}
}

func TestRequired(t *testing.T) {
	t.Setenv("INSTEP_REQUIRE", "docker, mariadb")
	for need, want := range map[string]bool{"docker": true, "mariadb": true, "mysql": false, "": false} {
		if got := Required(need); got != want {
			t.Errorf("%q: %v", need, got)
		}
	}
}
