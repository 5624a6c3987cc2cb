package retry_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
)

// attemptsUntilSpent makes a call that retries until the budget stops it. It returns the number of attempts.
func attemptsUntilSpent(t testing.TB, b *retry.Budget, maxAttempts int) int {
	t.Helper()
	e := retryError(t, retry.Do(context.Background(), alwaysReturn(errDown), atOnce, retry.WithMaxAttempts(maxAttempts), retry.WithBudget(b)))
	return e.Attempts
}

func TestBudgetTokens(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name     string
		ratio    float64
		burst    int
		start    float64
		attempts []int // of consecutive calls that always fail
		left     float64
	}{
		{"the burst, then nothing", 0, 3, 3, []int{4, 1, 1}, 0},
		{"a burst of 0 never retries", 0.5, 0, 0, []int{1, 1, 1, 1}, 0},
		{"a burst of 0 never retries, whatever the ratio", 1000, 0, 0, []int{1, 1}, 0},
		{"deposits stop at the burst", 5, 2, 2, []int{3, 3, 3}, 0},
		{"half a token allows no retry", 0.5, 1, 1, []int{2, 1, 2, 1, 2}, 0},
		{"a token for each call", 1, 1, 1, []int{2, 2, 2}, 0},
		{"fractions are kept", 0.75, 1, 1, []int{2, 1, 2}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := retry.NewBudget(tt.ratio, tt.burst)
			assert.Equal(t, tt.start, b.Tokens())
			for i, want := range tt.attempts {
				assert.Equal(t, want, attemptsUntilSpent(t, b, 100), "call %d", i+1)
			}
			assert.Equal(t, tt.left, b.Tokens())
		})
	}
}

func TestBudgetAddsExactly(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		ratio float64
		calls int
	}{{0.1, 10}, {0.2, 5}, {0.01, 100}, {0.001, 1000}, {0.7, 10}, {0.0157, 10000}} {
		b := retry.NewBudget(tt.ratio, 160)
		require.Equal(t, 161, attemptsUntilSpent(t, b, 1000)) // empty now: the call's own deposit did not fit into the full bucket
		for range tt.calls - 1 {
			require.NoError(t, retry.Do(context.Background(), alwaysReturn(nil), retry.WithBudget(b)), "successes make deposits too")
		}
		before := b.Tokens()
		require.NoError(t, retry.Do(context.Background(), alwaysReturn(nil), retry.WithBudget(b)))
		assert.Less(t, before, math.Round(tt.ratio*float64(tt.calls)))
		assert.Equal(t, math.Round(tt.ratio*float64(tt.calls)), b.Tokens(), "%v × %v", tt.calls, tt.ratio)
	}
}

func TestBudgetNeverExceedsBurst(t *testing.T) {
	t.Parallel()
	b := retry.NewBudget(0.4, 2)
	require.Equal(t, 2, attemptsUntilSpent(t, b, 2))
	for _, want := range []float64{1.4, 1.8, 2, 2} {
		require.NoError(t, retry.Do(context.Background(), alwaysReturn(nil), retry.WithBudget(b)))
		assert.Equal(t, want, b.Tokens())
	}
}

func TestZeroBudgetAllowsNoRetry(t *testing.T) {
	t.Parallel()
	b := new(retry.Budget)
	for range 3 {
		assert.Equal(t, 1, attemptsUntilSpent(t, b, 100))
	}
	assert.Zero(t, b.Tokens())
}

func TestBudgetBadArguments(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		b    *retry.Budget
		want string
	}{
		{nil, "nil Budget"},
		{retry.NewBudget(-0.1, 1), "a ratio of -0.1 is not a finite number of at least 0"},
		{retry.NewBudget(math.NaN(), 1), "a ratio of NaN is not a finite number of at least 0"},
		{retry.NewBudget(math.Inf(1), 1), "a ratio of +Inf is not a finite number of at least 0"},
		{retry.NewBudget(0.1, -1), "a burst of -1 is negative"},
	} {
		err := retry.Do(context.Background(), alwaysReturn(nil), retry.WithBudget(tt.b))
		require.ErrorIs(t, err, retry.ErrOption)
		assert.EqualError(t, err, "retry: WithBudget: "+tt.want)
	}
}

func TestBudgetLargestBurst(t *testing.T) {
	t.Parallel()
	if strconv.IntSize < 64 {
		t.Skip("an int cannot hold it")
	}
	burst := int64(4611686018)
	b := retry.NewBudget(math.MaxFloat64, int(burst))
	assert.Equal(t, float64(burst), b.Tokens())
	assert.Equal(t, 3, attemptsUntilSpent(t, b, 3))
	assert.Equal(t, 3, attemptsUntilSpent(t, b, 3))
	assert.Equal(t, float64(burst-2), b.Tokens(), "a large deposit only fills the bucket")
	for _, above := range []int64{burst + 1, math.MaxInt64} {
		err := retry.Do(context.Background(), alwaysReturn(nil), retry.WithBudget(retry.NewBudget(0.1, int(above))))
		require.ErrorIs(t, err, retry.ErrOption)
		assert.EqualError(t, err, fmt.Sprintf("retry: WithBudget: a burst of %d is above %d", above, burst))
	}
}

func TestBudgetLoadUnderTotalFailure(t *testing.T) {
	t.Parallel()
	const calls, burst = 1000, 20
	for _, ratio := range []float64{0, 0.1, 0.25, 1} {
		b := retry.NewBudget(ratio, burst)
		load := 0
		for range calls {
			load += attemptsUntilSpent(t, b, 4)
		}
		most := int((1+ratio)*calls) + burst
		assert.LessOrEqual(t, load, most)
		assert.GreaterOrEqual(t, load, most-burst-1, "it still allows as many retries as calls make deposits for")
	}
}

func TestBudgetRecovers(t *testing.T) {
	t.Parallel()
	b := retry.NewBudget(0.1, 5)
	for range 100 {
		attemptsUntilSpent(t, b, 5)
	}
	require.Less(t, b.Tokens(), 1.0)
	for range 50 {
		require.NoError(t, retry.Do(context.Background(), alwaysReturn(nil), retry.WithBudget(b)))
	}
	assert.GreaterOrEqual(t, b.Tokens(), 5.0)
}

func TestBudgetSpentError(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := retry.NewBudget(0, 1)
		start := time.Now()
		waits := 0
		err := retry.Do(context.Background(), alwaysReturn(errDown), retry.WithName("call"), retry.WithBudget(b),
			retry.WithBackoff(retry.Sequence(time.Second, time.Minute)),
			retry.WithHooks(retry.Hooks{BeforeWait: func(context.Context, retry.Attempt) { waits++ }}))
		assert.Equal(t, time.Second, time.Since(start), "the budget is asked before the wait")
		e := retryError(t, err)
		assert.Equal(t, retry.ErrBudget, e.Reason)
		assert.Equal(t, errDown, e.Err)
		assert.Equal(t, time.Minute, e.Delay, "a caller in a loop can wait that long")
		assert.Equal(t, 1, waits)
		assert.EqualError(t, err, "retry: call: client's own retry budget is spent (next wait 1m0s) after 2 attempts in 1s: server down")
	})
}

func TestBudgetIsAskedLast(t *testing.T) {
	t.Parallel()
	dead, cancel := context.WithCancel(context.Background())
	for _, tt := range []struct {
		name string
		ctx  context.Context
		fn   func(context.Context) error
		opts []retry.Option
		want float64
	}{
		{"success", context.Background(), alwaysReturn(nil), nil, 3},
		{"permanent", context.Background(), alwaysReturn(retry.Permanent(errDown)), nil, 3},
		{"stopped", context.Background(), alwaysReturn(errDown), []retry.Option{retry.WithStopIf(yes)}, 3},
		{"not retried", context.Background(), alwaysReturn(errDown), []retry.Option{retry.WithRetryIf(no)}, 3},
		{"exhausted", context.Background(), alwaysReturn(errDown), []retry.Option{retry.WithMaxAttempts(1)}, 3},
		{"exhausted after a retry", context.Background(), alwaysReturn(errDown), []retry.Option{retry.WithMaxAttempts(2)}, 2},
		{"hint too long", context.Background(), alwaysReturn(retry.After(time.Hour, errDown)), nil, 3},
		{"max elapsed", context.Background(), alwaysReturn(errDown), []retry.Option{every(time.Hour), retry.WithMaxElapsed(1)}, 3},
		{"context ended", dead, func(context.Context) error { cancel(); return errDown }, nil, 3},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := retry.NewBudget(0, 3)
			_ = retry.Do(tt.ctx, tt.fn, append([]retry.Option{atOnce, retry.WithBudget(b)}, tt.opts...)...)
			assert.Equal(t, tt.want, b.Tokens())
		})
	}
	t.Run("deadline", func(t *testing.T) {
		inBubble(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			defer cancel()
			b := retry.NewBudget(0, 3)
			require.ErrorIs(t, retry.Do(ctx, alwaysReturn(errDown), every(time.Second), retry.WithBudget(b)), retry.ErrContext)
			assert.Equal(t, 3.0, b.Tokens())
		})
	})
}

func TestBudgetShared(t *testing.T) {
	t.Parallel()
	const workers, calls, burst = 100, 50, 10
	const ratio = 0.25
	b := retry.NewBudget(ratio, burst)
	var load atomic.Int64
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for range calls {
				_ = retry.Do(context.Background(), func(context.Context) error {
					load.Add(1)
					if left := b.Tokens(); left < 0 || left > burst {
						t.Errorf("%v tokens", left)
					}
					return errDown
				}, atOnce, retry.WithMaxAttempts(3), retry.WithHistorySize(0), retry.WithBudget(b))
			}
		})
	}
	wg.Wait()
	assert.LessOrEqual(t, load.Load(), int64((1+ratio)*workers*calls+burst))
	spent := float64(load.Load() - workers*calls)
	assert.LessOrEqual(t, spent+b.Tokens(), float64(burst+ratio*workers*calls), "no token appears from nowhere")
	assert.Greater(t, spent, float64(workers*calls)*ratio*0.5)
}

func TestBudgetGivesEachTokenOnce(t *testing.T) {
	t.Parallel()
	const workers, burst = 100, 50_000
	b := retry.NewBudget(0, burst)
	p := retry.MustNew(atOnce, retry.WithMaxAttempts(retry.Unlimited), retry.WithHistorySize(0), retry.WithBudget(b))
	var load atomic.Int64
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			calls := 0
			err := p.Do(context.Background(), func(context.Context) error { calls++; return errDown })
			if !errors.Is(err, retry.ErrBudget) {
				t.Error(err)
			}
			load.Add(int64(calls))
		})
	}
	wg.Wait()
	assert.Equal(t, int64(workers+burst), load.Load())
	assert.Zero(t, b.Tokens())
}

// A call makes its deposit whatever runs around its attempts.
func TestBudgetDepositWithAnyOptions(t *testing.T) {
	t.Parallel()
	before := retry.WithHooks(retry.Hooks{BeforeAttempt: func(ctx context.Context, _ retry.Attempt) context.Context { return ctx }})
	gate := retry.WithGate(func(context.Context, retry.Attempt) (func(error), error) { return nil, nil })
	timeout := retry.WithAttemptTimeout(time.Minute)
	for name, opts := range map[string][]retry.Option{
		"none":                           nil,
		"attempt timeout":                {timeout},
		"BeforeAttempt hook":             {before},
		"gate":                           {gate},
		"attempt timeout and hook":       {timeout, before},
		"attempt timeout, hook and gate": {timeout, before, gate},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := retry.NewBudget(0.25, 1)
			require.Equal(t, 2, attemptsUntilSpent(t, b, 2))
			require.Zero(t, b.Tokens())
			for i, err := range []error{nil, retry.Permanent(errDown), nil} {
				_ = retry.Do(context.Background(), alwaysReturn(err), append(opts, retry.WithBudget(b))...)
				assert.InDelta(t, 0.25*float64(i+1), b.Tokens(), 1e-9)
			}
			fn, calls := failTimes(9, errDown)
			require.Error(t, retry.Do(context.Background(), fn, append(opts, retry.WithBudget(b), atOnce)...))
			assert.Equal(t, 2, *calls, "the call's own deposit completes the token")
		})
	}
}
