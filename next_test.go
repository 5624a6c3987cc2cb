package retry_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
)

func TestNextWaits(t *testing.T) {
	for _, tt := range []struct {
		name string
		opts []retry.Option
		a    retry.Attempt
		want time.Duration
	}{
		{"first", nil, failedAttempt(1), time.Second},
		{"third", nil, failedAttempt(3), 4 * time.Second},
		{"number 0 counts as 1", nil, failedAttempt(0), time.Second},
		{"negative numbers count as 1", nil, failedAttempt(-7), time.Second},
		{"unlimited attempts", []retry.Option{retry.WithMaxAttempts(retry.Unlimited), retry.WithMaxDelay(time.Hour)}, failedAttempt(math.MaxInt), time.Hour},
		{"hint", nil, retry.Attempt{Number: 1, Err: retry.After(7*time.Second, errDown)}, 7 * time.Second},
		{"largest hint allowed", nil, retry.Attempt{Number: 1, Err: retry.After(time.Minute, errDown)}, time.Minute},
		{"hint spread by the strategy's delay", []retry.Option{retry.WithJitter(retry.FullJitter), fixedRand(0.5), every(4 * time.Second)}, retry.Attempt{Number: 1, Err: retry.After(7*time.Second, errDown)}, 9 * time.Second},
		{"jitter", []retry.Option{retry.WithJitter(retry.FullJitter), fixedRand(0.25)}, failedAttempt(2), 500 * time.Millisecond},
		{"cap", []retry.Option{retry.WithMaxDelay(3 * time.Second)}, failedAttempt(3), 3 * time.Second},
		{"reads Waited", []retry.Option{retry.WithBackoff(retry.Decorrelated(time.Second, 3)), retry.WithJitter(retry.NoJitter)}, retry.Attempt{Number: 2, Waited: 5 * time.Second, Err: errDown}, 15 * time.Second},
		{"just before the time limit", []retry.Option{retry.WithMaxElapsed(10 * time.Second)}, retry.Attempt{Number: 1, Elapsed: 9*time.Second - 1, Err: errDown}, time.Second},
		{"a negative Elapsed counts as 0", []retry.Option{retry.WithMaxElapsed(time.Second + 1)}, retry.Attempt{Number: 1, Elapsed: -time.Hour, Err: errDown}, time.Second},
		{"a classifier matches", []retry.Option{retry.WithRetryIf(retry.Is(errDown))}, failedAttempt(1), time.Second},
		{"a rejected value is retried despite WithRetryIf", []retry.Option{retry.WithRetryIf(no)}, retry.Attempt{Number: 1, Err: rejection(t)}, time.Second},
		{"a long attempt starts a new series", []retry.Option{retry.WithResetAfter(time.Minute), retry.WithMaxElapsed(2 * time.Minute)}, retry.Attempt{Number: 5, Elapsed: time.Hour, Duration: time.Minute, Err: errDown}, time.Second},
		{"a shorter attempt starts no series", []retry.Option{retry.WithResetAfter(time.Minute)}, retry.Attempt{Number: 4, Elapsed: time.Hour, Duration: time.Minute - 1, Err: errDown}, 8 * time.Second},
		{"a typed nil is an error like any other", nil, retry.Attempt{Number: 1, Err: (*typedError)(nil)}, time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				start := time.Now()
				wait, err := retry.MustNew(doublingWaits, retry.MustNew(tt.opts...)).Next(context.Background(), tt.a)
				require.NoError(t, err)
				assert.Equal(t, tt.want, wait)
				assert.Zero(t, time.Since(start), "Next never sleeps")
			})
		})
	}
}

// rejection returns the error of an attempt whose value was rejected, as hooks see it.
func rejection(t testing.TB) (err error) {
	t.Helper()
	_, failed := retry.DoValue(context.Background(), countUp(), rejectAll(errOdd), retry.WithMaxAttempts(1),
		retry.WithHooks(retry.Hooks{AfterAttempt: func(_ context.Context, a retry.Attempt) { err = a.Err }}))
	require.ErrorIs(t, failed, retry.ErrRejected)
	require.ErrorIs(t, err, retry.ErrRejected)
	return err
}

func TestNextGivesUp(t *testing.T) {
	canceled, cancel := context.WithCancelCause(context.Background())
	cancel(errOdd)
	for _, tt := range []struct {
		name   string
		opts   []retry.Option
		ctx    func(t testing.TB) context.Context
		a      retry.Attempt
		reason error
		delay  time.Duration // of the error
	}{
		{"attempts exhausted", nil, nil, failedAttempt(5), retry.ErrExhausted, 0},
		{"a negative Elapsed counts as 0", nil, nil, retry.Attempt{Number: 5, Elapsed: -time.Hour, Err: errDown}, retry.ErrExhausted, 0},
		{"attempts exhausted long ago", nil, nil, failedAttempt(50), retry.ErrExhausted, 0},
		{"one attempt, number 0", []retry.Option{retry.WithMaxAttempts(1)}, nil, failedAttempt(0), retry.ErrExhausted, 0},
		{"permanent", nil, nil, retry.Attempt{Number: 2, Err: retry.Permanent(errDown)}, retry.ErrPermanent, 0},
		{"permanent deep down", nil, nil, retry.Attempt{Number: 2, Err: fmt.Errorf("x: %w", errors.Join(errOdd, retry.Permanent(errDown)))}, retry.ErrPermanent, 0},
		{"permanent wins over the limit", nil, nil, retry.Attempt{Number: 5, Err: retry.Permanent(errDown)}, retry.ErrPermanent, 0},
		{"stop if", []retry.Option{retry.WithStopIf(retry.Is(errDown))}, nil, failedAttempt(1), retry.ErrPermanent, 0},
		{"no retry if matches", []retry.Option{retry.WithRetryIf(retry.Is(errOdd))}, nil, failedAttempt(1), retry.ErrPermanent, 0},
		{"timed out", []retry.Option{retry.WithStopIf(retry.TimedOut)}, nil, retry.Attempt{Number: 1, TimedOut: true, Err: errDown}, retry.ErrPermanent, 0},
		{"hint above what is allowed", nil, nil, retry.Attempt{Number: 1, Err: retry.After(time.Minute+1, errDown)}, retry.ErrRetryAfter, time.Minute + 1},
		{"time limit reached exactly", []retry.Option{retry.WithMaxElapsed(10 * time.Second)}, nil, retry.Attempt{Number: 1, Elapsed: 9 * time.Second, Err: errDown}, retry.ErrMaxElapsed, time.Second},
		{"past the deadline", nil, func(t testing.TB) context.Context { return withDeadline(t, time.Second) }, failedAttempt(1), retry.ErrContext, time.Second},
		{"both limits", []retry.Option{retry.WithMaxElapsed(time.Second)}, func(t testing.TB) context.Context { return withDeadline(t, time.Second) }, failedAttempt(1), retry.ErrMaxElapsed, time.Second},
		{"context done", nil, func(testing.TB) context.Context { return canceled }, retry.Attempt{Number: 5, Err: retry.Permanent(errDown)}, retry.ErrContext, 0},
		{"WithStop", []retry.Option{retry.WithStop(func(retry.Attempt) error { return errQuota })}, nil, failedAttempt(2), errQuota, 2 * time.Second},
		{"budget", []retry.Option{retry.WithBudget(retry.NewBudget(0, 0))}, nil, failedAttempt(2), retry.ErrBudget, 2 * time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				ctx := context.Background()
				if tt.ctx != nil {
					ctx = tt.ctx(t)
				}
				wait, err := retry.MustNew(doublingWaits, retry.WithName("driver"), retry.MustNew(tt.opts...)).Next(ctx, tt.a)
				assert.Zero(t, wait, "the wait is the error's Delay")
				e := retryError(t, err)
				assert.Equal(t, tt.reason, e.Reason)
				assert.Equal(t, max(tt.a.Number, 1), e.Attempts)
				assert.Equal(t, tt.delay, e.Delay)
				assert.Equal(t, max(tt.a.Elapsed, 0), e.Elapsed)
				assert.Equal(t, "driver", e.Name)
				require.ErrorIs(t, e, errDown)
				require.ErrorIs(t, e, tt.reason)
				assert.Empty(t, e.History(), "Next keeps none")
				if ctx == canceled {
					require.ErrorIs(t, e, context.Canceled)
					require.ErrorIs(t, e, errOdd, "the cause")
				}
			})
		})
	}
}

// Next removes the mark from the error, as a call does.
func TestNextRemovesMark(t *testing.T) {
	t.Parallel()
	_, err := (*retry.Policy)(nil).Next(context.Background(), retry.Attempt{Err: retry.Permanent(io.EOF)})
	assert.True(t, retryError(t, err).Err == io.EOF) //nolint:errorlint,testifylint // the very one
}

func TestNextNilError(t *testing.T) {
	t.Parallel()
	b := retry.NewBudget(1, 10)
	p := retry.MustNew(retry.WithBudget(b))
	_, err := p.Next(context.Background(), failedAttempt(1))
	require.NoError(t, err)
	require.InDelta(t, 9, b.Tokens(), 0)
	for name, p := range map[string]*retry.Policy{"nil": nil, "zero": {}, "budget": p} {
		wait, err := p.Next(context.Background(), retry.Attempt{Number: 1})
		require.ErrorIs(t, err, retry.ErrOption, name)
		require.EqualError(t, err, "retry: Next: nil Attempt.Err; ask only after an attempt that failed")
		assert.Zero(t, wait)
		var e *retry.Error
		assert.False(t, errors.As(err, &e))
	}
	assert.InDelta(t, 9, b.Tokens(), 0, "an error makes no deposit and takes no token")
}

func TestNextNilContext(t *testing.T) {
	t.Parallel()
	assert.PanicsWithValue(t, "retry: nil context", func() {
		_, _ = retry.MustNew().Next(nil, failedAttempt(1)) //nolint:staticcheck // the very test
	})
}

// The zero policy and the nil policy use the defaults.
func TestNextDefaults(t *testing.T) {
	t.Parallel()
	for name, p := range map[string]*retry.Policy{"nil": nil, "zero": {}, "none": retry.MustNew()} {
		for number, most := range map[int]time.Duration{1: 100 * time.Millisecond, 4: 800 * time.Millisecond} {
			wait, err := p.Next(context.Background(), failedAttempt(number))
			require.NoError(t, err, name)
			assert.LessOrEqual(t, wait, most, name)
			assert.GreaterOrEqual(t, wait, time.Duration(0), name)
		}
		_, err := p.Next(context.Background(), failedAttempt(5))
		assert.Equal(t, retry.ErrExhausted, retryError(t, err).Reason, name)
	}
}

// Next runs no gate, hook or validator. It writes to no log and no history.
func TestNextRunsNoCallbacks(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	history := retry.NewHistory(9)
	p := retry.MustNew(
		retry.WithGate(func(context.Context, retry.Attempt) (func(error), error) { panic("gate") }),
		retry.WithHooks(neverHooks(t)),
		retry.WithValidator(func(int, retry.Attempt) error { panic("validator") }),
		retry.WithLogger(slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))),
		retry.WithHistory(history))
	_, err := p.Next(context.Background(), failedAttempt(1))
	require.NoError(t, err)
	_, err = p.Next(context.Background(), failedAttempt(5))
	require.ErrorIs(t, err, retry.ErrExhausted)
	assert.Empty(t, log.String())
	assert.Zero(t, history.Len())
}

// Attempt 1 makes a deposit into the budget. Each retry that nothing else forbids takes a
// token.
func TestNextBudget(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		a    retry.Attempt
		want float64 // tokens left, of 5
	}{
		{"attempt 1", failedAttempt(1), 4.5},
		{"attempt 0 is 1", failedAttempt(0), 4.5},
		{"attempt 2", failedAttempt(2), 4},
		{"permanent attempt 1", retry.Attempt{Number: 1, Err: retry.Permanent(errDown)}, 5.5},
		{"permanent attempt 2", retry.Attempt{Number: 2, Err: retry.Permanent(errDown)}, 5},
		{"exhausted", failedAttempt(9), 5},
		{"a long attempt 3 is a new attempt 1", retry.Attempt{Number: 3, Duration: time.Hour, Elapsed: time.Hour, Err: errDown}, 4.5},
		{"a long attempt 1 makes one deposit", retry.Attempt{Number: 1, Duration: time.Hour, Elapsed: time.Hour, Err: errDown}, 4.5},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := retry.NewBudget(0.5, 6)
			p := retry.MustNew(retry.WithBudget(b), retry.WithResetAfter(time.Hour))
			_, err := p.Next(context.Background(), failedAttempt(2)) // makes room for the deposit
			require.NoError(t, err)
			require.InDelta(t, 5, b.Tokens(), 0)
			_, _ = p.Next(context.Background(), tt.a)
			assert.InDelta(t, tt.want, b.Tokens(), 1e-9)
		})
	}
}

// Classifiers, stop functions and custom strategies see the attempt as in a call.
func TestNextPassesAttempt(t *testing.T) {
	t.Parallel()
	var seen []retry.Attempt
	see := func(a retry.Attempt) bool { seen = append(seen, a); return false }
	p := retry.MustNew(
		retry.WithName("driver"), retry.WithMaxAttempts(100),
		retry.WithStopIf(see),
		retry.WithRetryIf(retry.Not(see)),
		retry.WithBackoff(retry.BackoffFunc(func(a retry.Attempt) time.Duration { see(a); return time.Second })),
		retry.WithStop(func(a retry.Attempt) error { see(a); return nil }))
	a := retry.Attempt{Waited: 1, Elapsed: 2, Duration: 3, TimedOut: true, Err: errDown}
	_, err := p.Next(context.Background(), a)
	require.NoError(t, err)
	a.Name, a.Number = "driver", 1
	withDelay := a
	withDelay.Delay = time.Second
	assert.Equal(t, []retry.Attempt{a, a, a, withDelay}, seen)

	seen = nil
	a.Name, a.Number = "own", 7
	_, err = p.Next(context.Background(), a)
	require.NoError(t, err)
	assert.Equal(t, a, seen[0], "the given name and number stay")
}

// Next is safe for concurrent use, and the budget counts exactly.
func TestNextConcurrently(t *testing.T) {
	t.Parallel()
	b := retry.NewBudget(0.5, 1000)
	p := retry.MustNew(doublingWaits, retry.WithBudget(b))
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 100 {
				wait, err := p.Next(context.Background(), failedAttempt(2))
				assert.NoError(t, err)
				assert.Equal(t, 2*time.Second, wait)
			}
		})
	}
	wg.Wait()
	assert.InDelta(t, 200, b.Tokens(), 0)
}
