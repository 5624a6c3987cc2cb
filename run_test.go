package retry_test

import (
	"context"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
)

func TestRunByHand(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var done outcomes
		run := retry.MustNew(every(time.Hour), retry.WithMaxAttempts(3), done.hook()).Start(context.Background())
		fn, calls := failing(9, errDown)
		start := time.Now()
		for i := 1; i <= 2; i++ {
			wait, again := run.Try(fn)
			assert.True(t, again)
			assert.Equal(t, time.Hour, wait)
			assert.Equal(t, i, *calls)
			assert.Empty(t, done.all)
			assert.Zero(t, time.Since(start), "Try never sleeps")
		}
		wait, again := run.Try(fn)
		assert.False(t, again)
		assert.Zero(t, wait)
		e := stopped(t, run.Err())
		assert.Equal(t, retry.ErrExhausted, e.Reason)
		assert.Equal(t, 3, e.Attempts)
		assert.Equal(t, 3, done.one(t).Attempts)

		wait, again = run.Try(fn)
		assert.False(t, again)
		assert.Zero(t, wait)
		assert.Equal(t, 3, *calls, "a Try after the end does nothing")
		_, again = run.Try(nil)
		assert.False(t, again)
		assert.Same(t, e, run.Err(), "not even with a nil function")
		assert.Len(t, done.all, 1)
	})
}

func TestRunSucceeds(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string][]retry.Option{
		"plain":   {atOnce},
		"watched": {atOnce, retry.WithHistory(retry.NewHistory(1))},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run := retry.MustNew(opts...).Start(context.Background())
			fn, calls := failing(1, errDown)
			_, again := run.Try(fn)
			require.True(t, again)
			_, again = run.Try(fn)
			require.False(t, again)
			require.NoError(t, run.Err())
			_, again = run.Try(fn)
			assert.False(t, again)
			assert.Equal(t, 2, *calls)
			assert.NoError(t, run.Err())
		})
	}
}

func TestRunTimeCountsFromStart(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		run := retry.MustNew(every(time.Second), retry.WithMaxElapsed(time.Minute)).Start(context.Background())
		time.Sleep(time.Minute - time.Second)
		_, again := run.Try(always(errDown))
		require.False(t, again)
		e := stopped(t, run.Err())
		assert.Equal(t, retry.ErrMaxElapsed, e.Reason)
		assert.Equal(t, time.Minute-time.Second, e.Elapsed)
	})
}

func TestRunLooksAtTheContextFirst(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		var done outcomes
		run := retry.MustNew(every(time.Hour), done.hook()).Start(ctx)
		fn, calls := failing(9, errDown)
		_, again := run.Try(fn)
		require.True(t, again)
		time.Sleep(time.Minute)
		cancel()
		_, again = run.Try(fn)
		require.False(t, again)
		assert.Equal(t, 1, *calls)
		e := stopped(t, run.Err())
		assert.Equal(t, retry.ErrContext, e.Reason)
		assert.ErrorIs(t, e, errDown)
		assert.ErrorIs(t, e, context.Canceled)
		assert.Equal(t, time.Minute, done.one(t).Waited)
	})
}

func TestRunStartHookRunsAtTheFirstTry(t *testing.T) {
	t.Parallel()
	starts := 0
	run := retry.MustNew(atOnce, retry.WithHooks(retry.Hooks{Start: func(ctx context.Context) context.Context {
		starts++
		return ctx
	}})).Start(context.Background())
	assert.Zero(t, starts)
	for range 3 {
		run.Try(always(errDown))
		assert.Equal(t, 1, starts)
	}
}

func TestRunLeftRunsNoDone(t *testing.T) {
	t.Parallel()
	var done outcomes
	run := retry.MustNew(done.hook()).Start(context.Background())
	_, again := run.Try(always(errDown))
	require.True(t, again)
	assert.Empty(t, done.all)
	assert.NoError(t, run.Err(), "valid only once again was false")
}

func TestRunNilFunction(t *testing.T) {
	t.Parallel()
	var done outcomes
	run := retry.MustNew(atOnce, done.hook()).Start(context.Background())
	_, again := run.Try(nil)
	assert.False(t, again)
	require.ErrorIs(t, run.Err(), retry.ErrOption)
	fn, calls := failing(0, nil)
	_, again = run.Try(fn)
	assert.False(t, again)
	assert.Zero(t, *calls)
	_, again = run.Try(nil)
	assert.False(t, again)
	require.EqualError(t, run.Err(), "retry: Run.Try: nil function")
	assert.Empty(t, done.all)
}

func TestRunWithValidatorsIsAFault(t *testing.T) {
	t.Parallel()
	p := retry.MustNew(retry.WithValidator(func(string, retry.Attempt) error { return nil }))
	for name, run := range map[string]*retry.Run{
		"Start":  p.Start(context.Background()),
		"Resume": p.Resume(context.Background(), retry.Attempt{Number: 1}),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fn, calls := failing(0, nil)
			_, again := run.Try(fn)
			assert.False(t, again)
			assert.Zero(t, *calls)
			require.ErrorIs(t, run.Err(), retry.ErrOption)
			assert.EqualError(t, run.Err(),
				"retry: WithValidator: a validator for string in a call that returns no value; use DoValue or Func")
		})
	}
}

func TestTryValue(t *testing.T) {
	t.Parallel()
	h := retry.NewHistory(9)
	policy := retry.MustNew(every(time.Hour), retry.WithMaxAttempts(3), retry.WithHistory(h))
	for _, validated := range []bool{false, true} {
		p := policy
		if validated {
			p = retry.MustNew(policy, rejectAll(errOdd))
		}
		run := p.Start(t.Context())
		n := 0
		fn := func(context.Context) (int, error) { n++; return n, errDown }
		for range 2 {
			v, wait, again := retry.TryValue(run, fn)
			assert.Equal(t, n, v)
			assert.Equal(t, time.Hour, wait)
			assert.True(t, again)
		}
		v, _, again := retry.TryValue(run, fn)
		assert.False(t, again)
		assert.Equal(t, 3, v)
		assert.Equal(t, retry.ErrExhausted, stopped(t, run.Err()).Reason)
		v, _, again = retry.TryValue(run, fn)
		assert.False(t, again)
		assert.Zero(t, v, "a TryValue after the end does nothing")
		assert.Equal(t, 3, n)
	}
}

func TestTryValueValidatesAsDoValue(t *testing.T) {
	t.Parallel()
	p := retry.MustNew(every(time.Hour), retry.WithMaxAttempts(4), retry.WithHistorySize(2), rejectAll(errOdd))
	run := p.Start(t.Context())
	fn := counting()
	for again := true; again; {
		_, _, again = retry.TryValue(run, fn)
	}
	var report *retry.ValidationError[int]
	require.ErrorAs(t, run.Err(), &report)
	assert.Equal(t, []int{3, 4}, report.Values, "over all attempts, the newest")
	assert.Equal(t, 4, report.Attempts)
	assert.ErrorIs(t, run.Err(), errOdd)

	run = retry.MustNew(every(time.Hour), retry.WithValidator(func(v int, _ retry.Attempt) error {
		if v == 1 {
			return errOdd
		}
		return nil
	})).Start(t.Context())
	fn = counting()
	_, _, again := retry.TryValue(run, fn)
	assert.True(t, again)
	v, _, again := retry.TryValue(run, fn)
	assert.False(t, again)
	assert.Equal(t, 2, v)
	assert.NoError(t, run.Err())
}

func TestTryValueFaults(t *testing.T) {
	t.Parallel()
	forString := retry.MustNew(retry.WithValidator(func(string, retry.Attempt) error { return nil }))
	for name, tt := range map[string]struct {
		policy *retry.Policy
		fn     func(context.Context) (int, error)
		want   string
	}{
		"nil function":           {nil, nil, "retry: TryValue: nil function"},
		"a validator that fails": {forString, counting(), "retry: WithValidator: a validator for string does not fit a call that returns int"},
		"both": {
			forString, nil,
			"retry: WithValidator: a validator for string does not fit a call that returns int\nretry: TryValue: nil function",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run := tt.policy.Start(t.Context())
			for range 2 {
				v, _, again := retry.TryValue(run, tt.fn)
				assert.False(t, again)
				assert.Zero(t, v)
				require.ErrorIs(t, run.Err(), retry.ErrOption)
				assert.EqualError(t, run.Err(), tt.want)
			}
		})
	}
}

func TestResumeGoesOn(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		const s = time.Second
		var parked retry.Attempt
		h := retry.NewHistory(9)
		policy := retry.MustNew(retry.WithName("job"), retry.WithHistory(h), retry.WithMaxAttempts(4),
			retry.WithBackoff(retry.Linear(10*s, 10*s)), retry.WithJitter(retry.NoJitter),
			retry.WithHooks(retry.Hooks{BeforeWait: func(_ context.Context, a retry.Attempt) { parked = a }}))
		slow := func(context.Context) error { time.Sleep(s); return errDown }

		_, again := policy.Start(context.Background()).Try(slow)
		require.True(t, again)
		require.Equal(t, 10*s, parked.Delay)
		for range 2 { // each step in a Run of its own, as a queue makes them
			time.Sleep(parked.Delay)
			wait, again := policy.Resume(context.Background(), parked).Try(slow)
			require.True(t, again)
			require.Equal(t, parked.Delay, wait)
		}
		time.Sleep(parked.Delay)
		now := time.Now()
		var done outcomes
		run := retry.MustNew(policy, done.hook()).Resume(context.Background(), parked)
		_, again = run.Try(slow)
		require.False(t, again)

		e := stopped(t, run.Err())
		assert.Equal(t, retry.ErrExhausted, e.Reason)
		assert.Equal(t, 4, e.Attempts)
		assert.Equal(t, 64*s, e.Elapsed)
		out := done.one(t)
		assert.Equal(t, 4, out.Attempts)
		assert.Equal(t, 64*s, out.Elapsed)
		assert.Equal(t, []retry.Attempt{
			{Name: "job", Number: 4, Start: now, Waited: 30 * s, Duration: s, Elapsed: 64 * s, Err: errDown},
		}, e.History(), "of this Run")
		var got [][4]time.Duration
		for i, a := range h.Slice() {
			assert.Equal(t, i+1, a.Number)
			got = append(got, [4]time.Duration{a.Waited, a.Duration, a.Elapsed, a.Delay})
		}
		assert.Equal(t, [][4]time.Duration{
			{0, s, s, 10 * s}, {10 * s, s, 12 * s, 20 * s}, {20 * s, s, 33 * s, 30 * s}, {30 * s, s, 64 * s, 0},
		}, got)
	})
}

func TestResumeFromARecord(t *testing.T) {
	t.Parallel()
	const s = time.Second
	for _, tt := range []struct {
		name string
		last retry.Attempt
		want retry.Attempt // what the gate sees
	}{
		{"nothing", retry.Attempt{}, retry.Attempt{Number: 1}},
		{"a late queue", retry.Attempt{Number: 2, Elapsed: 5 * s, Delay: 30 * s}, retry.Attempt{Number: 3, Waited: 30 * s, Elapsed: 35 * s}},
		{"its other fields do not matter", retry.Attempt{Name: "x", Number: 1, Waited: 7 * s, Duration: 8 * s}, retry.Attempt{Number: 2}},
		{"negative fields count as none", retry.Attempt{Number: -3, Elapsed: -s, Delay: -s}, retry.Attempt{Number: 1}},
		{"the longest durations", retry.Attempt{Number: 1, Elapsed: math.MaxInt64, Delay: math.MaxInt64}, retry.Attempt{Number: 2, Waited: math.MaxInt64, Elapsed: math.MaxInt64}},
		{"the last number", retry.Attempt{Number: math.MaxInt}, retry.Attempt{Number: math.MaxInt}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				var saw retry.Attempt
				run := retry.MustNew(retry.WithMaxAttempts(retry.Unlimited),
					retry.WithGate(func(_ context.Context, a retry.Attempt) (func(error), error) { saw = a; return nil, nil }),
				).Resume(context.Background(), tt.last)
				wait, again := run.Try(always(errDown))
				assert.True(t, again)
				assert.GreaterOrEqual(t, wait, time.Duration(0))
				saw.Start = time.Time{}
				assert.Equal(t, tt.want, saw)
				run.Try(always(errDown))
				assert.Positive(t, saw.Number, "numbers do not overflow")
			})
		})
	}
}

func TestResumePastALimit(t *testing.T) {
	t.Parallel()
	const s = time.Second
	dead, cancel := context.WithCancel(context.Background())
	cancel()
	last := retry.Attempt{Number: 3, Elapsed: 10 * s, Delay: 5 * s, Err: errDown}
	for _, tt := range []struct {
		name   string
		ctx    context.Context
		opts   []retry.Option
		reason error
	}{
		{"attempts used up", context.Background(), []retry.Option{retry.WithMaxAttempts(3)}, retry.ErrExhausted},
		{"a stricter policy", context.Background(), []retry.Option{retry.WithMaxAttempts(1)}, retry.ErrExhausted},
		{"time used up", context.Background(), []retry.Option{retry.WithMaxElapsed(15 * s)}, retry.ErrMaxElapsed},
		{"dead context", dead, nil, retry.ErrContext},
		{"just in time", context.Background(), []retry.Option{retry.WithMaxElapsed(15*s + 1)}, nil},
		{"one attempt left", context.Background(), []retry.Option{retry.WithMaxAttempts(4)}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				var done outcomes
				calls := 0
				run := retry.MustNew(append(tt.opts, done.hook())...).Resume(tt.ctx, last)
				_, again := run.Try(func(context.Context) error { calls++; return nil })
				require.False(t, again)
				if tt.reason == nil {
					require.NoError(t, run.Err())
					assert.Equal(t, 1, calls)
					return
				}
				assert.Zero(t, calls)
				e := stopped(t, run.Err())
				assert.Equal(t, tt.reason, e.Reason)
				assert.Equal(t, 3, e.Attempts)
				assert.Equal(t, errDown, e.Err, "the stored attempt's error is the last one")
				assert.Equal(t, 15*s, e.Elapsed)
				assert.Zero(t, e.Delay)
				assert.Equal(t, 3, done.one(t).Attempts)
			})
		})
	}
}

func TestResumeTakesNoTokenTwice(t *testing.T) {
	t.Parallel()
	b := retry.NewBudget(0.5, 2)
	p := retry.MustNew(retry.WithBudget(b))
	_, again := p.Start(context.Background()).Try(always(errDown))
	require.True(t, again)
	require.Equal(t, 1.0, b.Tokens())
	_, again = p.Resume(context.Background(), retry.Attempt{Number: 1}).Try(func(context.Context) error { return nil })
	require.False(t, again)
	assert.Equal(t, 1.0, b.Tokens(), "it is the same call: no deposit, and its retry is paid")
}

func TestResumePermanentAndRetry(t *testing.T) {
	t.Parallel()
	run := retry.MustNew(atOnce).Resume(context.Background(), retry.Attempt{Number: 1, Err: retry.Permanent(errOdd)})
	_, again := run.Try(always(errDown))
	require.True(t, again, "the stored error was decided on by the earlier Run")
	_, again = run.Try(always(retry.Permanent(errDown)))
	require.False(t, again)
	e := stopped(t, run.Err())
	assert.Equal(t, retry.ErrPermanent, e.Reason)
	assert.Equal(t, 3, e.Attempts)
	assert.NotErrorIs(t, e, errOdd)
}

// What a Start hook returned lasts for all steps, whatever else the Run has to keep.
func TestRunKeepsTheStartHooksContext(t *testing.T) {
	t.Parallel()
	start := retry.WithHooks(retry.Hooks{Start: func(ctx context.Context) context.Context { return extend(ctx, "s") }})
	for name, opts := range map[string][]retry.Option{
		"with a history":    nil,
		"without a history": {retry.WithHistorySize(0)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run := retry.MustNew(append(opts, start, atOnce, retry.WithMaxAttempts(4))...).Start(context.Background())
			for n := range 4 {
				var got string
				_, again := run.Try(func(ctx context.Context) error {
					got = trail(ctx)
					return errDown
				})
				assert.Equal(t, "s", got, "attempt %d", n+1)
				assert.Equal(t, n < 3, again)
			}
		})
	}
}

// TryValue without a function is a fault in each kind of Run, and none in one that is over.
func TestTryValueOfNilFunction(t *testing.T) {
	t.Parallel()
	forInt := retry.WithValidator(func(int, retry.Attempt) error { return nil })
	for name, policy := range map[string]*retry.Policy{
		"plain":     retry.MustNew(atOnce),
		"validated": retry.MustNew(atOnce, forInt),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run := policy.Start(context.Background())
			v, wait, again := retry.TryValue[int](run, nil)
			assert.Zero(t, v)
			assert.Zero(t, wait)
			assert.False(t, again)
			assertFault(t, run.Err())
			assert.EqualError(t, run.Err(), "retry: TryValue: nil function")

			over := policy.Start(context.Background())
			_, _, again = retry.TryValue(over, counting())
			require.False(t, again)
			require.NoError(t, over.Err())
			_, _, again = retry.TryValue[int](over, nil)
			assert.False(t, again)
			assert.NoError(t, over.Err(), "it stays as it ended")

			begun := policy.Start(context.Background())
			_, _, again = retry.TryValue(begun, func(context.Context) (int, error) { return 7, errDown })
			require.True(t, again)
			v, _, again = retry.TryValue[int](begun, nil)
			assert.Zero(t, v)
			assert.False(t, again)
			assertFault(t, begun.Err())
		})
	}
}
