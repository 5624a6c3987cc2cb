package retry_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/benbjohnson/clock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrytest"
)

func TestZeroDelayCreatesNoTimer(t *testing.T) {
	t.Parallel()
	c := &jumpClock{onWait: func(d time.Duration) { t.Errorf("After(%v)", d) }}
	fn, calls := failTimes(3, errDown)
	require.NoError(t, retry.Do(context.Background(), fn, retry.WithClock(c), atOnce))
	assert.Equal(t, 4, *calls)
}

func TestMockClockEndToEnd(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		mock := clock.NewMock()
		began := mock.Now()
		calls := 0
		var done outcomes
		result := make(chan error, 1)
		go func() {
			result <- retry.Do(context.Background(), func(context.Context) error { calls++; return errDown },
				retry.WithClock(mock), retry.WithMaxAttempts(4), retry.WithJitter(retry.NoJitter), done.hook())
		}()
		for i, wait := range []time.Duration{100 * time.Millisecond, 200 * time.Millisecond, 400 * time.Millisecond} {
			synctest.Wait()
			mock.Add(wait - 1)
			synctest.Wait()
			require.Equal(t, i+1, calls, "no attempt before the end of the wait")
			mock.Add(1)
			synctest.Wait()
			require.Equal(t, i+2, calls)
		}
		e := retryError(t, <-result)
		assert.Equal(t, retry.ErrExhausted, e.Reason)
		assert.Equal(t, 700*time.Millisecond, e.Elapsed)
		var starts []time.Duration
		for _, a := range e.History() {
			starts = append(starts, a.Start.Sub(began))
		}
		assert.Equal(t, []time.Duration{0, 100 * time.Millisecond, 300 * time.Millisecond, 700 * time.Millisecond}, starts)
		assert.Equal(t, 700*time.Millisecond, done.one(t).Waited)
	})
}

func TestClockWithTimeoutIsUsed(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		mock := clock.NewMock()
		result := make(chan error, 1)
		go func() {
			result <- retry.Do(context.Background(), func(ctx context.Context) error {
				<-ctx.Done()
				return ctx.Err()
			}, retry.WithClock(mock), retry.WithAttemptTimeout(time.Second), atOnce, retry.WithMaxAttempts(2))
		}()
		start := time.Now()
		for range 2 {
			synctest.Wait()
			mock.Add(time.Second)
		}
		e := retryError(t, <-result)
		assert.Equal(t, 2*time.Second, e.Elapsed)
		assert.Equal(t, 2, e.Attempts)
		assert.ErrorIs(t, e, context.DeadlineExceeded)
		assert.Less(t, time.Since(start), time.Second, "the real clock does not matter")
	})
}

func TestClockWithoutWithTimeoutUsesRealTime(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		start := time.Now()
		require.Error(t, retry.Do(context.Background(), func(ctx context.Context) error {
			<-ctx.Done()
			return context.Cause(ctx)
		}, retry.WithClock(&jumpClock{}), retry.WithAttemptTimeout(time.Second), retry.WithMaxAttempts(1)))
		assert.Equal(t, time.Second, time.Since(start))
	})
}

func TestDeadlinesAreCheckedWithClock(t *testing.T) {
	t.Parallel()
	mock := clock.NewMock()
	ctx, cancel := mock.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	e := retryError(t, retry.Do(ctx, alwaysReturn(errDown), retry.WithClock(mock), every(time.Minute)))
	assert.Equal(t, retry.ErrContext, e.Reason)
	assert.Equal(t, 1, e.Attempts)
	assert.ErrorIs(t, e, context.DeadlineExceeded)

	far, stop := context.WithDeadline(context.Background(), time.Now().Add(time.Hour)) // decades after the mock's time
	defer stop()
	c := &jumpClock{now: mock.Now()}
	fn, calls := failTimes(1, errDown)
	require.NoError(t, retry.Do(far, fn, retry.WithClock(c), every(24*time.Hour)))
	assert.Equal(t, 2, *calls)
}

func TestClockSetBack(t *testing.T) {
	t.Parallel()
	c := &jumpClock{now: time.Unix(1e9, 0)}
	var done outcomes
	calls := 0
	e := retryError(t, retry.Do(context.Background(), func(context.Context) error {
		calls++
		c.now = c.now.Add(-time.Hour)
		return errDown
	}, retry.WithClock(c), every(time.Second), retry.WithMaxAttempts(3), retry.WithMaxElapsed(time.Minute), done.hook()))
	assert.Equal(t, 3, calls, "setting the clock back does not end the call")
	assert.Equal(t, retry.ErrExhausted, e.Reason)
	assert.Zero(t, e.Elapsed)
	for _, a := range e.History() {
		assert.Zero(t, a.Duration)
		assert.Zero(t, a.Elapsed)
	}
	assert.GreaterOrEqual(t, done.one(t).Elapsed, time.Duration(0))
}

func TestClockSetBackDuringCancelledWait(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(context.Background())
	c := &jumpClock{now: time.Unix(1e9, 0)}
	c.onWait = func(time.Duration) { c.now = c.now.Add(-time.Hour); cancel() }
	var done outcomes
	e := retryError(t, retry.Do(ctx, alwaysReturn(errDown), retry.WithClock(c), every(time.Second), done.hook()))
	assert.Equal(t, retry.ErrContext, e.Reason)
	assert.Zero(t, e.Elapsed)
	assert.Zero(t, done.one(t).Waited)
}

// A virtual clock would advance if a cancelled call asked it to wait.
func TestNoWaitOnClockAfterCancellation(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	var clk retrytest.Clock
	err := retry.Do(ctx, func(context.Context) error { return errDown }, retry.WithClock(&clk),
		retry.WithHooks(retry.Hooks{BeforeWait: func(context.Context, retry.Attempt) { cancel() }}))
	require.ErrorIs(t, err, retry.ErrContext)
	require.Empty(t, clk.Waits())
}

// A wait that is cut short counts from the end of the attempt, and for no more than its full
// length. The clock may have gone further.
func TestWaitedOfCancelledWait(t *testing.T) {
	t.Parallel()
	const s = time.Second
	for name, tt := range map[string]struct{ moves, want time.Duration }{
		"at once":        {0, 0},
		"in between":     {4 * s, 4 * s},
		"at its end":     {10 * s, 10 * s},
		"after its end":  {25 * s, 10 * s},
		"a nanosecond":   {1, 1},
		"just before it": {10*s - 1, 10*s - 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(context.Background())
			c := &jumpClock{now: time.Unix(1e9, 0)}
			c.onWait = func(d time.Duration) { c.now = c.now.Add(tt.moves - d); cancel() }
			var done outcomes
			e := retryError(t, retry.Do(ctx, func(context.Context) error {
				c.now = c.now.Add(7 * s)
				return errDown
			}, retry.WithClock(c), every(10*s), done.hook()))
			assert.Equal(t, retry.ErrContext, e.Reason)
			assert.Equal(t, 7*s+tt.moves, e.Elapsed)
			assert.Equal(t, tt.want, done.one(t).Waited)
		})
	}
}

// A wait took longer than planned. If the deadline has been reached there is no further
// attempt.
func TestVirtualDeadlineAtRetry(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
	t.Cleanup(cancel)
	deadline, _ := ctx.Deadline()
	for name, tt := range map[string]struct {
		at    time.Duration // time of the retry, relative to the deadline
		calls int
	}{
		"before":  {-1, 2},
		"exactly": {0, 1},
		"after":   {1, 1},
	} {
		t.Run(name, func(t *testing.T) {
			c := &jumpClock{now: deadline.Add(-time.Minute)}
			c.onWait = func(time.Duration) { c.now = deadline.Add(tt.at) }
			fn, calls := failTimes(9, errDown)
			e := retryError(t, retry.Do(ctx, fn, retry.WithClock(c), every(time.Second)))
			assert.Equal(t, tt.calls, *calls)
			assert.Equal(t, retry.ErrContext, e.Reason)
			assert.ErrorIs(t, e, context.DeadlineExceeded)
		})
	}
}

// instantMock ends every wait at once, and its time stands still.
type instantMock struct{ *clock.Mock }

func (c instantMock) After(d time.Duration) <-chan time.Time {
	due := make(chan time.Time, 1)
	due <- time.Time{}
	return due
}

// Policy.Clock returns the clock in force, which may come from another policy.
func TestPolicyClock(t *testing.T) {
	t.Parallel()
	clk := clock.NewMock()
	base := retry.MustNew(retry.WithClock(clk))
	assert.Equal(t, retry.Clock(clk), base.Clock())
	assert.Equal(t, retry.Clock(clk), retry.MustNew(retry.WithMaxAttempts(2), base).Clock())
	for _, p := range []*retry.Policy{nil, {}, retry.MustNew()} {
		assert.Nil(t, p.Clock())
	}
}

// No timer outlives its call, so a policy can be used in one synctest bubble after another.
func TestPolicyInSeveralBubbles(t *testing.T) {
	t.Parallel()
	p := retry.MustNew(retry.WithBackoff(retry.Constant(time.Minute)))
	for range 2 {
		synctest.Test(t, func(t *testing.T) {
			begin := time.Now()
			require.ErrorIs(t, p.Do(t.Context(), func(context.Context) error { return errRefused }), retry.ErrExhausted)
			assert.Equal(t, 4*time.Minute, time.Since(begin))
		})
	}
}
