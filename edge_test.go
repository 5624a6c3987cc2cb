package retry_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrytest"
)

// Cases where several rules meet, and unusual contexts, clocks and options.

// strangeContext ends although it has no Done channel.
type strangeContext struct {
	context.Context
	err error
}

func (c *strangeContext) Err() error            { return c.err }
func (c *strangeContext) Done() <-chan struct{} { return nil }

func TestContextWithoutDoneEndsBeforeTheWait(t *testing.T) {
	t.Parallel()
	ctx := &strangeContext{Context: t.Context()}
	var clk retrytest.Clock
	err := retry.Do(ctx, func(context.Context) error { return errDown }, retry.WithClock(&clk),
		retry.WithHooks(retry.Hooks{BeforeWait: func(context.Context, retry.Attempt) { ctx.err = context.Canceled }}))
	require.ErrorIs(t, err, retry.ErrContext)
	assert.Empty(t, clk.Waits())
}

func TestMaxElapsedIncludesHooks(t *testing.T) {
	t.Parallel()
	var clk retrytest.Clock
	err := retry.Do(t.Context(), func(context.Context) error { clk.Advance(time.Second); return errDown },
		retry.WithClock(&clk), retry.WithMaxElapsed(10*time.Second), retry.WithBackoff(retry.Constant(5*time.Second)),
		retry.WithHooks(retry.Hooks{AfterAttempt: func(context.Context, retry.Attempt) { clk.Advance(8 * time.Second) }}))
	require.ErrorIs(t, err, retry.ErrMaxElapsed)
	assert.Empty(t, clk.Waits(), "it does not wait for nothing")
}

// A clock that overshoots may pass a deadline that only this clock can see.
func TestClockDeadlineIsCheckedAfterWait(t *testing.T) {
	t.Parallel()
	var clk retrytest.Clock
	ctx := deadlineOnly{t.Context(), clk.Now().Add(5 * time.Second)}
	calls := 0
	err := retry.Do(ctx, func(context.Context) error { calls++; return errDown },
		retry.WithClock(slowClock{&clk}), retry.WithBackoff(retry.Constant(time.Second)))
	require.ErrorIs(t, err, context.DeadlineExceeded)
	assert.Equal(t, 1, calls)
}

type deadlineOnly struct {
	context.Context
	at time.Time
}

func (c deadlineOnly) Deadline() (time.Time, bool) { return c.at, true }

type slowClock struct{ *retrytest.Clock }

func (c slowClock) After(d time.Duration) <-chan time.Time { return c.Clock.After(10 * d) }

func TestLimiterWithGatesOwnDeadline(t *testing.T) {
	t.Parallel()
	refusal := errors.New("would exceed context deadline")
	inner := retry.RateLimit(limiterFunc(func(context.Context) error { return refusal }))
	err := retry.Do(context.Background(), func(context.Context) error { return nil },
		retry.WithBackoff(retry.Constant(0)), retry.WithMaxAttempts(3),
		retry.WithGate(func(ctx context.Context, a retry.Attempt) (func(error), error) {
			ctx, cancel := context.WithTimeout(ctx, time.Hour)
			defer cancel()
			return inner(ctx, a)
		}))
	var e *retry.Error
	require.ErrorAs(t, err, &e)
	assert.Equal(t, retry.ErrExhausted, e.Reason, "the caller has no deadline")
	assert.Equal(t, 3, e.Attempts)
	assert.ErrorIs(t, err, refusal)
}

type limiterFunc func(context.Context) error

func (f limiterFunc) Wait(ctx context.Context) error { return f(ctx) }

func TestRunAfterPanicsKeepsToMaxAttempts(t *testing.T) {
	t.Parallel()
	run := retry.MustNew(retry.WithMaxAttempts(2), retry.WithBackoff(retry.Constant(0))).Start(t.Context())
	calls := 0
	for range 5 {
		func() {
			defer func() { _ = recover() }()
			run.Try(func(context.Context) error { calls++; panic("boom") })
		}()
	}
	assert.Equal(t, 2, calls)
	require.ErrorIs(t, run.Err(), retry.ErrExhausted)
}

func TestErrRejectedFromFunctionIsAnOrdinaryError(t *testing.T) {
	t.Parallel()
	_, err := retry.DoValue(t.Context(), func(context.Context) (int, error) { return 1, nil }, retry.WithMaxAttempts(1),
		retry.WithValidator(func(int, retry.Attempt) error { return errDown }))
	var inner *retry.Error
	require.ErrorAs(t, err, &inner)

	calls := 0
	err = retry.Do(t.Context(), func(context.Context) error { calls++; return inner.Err },
		retry.WithBackoff(retry.Constant(0)), retry.WithRetryIf(retry.Is(context.Canceled)))
	assert.Equal(t, 1, calls, "WithRetryIf decides about it")
	var report *retry.ValidationError[int]
	assert.False(t, errors.As(err, &report), "this call rejected nothing")
}

func TestRefusedCallsMakeNoBudgetDeposit(t *testing.T) {
	t.Parallel()
	budget := retry.NewBudget(1, 5)
	for budget.Tokens() > 0 { // empty the budget
		_ = retry.Do(t.Context(), func(context.Context) error { return errDown },
			retry.WithBudget(budget), retry.WithBackoff(retry.Constant(0)), retry.WithMaxAttempts(retry.Unlimited))
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	err := retry.Do(ctx, func(context.Context) error { return nil }, retry.WithBudget(budget),
		retry.WithGate(retry.RateLimit(limiterFunc(func(context.Context) error { return errDown }))))
	require.ErrorIs(t, err, retry.ErrContext)
	assert.Zero(t, budget.Tokens(), "a call without an attempt makes no deposit")

	letIn := func(context.Context, retry.Attempt) (func(error), error) { return nil, nil }
	require.NoError(t, retry.Do(ctx, func(context.Context) error { return nil }, retry.WithBudget(budget), retry.WithGate(letIn)))
	assert.Equal(t, 1.0, budget.Tokens(), "a call that passes its gates makes a deposit")
}

func TestTinyBudgetRecovers(t *testing.T) {
	t.Parallel()
	budget := retry.NewBudget(1e-12, 1)
	fails := func() {
		_ = retry.Do(t.Context(), func(context.Context) error { return errDown },
			retry.WithBudget(budget), retry.WithBackoff(retry.Constant(0)), retry.WithMaxAttempts(2))
	}
	fails()
	before := budget.Tokens()
	fails()
	assert.Greater(t, budget.Tokens(), before)
}

func TestEmptyWithValidatorDoesNothing(t *testing.T) {
	t.Parallel()
	_, err := retry.DoValue(t.Context(), func(context.Context) (int, error) { return 1, nil },
		retry.WithValidator[string](), retry.WithValidator(func(int, retry.Attempt) error { return nil }))
	require.NoError(t, err)
	for range retry.Attempts(t.Context(), &err, retry.WithValidator[int]()) {
		err = nil
	}
	require.NoError(t, err)
}

func TestIsCopiesItsTargets(t *testing.T) {
	t.Parallel()
	targets := []error{errDown, context.Canceled}
	match := retry.Is(targets...)
	targets[0] = context.DeadlineExceeded
	assert.True(t, match(retry.Attempt{Err: errDown}))
	assert.False(t, match(retry.Attempt{Err: context.DeadlineExceeded}))
}

// Not parallel: AllocsPerRun counts for the whole process.
func TestAllocsThroughGates(t *testing.T) {
	gate := func(context.Context, retry.Attempt) (func(error), error) { return func(error) {}, nil }
	p := retry.MustNew(retry.WithGate(gate, retry.OnlyRetries(gate)))
	assert.Zero(t, allocs(func() { _ = p.Do(context.Background(), func(context.Context) error { return nil }) }))
}
