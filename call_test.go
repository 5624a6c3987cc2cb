package retry_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/benbjohnson/clock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrytest"
)

func TestMaxAttemptsCountsCalls(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 2, 5, 17} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			fn, calls := failing(math.MaxInt, errDown)
			e := stopped(t, retry.Do(context.Background(), fn, atOnce, retry.WithMaxAttempts(n)))
			assert.Equal(t, n, *calls)
			assert.Equal(t, n, e.Attempts)
			assert.Equal(t, retry.ErrExhausted, e.Reason)
			assert.Zero(t, e.Delay)
		})
	}
	t.Run("unlimited", func(t *testing.T) {
		t.Parallel()
		fn, calls := failing(1000, errDown)
		require.NoError(t, retry.Do(context.Background(), fn, atOnce, retry.WithMaxAttempts(retry.Unlimited)))
		assert.Equal(t, 1001, *calls)
	})
}

func TestAttemptsAreNumberedFromOneEverywhere(t *testing.T) {
	t.Parallel()
	seen := map[string][]int{}
	note := func(part string, a retry.Attempt) { seen[part] = append(seen[part], a.Number) }
	asked := func(part string, answer bool) retry.Classifier {
		return func(a retry.Attempt) bool { note(part, a); return answer }
	}
	h := retry.NewHistory(10)
	_, err := retry.DoValue(context.Background(), func(context.Context) (int, error) { return 0, errDown },
		retry.WithMaxAttempts(3),
		retry.WithBackoff(retry.BackoffFunc(func(a retry.Attempt) time.Duration { note("backoff", a); return 0 })),
		retry.WithGate(func(_ context.Context, a retry.Attempt) (func(error), error) { note("gate", a); return nil, nil }),
		retry.WithStopIf(asked("stop", false)), retry.WithRetryIf(asked("retry", true)), retry.WithHistory(h),
		retry.WithHooks(retry.Hooks{
			BeforeAttempt: func(ctx context.Context, a retry.Attempt) context.Context { note("before", a); return ctx },
			AfterAttempt:  func(_ context.Context, a retry.Attempt) { note("after", a) },
			BeforeWait:    func(_ context.Context, a retry.Attempt) { note("wait", a) },
		}))
	all, retried := []int{1, 2, 3}, []int{1, 2}
	assert.Equal(t, map[string][]int{
		"gate": all, "before": all, "after": all, "stop": all, "retry": all, "backoff": retried, "wait": retried,
	}, seen)
	for _, kept := range [][]retry.Attempt{stopped(t, err).History(), h.Slice()} {
		require.Len(t, kept, 3)
		for i, a := range kept {
			assert.Equal(t, i+1, a.Number)
		}
	}
	_, err = retry.DoValue(context.Background(), func(context.Context) (int, error) { return 0, nil }, atOnce,
		retry.WithMaxAttempts(3), retry.WithValidator(func(_ int, a retry.Attempt) error { note("validator", a); return errOdd }))
	require.Error(t, err)
	assert.Equal(t, all, seen["validator"])
}

func TestAttemptRecords(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		start := time.Now()
		h := retry.NewHistory(5)
		n := 0
		err := retry.Do(context.Background(), func(context.Context) error {
			n++
			time.Sleep(time.Duration(n) * time.Second)
			if n < 3 {
				return errDown
			}
			return nil
		}, retry.WithName("call"), retry.WithHistory(h), retry.WithBackoff(retry.Sequence(10*time.Second, 20*time.Second)))
		require.NoError(t, err)
		const s = time.Second
		assert.Equal(t, []retry.Attempt{
			{Name: "call", Number: 1, Start: start, Duration: s, Elapsed: s, Delay: 10 * s, Err: errDown},
			{Name: "call", Number: 2, Start: start.Add(11 * s), Waited: 10 * s, Duration: 2 * s, Elapsed: 13 * s, Delay: 20 * s, Err: errDown},
			{Name: "call", Number: 3, Start: start.Add(33 * s), Waited: 20 * s, Duration: 3 * s, Elapsed: 36 * s},
		}, h.Slice())
	})
}

func TestContextDoneBefore(t *testing.T) {
	t.Parallel()
	cause := errors.New("shutting down")
	cancelled, cancel := context.WithCancelCause(context.Background())
	cancel(cause)
	late, stop := context.WithDeadlineCause(context.Background(), time.Unix(0, 0), cause)
	defer stop()
	for _, tt := range []struct {
		name string
		ctx  context.Context
		want error
	}{
		{"cancelled", cancelled, context.Canceled},
		{"past its deadline", late, context.DeadlineExceeded},
	} {
		for _, way := range waysIn {
			t.Run(tt.name+"/"+way.name, func(t *testing.T) {
				t.Parallel()
				var done outcomes
				gates := 0
				err := way.call(tt.ctx, func(context.Context) error { t.Error("called"); return nil }, done.hook(),
					retry.WithGate(func(context.Context, retry.Attempt) (func(error), error) { gates++; return nil, nil }))
				e := stopped(t, err)
				for _, target := range []error{retry.ErrContext, tt.want, cause} {
					assert.ErrorIs(t, err, target)
				}
				assert.Equal(t, retry.ErrContext, e.Reason)
				assert.NoError(t, e.Err)
				assert.Zero(t, e.Attempts)
				assert.Empty(t, e.History())
				assert.Equal(t, tt.want == context.DeadlineExceeded, e.Timeout())
				out := done.one(t)
				assert.Zero(t, out.Attempts)
				assert.Same(t, e, out.Err)
				assert.Zero(t, gates, "an attempt that is not made passes no gate")
			})
		}
	}
}

func TestContextEndsInTheWait(t *testing.T) {
	t.Parallel()
	for _, way := range waysIn {
		t.Run(way.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				cause := errors.New("shutting down")
				ctx, cancel := context.WithCancelCause(context.Background())
				time.AfterFunc(61*time.Minute, func() { cancel(cause) })
				start := time.Now()
				fn, calls := failing(9, errDown)
				var done outcomes
				err := way.call(ctx, fn, every(time.Hour), done.hook())
				assert.Equal(t, 61*time.Minute, time.Since(start), "the wait ends at once")
				assert.Equal(t, 2, *calls)
				e := stopped(t, err)
				for _, target := range []error{errDown, context.Canceled, cause, retry.ErrContext} {
					assert.ErrorIs(t, err, target)
				}
				assert.Equal(t, retry.ErrContext, e.Reason)
				assert.Equal(t, errDown, e.Err)
				assert.Equal(t, 61*time.Minute, e.Elapsed)
				assert.Zero(t, e.Delay, "the wait did begin")
				assert.Equal(t, 61*time.Minute, done.one(t).Waited, "what was waited, not what was to be")
			})
		})
	}
}

func TestContextEndsInTheAttempt(t *testing.T) {
	t.Parallel()
	cause := errors.New("shutting down")
	for _, tt := range []struct {
		name string
		err  func(ctx context.Context) error
	}{
		{"plain error", always(errDown)},
		{"context's error", func(ctx context.Context) error { return ctx.Err() }},
		{"context's cause", context.Cause},
		{"another's deadline", always(context.DeadlineExceeded)},
		{"permanent", always(retry.Permanent(errDown))},
		{"hint", always(retry.After(time.Hour, errDown))},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancelCause(context.Background())
			never := func(retry.Attempt) bool { t.Error("a classifier was asked"); return true }
			calls := 0
			var last error
			err := retry.Do(ctx, func(ctx context.Context) error {
				if calls++; calls == 2 {
					cancel(cause)
					last = tt.err(ctx)
					return last
				}
				return errDown
			}, atOnce, retry.WithRetryIf(func(a retry.Attempt) bool { return a.Number == 1 || never(a) }),
				retry.WithStopIf(func(a retry.Attempt) bool { return a.Number != 1 && never(a) }),
				retry.WithBudget(retry.NewBudget(0, 1)))
			e := stopped(t, err)
			assert.Equal(t, 2, calls)
			assert.Equal(t, retry.ErrContext, e.Reason)
			assert.Equal(t, bare(last), e.Err)
			assert.Zero(t, e.Delay)
			for _, target := range []error{bare(last), context.Canceled, cause} {
				assert.ErrorIs(t, err, target)
			}
		})
	}
}

// A clock on which every wait is over at once, as if time jumped there.
type jumpClock struct {
	now    time.Time
	onWait func(d time.Duration)
}

func (c *jumpClock) Now() time.Time { return c.now }

func (c *jumpClock) After(d time.Duration) <-chan time.Time {
	c.now = c.now.Add(d)
	if c.onWait != nil {
		c.onWait(d)
	}
	due := make(chan time.Time, 1)
	due <- c.now
	return due
}

func TestCancellationWinsEveryTie(t *testing.T) {
	t.Parallel()
	const times = 300 // select would choose the wrong one in half of them
	for _, tt := range []struct {
		name string
		opts func(cancel func()) []retry.Option
	}{
		{"the wait is over and the context is", func(cancel func()) []retry.Option {
			return []retry.Option{every(time.Second), retry.WithClock(&jumpClock{onWait: func(time.Duration) { cancel() }})}
		}},
		{"zero delay, ended before the wait", func(cancel func()) []retry.Option {
			return []retry.Option{atOnce, retry.WithHooks(retry.Hooks{
				BeforeWait: func(context.Context, retry.Attempt) { cancel() },
			})}
		}},
		{"zero delay, ended by the backoff", func(cancel func()) []retry.Option {
			return []retry.Option{retry.WithBackoff(retry.BackoffFunc(func(retry.Attempt) time.Duration { cancel(); return 0 }))}
		}},
		{"tiny delay, ended before the wait", func(cancel func()) []retry.Option {
			return []retry.Option{every(1), retry.WithHooks(retry.Hooks{
				BeforeWait: func(context.Context, retry.Attempt) { cancel() },
			})}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for range times {
				ctx, cancel := context.WithCancel(context.Background())
				fn, calls := failing(9, errDown)
				err := retry.Do(ctx, fn, append(tt.opts(cancel), retry.WithMaxAttempts(retry.Unlimited))...)
				require.Equal(t, 1, *calls)
				require.ErrorIs(t, err, context.Canceled)
				require.ErrorIs(t, err, errDown)
			}
		})
	}
}

func TestSuccessCounts(t *testing.T) {
	t.Parallel()
	for _, way := range waysIn {
		t.Run(way.name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(context.Background())
			calls := 0
			require.NoError(t, way.call(ctx, func(context.Context) error {
				if calls++; calls == 2 {
					cancel()
					return nil
				}
				return errDown
			}, atOnce))
			assert.Equal(t, 2, calls)
		})
	}
	t.Run("past the deadline and the limits", func(t *testing.T) {
		inBubble(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			defer cancel()
			v, err := retry.DoValue(ctx, func(ctx context.Context) (string, error) {
				time.Sleep(time.Hour)
				require.Error(t, ctx.Err())
				return "v", nil
			}, retry.WithMaxElapsed(time.Minute), retry.WithAttemptTimeout(time.Second),
				retry.WithValidator(func(string, retry.Attempt) error { return nil }))
			require.NoError(t, err)
			assert.Equal(t, "v", v)
		})
	})
}

// limitRow is a call under limits: what it does and when it must give up.
type limitRow struct {
	name     string
	opts     []retry.Option
	deadline time.Duration // of the context, 0: none
	runs     time.Duration // how long each attempt takes
	err      error         // of each attempt, errDown if nil
	attempts int
	elapsed  time.Duration
	reason   error
	delay    time.Duration
}

func limitRows() []limitRow {
	const s = time.Second
	elapsed := retry.WithMaxElapsed
	exact := retry.WithJitter(retry.NoJitter)
	opts := func(o ...retry.Option) []retry.Option { return o }
	return []limitRow{
		{"deadline before the wait's end", opts(every(time.Hour)), time.Minute, 0, nil, 1, 0, retry.ErrContext, time.Hour},
		{"deadline at the wait's end", opts(every(s)), 3 * s, 0, nil, 3, 2 * s, retry.ErrContext, s},
		{"deadline just after the wait's end", opts(every(s)), 3*s + 1, 0, nil, 4, 3 * s, retry.ErrContext, s},
		{"deadline counts running time", opts(every(s)), 6 * s, 2 * s, nil, 2, 5 * s, retry.ErrContext, s},
		{"max elapsed before the wait's end", opts(every(time.Hour), elapsed(time.Minute)), 0, 0, nil, 1, 0, retry.ErrMaxElapsed, time.Hour},
		{"max elapsed at the wait's end", opts(every(s), elapsed(3*s)), 0, 0, nil, 3, 2 * s, retry.ErrMaxElapsed, s},
		{"max elapsed just after the wait's end", opts(every(s), elapsed(3*s+1)), 0, 0, nil, 4, 3 * s, retry.ErrMaxElapsed, s},
		{"max elapsed counts running time", opts(every(s), elapsed(6*s)), 0, 2 * s, nil, 2, 5 * s, retry.ErrMaxElapsed, s},
		{"max elapsed does not interrupt", opts(atOnce, elapsed(s)), 0, time.Hour, nil, 1, time.Hour, retry.ErrMaxElapsed, 0},
		{"zero delay at the limit", opts(atOnce, elapsed(s)), 0, s, nil, 1, s, retry.ErrMaxElapsed, 0},
		{"zero delay before the limit", opts(atOnce, elapsed(s+1)), 0, s, nil, 2, 2 * s, retry.ErrMaxElapsed, 0},
		{"both forbid", opts(every(time.Hour), elapsed(time.Minute)), s, 0, nil, 1, 0, retry.ErrMaxElapsed, time.Hour},
		{"the deadline alone forbids", opts(every(30*s), elapsed(time.Minute)), s, 0, nil, 1, 0, retry.ErrContext, 30 * s},
		{"the limit alone forbids", opts(every(30*s), elapsed(s)), time.Hour, 0, nil, 1, 0, retry.ErrMaxElapsed, 30 * s},
		{"no limit is 0", opts(every(time.Hour), elapsed(0), retry.WithMaxAttempts(3)), 0, 0, nil, 3, 2 * time.Hour, retry.ErrExhausted, 0},
		{"last attempt before the limits", opts(every(time.Hour), elapsed(s), retry.WithMaxAttempts(1)), 0, 0, nil, 1, 0, retry.ErrExhausted, 0},
		{"hint past the deadline", opts(atOnce), s, 0, retry.After(2*s, errDown), 1, 0, retry.ErrContext, 2 * s},
		{"hint at the deadline", opts(atOnce), 2 * s, 0, retry.After(2*s, errDown), 1, 0, retry.ErrContext, 2 * s},
		{"hint past max elapsed", opts(atOnce, elapsed(s)), 0, 0, retry.After(2*s, errDown), 1, 0, retry.ErrMaxElapsed, 2 * s},
		{"hint past both", opts(atOnce, elapsed(s)), s, 0, retry.After(2*s, errDown), 1, 0, retry.ErrMaxElapsed, 2 * s},
		{"hint too long", opts(atOnce), 0, 0, retry.After(time.Minute+1, errDown), 1, 0, retry.ErrRetryAfter, time.Minute + 1},
		{"hint too long and past the deadline", opts(atOnce), s, 0, retry.After(time.Hour, errDown), 1, 0, retry.ErrRetryAfter, time.Hour},
		{"hint just allowed", opts(atOnce, exact, retry.WithMaxAttempts(2)), 0, 0, retry.After(time.Minute, errDown), 2, time.Minute, retry.ErrExhausted, 0},
		{"hints forbidden", opts(atOnce, retry.WithMaxRetryAfter(0)), 0, 0, retry.After(1, errDown), 1, 0, retry.ErrRetryAfter, 1},
		{"hint of the last attempt", opts(retry.WithMaxAttempts(1)), 0, 0, retry.After(time.Hour, errDown), 1, 0, retry.ErrExhausted, 0},
		{"max delay does not cut a hint", opts(retry.WithMaxDelay(s), exact, retry.WithMaxAttempts(2)), 0, 0, retry.After(9*s, errDown), 2, 9 * s, retry.ErrExhausted, 0},
		{"a hint shorter than the nominal delay", opts(every(30*s), exact, retry.WithMaxAttempts(2)), 0, 0, retry.After(9*s, errDown), 2, 9 * s, retry.ErrExhausted, 0},
		{"a hint of 0 is none", opts(every(s), retry.WithMaxAttempts(2)), 0, 0, retry.After(0, errDown), 2, s, retry.ErrExhausted, 0},
		{"a negative hint is none", opts(every(s), retry.WithMaxAttempts(2)), 0, 0, retry.After(-s, errDown), 2, s, retry.ErrExhausted, 0},
	}
}

func TestLimitsEndEarly(t *testing.T) {
	t.Parallel()
	for _, tt := range limitRows() {
		for _, way := range waysIn {
			t.Run(tt.name+"/"+way.name, func(t *testing.T) {
				inBubble(t, func(t *testing.T) {
					ctx := context.Background()
					if tt.deadline > 0 {
						var cancel context.CancelFunc
						ctx, cancel = context.WithTimeout(ctx, tt.deadline)
						defer cancel()
					}
					failure := tt.err
					if failure == nil {
						failure = errDown
					}
					start := time.Now()
					err := way.call(ctx, func(context.Context) error {
						time.Sleep(tt.runs)
						return failure
					}, append([]retry.Option{retry.WithMaxAttempts(100)}, tt.opts...)...)
					assert.Equal(t, tt.elapsed, time.Since(start), "no time passes once the end is known")
					e := stopped(t, err)
					assert.Equal(t, tt.attempts, e.Attempts)
					assert.Equal(t, tt.elapsed, e.Elapsed)
					assert.Equal(t, tt.reason, e.Reason)
					assert.Equal(t, tt.delay, e.Delay)
					assert.ErrorIs(t, err, errDown)
					assert.Equal(t, tt.reason == retry.ErrContext, errors.Is(err, context.DeadlineExceeded))
				})
			})
		}
	}
}

func TestLimitsAreLookedAtAgainAfterTheWait(t *testing.T) {
	t.Parallel()
	c := &jumpClock{}
	c.onWait = func(d time.Duration) { c.now = c.now.Add(time.Hour) } // suspended meanwhile
	fn, calls := failing(9, errDown)
	var done outcomes
	e := stopped(t, retry.Do(context.Background(), fn, retry.WithClock(c), every(time.Second),
		retry.WithMaxElapsed(time.Minute), done.hook()))
	assert.Equal(t, 1, *calls)
	assert.Equal(t, retry.ErrMaxElapsed, e.Reason)
	assert.Equal(t, errDown, e.Err)
	assert.Zero(t, e.Delay, "the wait did take place")
	assert.Equal(t, time.Hour+time.Second, e.Elapsed)
	assert.Equal(t, time.Second, done.one(t).Waited)
}

func TestHintSpread(t *testing.T) {
	t.Parallel()
	const s = time.Second
	almost1 := math.Nextafter(1, 0)
	for _, tt := range []struct {
		name     string
		u        float64
		hint     time.Duration
		opts     []retry.Option
		deadline time.Duration
		want     time.Duration
	}{
		{"no luck", 0, 10 * s, []retry.Option{atOnce}, 0, 10 * s},
		{"a tenth of the hint", 0.5, 10 * s, []retry.Option{atOnce}, 0, 10*s + s/2},
		{"the nominal delay if that is longer", 0.5, 10 * s, []retry.Option{every(4 * s)}, 0, 12 * s},
		{"the tenth if that is longer", 0.5, 10 * s, []retry.Option{every(s / 2)}, 0, 10*s + s/2},
		{"without jitter exact", 0.5, 10 * s, []retry.Option{every(4 * s), retry.WithJitter(retry.NoJitter)}, 0, 10 * s},
		{"a literal strategy's lack of jitter is not NoJitter", 0.25, 10 * s, []retry.Option{every(4 * s)}, 0, 11 * s},
		{"cut to what fits the deadline", 0.5, 10 * s, []retry.Option{every(4 * s)}, 12 * s, 11 * s},
		{"cut to what fits max elapsed", 0.5, 10 * s, []retry.Option{every(4 * s), retry.WithMaxElapsed(12 * s)}, 0, 11 * s},
		{"cut to the nearer of both", 0.5, 10 * s, []retry.Option{every(4 * s), retry.WithMaxElapsed(12 * s)}, 11 * s, 10*s + s/2},
		{"cut to the nearer of both, the other way", 0.5, 10 * s, []retry.Option{every(4 * s), retry.WithMaxElapsed(11 * s)}, 12 * s, 10*s + s/2},
		{"never at the limit", almost1, 10 * s, []retry.Option{every(4 * s)}, 10*s + 2, 10*s + 1},
		{"no room to spread", almost1, 10 * s, []retry.Option{every(4 * s)}, 10*s + 1, 10 * s},
		{"below the end of the range", almost1, 10 * s, []retry.Option{atOnce}, 0, 11*s - 1},
		{"the default backoff", 0.5, 10 * s, nil, 0, 10*s + s/2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				ctx := context.Background()
				if tt.deadline > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, tt.deadline)
					defer cancel()
				}
				fn, calls := failing(1, retry.After(tt.hint, errDown))
				start := time.Now()
				require.NoError(t, retry.Do(ctx, fn, append(tt.opts, retry.WithRand(func() float64 { return tt.u }))...))
				assert.Equal(t, 2, *calls)
				assert.Equal(t, tt.want, time.Since(start))
			})
		})
	}
}

func TestWaitedIncludesTheHint(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		h := retry.NewHistory(2)
		fn, _ := failing(1, retry.After(9*time.Second, errDown))
		require.NoError(t, retry.Do(context.Background(), fn, retry.WithHistory(h), retry.WithJitter(retry.NoJitter)))
		all := h.Slice()
		require.Len(t, all, 2)
		assert.Equal(t, 9*time.Second, all[0].Delay)
		assert.Equal(t, 9*time.Second, all[1].Waited)
	})
}

func TestAttemptTimeoutIsRetried(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		err  func(ctx context.Context) error
	}{
		{"context's error", func(ctx context.Context) error { return ctx.Err() }},
		{"context's cause", context.Cause},
		{"plain error", always(errDown)},
	} {
		for _, way := range waysIn {
			t.Run(tt.name+"/"+way.name, func(t *testing.T) {
				inBubble(t, func(t *testing.T) {
					start := time.Now()
					var contexts []context.Context
					err := way.call(context.Background(), func(ctx context.Context) error {
						contexts = append(contexts, ctx)
						<-ctx.Done()
						return tt.err(ctx)
					}, retry.WithAttemptTimeout(2*time.Second), every(time.Second), retry.WithMaxAttempts(3))
					assert.Equal(t, 8*time.Second, time.Since(start))
					e := stopped(t, err)
					assert.Equal(t, retry.ErrExhausted, e.Reason)
					require.Len(t, contexts, 3)
					for _, ctx := range contexts {
						cause := context.Cause(ctx)
						assert.ErrorIs(t, cause, context.DeadlineExceeded)
						var timeout interface{ Timeout() bool }
						require.ErrorAs(t, cause, &timeout)
						assert.True(t, timeout.Timeout())
					}
				})
			})
		}
	}
}

func TestCallersTimeIsToldApartByTheContexts(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name     string
		timeout  time.Duration
		callers  time.Duration
		err      error
		attempts int
		reason   error
	}{
		{"attempt's time, plain error", time.Second, time.Hour, errDown, 3, retry.ErrExhausted},
		{"attempt's time, deadline error", time.Second, time.Hour, context.DeadlineExceeded, 3, retry.ErrExhausted},
		{"caller's time, plain error", time.Hour, time.Second, errDown, 1, retry.ErrContext},
		{"caller's time, deadline error", time.Hour, time.Second, context.DeadlineExceeded, 1, retry.ErrContext},
		{"both at once", time.Second, time.Second, errDown, 1, retry.ErrContext},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(context.Background(), tt.callers)
				defer cancel()
				e := stopped(t, retry.Do(ctx, func(ctx context.Context) error {
					<-ctx.Done()
					synctest.Wait()
					return tt.err
				}, retry.WithAttemptTimeout(tt.timeout), atOnce, retry.WithMaxAttempts(3)))
				assert.Equal(t, tt.attempts, e.Attempts)
				assert.Equal(t, tt.reason, e.Reason)
			})
		})
	}
	t.Run("a deadline error from elsewhere", func(t *testing.T) {
		t.Parallel()
		fn, calls := failing(2, fmt.Errorf("dial: %w", context.DeadlineExceeded))
		require.NoError(t, retry.Do(context.Background(), fn, atOnce))
		assert.Equal(t, 3, *calls)
		fn, calls = failing(2, context.Canceled)
		require.NoError(t, retry.Do(context.Background(), fn, atOnce))
		assert.Equal(t, 3, *calls, "not even a cancellation that is not the caller's")
	})
}

func TestAttemptsContextEndsWithTheAttempt(t *testing.T) {
	t.Parallel()
	for _, fails := range []int{0, 2} {
		fn, _ := failing(fails, errDown)
		var contexts []context.Context
		require.NoError(t, retry.Do(context.Background(), func(ctx context.Context) error {
			for _, earlier := range contexts {
				assert.Error(t, earlier.Err())
			}
			assert.NoError(t, ctx.Err())
			contexts = append(contexts, ctx)
			return fn(ctx)
		}, atOnce, retry.WithAttemptTimeout(time.Hour)))
		require.Len(t, contexts, fails+1)
		assert.Error(t, contexts[fails].Err())
	}
}

func TestAttemptTimeoutCountsNeitherGatesNorHooks(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		require.NoError(t, retry.Do(context.Background(), func(ctx context.Context) error {
			deadline, _ := ctx.Deadline()
			assert.Equal(t, time.Second, time.Until(deadline))
			return ctx.Err()
		}, retry.WithAttemptTimeout(time.Second), retry.WithMaxAttempts(1),
			retry.WithGate(func(context.Context, retry.Attempt) (func(error), error) {
				time.Sleep(time.Minute)
				return nil, nil
			}),
			retry.WithHooks(retry.Hooks{BeforeAttempt: func(ctx context.Context, _ retry.Attempt) context.Context {
				time.Sleep(time.Minute)
				return ctx
			}})))
	})
}

func TestAttemptTimeoutIsLiftedByZero(t *testing.T) {
	t.Parallel()
	p := retry.MustNew(retry.WithAttemptTimeout(time.Second))
	require.NoError(t, retry.Do(context.Background(), func(ctx context.Context) error {
		_, bounded := ctx.Deadline()
		assert.False(t, bounded)
		return nil
	}, p, retry.WithAttemptTimeout(0)))
}

func TestZeroDelayCreatesNoTimer(t *testing.T) {
	t.Parallel()
	c := &jumpClock{onWait: func(d time.Duration) { t.Errorf("After(%v)", d) }}
	fn, calls := failing(3, errDown)
	require.NoError(t, retry.Do(context.Background(), fn, retry.WithClock(c), atOnce))
	assert.Equal(t, 4, *calls)
}

func TestMockClockEndToEnd(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		mock := clock.NewMock()
		began := mock.Now()
		calls := 0
		var done outcomes
		result := make(chan error, 1)
		go func() {
			result <- retry.Do(context.Background(), func(context.Context) error { calls++; return errDown },
				retry.WithClock(mock), retry.WithMaxAttempts(4), retry.WithJitter(retry.NoJitter), done.hook())
		}()
		for i, wait := range []time.Duration{100 * time.Millisecond, 200 * time.Millisecond, 400 * time.Millisecond} {
			synctest.Wait()
			mock.Add(wait - 1)
			synctest.Wait()
			require.Equal(t, i+1, calls, "not before the wait is over")
			mock.Add(1)
			synctest.Wait()
			require.Equal(t, i+2, calls)
		}
		e := stopped(t, <-result)
		assert.Equal(t, retry.ErrExhausted, e.Reason)
		assert.Equal(t, 700*time.Millisecond, e.Elapsed)
		var starts []time.Duration
		for _, a := range e.History() {
			starts = append(starts, a.Start.Sub(began))
		}
		assert.Equal(t, []time.Duration{0, 100 * time.Millisecond, 300 * time.Millisecond, 700 * time.Millisecond}, starts)
		assert.Equal(t, 700*time.Millisecond, done.one(t).Waited)
	})
}

func TestMockClocksWithTimeoutIsUsed(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		mock := clock.NewMock()
		result := make(chan error, 1)
		go func() {
			result <- retry.Do(context.Background(), func(ctx context.Context) error {
				<-ctx.Done()
				return ctx.Err()
			}, retry.WithClock(mock), retry.WithAttemptTimeout(time.Second), atOnce, retry.WithMaxAttempts(2))
		}()
		start := time.Now()
		for range 2 {
			synctest.Wait()
			mock.Add(time.Second)
		}
		e := stopped(t, <-result)
		assert.Equal(t, 2*time.Second, e.Elapsed)
		assert.Equal(t, 2, e.Attempts)
		assert.ErrorIs(t, e, context.DeadlineExceeded)
		assert.Less(t, time.Since(start), time.Second, "the real clock was not waited for")
	})
}

func TestClockWithoutWithTimeoutUsesTheRealOne(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		start := time.Now()
		require.Error(t, retry.Do(context.Background(), func(ctx context.Context) error {
			<-ctx.Done()
			return context.Cause(ctx)
		}, retry.WithClock(&jumpClock{}), retry.WithAttemptTimeout(time.Second), retry.WithMaxAttempts(1)))
		assert.Equal(t, time.Second, time.Since(start))
	})
}

func TestDeadlinesAreLookedAtByTheClock(t *testing.T) {
	t.Parallel()
	mock := clock.NewMock()
	ctx, cancel := mock.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	e := stopped(t, retry.Do(ctx, always(errDown), retry.WithClock(mock), every(time.Minute)))
	assert.Equal(t, retry.ErrContext, e.Reason)
	assert.Equal(t, 1, e.Attempts)
	assert.ErrorIs(t, e, context.DeadlineExceeded)

	far, stop := context.WithDeadline(context.Background(), time.Now().Add(time.Hour)) // decades away for the mock
	defer stop()
	c := &jumpClock{now: mock.Now()}
	fn, calls := failing(1, errDown)
	require.NoError(t, retry.Do(far, fn, retry.WithClock(c), every(24*time.Hour)))
	assert.Equal(t, 2, *calls)
}

func TestClockSetBack(t *testing.T) {
	t.Parallel()
	c := &jumpClock{now: time.Unix(1e9, 0)}
	var done outcomes
	calls := 0
	e := stopped(t, retry.Do(context.Background(), func(context.Context) error {
		calls++
		c.now = c.now.Add(-time.Hour)
		return errDown
	}, retry.WithClock(c), every(time.Second), retry.WithMaxAttempts(3), retry.WithMaxElapsed(time.Minute), done.hook()))
	assert.Equal(t, 3, calls, "a clock that was set back ends nothing")
	assert.Equal(t, retry.ErrExhausted, e.Reason)
	assert.Zero(t, e.Elapsed)
	for _, a := range e.History() {
		assert.Zero(t, a.Duration)
		assert.Zero(t, a.Elapsed)
	}
	assert.GreaterOrEqual(t, done.one(t).Elapsed, time.Duration(0))
}

func TestClockSetBackInAWaitThatIsCutShort(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(context.Background())
	c := &jumpClock{now: time.Unix(1e9, 0)}
	c.onWait = func(time.Duration) { c.now = c.now.Add(-time.Hour); cancel() }
	var done outcomes
	e := stopped(t, retry.Do(ctx, always(errDown), retry.WithClock(c), every(time.Second), done.hook()))
	assert.Equal(t, retry.ErrContext, e.Reason)
	assert.Zero(t, e.Elapsed)
	assert.Zero(t, done.one(t).Waited)
}

func TestANegativeBackoffCountsAsZero(t *testing.T) {
	t.Parallel()
	c := &jumpClock{onWait: func(d time.Duration) { t.Errorf("After(%v)", d) }}
	fn, calls := failing(2, errDown)
	h := retry.NewHistory(3)
	require.NoError(t, retry.Do(context.Background(), fn, retry.WithClock(c), retry.WithHistory(h), retry.WithBackoff(
		retry.BackoffFunc(func(retry.Attempt) time.Duration { return math.MinInt64 }))))
	assert.Equal(t, 3, *calls)
	assert.Zero(t, h.Slice()[0].Delay)
}

// scriptedCall is a call made of bytes: the policy's limits, then a result an attempt.
type scriptedCall struct {
	maxAttempts, historySize  int
	maxElapsed, maxRetryAfter time.Duration
	wait                      time.Duration
	ops                       []byte
}

func newScriptedCall(data []byte) scriptedCall {
	head := make([]byte, 5)
	n := copy(head, data)
	c := scriptedCall{
		maxAttempts:   int(head[0] % 7),
		maxElapsed:    time.Duration(head[1]%40) * time.Second,
		historySize:   int(head[2] % 4),
		maxRetryAfter: time.Duration(head[3]%20) * time.Second,
		wait:          time.Duration(head[4]%5) * time.Second,
		ops:           data[n:],
	}
	if c.maxAttempts == 0 {
		c.maxAttempts = retry.Unlimited
	}
	return c
}

// scripted is the result of one attempt.
type scripted struct {
	err       error         // of the function
	reject    error         // why its value is rejected
	permanent bool          // the failure is marked
	hint      time.Duration // and hinted
	cancel    bool          // the caller's context ends meanwhile
	runs      time.Duration
}

// result decodes the result of attempt i, a success once the script is at its end.
func (c scriptedCall) result(i int) (r scripted) {
	if i >= len(c.ops) {
		return r
	}
	op, arg := c.ops[i]%10, c.ops[i]/10
	own := fmt.Errorf("failure %d", i)
	r.runs = time.Duration(arg%3) * time.Second
	switch op {
	case 0:
	case 1, 2:
		r.err = own
	case 3:
		r.err, r.permanent = retry.Permanent(own), true
	case 4:
		r.err, r.permanent = fmt.Errorf("deep: %w", errors.Join(errOdd, retry.Permanent(own))), true
	case 5:
		r.hint = time.Duration(arg) * time.Second
		r.err = retry.After(r.hint, own)
	case 6:
		r.err, r.cancel = own, true
	case 7:
		r.cancel = true
	case 8:
		r.reject = own
	case 9:
		r.reject, r.permanent = retry.Permanent(own), true
	}
	return r
}

// expect is the rule book in short: why the script's call stops, after how many attempts.
func (c scriptedCall) expect() (attempts int, reason error) {
	elapsed := time.Duration(0)
	for n := 1; ; n++ {
		r := c.result(n - 1)
		elapsed += r.runs
		wait := c.wait
		if r.hint > 0 {
			wait = r.hint
		}
		switch {
		case r.err == nil && r.reject == nil:
			return n, nil
		case r.cancel:
			return n, retry.ErrContext
		case r.permanent:
			return n, retry.ErrPermanent
		case n == c.maxAttempts:
			return n, retry.ErrExhausted
		case r.hint > c.maxRetryAfter:
			return n, retry.ErrRetryAfter
		case c.maxElapsed > 0 && elapsed+wait >= c.maxElapsed:
			return n, retry.ErrMaxElapsed
		}
		elapsed += wait
	}
}

func FuzzOutcome(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{3, 0, 2, 10, 0, 1, 1, 1, 1})
	f.Add([]byte{0, 9, 2, 10, 1, 1, 2, 8, 8, 21, 1, 0})
	f.Add([]byte{5, 0, 0, 5, 2, 1, 55, 1})
	f.Add([]byte{4, 30, 3, 19, 4, 1, 5, 35, 4})
	f.Add([]byte{4, 0, 1, 0, 0, 8, 8, 9})
	f.Add([]byte{6, 0, 3, 0, 0, 1, 6})
	f.Add([]byte{6, 0, 3, 0, 0, 8, 7})
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 60 {
			return
		}
		script := newScriptedCall(data)
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		c := &jumpClock{}
		calls := 0
		var last scripted
		var done outcomes
		_, err := retry.DoValue(ctx, func(context.Context) (int, error) {
			last = script.result(calls)
			calls++
			c.now = c.now.Add(last.runs)
			if last.cancel {
				cancel()
			}
			return calls, last.err
		}, retry.WithClock(c), retry.WithJitter(retry.NoJitter), every(script.wait), done.hook(),
			retry.WithMaxAttempts(script.maxAttempts), retry.WithMaxElapsed(script.maxElapsed),
			retry.WithMaxRetryAfter(script.maxRetryAfter), retry.WithHistorySize(script.historySize),
			retry.WithValidator(func(int, retry.Attempt) error { return last.reject }))

		attempts, reason := script.expect()
		require.Equal(t, attempts, calls)
		require.Equal(t, last.err == nil && last.reject == nil, err == nil, "nil if and only if the last attempt succeeded")
		out := done.one(t)
		require.Equal(t, attempts, out.Attempts)
		if err == nil {
			require.NoError(t, reason)
			require.Nil(t, out.Err)
			return
		}
		e := stopped(t, err)
		require.Equal(t, reason, e.Reason)
		require.Equal(t, attempts, e.Attempts)
		require.Same(t, e, out.Err)
		failure := last.err
		if failure == nil {
			failure = last.reject
			require.ErrorIs(t, err, retry.ErrRejected)
		}
		require.ErrorIs(t, err, bare(failure))
		require.NotContains(t, e.Error(), "\n")
		require.True(t, strings.HasPrefix(e.Error(), "retry: "))
		kept := e.History()
		require.Len(t, kept, min(attempts, script.historySize))
		require.True(t, slices.IsSortedFunc(kept, func(a, b retry.Attempt) int { return a.Number - b.Number }))
		if len(kept) > 0 {
			require.Equal(t, attempts, kept[len(kept)-1].Number, "the newest attempts are kept")
		}
	})
}

// A virtual clock would move on for a wait that does not take place.
func TestNoWaitOnTheClockAfterCancellation(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	var clk retrytest.Clock
	err := retry.Do(ctx, func(context.Context) error { return errDown }, retry.WithClock(&clk),
		retry.WithHooks(retry.Hooks{BeforeWait: func(context.Context, retry.Attempt) { cancel() }}))
	require.ErrorIs(t, err, retry.ErrContext)
	require.Empty(t, clk.Waits())
}

// A limit that has passed before the first attempt, by what a Start hook took or by a clock
// that is ahead of the context, does not forbid it. Only a context that is done does.
func TestLimitsNeverForbidTheFirstAttempt(t *testing.T) {
	t.Parallel()
	for _, way := range waysIn {
		t.Run("max elapsed/"+way.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				fn, calls := failing(9, errDown)
				e := stopped(t, way.call(context.Background(), fn, every(0), retry.WithMaxElapsed(time.Second), retry.WithHooks(retry.Hooks{
					Start: func(context.Context) context.Context { time.Sleep(time.Minute); return nil },
				})))
				assert.Equal(t, 1, *calls)
				assert.Equal(t, retry.ErrMaxElapsed, e.Reason)
				assert.Equal(t, errDown, e.Err)
			})
		})
		t.Run("deadline/"+way.name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
			defer cancel()
			fn, calls := failing(9, errDown)
			e := stopped(t, way.call(ctx, fn, every(0), retry.WithClock(&jumpClock{now: time.Now().Add(2 * time.Hour)})))
			assert.Equal(t, 1, *calls)
			assert.Equal(t, retry.ErrContext, e.Reason)
			assert.Equal(t, errDown, e.Err)
		})
	}
}

// The wait that is cut short counts from the end of the attempt, and for no more than it was
// to be, though the clock may have gone further.
func TestWaitedOfAWaitCutShort(t *testing.T) {
	t.Parallel()
	const s = time.Second
	for name, tt := range map[string]struct{ moves, want time.Duration }{
		"at once":        {0, 0},
		"in between":     {4 * s, 4 * s},
		"at its end":     {10 * s, 10 * s},
		"after its end":  {25 * s, 10 * s},
		"a nanosecond":   {1, 1},
		"just before it": {10*s - 1, 10*s - 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(context.Background())
			c := &jumpClock{now: time.Unix(1e9, 0)}
			c.onWait = func(d time.Duration) { c.now = c.now.Add(tt.moves - d); cancel() }
			var done outcomes
			e := stopped(t, retry.Do(ctx, func(context.Context) error {
				c.now = c.now.Add(7 * s)
				return errDown
			}, retry.WithClock(c), every(10*s), done.hook()))
			assert.Equal(t, retry.ErrContext, e.Reason)
			assert.Equal(t, 7*s+tt.moves, e.Elapsed)
			assert.Equal(t, tt.want, done.one(t).Waited)
		})
	}
}

// A wait that took longer than it was to: at the deadline there is no other attempt, before
// it there is.
func TestVirtualDeadlineExactlyAtTheRetry(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
	t.Cleanup(cancel)
	deadline, _ := ctx.Deadline()
	for name, tt := range map[string]struct {
		at    time.Duration // of the retry, after the deadline
		calls int
	}{
		"before":  {-1, 2},
		"exactly": {0, 1},
		"after":   {1, 1},
	} {
		t.Run(name, func(t *testing.T) {
			c := &jumpClock{now: deadline.Add(-time.Minute)}
			c.onWait = func(time.Duration) { c.now = deadline.Add(tt.at) }
			fn, calls := failing(9, errDown)
			e := stopped(t, retry.Do(ctx, fn, retry.WithClock(c), every(time.Second)))
			assert.Equal(t, tt.calls, *calls)
			assert.Equal(t, retry.ErrContext, e.Reason)
			assert.ErrorIs(t, e, context.DeadlineExceeded)
		})
	}
}
