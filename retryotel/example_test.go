package retryotel_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retryotel"
	"github.com/seed-205ff063/retry/retrypool"
	"github.com/seed-205ff063/retry/retrytest"
)

// show collects and prints the sums and gauges, and the counts of histograms. It leaves out the
// instruments whose names begin with one of the prefixes.
func show(reader *sdkmetric.ManualReader, without ...string) {
	var all metricdata.ResourceMetrics
	_ = reader.Collect(context.Background(), &all)
	var lines []string
	for _, scope := range all.ScopeMetrics {
		for _, m := range scope.Metrics {
			if slices.ContainsFunc(without, func(prefix string) bool { return strings.HasPrefix(m.Name, prefix) }) {
				continue
			}
			add := func(labels attribute.Set, value any) {
				lines = append(lines, fmt.Sprintf("%s{%s} %v", m.Name, labels.Encoded(attribute.DefaultEncoder()), value))
			}
			switch data := m.Data.(type) {
			case metricdata.Sum[int64]:
				for _, p := range data.DataPoints {
					add(p.Attributes, p.Value)
				}
			case metricdata.Gauge[float64]:
				for _, p := range data.DataPoints {
					add(p.Attributes, p.Value)
				}
			case metricdata.Histogram[float64]:
				for _, p := range data.DataPoints {
					add(p.Attributes, fmt.Sprint("measured ", p.Count))
				}
			case metricdata.Histogram[int64]:
				for _, p := range data.DataPoints {
					add(p.Attributes, fmt.Sprint("measured ", p.Count, ", sum ", p.Sum))
				}
			}
		}
	}
	slices.Sort(lines)
	fmt.Println(strings.Join(lines, "\n"))
}

func Example() {
	reader := sdkmetric.NewManualReader() // a program uses an exporter's
	recorder, err := retryotel.New(retryotel.Config{
		MeterProvider: sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)),
	})
	if err != nil {
		panic(err)
	}
	policy := retry.MustNew(
		retry.WithName("fetch"), retry.WithHooks(recorder.Hooks()), retry.WithClock(new(retrytest.Clock)))

	_ = policy.Do(context.Background(), succeeds)
	_ = policy.Do(context.Background(), retrytest.Fail(2, errors.New("status 503")))
	_ = policy.Do(context.Background(), retrytest.Fail(9, retry.Permanent(errors.New("status 404"))))
	show(reader)
	// Output:
	// retry.attempt.duration{retry.outcome=failed,retry.policy.name=fetch} measured 3
	// retry.attempt.duration{retry.outcome=succeeded,retry.policy.name=fetch} measured 2
	// retry.call.attempts{retry.policy.name=fetch} measured 3, sum 5
	// retry.call.duration{retry.outcome=failed,retry.policy.name=fetch} measured 1
	// retry.call.duration{retry.outcome=succeeded,retry.policy.name=fetch} measured 2
	// retry.call.wait.duration{retry.policy.name=fetch} measured 3
	// retry.calls{retry.outcome=failed,retry.policy.name=fetch,retry.reason=permanent,retry.retried=false} 1
	// retry.calls{retry.outcome=succeeded,retry.policy.name=fetch,retry.retried=false} 1
	// retry.calls{retry.outcome=succeeded,retry.policy.name=fetch,retry.retried=true} 1
}

func ExampleNew() {
	// This uses the global providers, even if they are set later.
	recorder, err := retryotel.New(retryotel.Config{})
	if err != nil {
		panic(err)
	}
	err = retry.Do(context.Background(), succeeds, retry.WithHooks(recorder.Hooks()))
	fmt.Println(err)
	// Output: <nil>
}

// Policies are often package-level variables, and so is the recorder that they share.
func ExampleMustNew() {
	var (
		recorder = retryotel.MustNew(retryotel.Config{})
		base     = retry.MustNew(retry.WithHooks(recorder.Hooks()))
		fetch    = retry.MustNew(base, retry.WithName("fetch"))
		store    = retry.MustNew(base, retry.WithName("store"), retry.WithMaxAttempts(2))
	)
	fmt.Println(fetch.Do(context.Background(), succeeds))
	fmt.Println(store.Do(context.Background(), succeeds))
	// Output:
	// <nil>
	// <nil>
}

func ExampleConfig() {
	spans := tracetest.NewSpanRecorder() // a program uses an exporter
	recorder := retryotel.MustNew(retryotel.Config{
		TracerProvider: sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans)),
	})
	_ = retry.Do(context.Background(), retrytest.Fail(1, errors.New("status 503")),
		retry.WithName("fetch"), retry.WithHooks(recorder.Hooks()), retry.WithClock(new(retrytest.Clock)))
	for _, span := range spans.Ended() {
		fmt.Printf("%s: %q\n", span.Name(), span.Status().Description)
	}
	// Output:
	// retry.attempt: "status 503"
	// retry.attempt: ""
	// retry fetch: ""
}

// One recorder serves all policies, budgets and pools.
func ExampleRecorder() {
	reader := sdkmetric.NewManualReader()
	recorder := retryotel.MustNew(retryotel.Config{
		MeterProvider: sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)),
	})
	for _, name := range []string{"fetch", "store"} {
		_ = retry.Do(context.Background(), succeeds, retry.WithName(name), retry.WithHooks(recorder.Hooks()))
	}
	show(reader, "retry.call.", "retry.attempt.")
	// Output:
	// retry.calls{retry.outcome=succeeded,retry.policy.name=fetch,retry.retried=false} 1
	// retry.calls{retry.outcome=succeeded,retry.policy.name=store,retry.retried=false} 1
}

// Spans that the function makes are children of the attempt's span.
func ExampleRecorder_Hooks() {
	spans := tracetest.NewSpanRecorder()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans))
	recorder := retryotel.MustNew(retryotel.Config{TracerProvider: provider})

	_ = retry.Do(context.Background(), func(ctx context.Context) error {
		_, span := provider.Tracer("database").Start(ctx, "query")
		defer span.End()
		return nil
	}, retry.WithName("fetch"), retry.WithHooks(recorder.Hooks()))

	names := map[any]string{}
	for _, span := range spans.Started() {
		names[span.SpanContext().SpanID()] = span.Name()
		fmt.Printf("%s in %q\n", span.Name(), names[span.Parent().SpanID()])
	}
	// Output:
	// retry fetch in ""
	// retry.attempt in "retry fetch"
	// query in "retry.attempt"
}

func ExampleRecorder_ObserveBudget() {
	reader := sdkmetric.NewManualReader()
	recorder := retryotel.MustNew(retryotel.Config{
		MeterProvider: sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)),
	})
	budget := retry.NewBudget(0.1, 3)
	stop, err := recorder.ObserveBudget("search", budget)
	if err != nil {
		panic(err)
	}
	defer stop()

	_ = retry.Do(context.Background(), retrytest.Fail(9, errors.New("status 503")), retry.WithName("fetch"),
		retry.WithBudget(budget), retry.WithHooks(recorder.Hooks()), retry.WithClock(new(retrytest.Clock)))
	show(reader, "retry.call", "retry.attempt.")
	// Output:
	// retry.budget.denials{retry.policy.name=fetch} 1
	// retry.budget.tokens{retry.budget.name=search} 0
}

func ExampleRecorder_ObservePool() {
	reader := sdkmetric.NewManualReader()
	recorder := retryotel.MustNew(retryotel.Config{
		MeterProvider: sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)),
	})
	pool, err := retrypool.New(func(_ context.Context, in int) (int, error) {
		return in, nil
	}, retrypool.Config[int]{Workers: 2, Capacity: 10})
	if err != nil {
		panic(err)
	}
	stop, err := recorder.ObservePool("mail", pool)
	if err != nil {
		panic(err)
	}
	defer stop()

	for i := range 5 {
		_, _ = pool.Submit(context.Background(), i)
	}
	_ = pool.Close(context.Background())
	show(reader)
	// Output:
	// retry.pool.capacity{retry.pool.name=mail} 10
	// retry.pool.items{retry.pool.name=mail,retry.pool.state=parked} 0
	// retry.pool.items{retry.pool.name=mail,retry.pool.state=queued} 0
	// retry.pool.items{retry.pool.name=mail,retry.pool.state=running} 0
	// retry.pool.retries{retry.pool.name=mail} 0
	// retry.pool.settled{retry.pool.name=mail,retry.pool.outcome=canceled} 0
	// retry.pool.settled{retry.pool.name=mail,retry.pool.outcome=dead_lettered} 0
	// retry.pool.settled{retry.pool.name=mail,retry.pool.outcome=failed} 0
	// retry.pool.settled{retry.pool.name=mail,retry.pool.outcome=succeeded} 5
	// retry.pool.submitted{retry.pool.name=mail} 5
}

// The hooks of a pool's policy record its items as calls. The pool's events record how long items
// were queued and took.
func ExamplePoolEvents() {
	reader := sdkmetric.NewManualReader()
	recorder := retryotel.MustNew(retryotel.Config{
		MeterProvider: sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)),
	})
	events := retryotel.PoolEvents[int](recorder, "mail")
	canceled := events.Canceled
	events.Canceled = func(e retrypool.Event[int]) { // the program's own callback
		fmt.Println("canceled:", e.Item)
		canceled(e)
	}
	pool, err := retrypool.New(func(_ context.Context, in int) (int, error) {
		return in, nil
	}, retrypool.Config[int]{
		Workers: 2, Capacity: 10, Events: events,
		Policy: retry.MustNew(retry.WithName("send"), retry.WithHooks(recorder.Hooks())),
	})
	if err != nil {
		panic(err)
	}
	for i := range 5 {
		_, _ = pool.Submit(context.Background(), i)
	}
	_ = pool.Close(context.Background())
	show(reader, "retry.call.", "retry.attempt.")
	// Output:
	// retry.calls{retry.outcome=succeeded,retry.policy.name=send,retry.retried=false} 5
	// retry.pool.item.duration{retry.pool.name=mail,retry.pool.outcome=succeeded} measured 5
	// retry.pool.queue.duration{retry.pool.name=mail} measured 5
}

func succeeds(context.Context) error { return nil }

func ExampleRecorder_Format() {
	recorder := retryotel.MustNew(retryotel.Config{})
	fmt.Println(recorder)
	// Output: retryotel.Recorder
}
