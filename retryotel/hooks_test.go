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

// Every way in which a call ends is counted in every instrument, with these figures.
func TestCalls(t *testing.T) {
	t.Parallel()
	type row struct {
		fails int // before it succeeds
		err   error
		opts  []retry.Option
		ctx   func(context.Context) (context.Context, context.CancelFunc)

		call           string // attributes of retry.calls
		attempts       float64
		duration, wait float64
		failed, good   float64 // attempts
	}
	dead := func(ctx context.Context) (context.Context, context.CancelFunc) {
		ctx, cancel := context.WithCancel(ctx)
		cancel()
		return ctx, cancel
	}
	soon := func(ctx context.Context) (context.Context, context.CancelFunc) {
		return context.WithTimeout(ctx, 5*time.Second)
	}
	late := func(ctx context.Context) (context.Context, context.CancelFunc) {
		return context.WithTimeout(ctx, time.Minute)
	}
	inWait := func(ctx context.Context) (context.Context, context.CancelFunc) {
		ctx, cancel := context.WithCancel(ctx)
		time.AfterFunc(10500*time.Millisecond, cancel)
		return ctx, cancel
	}
	const always = 99
	for name, tt := range map[string]row{
		"success":            {call: succeeded + ",retry.retried=false", attempts: 1, duration: 10, good: 1},
		"success, two tries": {fails: 2, call: succeeded + ",retry.retried=true", attempts: 3, duration: 32, wait: 2, failed: 2, good: 1},
		"exhausted": {
			fails: always, opts: []retry.Option{retry.WithMaxAttempts(3)},
			call: failed + ",retry.reason=exhausted,retry.retried=true", attempts: 3, duration: 32, wait: 2, failed: 3,
		},
		"exhausted at once": {
			fails: always, opts: []retry.Option{retry.WithMaxAttempts(1)},
			call: failed + ",retry.reason=exhausted,retry.retried=false", attempts: 1, duration: 10, failed: 1,
		},
		"permanent": {
			fails: always, err: retry.Permanent(errDown),
			call: failed + ",retry.reason=permanent,retry.retried=false", attempts: 1, duration: 10, failed: 1,
		},
		"time limit": {
			fails: always, opts: []retry.Option{retry.WithMaxElapsed(20 * time.Second)},
			call: failed + ",retry.reason=max_elapsed,retry.retried=true", attempts: 2, duration: 21, wait: 1, failed: 2,
		},
		"long hint": {
			fails: always, err: retry.After(time.Hour, errDown),
			call: failed + ",retry.reason=retry_after,retry.retried=false", attempts: 1, duration: 10, failed: 1,
		},
		"budget": {
			fails: always, opts: []retry.Option{retry.WithBudget(retry.NewBudget(0, 1))},
			call: failed + ",retry.reason=budget,retry.retried=true", attempts: 2, duration: 21, wait: 1, failed: 2,
		},
		"dead context": {ctx: dead, call: failed + ",retry.reason=context,retry.retried=false"},
		"deadline in an attempt": {
			fails: always, ctx: soon, call: failed + ",retry.reason=context,retry.retried=false", attempts: 1, duration: 5, failed: 1,
		},
		"the next wait would pass the deadline": {
			fails: always, ctx: late, opts: []retry.Option{retry.WithBackoff(retry.Constant(time.Minute))},
			call: failed + ",retry.reason=deadline,retry.retried=false", attempts: 1, duration: 10, failed: 1,
		},
		"a limit of one's own": {
			fails: always, opts: []retry.Option{retry.WithStop(func(retry.Attempt) error { return errDown })},
			call: failed + ",retry.reason=other,retry.retried=false", attempts: 1, duration: 10, failed: 1,
		},
		"cancelled in a wait": {
			fails: always, ctx: inWait, call: failed + ",retry.reason=context,retry.retried=false", attempts: 1, duration: 10.5, wait: 0.5, failed: 1,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				k := newKit(t)
				ctx := t.Context()
				if tt.ctx != nil {
					var cancel context.CancelFunc
					ctx, cancel = tt.ctx(ctx)
					defer cancel()
				}
				n := 0
				err := retry.Do(ctx, func(ctx context.Context) error {
					select {
					case <-time.After(10 * time.Second):
					case <-ctx.Done():
						return ctx.Err()
					}
					if n++; n > tt.fails {
						return nil
					}
					return errors.Join(tt.err, errDown)
				}, k.options(tt.opts...)...)
				got := k.figures(t)
				outcome := succeeded
				if err != nil {
					outcome = failed
				}
				want := figures{
					"retry.calls{" + tt.call + "}":                  1,
					"retry.call.attempts{" + fetch + "}":            tt.attempts,
					"retry.call.attempts.count{" + fetch + "}":      1,
					"retry.call.duration{" + outcome + "}":          tt.duration,
					"retry.call.duration.count{" + outcome + "}":    1,
					"retry.call.wait.duration{" + fetch + "}":       tt.wait,
					"retry.call.wait.duration.count{" + fetch + "}": 1,
				}
				if tt.good > 0 {
					want["retry.attempt.duration{"+succeeded+"}"] = 10 * tt.good
					want["retry.attempt.duration.count{"+succeeded+"}"] = tt.good
				}
				if tt.failed > 0 {
					want["retry.attempt.duration{"+failed+"}"] = min(10*tt.failed, tt.duration)
					want["retry.attempt.duration.count{"+failed+"}"] = tt.failed
				}
				if name == "budget" {
					want["retry.budget.denials{retry.policy.name=fetch}"] = 1
				}
				assert.Equal(t, want, got)
				got.assertAddUp(t)
				k.assertSpansEnded(t)
			})
		})
	}
}

// What is not a call, or has no end, is not counted.
func TestNoCall(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		do    func(k *kit)
		want  float64 // attempts
		spans int     // that ended
	}{
		"option at fault": {func(k *kit) {
			_ = retry.Do(context.Background(), succeeds, k.options(retry.WithMaxAttempts(0))...)
		}, 0, 0},
		"panic": {func(k *kit) {
			defer func() { _ = recover() }()
			_ = retry.Do(context.Background(), func(context.Context) error { panic("boom") }, k.options()...)
		}, 0, 0},
		"a Run that is left": {func(k *kit) {
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

// A call that goes on after a crash counts with its earlier part.
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
