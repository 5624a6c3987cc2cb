package retryotel_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

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
				got.addUp(t)
				k.noneOpen(t)
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
			_ = retry.Do(context.Background(), fine, k.options(retry.WithMaxAttempts(0))...)
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

// Each kind of instrument has its unit, and histograms the boundaries advised.
func TestInstruments(t *testing.T) {
	t.Parallel()
	k := newKit(t)
	_ = retry.Do(context.Background(), func(context.Context) error { return errDown },
		k.options(retry.WithBudget(retry.NewBudget(0, 0)))...)
	_, err := k.ObserveBudget("b", retry.NewBudget(0, 0))
	require.NoError(t, err)
	p := newPool(t, k, nil)
	_, err = p.Submit(t.Context(), 0)
	require.NoError(t, err)
	require.NoError(t, p.Close(t.Context()))

	units := map[string]string{}
	bounds := map[string][]float64{}
	scopes := k.collect(t).ScopeMetrics
	require.Len(t, scopes, 1)
	assert.Equal(t, "github.com/seed-205ff063/retry/retryotel", scopes[0].Scope.Name)
	for _, m := range scopes[0].Metrics {
		units[m.Name] = m.Unit
		assert.NotEmpty(t, m.Description, m.Name)
		switch data := m.Data.(type) {
		case metricdata.Histogram[float64]:
			bounds[m.Name] = data.DataPoints[0].Bounds
		case metricdata.Histogram[int64]:
			bounds[m.Name] = data.DataPoints[0].Bounds
		}
	}
	assert.Equal(t, map[string]string{
		"retry.calls":               "{call}",
		"retry.call.attempts":       "{attempt}",
		"retry.call.duration":       "s",
		"retry.call.wait.duration":  "s",
		"retry.attempt.duration":    "s",
		"retry.budget.denials":      "{denial}",
		"retry.budget.tokens":       "{token}",
		"retry.pool.items":          "{item}",
		"retry.pool.capacity":       "{item}",
		"retry.pool.submitted":      "{item}",
		"retry.pool.settled":        "{item}",
		"retry.pool.retries":        "{retry}",
		"retry.pool.queue.duration": "s",
		"retry.pool.item.duration":  "s",
	}, units)
	assert.Equal(t, documentedBounds(t), bounds)
	assert.Len(t, bounds, 6)
}

// A program that names its policies after users makes no more series than others.
func TestNamesAreBounded(t *testing.T) {
	t.Parallel()
	k := newKit(t)
	call := func(name string) {
		_ = retry.Do(context.Background(), fine, retry.WithName(name), retry.WithHooks(k.Hooks()))
	}
	for i := range 300 {
		call(fmt.Sprint("user ", i))
	}
	call("user 0")
	call("user 299")
	f := k.figures(t)
	const of = "retry.calls{retry.outcome=succeeded,retry.policy.name=%s,retry.retried=false}"
	assert.EqualValues(t, 2, f[fmt.Sprintf(of, "user 0")])
	assert.EqualValues(t, 1, f[fmt.Sprintf(of, "user 255")])
	assert.EqualValues(t, 45, f[fmt.Sprintf(of, "_other")])
	assert.EqualValues(t, 302, f.total("retry.calls"))
	f.addUp(t)
	series := 0
	for key := range f {
		if len(key) > 12 && key[:12] == "retry.calls{" {
			series++
		}
	}
	assert.Equal(t, 257, series)
}

// Calls of policies that are new and of such as are known go on at the same time.
func TestNamesConcurrently(t *testing.T) {
	t.Parallel()
	k := newKit(t)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for i := range 400 {
				_ = retry.Do(context.Background(), fine, retry.WithName(fmt.Sprint(i)), retry.WithHooks(k.Hooks()))
			}
		})
	}
	wg.Wait()
	f := k.figures(t)
	f.addUp(t)
	assert.EqualValues(t, 1600, f.total("retry.calls"))
	assert.EqualValues(t, 4*(400-256), f.total("retry.calls", "_other"))
}

func TestNoName(t *testing.T) {
	t.Parallel()
	k := newKit(t)
	require.NoError(t, retry.Do(t.Context(), fine, retry.WithHooks(k.Hooks())))
	assert.EqualValues(t, 1, k.figures(t)["retry.calls{retry.outcome=succeeded,retry.retried=false}"])
	assert.Equal(t, "retry", k.spans.Ended()[1].Name())
}

// A call that goes on after a crash counts with its earlier part.
func TestResumed(t *testing.T) {
	t.Parallel()
	k := newKit(t)
	run := retry.MustNew(k.options()...).Resume(t.Context(), retry.Attempt{Number: 2, Elapsed: time.Hour, Delay: time.Minute})
	_, again := run.Try(fine)
	require.False(t, again)
	f := k.figures(t)
	assert.EqualValues(t, 1, f["retry.calls{"+succeeded+",retry.retried=true}"])
	assert.EqualValues(t, 3, f["retry.call.attempts{"+fetch+"}"])
	assert.InDelta(t, 3660, f["retry.call.duration{"+succeeded+"}"], 10)
	k.noneOpen(t)
}
