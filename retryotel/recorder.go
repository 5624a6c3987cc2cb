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
	// MeterProvider makes the instruments. One of go.opentelemetry.io/otel/metric/noop turns
	// them off.
	// The default is otel.GetMeterProvider(), also if that is set later.
	MeterProvider metric.MeterProvider
	// TracerProvider makes the spans. One of go.opentelemetry.io/otel/trace/noop turns them off.
	// The default is otel.GetTracerProvider(), also if that is set later.
	TracerProvider trace.TracerProvider
}

// Recorder records calls, budgets and pools, see the package's comment. Make one with [New],
// for all policies, budgets and pools: that names differ is looked at within a Recorder alone.
// The usual method is [Recorder.Hooks]. A Recorder must not be copied. It is safe for
// concurrent use.
type Recorder struct {
	instruments
	tracer   trace.Tracer
	policies labelCache

	mu       sync.Mutex
	observed map[observedName]bool
	pools    map[string]bool // the names that pools are recorded under, at most mostNames
}

// New makes a Recorder. The error is the providers' own, which refused an instrument, say
// because of a view that does not fit it; it names every one that was refused.
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

// Format writes "retryotel.Recorder", whatever the verb is. Package fmt would read the Recorder while
// others write it.
func (r *Recorder) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "retryotel.Recorder") }

// MustNew is like [New] but panics at an error. It is for package-level variables.
func MustNew(c Config) *Recorder {
	r, err := New(c)
	if err != nil {
		panic(err)
	}
	return r
}

// fault is one thing that is wrong with what a function was given.
type fault struct{ function, problem string }

func (f fault) Error() string        { return "retryotel: " + f.function + ": " + f.problem }
func (f fault) Is(target error) bool { return target == retry.ErrOption }
