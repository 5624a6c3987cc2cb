package main

import (
	"context"
	"encoding/json"
	"expvar"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	exporter "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/sdk/metric"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retryotel"
)

// measures is what the program is measured with.
type measures struct {
	recorder *retryotel.Recorder
	provider *metric.MeterProvider
	registry *prometheus.Registry
	counts   *expvar.Map
	history  *retry.History // the last attempts of all policies
}

// published is what /debug/vars shows besides Go's own: a process has one of each name.
var published = expvar.NewMap("retry")

func newMeasures() (*measures, error) {
	m := &measures{registry: prometheus.NewRegistry(), counts: published.Init(), history: retry.NewHistory(20)}
	reader, err := exporter.New(exporter.WithRegisterer(m.registry), exporter.WithoutScopeInfo())
	if err != nil {
		return nil, err
	}
	m.provider = metric.NewMeterProvider(metric.WithReader(reader))
	m.recorder, err = retryotel.New(retryotel.Config{MeterProvider: m.provider})
	return m, err
}

// policy is one that is measured in every way.
func (m *measures) policy(name string, opts ...retry.Option) *retry.Policy {
	return retry.MustNew(append([]retry.Option{
		retry.WithName(name),
		retry.WithHooks(m.recorder.Hooks()),
		retry.WithHooks(m.counting()),
		retry.WithHistory(m.history),
	}, opts...)...)
}

// counting are hooks that count with expvar, for programs that want no dependency.
func (m *measures) counting() retry.Hooks {
	return retry.Hooks{
		AfterAttempt: func(_ context.Context, a retry.Attempt) { m.counts.Add(a.Name+" attempts", 1) },
		Done: func(_ context.Context, o retry.Outcome) {
			outcome := " succeeded"
			if o.Err != nil {
				outcome = " failed"
			}
			m.counts.Add(o.Name+outcome, 1)
			m.counts.AddFloat(o.Name+" seconds waited", o.Waited.Seconds())
		},
	}
}

// handler serves the figures. The paths under /debug tell more than strangers should know.
func (m *measures) handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{}))
	mux.Handle("GET /debug/vars", expvar.Handler())
	mux.HandleFunc("GET /debug/retry", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		out := json.NewEncoder(w)
		out.SetIndent("", "  ")
		_ = out.Encode(lastAttempts(m.history)) // of a client that is gone
	})
	return mux
}
