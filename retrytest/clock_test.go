package retrytest_test

import (
	"errors"
	"math"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry/retrytest"
)

var (
	errDown = errors.New("connection refused")
	start   = time.Date(2000, time.January, 1, 0, 0, 0, 0, time.UTC)
)

func TestClockStarts(t *testing.T) {
	t.Parallel()
	other := time.Date(2031, time.May, 6, 7, 8, 9, 10, time.FixedZone("x", 3600))
	for name, row := range map[string]struct {
		clock *retrytest.Clock
		want  time.Time
	}{
		"zero value": {new(retrytest.Clock), start},
		"given":      {retrytest.NewClock(other), other},
		"zero time":  {retrytest.NewClock(time.Time{}), start},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, row.want, row.clock.Now())
			assert.Equal(t, row.want, row.clock.Now(), "time does not pass by itself")
			assert.Empty(t, row.clock.Waits())
		})
	}
}

func TestClockAfter(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		waits []time.Duration
		want  time.Duration // how far the time has advanced
	}{
		"one":      {[]time.Duration{time.Second}, time.Second},
		"several":  {[]time.Duration{3, 1, 2, 1}, 7},
		"zero":     {[]time.Duration{0}, 0},
		"negative": {[]time.Duration{time.Second, -time.Hour}, time.Second},
		"longest":  {[]time.Duration{math.MaxInt64}, math.MaxInt64},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var clk retrytest.Clock
			for _, d := range row.waits {
				due := clk.After(d)
				select {
				case now := <-due:
					assert.Equal(t, clk.Now(), now)
				default:
					t.Fatalf("After(%v) is not ready", d)
				}
			}
			assert.Equal(t, row.want, clk.Now().Sub(start))
			assert.Equal(t, row.waits, clk.Waits())
		})
	}
}

func TestClockAdvance(t *testing.T) {
	t.Parallel()
	var clk retrytest.Clock
	clk.Advance(time.Minute)
	clk.Advance(0)
	assert.Equal(t, start.Add(time.Minute), clk.Now())
	assert.Empty(t, clk.Waits(), "no wait took place")
	assert.PanicsWithValue(t, "retrytest: Advance: -1ns is negative", func() { clk.Advance(-1) })
	assert.Equal(t, start.Add(time.Minute), clk.Now())
}

// TestClockGoesFar checks times beyond 292 years, which do not fit a time.Duration.
func TestClockGoesFar(t *testing.T) {
	t.Parallel()
	var clk retrytest.Clock
	for range 4 {
		before := clk.Now()
		clk.After(math.MaxInt64)
		require.Equal(t, time.Duration(math.MaxInt64), clk.Now().Sub(before))
	}
}

func TestClockWaitsIsACopy(t *testing.T) {
	t.Parallel()
	var clk retrytest.Clock
	clk.After(1)
	got := clk.Waits()
	got[0] = 99
	clk.After(2)
	assert.Equal(t, []time.Duration{1, 2}, clk.Waits())
}

func TestClockIsConcurrent(t *testing.T) {
	t.Parallel()
	const goroutines, each = 8, 100
	var clk retrytest.Clock
	var wg sync.WaitGroup
	for range goroutines {
		wg.Go(func() {
			for range each {
				<-clk.After(time.Second)
				clk.Advance(time.Second)
				ctx, cancel := clk.WithTimeout(t.Context(), time.Second)
				clk.Waits()
				clk.Now()
				assert.True(t, clk.Now().Before(start.Add(2*goroutines*each*time.Second+1)))
				_ = ctx.Err()
				cancel()
			}
		})
	}
	wg.Wait()
	assert.Equal(t, start.Add(2*goroutines*each*time.Second), clk.Now())
	assert.Len(t, clk.Waits(), goroutines*each)
}
