package retryotel_test

import (
	"context"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retryotel"
	"github.com/seed-205ff063/retry/retrypool"
)

// documentedBounds returns the bucket boundaries that the comment of Recorder lists.
func documentedBounds(t *testing.T) map[string][]float64 {
	source, err := os.ReadFile("recorder.go")
	require.NoError(t, err)
	_, table, found := strings.Cut(string(source), "bucket boundaries:\n//\n")
	require.True(t, found)
	bounds := map[string][]float64{}
	for line := range strings.Lines(table) {
		fields := strings.Fields(strings.TrimPrefix(line, "//"))
		if len(fields) == 0 {
			break
		}
		for _, field := range fields[1:] {
			bound, err := strconv.ParseFloat(field, 64)
			require.NoError(t, err)
			bounds[fields[0]] = append(bounds[fields[0]], bound)
		}
	}
	return bounds
}

// series returns how many of the series that Prometheus makes have the attribute.
func series(all metricdata.ResourceMetrics, with attribute.KeyValue) (n int) {
	has := func(set attribute.Set) bool { v, ok := set.Value(with.Key); return ok && v == with.Value }
	histogram := func(set attribute.Set, bounds []float64) {
		if has(set) {
			n += len(bounds) + 3 // the last bucket, the sum, the count
		}
	}
	for _, scope := range all.ScopeMetrics {
		for _, m := range scope.Metrics {
			switch data := m.Data.(type) {
			case metricdata.Histogram[float64]:
				for _, p := range data.DataPoints {
					histogram(p.Attributes, p.Bounds)
				}
			case metricdata.Histogram[int64]:
				for _, p := range data.DataPoints {
					histogram(p.Attributes, p.Bounds)
				}
			case metricdata.Sum[int64]:
				for _, p := range data.DataPoints {
					if has(p.Attributes) {
						n++
					}
				}
			case metricdata.Gauge[float64]:
				for _, p := range data.DataPoints {
					if has(p.Attributes) {
						n++
					}
				}
			}
		}
	}
	return n
}

// A policy whose calls end in every possible way, with and without retries, has as many series as
// the comment of Recorder says. So has a pool.
func TestSeries(t *testing.T) {
	t.Parallel()
	k := newKit(t)
	hooks := k.Hooks()
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for _, err := range []*retry.Error{
		nil,
		{Reason: retry.ErrExhausted},
		{Reason: retry.ErrMaxElapsed},
		{Reason: retry.ErrContext},
		{Reason: retry.ErrContext, Delay: time.Second},
		{Reason: retry.ErrPermanent},
		{Reason: retry.ErrRetryAfter},
		{Reason: retry.ErrBudget},
		{Reason: errDown},
	} {
		for _, attempts := range []int{1, 2} {
			hooks.AfterAttempt(ended, retry.Attempt{Name: "fetch", Number: attempts, Err: errDown})
			hooks.Done(ended, retry.Outcome{Name: "fetch", Attempts: attempts, Err: err})
		}
	}
	hooks.AfterAttempt(ended, retry.Attempt{Name: "fetch", Number: 1})
	assert.Equal(t, 60, series(k.collect(t), attribute.String("retry.policy.name", "fetch")))

	p := newPool(t, k, nil)
	events := retryotel.PoolEvents[int](k.Recorder, "mail")
	for _, tell := range []func(retrypool.Event[int]){
		events.Started, events.Succeeded, events.DeadLettered, events.Failed, events.Canceled,
	} {
		tell(retrypool.Event[int]{Attempt: 1}) // an event without a context is recorded too
	}
	assert.Equal(t, 55, series(k.collect(t), attribute.String("retry.pool.name", "mail")))
	require.NoError(t, p.Close(t.Context()))
}

// exemplars returns the spans that exemplars lead to, by the name of the instrument.
func exemplars(all metricdata.ResourceMetrics) map[string]map[string]bool {
	found := map[string]map[string]bool{}
	for _, scope := range all.ScopeMetrics {
		for _, m := range scope.Metrics {
			data, ok := m.Data.(metricdata.Histogram[float64])
			if !ok {
				continue
			}
			found[m.Name] = map[string]bool{}
			for _, p := range data.DataPoints {
				for _, e := range p.Exemplars {
					found[m.Name][string(e.SpanID)] = true
				}
			}
		}
	}
	return found
}

// The exemplars of an item lead to the span in which it was submitted, also if it is canceled.
func TestPoolExemplars(t *testing.T) {
	t.Parallel()
	k := newKit(t)
	hold := make(chan struct{})
	p, err := retrypool.New(func(_ context.Context, in int) (int, error) {
		if in == 1 {
			<-hold
			return 0, errDown
		}
		return in, nil
	}, retrypool.Config[int]{
		Workers: 1, Capacity: 10, Policy: retry.MustNew(retry.WithMaxAttempts(1)),
		Events: retryotel.PoolEvents[int](k.Recorder, "mail"),
	})
	require.NoError(t, err)
	want := map[string]map[string]bool{"retry.pool.queue.duration": {}, "retry.pool.item.duration": {}}
	for i := range 3 {
		ctx, span := k.traces.Tracer("test").Start(t.Context(), "request")
		id := span.SpanContext().SpanID()
		task, err := p.Submit(ctx, i)
		require.NoError(t, err)
		want["retry.pool.item.duration"][string(id[:])] = true
		if i == 2 {
			task.Cancel()
		} else {
			want["retry.pool.queue.duration"][string(id[:])] = true
		}
		if i == 0 {
			<-task.Done() // the SDK's reservoir has room for one exemplar at a time
			assert.Len(t, exemplars(k.collect(t))["retry.pool.item.duration"], 1)
		}
		span.End()
	}
	close(hold)
	require.NoError(t, p.Close(t.Context()))
	got := exemplars(k.collect(t))
	assert.Equal(t, want["retry.pool.item.duration"], got["retry.pool.item.duration"])
	for id := range got["retry.pool.queue.duration"] {
		assert.True(t, want["retry.pool.queue.duration"][id])
	}
	assert.NotEmpty(t, got["retry.pool.queue.duration"])
}
