package benchmarks

import (
	"context"

	"go.opentelemetry.io/otel/metric"
	noopmetric "go.opentelemetry.io/otel/metric/noop"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	nooptrace "go.opentelemetry.io/otel/trace/noop"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retryotel"
)

// WatchTitle and WatchAbout introduce the table of what it costs to observe a call.
const (
	WatchTitle = "Metrics and spans"
	WatchAbout = "A call with a prebuilt policy without history, observed by package retryotel with and without the SDK of " +
		"OpenTelemetry. One call succeeds at once; the other fails twice first, without waits. The SDK passes its spans to a " +
		"processor that drops them. A part of the cost is that of any hooks: they get records of the attempts, with wall-clock times."
)

// Watching is a way to observe calls.
type Watching struct {
	ID, Name string
	// Hooks returns the options that observe a call.
	Hooks func() ([]retry.Option, error)
	// Allocs is how often a call may allocate, whether its attempts fail or not. It is -1 if the
	// SDK decides that.
	Allocs float64
}

// Watchings returns all ways to observe calls, the cheapest first.
func Watchings() []Watching {
	meters, noMeters, noTracers := meters(), noopmetric.NewMeterProvider(), nooptrace.NewTracerProvider()
	return []Watching{
		{"none", "no hooks", func() ([]retry.Option, error) { return nil, nil }, 0},
		{"empty", "hooks that do nothing", emptyHooks, 0},
		{"unset", "retryotel, no provider set", otelHooks(nil, nil), 3},
		{"noop", "retryotel, no-op providers", otelHooks(noMeters, noTracers), 1},
		{"metrics", "retryotel, the SDK's metrics", otelHooks(meters, noTracers), 1},
		{"unsampled", "retryotel, the SDK's spans, not sampled", otelHooks(noMeters, tracers(sdktrace.NeverSample())), -1},
		{"all", "retryotel, the SDK's metrics and spans", otelHooks(meters, tracers(sdktrace.AlwaysSample())), -1},
	}
}

// Op returns a call that fails the given number of times and then succeeds.
func (w Watching) Op(fails int) (Op, error) {
	opts, err := w.Hooks()
	if err != nil {
		return nil, err
	}
	policy := retry.MustNew(append(opts, retry.WithName("fetch"),
		retry.WithBackoff(retry.Constant(0)), retry.WithHistorySize(0))...)
	job := &Job{Fails: fails}
	return func(ctx context.Context) error { return policy.Do(ctx, job.Do) }, nil
}

func emptyHooks() ([]retry.Option, error) {
	return []retry.Option{retry.WithHooks(retry.Hooks{
		Start:         func(ctx context.Context) context.Context { return ctx },
		BeforeAttempt: func(ctx context.Context, _ retry.Attempt) context.Context { return ctx },
		AfterAttempt:  func(context.Context, retry.Attempt) {},
		BeforeWait:    func(context.Context, retry.Attempt) {},
		Done:          func(context.Context, retry.Outcome) {},
	})}, nil
}

func otelHooks(m metric.MeterProvider, t trace.TracerProvider) func() ([]retry.Option, error) {
	return func() ([]retry.Option, error) {
		recorder, err := retryotel.New(retryotel.Config{MeterProvider: m, TracerProvider: t})
		if err != nil {
			return nil, err
		}
		return []retry.Option{retry.WithHooks(recorder.Hooks())}, nil
	}
}

func meters() metric.MeterProvider {
	return sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewManualReader()))
}

func tracers(s sdktrace.Sampler) trace.TracerProvider {
	return sdktrace.NewTracerProvider(sdktrace.WithSampler(s), sdktrace.WithSpanProcessor(dropped{}))
}

// dropped is a processor that costs nothing.
type dropped struct{}

func (dropped) OnStart(context.Context, sdktrace.ReadWriteSpan) {}
func (dropped) OnEnd(sdktrace.ReadOnlySpan)                     {}
func (dropped) Shutdown(context.Context) error                  { return nil }
func (dropped) ForceFlush(context.Context) error                { return nil }
