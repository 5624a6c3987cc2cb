package retry_test

import (
	"context"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrytest"
)

func TestResumeContinuesCall(t *testing.T) {
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
		for range 2 { // each step has its own Run, as in a queue
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

		e := retryError(t, run.Err())
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

func TestResumeFromRecord(t *testing.T) {
	t.Parallel()
	const s = time.Second
	for _, tt := range []struct {
		name string
		last retry.Attempt
		want retry.Attempt // what the gate sees
	}{
		{"nothing", retry.Attempt{}, retry.Attempt{Number: 1}},
		{"a queue that runs late", retry.Attempt{Number: 2, Elapsed: 5 * s, Delay: 30 * s}, retry.Attempt{Number: 3, Waited: 30 * s, Elapsed: 35 * s}},
		{"its other fields do not matter", retry.Attempt{Name: "x", Number: 1, Waited: 7 * s, Duration: 8 * s}, retry.Attempt{Number: 2}},
		{"negative fields count as 0", retry.Attempt{Number: -3, Elapsed: -s, Delay: -s}, retry.Attempt{Number: 1}},
		{"the longest durations", retry.Attempt{Number: 1, Elapsed: math.MaxInt64, Delay: math.MaxInt64}, retry.Attempt{Number: 2, Waited: math.MaxInt64, Elapsed: math.MaxInt64}},
		{"the last number", retry.Attempt{Number: math.MaxInt}, retry.Attempt{Number: math.MaxInt}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				var saw retry.Attempt
				run := retry.MustNew(retry.WithMaxAttempts(retry.Unlimited),
					retry.WithGate(func(_ context.Context, a retry.Attempt) (func(error), error) { saw = a; return nil, nil }),
				).Resume(context.Background(), tt.last)
				wait, again := run.Try(alwaysReturn(errDown))
				assert.True(t, again)
				assert.GreaterOrEqual(t, wait, time.Duration(0))
				saw.Start = time.Time{}
				assert.Equal(t, tt.want, saw)
				run.Try(alwaysReturn(errDown))
				assert.Positive(t, saw.Number, "numbers do not overflow")
			})
		})
	}
}

func TestResumePastLimit(t *testing.T) {
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
				e := retryError(t, run.Err())
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
	_, again := p.Start(context.Background()).Try(alwaysReturn(errDown))
	require.True(t, again)
	require.Equal(t, 1.0, b.Tokens())
	_, again = p.Resume(context.Background(), retry.Attempt{Number: 1}).Try(func(context.Context) error { return nil })
	require.False(t, again)
	assert.Equal(t, 1.0, b.Tokens(), "the same call: no second deposit, and its retry has its token")
}

func TestResumePermanentAndRetry(t *testing.T) {
	t.Parallel()
	run := retry.MustNew(atOnce).Resume(context.Background(), retry.Attempt{Number: 1, Err: retry.Permanent(errOdd)})
	_, again := run.Try(alwaysReturn(errDown))
	require.True(t, again, "the earlier Run has handled the stored error")
	_, again = run.Try(alwaysReturn(retry.Permanent(errDown)))
	require.False(t, again)
	e := retryError(t, run.Err())
	assert.Equal(t, retry.ErrPermanent, e.Reason)
	assert.Equal(t, 3, e.Attempts)
	assert.NotErrorIs(t, e, errOdd)
}

// A queue that runs late adds the lateness to Elapsed. The next wait ignores the lateness and
// MaxElapsed counts it.
func TestResumeLate(t *testing.T) {
	t.Parallel()
	for _, lateness := range []time.Duration{0, time.Second, time.Hour} {
		clk := new(retrytest.Clock)
		p := retry.MustNew(retry.WithBackoff(retry.Decorrelated(time.Second, 3)), fixedRand(almostOne), retry.WithClock(clk), retry.WithMaxElapsed(time.Minute))
		stored := retry.Attempt{Number: 1, Delay: 3 * time.Second, Err: errDown}
		stored.Elapsed += lateness
		run := p.Resume(context.Background(), stored)
		var a retry.Attempt
		wait, again := retry.MustNew(p, retry.WithMaxElapsed(0), retry.WithStop(func(at retry.Attempt) error { a = at; return nil })).
			Resume(context.Background(), stored).Try(alwaysReturn(errDown))
		require.True(t, again)
		assert.Equal(t, 9*time.Second, wait, "three times the planned wait")
		assert.Equal(t, 2, a.Number)
		assert.Equal(t, 3*time.Second, a.Waited, "lateness is not part of Waited")
		assert.Equal(t, 3*time.Second+lateness, a.Elapsed)

		_, again = run.Try(alwaysReturn(errDown))
		assert.Equal(t, lateness < time.Minute, again)
		if !again {
			assert.Equal(t, retry.ErrMaxElapsed, retryError(t, run.Err()).Reason)
		}
	}
}
