package retryotel_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retryotel"
)

var errDown = errors.New("down")

// kit is a Recorder with SDKs that keep what it records in memory.
type kit struct {
	*retryotel.Recorder
	reader *sdkmetric.ManualReader
	spans  *tracetest.SpanRecorder
	traces *sdktrace.TracerProvider
}

func newKit(t testing.TB) *kit {
	k := &kit{reader: sdkmetric.NewManualReader(), spans: tracetest.NewSpanRecorder()}
	k.traces = sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(k.spans))
	var err error
	k.Recorder, err = retryotel.New(retryotel.Config{
		MeterProvider:  sdkmetric.NewMeterProvider(sdkmetric.WithReader(k.reader)),
		TracerProvider: k.traces,
	})
	require.NoError(t, err)
	return k
}

// options returns the options of a recorded call that waits one second between attempts.
func (k *kit) options(opts ...retry.Option) []retry.Option {
	return append([]retry.Option{
		retry.WithName("fetch"), retry.WithHooks(k.Hooks()), retry.WithBackoff(retry.Constant(time.Second)),
	}, opts...)
}

// collect collects the metrics.
func (k *kit) collect(t assert.TestingT) metricdata.ResourceMetrics {
	var all metricdata.ResourceMetrics
	assert.NoError(t, k.reader.Collect(context.Background(), &all))
	return all
}

// figures are the collected values by "name{attributes}". A histogram has its sum there, and its
// count at "name.count{attributes}".
type figures map[string]float64

func (k *kit) figures(t assert.TestingT) figures {
	f := figures{}
	for _, scope := range k.collect(t).ScopeMetrics {
		for _, m := range scope.Metrics {
			f.read(t, m)
		}
	}
	return f
}

func (f figures) read(t assert.TestingT, m metricdata.Metrics) {
	set := func(suffix string, attributes attribute.Set, v float64) {
		f[m.Name+suffix+"{"+attributes.Encoded(attribute.DefaultEncoder())+"}"] = v
	}
	switch data := m.Data.(type) {
	case metricdata.Sum[int64]:
		for _, p := range data.DataPoints {
			set("", p.Attributes, float64(p.Value))
		}
	case metricdata.Gauge[float64]:
		for _, p := range data.DataPoints {
			set("", p.Attributes, p.Value)
		}
	case metricdata.Histogram[int64]:
		for _, p := range data.DataPoints {
			set("", p.Attributes, float64(p.Sum))
			set(".count", p.Attributes, float64(p.Count))
		}
	case metricdata.Histogram[float64]:
		for _, p := range data.DataPoints {
			set("", p.Attributes, p.Sum)
			set(".count", p.Attributes, float64(p.Count))
		}
	default:
		assert.Fail(t, "no such kind of metric", "%s: %T", m.Name, data)
	}
}

// total returns the sum over all attributes, or over those that contain a text.
func (f figures) total(name string, with ...string) (sum float64) {
	for key, v := range f {
		if !strings.HasPrefix(key, name+"{") {
			continue
		}
		if len(with) == 0 || strings.Contains(key, with[0]) {
			sum += v
		}
	}
	return sum
}

// assertAddUp checks that the instruments agree. They do while no call is running.
func (f figures) assertAddUp(t assert.TestingT) {
	calls := f.total("retry.calls")
	for _, name := range []string{"retry.call.attempts", "retry.call.duration", "retry.call.wait.duration"} {
		assert.Equal(t, calls, f.total(name+".count"), name)
	}
	for _, outcome := range []string{"retry.outcome=succeeded", "retry.outcome=failed"} {
		assert.Equal(t, f.total("retry.calls", outcome), f.total("retry.call.duration.count", outcome), outcome)
	}
	assert.Equal(t, f.total("retry.call.attempts"), f.total("retry.attempt.duration.count"), "attempts")
	assert.Equal(t, f.total("retry.calls", "reason=budget"), f.total("retry.budget.denials"), "denials")
}

// tree returns the ended spans, one a line, with their events and children indented below.
func (k *kit) tree() string {
	var b strings.Builder
	ended := k.spans.Ended()
	var write func(parent sdktrace.ReadOnlySpan, indent string)
	write = func(parent sdktrace.ReadOnlySpan, indent string) {
		for _, s := range ended {
			isRoot := true
			for _, p := range ended {
				if p.SpanContext().SpanID() == s.Parent().SpanID() {
					isRoot = false
				}
			}
			if parent == nil && !isRoot || parent != nil && s.Parent().SpanID() != parent.SpanContext().SpanID() {
				continue
			}
			set := attribute.NewSet(s.Attributes()...)
			fmt.Fprintf(&b, "%s%s {%s} %v", indent, s.Name(), set.Encoded(attribute.DefaultEncoder()), s.EndTime().Sub(s.StartTime()))
			if s.Status().Code != codes.Unset {
				fmt.Fprintf(&b, " %v: %s", s.Status().Code, s.Status().Description)
			}
			b.WriteByte('\n')
			for _, e := range s.Events() {
				set := attribute.NewSet(e.Attributes...)
				fmt.Fprintf(&b, "%s  * %s {%s}\n", indent, e.Name, set.Encoded(attribute.DefaultEncoder()))
			}
			write(s, indent+"  ")
		}
	}
	write(nil, "")
	return b.String()
}

// assertSpansEnded checks that every span has ended, once.
func (k *kit) assertSpansEnded(t assert.TestingT) {
	assert.Len(t, k.spans.Ended(), len(k.spans.Started()), "spans that have not ended")
}
