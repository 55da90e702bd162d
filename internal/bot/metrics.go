package bot

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// metrics are what /metrics shows. No label takes a stranger's text.
type metrics struct {
	registry    *prometheus.Registry
	deliveries  *prometheus.CounterVec
	jobs        *prometheus.HistogramVec
	superseded  prometheus.Counter
	forgeErrors *prometheus.CounterVec
}

func newMetrics(b *Bot) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		deliveries: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "instep_deliveries_total", Help: "Webhook deliveries by event and what became of them.",
		}, []string{"event", "outcome"}),
		jobs: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "instep_job_duration_seconds", Help: "Jobs that ran, by how they ended: done, retried, requeued or failed.",
			Buckets: []float64{.05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300},
		}, []string{"outcome"}),
		superseded: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "instep_superseded_total", Help: "Jobs whose place a newer head has taken, waiting or running.",
		}),
		forgeErrors: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "instep_forge_errors_total", Help: "Requests that the forge refused after all retries, by what they were for.",
		}, []string{"what"}),
	}
	gauge := func(name, help string, f func() int) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, func() float64 {
			b.mu.Lock()
			defer b.mu.Unlock()
			return float64(f())
		})
	}
	m.registry.MustRegister(m.deliveries, m.jobs, m.superseded, m.forgeErrors,
		gauge("instep_queue_length", "Jobs that wait.", b.waiting),
		gauge("instep_jobs_running", "Jobs that run.", func() int { return len(b.running) }),
		gauge("instep_checks_stuck", "Checks that go on after their time.", func() int { return b.stuck }),
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// waiting counts the jobs that do not run. What runs may have been dropped already.
func (b *Bot) waiting() int {
	n := len(b.jobs)
	for _, r := range b.running {
		if b.jobs[r.id] != nil {
			n--
		}
	}
	return n
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4})
}
