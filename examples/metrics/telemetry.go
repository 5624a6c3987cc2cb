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

// telemetry is everything that measures the program.
type telemetry struct {
	recorder *retryotel.Recorder
	provider *metric.MeterProvider
	registry *prometheus.Registry
	counts   *expvar.Map
	history  *retry.History // the newest attempts of all policies
}

// expvarMap is the program's part of /debug/vars. A process can publish a name only once.
var expvarMap = expvar.NewMap("retry")

func newTelemetry() (*telemetry, error) {
	m := &telemetry{registry: prometheus.NewRegistry(), counts: expvarMap.Init(), history: retry.NewHistory(20)}
	reader, err := exporter.New(exporter.WithRegisterer(m.registry), exporter.WithoutScopeInfo())
	if err != nil {
		return nil, err
	}
	m.provider = metric.NewMeterProvider(metric.WithReader(reader))
	m.recorder, err = retryotel.New(retryotel.Config{MeterProvider: m.provider})
	return m, err
}

// policy returns a policy that is measured in every way.
func (m *telemetry) policy(name string, opts ...retry.Option) *retry.Policy {
	return retry.MustNew(append([]retry.Option{
		retry.WithName(name),
		retry.WithHooks(m.recorder.Hooks()),
		retry.WithHooks(m.countingHooks()),
		retry.WithHistory(m.history),
	}, opts...)...)
}

// countingHooks returns hooks that count with expvar, for programs that want no dependency.
func (m *telemetry) countingHooks() retry.Hooks {
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

// handler serves the three pages. Do not show those under /debug to strangers.
func (m *telemetry) handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{}))
	mux.Handle("GET /debug/vars", expvar.Handler())
	mux.HandleFunc("GET /debug/retry", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		out := json.NewEncoder(w)
		out.SetIndent("", "  ")
		_ = out.Encode(lastAttempts(m.history)) // an error means that the client is gone
	})
	return mux
}
