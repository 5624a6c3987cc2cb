package retryotel_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
)

const (
	failed    = "retry.outcome=failed,retry.policy.name=fetch"
	succeeded = "retry.outcome=succeeded,retry.policy.name=fetch"
	fetch     = "retry.policy.name=fetch"
)

// callTest is a call of package retry and what it records. Its attempts take ten seconds each, and
// its waits one second.
type callTest struct {
	fails  int // failed attempts before the first that succeeds
	err    error
	opts   []retry.Option
	budget bool // allows one retry
	ctx    func(context.Context) (context.Context, context.CancelFunc)

	call           string // attributes of retry.calls
	attempts       float64
	duration, wait float64
	failedAttempts float64
	goodAttempts   float64
}

const always = 99

var callTests = map[string]callTest{
	"success":            {call: succeeded + ",retry.retried=false", attempts: 1, duration: 10, goodAttempts: 1},
	"success, two tries": {fails: 2, call: succeeded + ",retry.retried=true", attempts: 3, duration: 32, wait: 2, failedAttempts: 2, goodAttempts: 1},
	"exhausted": {
		fails: always, opts: []retry.Option{retry.WithMaxAttempts(3)},
		call: failed + ",retry.reason=exhausted,retry.retried=true", attempts: 3, duration: 32, wait: 2, failedAttempts: 3,
	},
	"exhausted at once": {
		fails: always, opts: []retry.Option{retry.WithMaxAttempts(1)},
		call: failed + ",retry.reason=exhausted,retry.retried=false", attempts: 1, duration: 10, failedAttempts: 1,
	},
	"permanent": {
		fails: always, err: retry.Permanent(errDown),
		call: failed + ",retry.reason=permanent,retry.retried=false", attempts: 1, duration: 10, failedAttempts: 1,
	},
	"time limit": {
		fails: always, opts: []retry.Option{retry.WithMaxElapsed(20 * time.Second)},
		call: failed + ",retry.reason=max_elapsed,retry.retried=true", attempts: 2, duration: 21, wait: 1, failedAttempts: 2,
	},
	"long hint": {
		fails: always, err: retry.After(time.Hour, errDown),
		call: failed + ",retry.reason=retry_after,retry.retried=false", attempts: 1, duration: 10, failedAttempts: 1,
	},
	"budget": {
		fails: always, budget: true,
		call: failed + ",retry.reason=budget,retry.retried=true", attempts: 2, duration: 21, wait: 1, failedAttempts: 2,
	},
	"canceled context": {
		ctx:  canceledAfter(0),
		call: failed + ",retry.reason=context,retry.retried=false",
	},
	"deadline in an attempt": {
		fails: always, ctx: withTimeout(5 * time.Second),
		call: failed + ",retry.reason=context,retry.retried=false", attempts: 1, duration: 5, failedAttempts: 1,
	},
	"the next wait would pass the deadline": {
		fails: always, ctx: withTimeout(time.Minute), opts: []retry.Option{retry.WithBackoff(retry.Constant(time.Minute))},
		call: failed + ",retry.reason=deadline,retry.retried=false", attempts: 1, duration: 10, failedAttempts: 1,
	},
	"a limit of one's own": {
		fails: always, opts: []retry.Option{retry.WithStop(func(retry.Attempt) error { return errDown })},
		call: failed + ",retry.reason=other,retry.retried=false", attempts: 1, duration: 10, failedAttempts: 1,
	},
	"canceled in a wait": {
		fails: always, ctx: canceledAfter(10500 * time.Millisecond),
		call: failed + ",retry.reason=context,retry.retried=false", attempts: 1, duration: 10.5, wait: 0.5, failedAttempts: 1,
	},
}

func canceledAfter(d time.Duration) func(context.Context) (context.Context, context.CancelFunc) {
	return func(ctx context.Context) (context.Context, context.CancelFunc) {
		ctx, cancel := context.WithCancel(ctx)
		if d == 0 {
			cancel()
		} else {
			time.AfterFunc(d, cancel)
		}
		return ctx, cancel
	}
}

func withTimeout(d time.Duration) func(context.Context) (context.Context, context.CancelFunc) {
	return func(ctx context.Context) (context.Context, context.CancelFunc) { return context.WithTimeout(ctx, d) }
}

// run makes the call.
func (c callTest) run(ctx context.Context, k *kit) error {
	if c.ctx != nil {
		var cancel context.CancelFunc
		ctx, cancel = c.ctx(ctx)
		defer cancel()
	}
	opts := k.options(c.opts...)
	if c.budget {
		opts = append(opts, retry.WithBudget(retry.NewBudget(0, 1)))
	}
	n := 0
	return retry.Do(ctx, func(ctx context.Context) error {
		select {
		case <-time.After(10 * time.Second):
		case <-ctx.Done():
			return ctx.Err()
		}
		if n++; n > c.fails {
			return nil
		}
		return errors.Join(c.err, errDown)
	}, opts...)
}

// figures returns what the call records if it ends with the outcome.
func (c callTest) figures(outcome string) figures {
	f := figures{
		"retry.calls{" + c.call + "}":                   1,
		"retry.call.attempts{" + fetch + "}":            c.attempts,
		"retry.call.attempts.count{" + fetch + "}":      1,
		"retry.call.duration{" + outcome + "}":          c.duration,
		"retry.call.duration.count{" + outcome + "}":    1,
		"retry.call.wait.duration{" + fetch + "}":       c.wait,
		"retry.call.wait.duration.count{" + fetch + "}": 1,
	}
	if c.goodAttempts > 0 {
		f["retry.attempt.duration{"+succeeded+"}"] = 10 * c.goodAttempts
		f["retry.attempt.duration.count{"+succeeded+"}"] = c.goodAttempts
	}
	if c.failedAttempts > 0 {
		f["retry.attempt.duration{"+failed+"}"] = min(10*c.failedAttempts, c.duration)
		f["retry.attempt.duration.count{"+failed+"}"] = c.failedAttempts
	}
	if c.budget {
		f["retry.budget.denials{retry.policy.name=fetch}"] = 1
	}
	return f
}

// Every way in which a call can end is recorded with these figures in every instrument.
func TestCalls(t *testing.T) {
	t.Parallel()
	for name, tt := range callTests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				k := newKit(t)
				outcome := succeeded
				if err := tt.run(t.Context(), k); err != nil {
					outcome = failed
				}
				got := k.figures(t)
				assert.Equal(t, tt.figures(outcome), got)
				got.assertAddUp(t)
				k.assertSpansEnded(t)
			})
		})
	}
}

// Calls with invalid options and calls that do not end are not counted.
func TestUncountedCalls(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		do    func(k *kit)
		want  float64 // attempts
		spans int     // ended spans
	}{
		"invalid option": {func(k *kit) {
			_ = retry.Do(context.Background(), succeeds, k.options(retry.WithMaxAttempts(0))...)
		}, 0, 0},
		"panic": {func(k *kit) {
			defer func() { _ = recover() }()
			_ = retry.Do(context.Background(), func(context.Context) error { panic("boom") }, k.options()...)
		}, 0, 0},
		"an abandoned Run": {func(k *kit) {
			_, again := retry.MustNew(k.options()...).Start(context.Background()).
				Try(func(context.Context) error { return errDown })
			if !again {
				panic("it ended")
			}
		}, 1, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := newKit(t)
			tt.do(k)
			f := k.figures(t)
			assert.Zero(t, f.total("retry.calls"))
			assert.Equal(t, tt.want, f.total("retry.attempt.duration.count"))
			assert.Len(t, k.spans.Ended(), tt.spans)
		})
	}
}

// The figures of a resumed call include its earlier part.
func TestResumed(t *testing.T) {
	t.Parallel()
	k := newKit(t)
	run := retry.MustNew(k.options()...).Resume(t.Context(), retry.Attempt{Number: 2, Elapsed: time.Hour, Delay: time.Minute})
	_, again := run.Try(succeeds)
	require.False(t, again)
	f := k.figures(t)
	assert.EqualValues(t, 1, f["retry.calls{"+succeeded+",retry.retried=true}"])
	assert.EqualValues(t, 3, f["retry.call.attempts{"+fetch+"}"])
	assert.InDelta(t, 3660, f["retry.call.duration{"+succeeded+"}"], 10)
	k.assertSpansEnded(t)
}
