package benchmarks_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry/benchmarks"
)

var watched = map[string]int{"first": 0, "third": 2} // failures, by the name of the call

// retryotel itself allocates nothing. The API of OpenTelemetry allocates a context for a span even
// if nobody records it.
func TestWatchingAllocates(t *testing.T) {
	for _, w := range benchmarks.Watchings() {
		for id, fails := range watched {
			op, err := w.Op(fails)
			require.NoError(t, err)
			require.NoError(t, op(context.Background()))
			if w.Allocs >= 0 {
				assert.LessOrEqual(t, testing.AllocsPerRun(100, func() { _ = op(context.Background()) }), w.Allocs, "%s, %s", w.ID, id)
			}
		}
	}
}

// BenchmarkWatch measures what it costs to observe a call.
func BenchmarkWatch(b *testing.B) {
	for _, id := range []string{"first", "third"} {
		for _, w := range benchmarks.Watchings() {
			b.Run(id+"/"+w.ID, func(b *testing.B) {
				op, err := w.Op(watched[id])
				require.NoError(b, err)
				ctx := context.Background()
				b.ReportAllocs()
				for b.Loop() {
					_ = op(ctx)
				}
			})
		}
	}
}
