package retry_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
)

// ctxTrail is the context key under which the hooks record their order.
type ctxTrail struct{}

func trail(ctx context.Context) string {
	s, _ := ctx.Value(ctxTrail{}).(string)
	return s
}

func extend(ctx context.Context, s string) context.Context {
	return context.WithValue(ctx, ctxTrail{}, trail(ctx)+s)
}

// tracingHooks returns hooks that record the context they get and add name to it.
func (j *journal) tracingHooks(name string) retry.Hooks {
	return retry.Hooks{
		Start: func(ctx context.Context) context.Context {
			j.notef("%s start [%s]", name, trail(ctx))
			return extend(ctx, name)
		},
		BeforeAttempt: func(ctx context.Context, a retry.Attempt) context.Context {
			j.notef("%s before %d [%s]", name, a.Number, trail(ctx))
			return extend(ctx, strings.ToUpper(name))
		},
		AfterAttempt: func(ctx context.Context, a retry.Attempt) {
			j.notef("%s after %d [%s] %v", name, a.Number, trail(ctx), a.Err)
		},
		BeforeWait: func(ctx context.Context, a retry.Attempt) { j.notef("%s wait %d [%s]", name, a.Number, trail(ctx)) },
		Done:       func(ctx context.Context, o retry.Outcome) { j.notef("%s done %d [%s]", name, o.Attempts, trail(ctx)) },
	}
}

func TestHooksOrderAndContexts(t *testing.T) {
	t.Parallel()
	for _, way := range entryPoints {
		t.Run(way.name, func(t *testing.T) {
			t.Parallel()
			var j journal
			fn, _ := failTimes(1, errDown)
			require.NoError(t, way.call(context.Background(), func(ctx context.Context) error {
				j.notef("fn [%s]", trail(ctx))
				return fn(ctx)
			}, retry.MustNew(retry.WithHooks(j.tracingHooks("a"))), atOnce, retry.WithHooks(retry.Hooks{}), retry.WithHooks(j.tracingHooks("b"))))
			assert.Equal(t, journal{
				"a start []", "b start [a]",
				"a before 1 [ab]", "b before 1 [abA]", "fn [abAB]",
				"a after 1 [abAB] server down", "b after 1 [abAB] server down",
				"a wait 1 [ab]", "b wait 1 [ab]",
				"a before 2 [ab]", "b before 2 [abA]", "fn [abAB]",
				"a after 2 [abAB] <nil>", "b after 2 [abAB] <nil>",
				"a done 2 [ab]", "b done 2 [ab]",
			}, j)
		})
	}
}

func TestHooksOfRefusedAttempt(t *testing.T) {
	t.Parallel()
	var j journal
	passes := 0
	err := retry.Do(context.Background(), alwaysReturn(errDown), atOnce, retry.WithMaxAttempts(2), retry.WithHooks(j.tracingHooks("a")),
		retry.WithGate(func(context.Context, retry.Attempt) (func(error), error) {
			if passes++; passes == 2 {
				return nil, errOdd
			}
			return nil, nil
		}))
	require.ErrorIs(t, err, errOdd)
	assert.Equal(t, journal{
		"a start []", "a before 1 [a]", "a after 1 [aA] server down", "a wait 1 [a]", "a after 2 [a] odd", "a done 2 [a]",
	}, j, "without BeforeAttempt, AfterAttempt gets the call's context and not the earlier attempt's")
}

func TestHooksMayReturnNilContext(t *testing.T) {
	t.Parallel()
	type key struct{}
	ctx := context.WithValue(context.Background(), key{}, 1)
	require.NoError(t, retry.Do(ctx, func(got context.Context) error {
		assert.Equal(t, ctx, got)
		return nil
	}, retry.WithHooks(retry.Hooks{
		Start:         func(context.Context) context.Context { return nil },
		BeforeAttempt: func(context.Context, retry.Attempt) context.Context { return nil },
		AfterAttempt:  func(got context.Context, _ retry.Attempt) { assert.Equal(t, ctx, got) },
		Done:          func(got context.Context, _ retry.Outcome) { assert.Equal(t, ctx, got) },
	})))
}

func TestLimitsUseOnlyCallersContext(t *testing.T) {
	t.Parallel()
	ended := func(ctx context.Context) context.Context {
		ctx, cancel := context.WithTimeout(ctx, 0)
		cancel()
		return ctx
	}
	fn, calls := failTimes(3, errDown)
	require.NoError(t, retry.Do(context.Background(), func(ctx context.Context) error {
		assert.Error(t, ctx.Err())
		return fn(ctx)
	}, atOnce, retry.WithHooks(retry.Hooks{Start: ended})))
	assert.Equal(t, 4, *calls)
}

func TestHooksSeeAttempt(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		const s = time.Second
		start := time.Now()
		var before, after, waits []retry.Attempt
		var done outcomes
		fn, _ := failTimes(1, errDown)
		require.NoError(t, retry.Do(context.Background(), func(ctx context.Context) error {
			time.Sleep(s)
			return fn(ctx)
		}, every(10*s), retry.WithName("call"), done.hook(), retry.WithHooks(retry.Hooks{
			BeforeAttempt: func(ctx context.Context, a retry.Attempt) context.Context { before = append(before, a); return ctx },
			AfterAttempt:  func(_ context.Context, a retry.Attempt) { after = append(after, a) },
			BeforeWait:    func(_ context.Context, a retry.Attempt) { waits = append(waits, a) },
		})))
		second := start.Add(11 * s)
		assert.Equal(t, []retry.Attempt{
			{Name: "call", Number: 1, Start: start},
			{Name: "call", Number: 2, Start: second, Waited: 10 * s, Elapsed: 11 * s},
		}, before)
		assert.Equal(t, []retry.Attempt{
			{Name: "call", Number: 1, Start: start, Duration: s, Elapsed: s, Err: errDown},
			{Name: "call", Number: 2, Start: second, Waited: 10 * s, Duration: s, Elapsed: 12 * s},
		}, after, "Delay is not yet known")
		assert.Equal(t, []retry.Attempt{
			{Name: "call", Number: 1, Start: start, Duration: s, Elapsed: s, Delay: 10 * s, Err: errDown},
		}, waits)
		assert.Equal(t, retry.Outcome{Name: "call", Attempts: 2, Elapsed: 12 * s, Waited: 10 * s}, done.one(t))
	})
}

func TestBeforeWaitOnlyIfARetryFollows(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		err   error
		opts  []retry.Option
		waits int
	}{
		{"success", nil, nil, 0},
		{"exhausted", errDown, []retry.Option{retry.WithMaxAttempts(3)}, 2},
		{"permanent", retry.Permanent(errDown), nil, 0},
		{"stopped", errDown, []retry.Option{retry.WithStopIf(yes)}, 0},
		{"max elapsed", errDown, []retry.Option{every(time.Hour), retry.WithMaxElapsed(1)}, 0},
		{"hint too long", retry.After(time.Hour, errDown), nil, 0},
		{"budget", errDown, []retry.Option{retry.WithBudget(retry.NewBudget(0, 1))}, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			waits := 0
			_ = retry.Do(context.Background(), alwaysReturn(tt.err), append([]retry.Option{atOnce, retry.WithHooks(retry.Hooks{
				BeforeWait: func(context.Context, retry.Attempt) { waits++ },
			})}, tt.opts...)...)
			assert.Equal(t, tt.waits, waits)
		})
	}
}

func TestDoneGetsOutcome(t *testing.T) {
	t.Parallel()
	const s = time.Second
	for _, tt := range []struct {
		name   string
		fails  int
		err    error
		opts   []retry.Option
		want   retry.Outcome
		reason error
	}{
		{"first try", 0, nil, nil, retry.Outcome{Attempts: 1, Elapsed: s}, nil},
		{"after retries", 2, errDown, nil, retry.Outcome{Attempts: 3, Elapsed: 23 * s, Waited: 20 * s}, nil},
		{"exhausted", 9, errDown, []retry.Option{retry.WithMaxAttempts(3)}, retry.Outcome{Attempts: 3, Elapsed: 23 * s, Waited: 20 * s}, retry.ErrExhausted},
		{"permanent", 9, retry.Permanent(errDown), nil, retry.Outcome{Attempts: 1, Elapsed: s}, retry.ErrPermanent},
		{"gave up before a wait", 9, errDown, []retry.Option{retry.WithMaxElapsed(15 * s)}, retry.Outcome{Attempts: 2, Elapsed: 12 * s, Waited: 10 * s}, retry.ErrMaxElapsed},
	} {
		for _, way := range entryPoints {
			t.Run(tt.name+"/"+way.name, func(t *testing.T) {
				inBubble(t, func(t *testing.T) {
					var done outcomes
					fn, _ := failTimes(tt.fails, tt.err)
					err := way.call(context.Background(), func(ctx context.Context) error {
						time.Sleep(s)
						return fn(ctx)
					}, append([]retry.Option{every(10 * s), done.hook()}, tt.opts...)...)
					out := done.one(t)
					if tt.reason != nil {
						assert.Same(t, retryError(t, err), out.Err)
						assert.Equal(t, tt.reason, out.Err.Reason)
						out.Err = nil
					}
					assert.Equal(t, tt.want, out)
				})
			})
		}
	}
}

func TestHooksRunInCallersGoroutine(t *testing.T) {
	t.Parallel()
	steps := 0 // not guarded: the race detector watches it
	step := func() { steps++ }
	fn, _ := failTimes(1, errDown)
	require.NoError(t, retry.Do(context.Background(), func(ctx context.Context) error { step(); return fn(ctx) }, every(1),
		retry.WithHooks(retry.Hooks{
			Start:         func(ctx context.Context) context.Context { step(); return ctx },
			BeforeAttempt: func(ctx context.Context, _ retry.Attempt) context.Context { step(); return ctx },
			AfterAttempt:  func(context.Context, retry.Attempt) { step() },
			BeforeWait:    func(context.Context, retry.Attempt) { step() },
			Done:          func(context.Context, retry.Outcome) { step() },
		})))
	assert.Equal(t, 9, steps)
}

// The time of a Start hook counts for the call, not for the first attempt.
func TestStartHookTimeCountsForCall(t *testing.T) {
	t.Parallel()
	const s = time.Second
	for _, way := range entryPoints {
		t.Run(way.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				begin := time.Now()
				var got []retry.Attempt
				var done outcomes
				fn, _ := failTimes(1, errDown)
				require.NoError(t, way.call(context.Background(), func(ctx context.Context) error {
					time.Sleep(3 * s)
					return fn(ctx)
				}, every(10*s), done.hook(), retry.WithHooks(retry.Hooks{
					Start:        func(context.Context) context.Context { time.Sleep(2 * s); return nil },
					AfterAttempt: func(_ context.Context, a retry.Attempt) { got = append(got, a) },
				})))
				require.Len(t, got, 2)
				for i, want := range []time.Duration{2 * s, 15 * s} {
					assert.Equal(t, want, got[i].Start.Sub(begin), "start of attempt %d", i+1)
					assert.Equal(t, 3*s, got[i].Duration)
					assert.Equal(t, want+3*s, got[i].Elapsed)
				}
				assert.Equal(t, 18*s, done.one(t).Elapsed)
			})
		})
	}
}
