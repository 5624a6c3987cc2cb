package benchmarks_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry/benchmarks"
)

// A comparison is fair only if the libraries do the same work. Each Op runs three times, because
// some libraries keep state from one run to the next.
func TestEveryLibraryMakesTheSameCalls(t *testing.T) {
	t.Parallel()
	for _, c := range benchmarks.Cases() {
		for _, l := range benchmarks.Libraries() {
			job := &benchmarks.Job{Fails: c.Fails}
			op := c.Build(l, job.Do)
			if op == nil {
				continue
			}
			t.Run(c.ID+"/"+l.ID, func(t *testing.T) {
				t.Parallel()
				ctx, cancel := contextOf(c)
				defer cancel()
				for run := 1; run <= 3; run++ {
					err := op(ctx)
					assert.Equal(t, c.GivesUp, err != nil, "run %d: %v", run, err)
					if !c.Loose {
						assert.Equal(t, run*c.Calls, job.Calls, "calls after run %d", run)
					}
				}
			})
		}
	}
}

func TestEveryPeerIsInEveryCase(t *testing.T) {
	t.Parallel()
	for _, c := range benchmarks.Cases() {
		for _, l := range benchmarks.Peers() {
			assert.NotNil(t, c.Build(l, new(benchmarks.Job).Do), "%s: %s", c.ID, l.ID)
		}
	}
	assert.Len(t, benchmarks.Peers(), 6)
}

// No delay is longer than an exponential backoff allows; jitter only shortens it.
func TestDelaysAreComparable(t *testing.T) {
	t.Parallel()
	for _, d := range benchmarks.Delays() {
		t.Run(d.ID, func(t *testing.T) {
			t.Parallel()
			next := d.Next()
			for range 2 { // the second round starts over
				for n := 1; n <= 8; n++ {
					got := next(n)
					assert.GreaterOrEqual(t, got, time.Duration(0), "after attempt %d", n)
					assert.LessOrEqual(t, got, 100*time.Millisecond<<(n+1), "after attempt %d", n)
				}
			}
		})
	}
}

// TestOurAllocations checks the allocations that BENCHMARKS.md promises.
func TestOurAllocations(t *testing.T) {
	want := map[string]map[string]float64{
		"first":         {"retry": 0},
		"first-int":     {"retry": 0},
		"first-struct":  {"retry": 0},
		"first-context": {"retry": 0},
		"first-literal": {"retry": 0},
		"options":       {"retry": 1, "retry-derived": 1, "retry-list": 2, "retry-lists": 3},
		"two-zero":      {"retry": 1, "retry-no-history": 0},
		"five-zero":     {"retry": 2, "retry-no-history": 1},
		"permanent":     {"retry": 3, "retry-stop-if": 2},
		"all-two":       {"retry": 1, "retry-no-history": 0},
	}
	for _, c := range benchmarks.Cases() {
		for _, l := range benchmarks.Libraries() {
			most, promised := want[c.ID][l.ID]
			if !promised {
				continue
			}
			t.Run(c.ID+"/"+l.ID, func(t *testing.T) {
				ctx, cancel := contextOf(c)
				defer cancel()
				op := c.Build(l, c.Function())
				require.NotNil(t, op)
				assert.LessOrEqual(t, testing.AllocsPerRun(100, func() { _ = op(ctx) }), most)
				delete(want[c.ID], l.ID)
			})
		}
	}
	for id, left := range want {
		assert.Empty(t, left, "promised but not measured in %s", id)
	}
}

func BenchmarkCall(b *testing.B) {
	for _, c := range benchmarks.Cases() {
		for _, l := range benchmarks.Libraries() {
			op := c.Build(l, c.Function())
			if op == nil {
				continue
			}
			b.Run(c.ID+"/"+l.ID, func(b *testing.B) {
				ctx, cancel := contextOf(c)
				defer cancel()
				b.ReportAllocs()
				if c.Parallel {
					b.RunParallel(func(pb *testing.PB) {
						for pb.Next() {
							_ = op(ctx)
						}
					})
					return
				}
				for b.Loop() {
					_ = op(ctx)
				}
			})
		}
	}
}

func BenchmarkDelay(b *testing.B) {
	for _, d := range benchmarks.Delays() {
		b.Run(d.ID, func(b *testing.B) {
			next := d.Next()
			n := 0
			var total time.Duration
			b.ReportAllocs()
			for b.Loop() {
				n = n&7 + 1
				total += next(n)
			}
			sink = total
		})
	}
}

// BenchmarkClock measures one reading of the clock.
func BenchmarkClock(b *testing.B) {
	base := time.Now()
	b.Run("now", func(b *testing.B) {
		b.ReportAllocs()
		var t time.Time
		for b.Loop() {
			t = time.Now()
		}
		sink = t.Sub(base)
	})
	b.Run("since", func(b *testing.B) {
		b.ReportAllocs()
		var d time.Duration
		for b.Loop() {
			d = time.Since(base)
		}
		sink = d
	})
}

var sink time.Duration

func contextOf(c benchmarks.Case) (context.Context, context.CancelFunc) {
	if c.Cancel {
		return context.WithCancel(context.Background())
	}
	return context.Background(), func() {}
}
