package retrytest_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/benbjohnson/clock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrytest"
)

func TestAutoAfter(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		waits []time.Duration
		want  time.Duration // how far the mock has advanced
	}{
		"one":      {[]time.Duration{time.Second}, time.Second},
		"several":  {[]time.Duration{3, 1, 2, 1}, 7},
		"zero":     {[]time.Duration{0}, 0},
		"negative": {[]time.Duration{time.Second, -time.Hour}, time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := clock.NewMock()
			begin := m.Now()
			clk := retrytest.Auto(m)
			for _, d := range row.waits {
				due := clk.After(d)
				select {
				case now := <-due:
					assert.Equal(t, clk.Now(), now)
				default:
					t.Fatalf("After(%v) is not ready", d)
				}
			}
			assert.Equal(t, row.want, m.Now().Sub(begin))
			assert.Equal(t, m.Now(), clk.Now())
			assert.Equal(t, row.waits, clk.Waits())
		})
	}
}

func TestAutoAdd(t *testing.T) {
	t.Parallel()
	m := clock.NewMock()
	begin := m.Now()
	clk := retrytest.Auto(m)
	clk.Add(time.Minute)
	m.Add(time.Second)
	assert.Equal(t, begin.Add(61*time.Second), clk.Now())
	assert.Empty(t, clk.Waits(), "no wait took place")
}

func TestAutoWaitsIsACopy(t *testing.T) {
	t.Parallel()
	clk := retrytest.Auto(clock.NewMock())
	clk.After(1)
	clk.Waits()[0] = 99
	clk.After(2)
	assert.Equal(t, []time.Duration{1, 2}, clk.Waits())
}

func TestAutoPanics(t *testing.T) {
	t.Parallel()
	assert.PanicsWithValue(t, "retrytest: Auto: nil clock", func() { retrytest.Auto(nil) })
}

// TestAutoFiresWhatIsDue checks that other timers of the mock fire on the way, at their own time.
func TestAutoFiresWhatIsDue(t *testing.T) {
	t.Parallel()
	m := clock.NewMock()
	begin := m.Now()
	early, late := m.After(time.Second), m.After(time.Minute)
	<-retrytest.Auto(m).After(10 * time.Second)
	assert.Equal(t, begin.Add(time.Second), <-early)
	assert.Empty(t, late)
}

// TestAutoIsConcurrent checks that concurrent waits add up. With the mock's own Add some would be
// lost.
func TestAutoIsConcurrent(t *testing.T) {
	t.Parallel()
	const goroutines, each = 8, 10
	m := clock.NewMock()
	begin := m.Now()
	clk := retrytest.Auto(m)
	var wg sync.WaitGroup
	for range goroutines {
		wg.Go(func() {
			for range each {
				<-clk.After(time.Second)
				clk.Add(time.Second)
				clk.Waits()
				clk.Now()
			}
		})
	}
	wg.Wait()
	assert.Equal(t, begin.Add(2*goroutines*each*time.Second), m.Now())
	assert.Len(t, clk.Waits(), goroutines*each)
}

// TestAutoCalls checks that calls on a mock wait like calls on a Clock.
func TestAutoCalls(t *testing.T) {
	t.Parallel()
	const ms = time.Millisecond
	for name, row := range map[string]struct {
		opts    []retry.Option
		err     error
		want    []time.Duration
		reason  error
		elapsed time.Duration
	}{
		"defaults":    {nil, errDown, []time.Duration{100 * ms, 200 * ms, 400 * ms, 800 * ms}, retry.ErrExhausted, 1500 * ms},
		"no delay":    {[]retry.Option{retry.WithBackoff(retry.Constant(0))}, errDown, nil, retry.ErrExhausted, 0},
		"limit":       {[]retry.Option{retry.WithMaxElapsed(700 * ms)}, errDown, []time.Duration{100 * ms, 200 * ms}, retry.ErrMaxElapsed, 300 * ms},
		"hint":        {nil, retry.After(3*time.Second, errDown), []time.Duration{3 * time.Second, 3 * time.Second, 3 * time.Second, 3 * time.Second}, retry.ErrExhausted, 12 * time.Second},
		"one attempt": {[]retry.Option{retry.WithMaxAttempts(1)}, errDown, nil, retry.ErrExhausted, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			clk := retrytest.Auto(clock.NewMock())
			opts := append(row.opts, retry.WithClock(clk), retry.WithJitter(retry.NoJitter))
			err := retry.Do(t.Context(), retrytest.Fail(9, row.err), opts...)

			var failure *retry.Error
			require.ErrorAs(t, err, &failure)
			assert.Equal(t, row.reason, failure.Reason)
			assert.Equal(t, row.want, clk.Waits())
			assert.Equal(t, row.elapsed, failure.Elapsed)
		})
	}
}

// TestAutoTimeout checks that attempt timeouts are those of the mock.
func TestAutoTimeout(t *testing.T) {
	t.Parallel()
	m := clock.NewMock()
	clk := retrytest.Auto(m)
	n := 0
	err := retry.Do(t.Context(), func(ctx context.Context) error {
		deadline, ok := ctx.Deadline()
		require.True(t, ok)
		require.Equal(t, m.Now().Add(5*time.Second), deadline)
		if n++; n > 2 {
			return nil
		}
		m.Add(5 * time.Second)
		<-ctx.Done()
		return ctx.Err()
	}, retry.WithClock(clk), retry.WithAttemptTimeout(5*time.Second), retry.WithJitter(retry.NoJitter))
	require.NoError(t, err)
	assert.Equal(t, 3, n)
}

// TestAutoTimeoutOfPlainMock checks that a mock without WithTimeout gives real timeouts.
func TestAutoTimeoutOfPlainMock(t *testing.T) {
	t.Parallel()
	clk := retrytest.Auto(stepped{stepClock{clock.NewMock()}})
	ctx, cancel := clk.WithTimeout(t.Context(), time.Hour)
	deadline, ok := ctx.Deadline()
	assert.True(t, ok)
	assert.WithinDuration(t, time.Now().Add(time.Hour), deadline, time.Minute)
	clk.Add(2 * time.Hour)
	assert.NoError(t, ctx.Err())
	cancel()
	assert.ErrorIs(t, ctx.Err(), context.Canceled)
	ctx, cancel = clk.WithTimeout(t.Context(), 0)
	defer cancel()
	assert.True(t, errors.Is(ctx.Err(), context.DeadlineExceeded))
}

// TestAutoDeadline checks that no wait passes a deadline in the mock's time.
func TestAutoDeadline(t *testing.T) {
	t.Parallel()
	clk := retrytest.Auto(clock.NewMock())
	ctx, cancel := clk.WithTimeout(t.Context(), time.Second)
	defer cancel()
	err := retry.Do(ctx, retrytest.Fail(9, errDown), retry.WithClock(clk), retry.WithJitter(retry.NoJitter))
	assert.ErrorIs(t, err, context.DeadlineExceeded)
	assert.Equal(t, []time.Duration{100 * time.Millisecond, 200 * time.Millisecond, 400 * time.Millisecond}, clk.Waits())
}
