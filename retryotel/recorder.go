package retryotel

import (
	"fmt"
	"io"
	"sync"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/seed-205ff063/retry"
)

// scope is the name of the meter and the tracer.
const scope = "github.com/seed-205ff063/retry/retryotel"

// Config says where a [Recorder] records.
type Config struct {
	// MeterProvider makes the instruments. To turn metrics off, use the one of
	// go.opentelemetry.io/otel/metric/noop.
	// The default is otel.GetMeterProvider(), even if that is set later.
	MeterProvider metric.MeterProvider
	// TracerProvider makes the spans. To turn traces off, use the one of
	// go.opentelemetry.io/otel/trace/noop.
	// The default is otel.GetTracerProvider(), even if that is set later.
	TracerProvider trace.TracerProvider
}

// Recorder records calls, budgets and pools. Make one with [New] for all policies, budgets and
// pools of the program: a Recorder checks that names are distinct, but only among its own. Most
// callers should use [Recorder.Hooks]. A Recorder must not be copied. It is safe for concurrent
// use.
//
// # Cost in time series
//
// The histograms advise these bucket boundaries:
//
//	retry.call.attempts       1 2 3 5
//	retry.call.duration       0.01 0.1 1 10
//	retry.call.wait.duration  0 1 10
//	retry.attempt.duration    0.01 0.1 1 10
//	retry.pool.queue.duration 0.01 0.1 1 10 60 600
//	retry.pool.item.duration  0.01 0.1 1 10 60 600
//
// A policy then has at most 60 series in Prometheus, a pool 55 and a budget 1. For each
// combination of attributes, every boundary is a series, and so are the last bucket, the sum and
// the count. A view of the program can set finer boundaries or exponential histograms.
//
// A Recorder records at most 256 names of policies and 256 names of pools. Policies and pools with
// later names are recorded under "_other". A name counts for the life of the Recorder, even when
// its pool is no longer observed. The names of budgets are not limited; see ObserveBudget.
//
// # Exemplars
//
// Measurements of calls and items are recorded with their context, so that exemplars lead to the
// trace of the caller or submitter. Values that are observed at a collection have no exemplars.
type Recorder struct {
	instruments
	tracer   trace.Tracer
	policies labelCache

	mu       sync.Mutex
	observed map[observedName]bool
	pools    map[string]bool // names that pools are recorded under, at most maxNames
}

// New makes a Recorder. It returns an error if the provider refuses an instrument, for example
// because of a view that does not fit. The error names every refused instrument.
func New(c Config) (*Recorder, error) {
	if c.MeterProvider == nil {
		c.MeterProvider = otel.GetMeterProvider()
	}
	if c.TracerProvider == nil {
		c.TracerProvider = otel.GetTracerProvider()
	}
	r := &Recorder{
		tracer:   c.TracerProvider.Tracer(scope),
		observed: map[observedName]bool{},
		pools:    map[string]bool{},
	}
	if err := r.create(c.MeterProvider.Meter(scope)); err != nil {
		return nil, err
	}
	return r, nil
}

// Format writes "retryotel.Recorder" for every verb. It prevents package fmt from reading the
// Recorder while others write it.
func (r *Recorder) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "retryotel.Recorder") }

// MustNew is like [New] but panics if there is an error. It is for package-level variables.
func MustNew(c Config) *Recorder {
	r, err := New(c)
	if err != nil {
		panic(err)
	}
	return r
}

// fault is one error in the arguments of a function.
type fault struct{ function, problem string }

func (f fault) Error() string        { return "retryotel: " + f.function + ": " + f.problem }
func (f fault) Is(target error) bool { return target == retry.ErrOption }
