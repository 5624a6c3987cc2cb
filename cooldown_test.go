package retry_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrytest"
)

// timeToPass returns how long an attempt takes to pass the gate.
func timeToPass(t testing.TB, g retry.Gate) time.Duration {
	t.Helper()
	start := time.Now()
	require.NoError(t, retry.Do(context.Background(), succeed, retry.WithGate(g)))
	return time.Since(start)
}

// failThroughGate makes an attempt that fails with err behind the gate.
func failThroughGate(g retry.Gate, err error) error {
	return retry.Do(context.Background(), alwaysReturn(err), retry.WithGate(g), retry.WithMaxAttempts(1))
}

func TestCooldownDelaysAttempts(t *testing.T) {
	const s = time.Second
	for _, tt := range []struct {
		name  string
		limit time.Duration
		err   error
		want  time.Duration // at least this, at most a tenth more
	}{
		{"no error", time.Minute, nil, 0},
		{"no hint", time.Minute, errDown, 0},
		{"hint", time.Minute, retry.After(10*s, errDown), 10 * s},
		{"hint of a custom error", time.Minute, hintError{10 * s, true}, 10 * s},
		{"a custom error without a hint", time.Minute, hintError{10 * s, false}, 0},
		{"hint deep in the tree", time.Minute, errors.Join(errOdd, retry.Permanent(retry.After(10*s, errDown))), 10 * s},
		{"the longest hint counts", time.Minute, errors.Join(retry.After(s, errOdd), retry.After(10*s, errDown)), 10 * s},
		{"hint of an inner call that gave up", time.Minute, &retry.Error{Reason: retry.ErrRetryAfter, Delay: 10 * s, Err: errDown}, 10 * s},
		{"a hint beneath an inner call does not count", time.Minute, &retry.Error{Reason: retry.ErrExhausted, Err: retry.After(10*s, errDown)}, 0},
		{"at most max", time.Minute, retry.After(time.Hour, errDown), time.Minute},
		{"max of 0", 0, retry.After(time.Hour, errDown), 0},
		{"hint of 0", time.Minute, retry.After(0, errDown), 0},
		{"negative hint", time.Minute, retry.After(-s, errDown), 0},
		{"a mark that panics", time.Minute, panicError{}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				g := retry.Cooldown(tt.limit)
				assert.Zero(t, timeToPass(t, g), "no hint yet")
				_ = failThroughGate(g, tt.err)
				held := timeToPass(t, g)
				assert.GreaterOrEqual(t, held, tt.want)
				assert.LessOrEqual(t, held, tt.want+tt.want/10)
				assert.Zero(t, timeToPass(t, g), "the hint is over")
			})
		})
	}
}

// One gate is shared by many calls: their attempts wait and start spread out.
func TestCooldownSpreads(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		g := retry.Cooldown(time.Minute)
		_ = failThroughGate(g, retry.After(10*time.Second, errDown))
		var mu sync.Mutex
		var held []time.Duration
		var wg sync.WaitGroup
		for range 500 {
			wg.Go(func() {
				d := timeToPass(t, g)
				mu.Lock()
				defer mu.Unlock()
				held = append(held, d)
			})
		}
		wg.Wait()
		slices.Sort(held)
		assert.Len(t, slices.Compact(held), 500, "all start at different times")
		assert.GreaterOrEqual(t, held[0], 10*time.Second)
		assert.Less(t, held[0], 10100*time.Millisecond)
		assert.LessOrEqual(t, held[499], 11*time.Second)
		assert.Greater(t, held[499], 10900*time.Millisecond)
		assert.InDelta(t, 10500*time.Millisecond, held[250], float64(100*time.Millisecond))
	})
}

// The call that got the hint waits once. Its own wait ends when the hint does.
func TestCooldownOfOwnCall(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		start := time.Now()
		fn, calls := failTimes(3, retry.After(10*time.Second, errDown))
		require.NoError(t, retry.Do(context.Background(), fn, retry.WithJitter(retry.NoJitter), retry.WithGate(retry.Cooldown(time.Minute))))
		assert.Equal(t, 4, *calls)
		assert.Equal(t, 30*time.Second, time.Since(start))
	})
}

// A call that gives up because of the hint still passes the hint to the gate.
func TestCooldownAfterCallGaveUp(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		g := retry.Cooldown(time.Hour)
		e := retryError(t, retry.Do(context.Background(), alwaysReturn(retry.After(10*time.Minute, errDown)), retry.WithGate(g)))
		assert.Equal(t, retry.ErrRetryAfter, e.Reason)
		assert.GreaterOrEqual(t, timeToPass(t, g), 10*time.Minute)
	})
}

func TestCooldownLengthens(t *testing.T) {
	for _, tt := range []struct {
		name     string
		second   time.Duration // the hint that comes after 5s
		from, to time.Duration
	}{
		{"a longer hint", 20 * time.Second, 25 * time.Second, 27 * time.Second},
		{"a hint that ends sooner", 2 * time.Second, 10 * time.Second, 11 * time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				g := retry.Cooldown(time.Minute)
				slow := make(chan struct{})
				go func() { // passes the gate before the first hint
					_ = retry.Do(context.Background(), func(context.Context) error {
						<-slow
						return retry.After(tt.second, errDown)
					}, retry.WithGate(g), retry.WithMaxAttempts(1))
				}()
				synctest.Wait()
				_ = failThroughGate(g, retry.After(10*time.Second, errDown))
				time.AfterFunc(5*time.Second, func() { close(slow) })
				later := make(chan time.Duration)
				time.AfterFunc(5*time.Second+1, func() { later <- 5*time.Second + 1 + timeToPass(t, g) })
				held := timeToPass(t, g) // already waiting when the second hint comes
				for _, held := range []time.Duration{held, <-later} {
					assert.GreaterOrEqual(t, held, tt.from)
					assert.LessOrEqual(t, held, tt.to)
				}
			})
		})
	}
}

// Two gates share nothing.
func TestCooldownsAreIndependent(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		_ = failThroughGate(retry.Cooldown(time.Minute), retry.After(10*time.Second, errDown))
		assert.Zero(t, timeToPass(t, retry.Cooldown(time.Minute)))
	})
}

// If the wait would pass the caller's deadline, the gate refuses at once.
func TestCooldownPastDeadline(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		g := retry.Cooldown(time.Minute)
		_ = failThroughGate(g, retry.After(10*time.Second, errDown))
		start := time.Now()
		fn, calls := failTimes(0, nil)
		e := retryError(t, retry.Do(withDeadline(t, 10*time.Second), fn, retry.WithGate(g)))
		assert.Zero(t, time.Since(start), "at once")
		assert.Zero(t, *calls)
		assert.Zero(t, e.Attempts)
		assert.Equal(t, retry.ErrContext, e.Reason)
		require.ErrorIs(t, e, context.DeadlineExceeded)
		assert.True(t, e.Timeout())
		assert.Contains(t, e.Error(), "would pass the deadline")
		assert.NotContains(t, e.Error(), "context done", "the context is not done")

		require.NoError(t, retry.Do(withDeadline(t, 11*time.Second+1), fn, retry.WithGate(g)), "there is enough time")
		assert.GreaterOrEqual(t, time.Since(start), 10*time.Second)
		assert.Equal(t, 1, *calls)
	})
}

// A refusal does not match ErrOption.
func TestCooldownRefusalIsNotErrOption(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		g := retry.Cooldown(time.Minute)
		_ = failThroughGate(g, retry.After(10*time.Second, errDown))
		require.NotErrorIs(t, retry.Do(withDeadline(t, time.Second), succeed, retry.WithGate(g)), retry.ErrOption)
	})
}

// The end of the context ends the wait, and no attempt is made.
func TestCooldownCancelled(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		g := retry.Cooldown(time.Minute)
		_ = failThroughGate(g, retry.After(10*time.Second, errDown))
		ctx, cancel := context.WithCancelCause(context.Background())
		time.AfterFunc(3*time.Second, func() { cancel(errOdd) })
		start := time.Now()
		e := retryError(t, retry.Do(ctx, succeed, retry.WithGate(g)))
		assert.Equal(t, 3*time.Second, time.Since(start))
		assert.Equal(t, retry.ErrContext, e.Reason)
		assert.Zero(t, e.Attempts)
		require.ErrorIs(t, e, context.Canceled)
		require.ErrorIs(t, e, errOdd)
	})
}

// The gate waits in real time, even if the call has a virtual clock.
func TestCooldownIgnoresClock(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		clk := new(retrytest.Clock)
		g := retry.Cooldown(time.Minute)
		_ = failThroughGate(g, retry.After(10*time.Second, errDown))
		start := time.Now()
		require.NoError(t, retry.Do(context.Background(), succeed, retry.WithGate(g), retry.WithClock(clk)))
		assert.GreaterOrEqual(t, time.Since(start), 10*time.Second)
		assert.Empty(t, clk.Waits())
	})
}

// Gates before it are released. It also sees the error of a gate behind it.
func TestCooldownAmongOtherGates(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var notes journal
		g := retry.Cooldown(time.Minute)
		e := retryError(t, retry.Do(context.Background(), succeed, retry.WithMaxAttempts(1),
			retry.WithGate(notes.gate("first"), g, refusingGate(retry.After(10*time.Second, errDown)))))
		assert.Equal(t, retry.ErrExhausted, e.Reason)
		assert.Equal(t, journal{"first in 1", "first out: server down"}, notes)
		assert.GreaterOrEqual(t, timeToPass(t, g), 10*time.Second, "a later gate's refusal counts too")
		_ = failThroughGate(g, retry.After(10*time.Second, errDown))
		assert.Zero(t, timeToPass(t, retry.OnlyRetries(g)))
	})
}

func TestCooldownNegative(t *testing.T) {
	t.Parallel()
	fn, calls := failTimes(0, nil)
	e := retryError(t, retry.Do(context.Background(), fn, retry.WithGate(retry.Cooldown(-time.Second))))
	assert.Equal(t, retry.ErrPermanent, e.Reason, "a negative max is a permanent error")
	require.ErrorIs(t, e, retry.ErrOption)
	assert.Contains(t, e.Error(), "retry: Cooldown: max -1s is negative")
	assert.Zero(t, *calls)
}

// Many calls report hints and wait concurrently.
func TestCooldownConcurrently(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		g := retry.Cooldown(time.Second)
		var wg sync.WaitGroup
		for i := range 50 {
			wg.Go(func() {
				for range 20 {
					_ = failThroughGate(g, retry.After(time.Duration(i)*10*time.Millisecond, errDown))
				}
			})
		}
		wg.Wait()
		assert.LessOrEqual(t, timeToPass(t, g), 540*time.Millisecond)
	})
}

// The refusal carries the hint, so an outer call can wait for it.
func TestCooldownRefusalCarriesHint(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		gate := retry.WithGate(retry.Cooldown(time.Minute))
		once := retry.WithMaxAttempts(1)
		_ = retry.Do(context.Background(), alwaysReturn(retry.After(30*time.Second, errDown)), gate, once)
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		e := retryError(t, retry.Do(ctx, alwaysReturn(nil), gate, once))
		assert.Equal(t, retry.ErrContext, e.Reason)
		hint, ok := e.RetryAfter()
		assert.True(t, ok)
		assert.GreaterOrEqual(t, hint, 30*time.Second)
		assert.LessOrEqual(t, hint, 33*time.Second)
		assert.Equal(t, hint, e.Delay)
	})
}
