package retry_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
)

// limiter is a rate limiter. If a wait would not end before the context's deadline, it returns
// an untyped error.
type limiter struct {
	waits []time.Duration
	asked int
}

var errLimiter = errors.New("limiter: would exceed context deadline")

func (l *limiter) Wait(ctx context.Context) error {
	wait := l.waits[min(l.asked, len(l.waits)-1)]
	l.asked++
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < wait {
		return errLimiter
	}
	select {
	case <-time.After(wait):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// brokenLimiter always refuses.
type brokenLimiter struct{}

func (brokenLimiter) Wait(context.Context) error { return errLimiter }

// wrappedRateLimit is a user's gate around RateLimit.
func wrappedRateLimit(l *limiter) retry.Gate {
	return func(ctx context.Context, a retry.Attempt) (func(error), error) {
		release, err := retry.RateLimit(l)(ctx, a)
		if err != nil {
			err = fmt.Errorf("limit: %w", err)
		}
		return release, err
	}
}

func TestRateLimit(t *testing.T) {
	t.Parallel()
	const s = time.Second
	plain := func(l *limiter) retry.Gate { return retry.RateLimit(l) }
	for _, tt := range []struct {
		name     string
		gate     func(l *limiter) retry.Gate
		waits    []time.Duration
		deadline time.Duration
		attempts int
		elapsed  time.Duration
		asked    int
		err      error
	}{
		{"waits for every attempt", plain, []time.Duration{s, 2 * s, 3 * s}, 0, 3, 6 * s, 3, errDown},
		{"refuses the first", plain, []time.Duration{time.Hour}, time.Minute, 0, 0, 1, nil},
		{"refuses a retry", plain, []time.Duration{s, time.Hour}, time.Minute, 1, s, 2, errDown},
		{"refuses a retry, OnlyRetries", func(l *limiter) retry.Gate { return retry.OnlyRetries(plain(l)) }, []time.Duration{time.Hour}, time.Minute, 1, 0, 1, errDown},
		{"refuses the first, OnlyFirst", func(l *limiter) retry.Gate { return retry.OnlyFirst(plain(l)) }, []time.Duration{time.Hour}, time.Minute, 0, 0, 1, nil},
		{"wrapped by the user's gate", wrappedRateLimit, []time.Duration{time.Hour}, time.Minute, 0, 0, 1, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				ctx := context.Background()
				if tt.deadline > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, tt.deadline)
					defer cancel()
				}
				var j journal
				var done outcomes
				l := &limiter{waits: tt.waits}
				start := time.Now()
				e := retryError(t, retry.Do(ctx, alwaysReturn(errDown), atOnce, retry.WithMaxAttempts(3),
					retry.WithGate(j.gate("a"), tt.gate(l)), done.hook()))
				assert.Equal(t, tt.elapsed, time.Since(start))
				assert.Equal(t, tt.attempts, e.Attempts)
				assert.Equal(t, tt.attempts, done.one(t).Attempts)
				assert.Equal(t, tt.asked, l.asked)
				assert.Equal(t, withoutMark(tt.err), e.Err)
				refused := tt.deadline > 0
				assert.Equal(t, refused, e.Reason == retry.ErrContext)
				assert.Equal(t, !refused, e.Reason == retry.ErrExhausted)
				assert.Equal(t, refused, errors.Is(e, context.DeadlineExceeded))
				assert.Equal(t, refused, errors.Is(e, errLimiter), "the limiter's error is kept")
				assert.Equal(t, refused, e.Timeout())
				assert.Equal(t, j.count("a in"), j.count("a out"), "the gate that was passed is released")
			})
		})
	}
}

func TestRateLimitRefusals(t *testing.T) {
	t.Parallel()
	t.Run("without a deadline the refusal is the attempt's error", func(t *testing.T) {
		t.Parallel()
		e := retryError(t, retry.Do(context.Background(), alwaysReturn(nil), atOnce, retry.WithMaxAttempts(2), retry.WithGate(retry.RateLimit(brokenLimiter{}))))
		assert.Equal(t, retry.ErrExhausted, e.Reason)
		assert.Equal(t, 2, e.Attempts)
		assert.Equal(t, errLimiter, e.Err)
	})
	t.Run("text", func(t *testing.T) {
		inBubble(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			defer cancel()
			err := retry.Do(ctx, alwaysReturn(nil), retry.WithGate(retry.RateLimit(brokenLimiter{})))
			assert.EqualError(t, err, "retry: wait at a gate would pass the deadline (limiter: would exceed context deadline) after 0 attempts in 0s")
		})
	})
	t.Run("the context ends in the limiter", func(t *testing.T) {
		inBubble(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(context.Background())
			time.AfterFunc(time.Second, cancel)
			e := retryError(t, retry.Do(ctx, alwaysReturn(nil), retry.WithGate(retry.RateLimit(&limiter{waits: []time.Duration{time.Hour}}))))
			assert.Equal(t, retry.ErrContext, e.Reason)
			assert.Zero(t, e.Attempts)
			assert.ErrorIs(t, e, context.Canceled)
			assert.Equal(t, time.Second, e.Elapsed)
		})
	})
}

// semaphore counts its permits. Acquire blocks until the context ends if there are too few.
type semaphore struct{ free int64 }

func (s *semaphore) Acquire(ctx context.Context, n int64) error {
	if n > s.free {
		<-ctx.Done()
		return ctx.Err()
	}
	s.free -= n
	return nil
}

func (s *semaphore) Release(n int64) { s.free += n }

func TestBulkhead(t *testing.T) {
	t.Parallel()
	for _, n := range []int64{0, 1, 3} {
		s := &semaphore{free: 3}
		fn, _ := failTimes(2, errDown)
		require.NoError(t, retry.Do(context.Background(), func(ctx context.Context) error {
			assert.Equal(t, 3-n, s.free)
			return fn(ctx)
		}, atOnce, retry.WithGate(retry.Bulkhead(s, n)), retry.WithHooks(retry.Hooks{
			BeforeWait: func(context.Context, retry.Attempt) {
				assert.Equal(t, int64(3), s.free, "no permits are held while waiting")
			},
		})))
		assert.Equal(t, int64(3), s.free)
	}
	t.Run("full", func(t *testing.T) {
		inBubble(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			defer cancel()
			s := &semaphore{free: 1}
			e := retryError(t, retry.Do(ctx, alwaysReturn(nil), retry.WithGate(retry.Bulkhead(s, 2))))
			assert.Equal(t, retry.ErrContext, e.Reason)
			assert.Zero(t, e.Attempts)
			assert.Equal(t, int64(1), s.free)
		})
	})
	t.Run("a negative weight is a permanent error", func(t *testing.T) {
		t.Parallel()
		s := &semaphore{free: 3}
		err := retry.Do(context.Background(), alwaysReturn(nil), retry.WithGate(retry.Bulkhead(s, -1)))
		e := retryError(t, err)
		assert.Equal(t, retry.ErrPermanent, e.Reason)
		assert.Equal(t, 1, e.Attempts)
		assert.EqualError(t, e.Err, "retry: Bulkhead: weight -1 is negative")
		assert.ErrorIs(t, err, retry.ErrOption)
		assert.Equal(t, int64(3), s.free)
	})
}

func TestOnlyFirstAndOnlyRetries(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		only func(retry.Gate) retry.Gate
		want journal
	}{
		"first":   {retry.OnlyFirst, journal{"a in 1", "a out: server down"}},
		"retries": {retry.OnlyRetries, journal{"a in 2", "a out: server down", "a in 3", "a out: server down"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var j journal
			require.Error(t, retry.Do(context.Background(), alwaysReturn(errDown), atOnce, retry.WithMaxAttempts(3),
				retry.WithGate(tt.only(j.gate("a")))))
			assert.Equal(t, tt.want, j)
			refused := retryError(t, retry.Do(context.Background(), alwaysReturn(errDown), atOnce, retry.WithMaxAttempts(3),
				retry.WithGate(tt.only(refusingGate(retry.Permanent(errOdd))))))
			assert.Equal(t, retry.ErrPermanent, refused.Reason)
			assert.ErrorIs(t, refused, errOdd)
		})
	}
}

func TestNilGatesAreErrors(t *testing.T) {
	t.Parallel()
	for name, gate := range map[string]retry.Gate{
		"Gate":        nil,
		"RateLimit":   retry.RateLimit(nil),
		"Bulkhead":    retry.Bulkhead(nil, 1),
		"OnlyFirst":   retry.OnlyFirst(nil),
		"OnlyRetries": retry.OnlyRetries(retry.RateLimit(nil)),
	} {
		err := retry.Do(context.Background(), alwaysReturn(nil), retry.WithGate(gate))
		require.ErrorIs(t, err, retry.ErrOption, name)
		assert.EqualError(t, err, "retry: WithGate: nil Gate", name)
	}
}
