package retry_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrytest"
)

// nextChecker makes a call and asks Next about each of its attempts.
type nextChecker struct {
	t     *testing.T
	calls string // describes the call in a failure
	next  *retry.Policy
	ctx   context.Context
	began retry.Attempt // as BeforeAttempt received it
	wait  time.Duration // the result of Next
	err   error
	asked bool
	waits, ends,
	resets int
}

func (w *nextChecker) hooks() retry.Option {
	return retry.WithHooks(retry.Hooks{
		BeforeAttempt: func(_ context.Context, a retry.Attempt) context.Context { w.began = a; return nil },
		AfterAttempt: func(_ context.Context, a retry.Attempt) {
			if a.Err == nil {
				return
			}
			began := w.began // the numbers before the series was reset
			if a.Number != began.Number {
				w.resets++
			}
			w.wait, w.err = w.next.Next(w.ctx, retry.Attempt{
				Number: began.Number, Waited: began.Waited, Elapsed: began.Elapsed + a.Duration,
				Duration: a.Duration, TimedOut: a.TimedOut, Err: a.Err,
			})
			w.asked = true
		},
		BeforeWait: func(_ context.Context, a retry.Attempt) {
			require.NoError(w.t, w.err, w.calls)
			require.Equal(w.t, a.Delay, w.wait, w.calls)
			require.True(w.t, w.asked, w.calls)
			w.asked = false
			w.waits++
		},
		Done: func(_ context.Context, o retry.Outcome) {
			if o.Err == nil {
				return
			}
			require.True(w.t, w.asked, "%s: %v", w.calls, o.Err)
			e := retryError(w.t, w.err)
			require.Equal(w.t, o.Err.Error(), e.Error(), w.calls)
			require.Equal(w.t, o.Err.Reason, e.Reason, w.calls)
			require.Equal(w.t, o.Err.Unwrap(), e.Unwrap(), w.calls)
			require.Equal(w.t, o.Err.LogValue(), e.LogValue(), w.calls)
			require.Equal(w.t, o.Err.Timeout(), e.Timeout(), w.calls)
			hint1, ok1 := o.Err.RetryAfter()
			hint2, ok2 := e.RetryAfter()
			require.Equal(w.t, hint1, hint2, w.calls)
			require.Equal(w.t, ok1, ok2, w.calls)
			w.ends++
		},
	})
}

// randomError returns an error with random marks, or none.
func randomError(r *rand.Rand) error {
	hint := time.Duration(r.Int64N(int64(2 * time.Minute)))
	switch r.IntN(16) {
	case 0:
		return retry.Permanent(errDown)
	case 1, 2:
		return retry.After(hint, errDown)
	case 3:
		return fmt.Errorf("wrapped: %w", errors.Join(errOdd, retry.After(hint, errDown)))
	case 4:
		return hintError{hint, true}
	case 5:
		return &retry.Error{Reason: retry.ErrRetryAfter, Delay: hint, Err: retry.Permanent(errOdd)}
	case 6:
		return (*typedError)(nil)
	case 7:
		return errOdd
	}
	return errDown
}

// randomDecision returns random options that take part in the decision. Each use gets its own
// budget.
func randomDecision(r *rand.Rand) func() []retry.Option {
	attempts := 1 + r.IntN(12)
	if r.IntN(8) == 0 {
		attempts = retry.Unlimited
	}
	opts := randomPolicy(r, attempts)
	maybe := func(o retry.Option) {
		if r.IntN(4) == 0 {
			opts = append(opts, o)
		}
	}
	maybe(retry.WithName("twin"))
	maybe(retry.WithMaxRetryAfter(time.Duration(r.Int64N(int64(time.Minute)))))
	maybe(retry.WithMaxRetryAfter(retry.Unlimited))
	maybe(retry.WithMaxDelay(retry.Unlimited))
	maybe(retry.WithBackoff(retry.Exponential(time.Second, 1.5)))
	maybe(retry.WithMaxElapsed(time.Duration(r.Int64N(int64(time.Hour)))))
	maybe(retry.WithResetAfter(5 * time.Second))
	maybe(retry.WithAttemptTimeout(8 * time.Second))
	maybe(retry.WithStopIf(retry.Is(errOdd)))
	maybe(retry.WithStopIf(retry.TimedOut))
	maybe(retry.WithRetryIf(retry.Is(errDown)))
	most := time.Duration(r.Int64N(int64(time.Hour)))
	maybe(retry.WithStop(func(a retry.Attempt) error {
		if a.Delay > most {
			return errOdd
		}
		return nil
	}))
	budget := r.IntN(3) == 0
	ratio, burst, seed := r.Float64(), r.IntN(4), r.Uint64()
	return func() []retry.Option {
		own := append([]retry.Option{seededRand(seed)}, opts...)
		if budget {
			own = append(own, retry.WithBudget(retry.NewBudget(ratio, burst)))
		}
		return own
	}
}

// Next and a call agree on every wait, and on the whole error in the end. Both use the same
// random numbers and the same clock. Each has its own budget, shared by ten calls.
func TestNextAgreesWithCalls(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(10, 1))
	var waits, ends, resets int
	for i := range 3000 {
		opts := randomDecision(r)
		clk := new(retrytest.Clock)
		w := &nextChecker{t: t, next: retry.MustNew(append(opts(), retry.WithClock(clk))...)}
		p := retry.MustNew(append(opts(), retry.WithClock(clk), w.hooks())...)
		for range 1 + r.IntN(10) {
			w.call(r, p, clk, i)
		}
		waits, ends, resets = waits+w.waits, ends+w.ends, resets+w.resets
	}
	assert.Greater(t, waits, 10_000)
	assert.Greater(t, ends, 5_000)
	assert.Greater(t, resets, 500)
}

// call makes one call of p with random results.
func (w *nextChecker) call(r *rand.Rand, p *retry.Policy, clk *retrytest.Clock, i int) {
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	w.ctx = ctx
	if r.IntN(4) == 0 {
		var stop context.CancelFunc
		w.ctx, stop = clk.WithTimeout(ctx, time.Duration(r.Int64N(int64(2*time.Minute))))
		defer stop()
	}
	w.asked, w.err = false, nil
	w.calls = fmt.Sprintf("policy %d: %v", i, p)
	calls := 0
	fn := func(context.Context) (int, error) {
		if r.IntN(3) == 0 {
			clk.Advance(time.Duration(r.Int64N(int64(12 * time.Second))))
		}
		if r.IntN(30) == 0 {
			cancel(errOdd)
		}
		if calls++; calls > 1 && r.IntN(10) == 0 || calls > 50 {
			return 0, nil // not on the first attempt: Next is not told of its deposit
		}
		if r.IntN(8) == 0 {
			return -1, nil // rejected
		}
		return 0, randomError(r)
	}
	_, _ = retry.DoValue(w.ctx, fn, p, retry.WithValidator(func(v int, _ retry.Attempt) error {
		if v < 0 {
			return errDown
		}
		return nil
	}))
}
