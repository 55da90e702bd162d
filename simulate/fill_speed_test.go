package simulate

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"

	"instep/analyzer/schema"
	"instep/simulate/servertest"
)

// speedTable has ten columns, a unique key and a plain one.
const speedTable = `CREATE TABLE orders (id bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY, customer_id int NOT NULL, email varchar(255) NOT NULL, name varchar(100), amount decimal(10,2) NOT NULL,
 status enum('new','paid','shipped') NOT NULL, created datetime NOT NULL, updated timestamp NULL, note text, flag tinyint(1) NOT NULL DEFAULT 0, UNIQUE KEY u_email (email), KEY k_customer (customer_id, created))`

// speed loads rows into that table, by fill and by a plain LOAD DATA from a file that was written before, and gives both times
// and how much this process's heap grew to.
func speed(t testing.TB, srv *Server, rows int64) (filled, plain time.Duration, heap uint64) {
	t.Helper()
	ctx := context.Background()
	s := applied(t, srv.Version, nil, speedTable)
	c, name := guestIn(t, srv)
	runAll(t, c, speedTable)
	// The same rows, in a file.
	m := newMaker(s.Table("orders"), 1, nil)
	m.plan(uint64(rows))
	m.edgeRows()
	path := filepath.Join(t.TempDir(), "rows")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w := bufio.NewWriterSize(file, 1<<20)
	if _, err := io.Copy(w, &rowReader{ctx: ctx, m: m, end: uint64(rows), told: func(uint64) {}}); err != nil {
		t.Fatal(err)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}

	runtime.GC()
	var before runtime.MemStats
	runtime.ReadMemStats(&before)
	var peak atomic.Uint64
	stop := make(chan struct{})
	defer func() { heap = peak.Load() }()
	watch := func() {
		for {
			select {
			case <-stop:
				return
			case <-time.After(50 * time.Millisecond):
				var now runtime.MemStats
				runtime.ReadMemStats(&now)
				if now.HeapAlloc > before.HeapAlloc {
					peak.Store(max(peak.Load(), now.HeapAlloc-before.HeapAlloc))
				}
			}
		}
	}
	go watch()
	start := time.Now()
	got, err := fill(ctx, srv, name, s, RowOptions{Each: rows, Seed: 1}, Progress{Note: func(s string) { t.Log(s) }})
	filled = time.Since(start)
	close(stop)
	if err != nil || got["orders"] != rows {
		t.Fatal(got, err)
	}

	runAll(t, c, "TRUNCATE TABLE orders")
	admin, err := srv.session(ctx, asAdmin, name)
	if err != nil {
		t.Fatal(err)
	}
	defer admin.close()
	was := one(t, admin, "SELECT @@GLOBAL.local_infile")
	runAll(t, admin, "SET GLOBAL local_infile = 1")
	defer func() { runAll(t, admin, "SET GLOBAL local_infile = "+was) }()
	mysql.RegisterLocalFile(path)
	defer mysql.DeregisterLocalFile(path)
	start = time.Now()
	if err := admin.exec(ctx, "LOAD DATA LOCAL INFILE '"+path+"' INTO TABLE orders CHARACTER SET binary"); err != nil {
		t.Fatal(err)
	}
	plain = time.Since(start)
	if n := one(t, admin, "SELECT COUNT(*) FROM orders"); n != fmt.Sprint(rows) {
		t.Fatalf("the file has %s rows", n)
	}
	return filled, plain, heap
}

// TestFillSpeed holds fill to half the speed of a plain LOAD DATA, on the better of three tries, and its memory to a bound.
func TestFillSpeed(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED, NOT TESTED: speed (-short)")
	}
	bothServers(t, func(t *testing.T, srv *Server) {
		best := 0.0
		for try := 0; try < 3 && best < 0.5; try++ {
			filled, plain, heap := speed(t, srv, 40_000)
			t.Logf("%s: %v, a plain LOAD DATA %v, %d MB of heap", srv.Name, filled.Round(time.Millisecond), plain.Round(time.Millisecond), heap>>20)
			if heap > 64<<20 {
				t.Errorf("the heap grew by %d MB", heap>>20)
			}
			best = max(best, plain.Seconds()/filled.Seconds())
		}
		if best < 0.5 {
			t.Errorf("%s: fill is %.2f as fast as LOAD DATA", srv.Name, best)
		}
	})
}

// BenchmarkFill loads a million rows of ten columns.
func BenchmarkFill(b *testing.B) {
	for name, start := range map[string]func(testing.TB) *servertest.Server{"mysql": servertest.MySQL, "mariadb": servertest.MariaDB} {
		b.Run(name, func(b *testing.B) {
			srv := testServer(b, start(b))
			for b.Loop() {
				filled, plain, heap := speed(b, srv, 1_000_000)
				b.ReportMetric(filled.Seconds(), "fill-s")
				b.ReportMetric(plain.Seconds(), "load-s")
				b.ReportMetric(plain.Seconds()/filled.Seconds(), "ratio")
				b.ReportMetric(float64(heap>>20), "heap-MB")
			}
		})
	}
}

// BenchmarkRows makes rows without a server.
func BenchmarkRows(b *testing.B) {
	s := applied(b, schema.Server{Major: 9, Minor: 7}, nil, speedTable)
	m := newMaker(s.Table("orders"), 1, nil)
	m.plan(1 << 40)
	m.edgeRows()
	i := m.edgesEnd()
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		buf = m.appendRow(buf[:0], i)
		i++
	}
	b.SetBytes(int64(len(buf)))
}
