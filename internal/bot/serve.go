package bot

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"golang.org/x/net/netutil"
)

// maxConnections bounds what slow clients can hold.
const maxConnections = 256

// closeTimeout bounds the answers that are under way when the bot is stopped.
const closeTimeout = 5 * time.Second

// Handler answers at /webhook, /healthz, /readyz and /metrics.
func (b *Bot) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/webhook", b.webhook)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, r *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		b.mu.Lock()
		defer b.mu.Unlock()
		switch {
		case b.closing:
			http.Error(w, "stopping", http.StatusServiceUnavailable)
		case b.stuck >= b.c.Workers:
			http.Error(w, "every worker has a check that does not end", http.StatusServiceUnavailable)
		default:
			fmt.Fprintln(w, "ok")
		}
	})
	mux.Handle("GET /metrics", b.metrics.handler())
	return mux
}

// Serve answers requests and does jobs until ctx is done; then it takes no more, lets running jobs come to an end for Config.Grace,
// and closes the store. Jobs that did not come to an end are done at the next start. A Bot serves once.
func (b *Bot) Serve(ctx context.Context, l net.Listener) error {
	base, stop := context.WithCancelCause(context.Background())
	defer stop(nil)
	server := &http.Server{
		Handler:           b.Handler(),
		ReadHeaderTimeout: b.c.Read / 3,
		ReadTimeout:       b.c.Read,
		WriteTimeout:      2 * b.c.Read,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(b.log.Handler(), slog.LevelDebug),
	}
	quit := make(chan struct{})
	var workers sync.WaitGroup
	for range b.c.Workers {
		workers.Go(func() { b.work(base, quit) })
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(netutil.LimitListener(l, maxConnections)) }()
	var err error
	select {
	case err = <-served:
	case <-ctx.Done():
	}
	b.mu.Lock()
	b.closing = true
	b.mu.Unlock()
	close(quit)
	b.log.Info("stopping")
	// Those who ask now hear that it is stopping; they have been answered when Shutdown is through.
	closing, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	if server.Shutdown(closing) != nil {
		server.Close()
	}
	idle := make(chan struct{})
	go func() { workers.Wait(); close(idle) }()
	select {
	case <-idle:
	case <-time.After(b.c.Grace):
		stop(errStopping)
		<-idle
	}
	if errors.Is(err, http.ErrServerClosed) {
		err = nil
	}
	return errors.Join(err, b.Close())
}

// Close closes the store of a bot that does not serve.
func (b *Bot) Close() error { return b.store.close() }
