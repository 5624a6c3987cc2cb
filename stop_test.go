package retry_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
)

// The first function that returns an error ends the call, and that error is the Reason.
func TestStopEndsTheCall(t *testing.T) {
	for _, way := range waysIn {
		t.Run(way.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				fn, calls := failing(9, errDown)
				start := time.Now()
				e := stopped(t, way.call(context.Background(), fn, doubling, retry.WithStop(stopAt(2, errQuota))))
				assert.Equal(t, 2, *calls)
				assert.Equal(t, errQuota, e.Reason)
				assert.Equal(t, errDown, e.Err)
				assert.Equal(t, 2*time.Second, e.Delay, "the wait that did not take place")
				require.ErrorIs(t, e, errQuota)
				require.ErrorIs(t, e, errDown)
				require.NotErrorIs(t, e, retry.ErrPermanent)
				assert.Equal(t, "retry: quota is spent (next wait 2s) after 2 attempts in 1s: server down", e.Error())
				assert.Equal(t, time.Second, time.Since(start))
			})
		})
	}
}

func TestStopOrder(t *testing.T) {
	t.Parallel()
	var asked []string
	stop := func(name string, err error) func(retry.Attempt) error {
		return func(retry.Attempt) error { asked = append(asked, name); return err }
	}
	e := stopped(t, retry.Do(context.Background(), always(errDown), atOnce,
		retry.MustNew(retry.WithStop(stop("a", nil), stop("b", nil))),
		retry.WithStop(),
		retry.WithStop(stop("c", errQuota), stop("d", errOdd))))
	assert.Equal(t, []string{"a", "b", "c"}, asked)
	assert.Equal(t, errQuota, e.Reason)
}

// The functions see the attempt that failed, with the wait to come.
func TestStopSeesTheAttempt(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var seen []retry.Attempt
		start := time.Now()
		_ = retry.Do(context.Background(), func(context.Context) error { time.Sleep(time.Minute); return errDown },
			doubling, retry.WithName("job"), retry.WithMaxAttempts(3),
			retry.WithStop(func(a retry.Attempt) error { seen = append(seen, a); return nil }))
		require.Len(t, seen, 2, "not asked after the last attempt, for there is no retry")
		assert.Equal(t, retry.Attempt{
			Name: "job", Number: 1, Start: start, Duration: time.Minute, Elapsed: time.Minute, Delay: time.Second, Err: errDown,
		}, seen[0])
		assert.Equal(t, retry.Attempt{
			Name: "job", Number: 2, Start: start.Add(61 * time.Second), Waited: time.Second, Duration: time.Minute,
			Elapsed: 121 * time.Second, Delay: 2 * time.Second, Err: errDown,
		}, seen[1])
	})
}

// a.Delay is the whole wait, a server's hint with its spread included.
func TestStopSeesTheHint(t *testing.T) {
	t.Parallel()
	e := stopped(t, retry.Do(context.Background(), always(retry.After(30*time.Second, errDown)), sampling(0.5), retry.WithStop(func(a retry.Attempt) error {
		assert.Equal(t, 31500*time.Millisecond, a.Delay)
		return errQuota
	})))
	assert.Equal(t, 31500*time.Millisecond, e.Delay)
	hint, ok := e.RetryAfter()
	assert.True(t, ok, "the wait that was not begun was a server's hint")
	assert.Equal(t, 31500*time.Millisecond, hint)
}

// They are asked only about a retry that nothing else forbids, and before the budget.
func TestStopIsAskedLast(t *testing.T) {
	canceled, cancel := context.WithCancel(context.Background())
	for _, tt := range []struct {
		name   string
		opts   []retry.Option
		fn     func(context.Context) error
		reason error
	}{
		{"permanent", nil, always(retry.Permanent(errDown)), retry.ErrPermanent},
		{"stop if", []retry.Option{retry.WithStopIf(yes)}, always(errDown), retry.ErrPermanent},
		{"retry if", []retry.Option{retry.WithRetryIf(no)}, always(errDown), retry.ErrPermanent},
		{"attempts", []retry.Option{retry.WithMaxAttempts(1)}, always(errDown), retry.ErrExhausted},
		{"hint", nil, always(retry.After(time.Hour, errDown)), retry.ErrRetryAfter},
		{"time limit", []retry.Option{retry.WithMaxElapsed(time.Second)}, always(errDown), retry.ErrMaxElapsed},
		{"context", nil, func(context.Context) error { cancel(); return errDown }, retry.ErrContext},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ctx := context.Background()
			if tt.name == "context" {
				ctx = canceled
			}
			e := stopped(t, retry.Do(ctx, tt.fn, doubling, retry.MustNew(tt.opts...),
				retry.WithStop(func(retry.Attempt) error { t.Error("asked"); return errQuota })))
			assert.Equal(t, tt.reason, e.Reason)
		})
	}
	t.Run("deadline", func(t *testing.T) {
		e := stopped(t, retry.Do(ending(t, time.Millisecond), always(errDown), every(time.Minute),
			retry.WithStop(func(retry.Attempt) error { t.Error("asked"); return errQuota })))
		assert.Equal(t, retry.ErrContext, e.Reason)
	})
	t.Run("before the budget", func(t *testing.T) {
		b := retry.NewBudget(0, 3)
		e := stopped(t, retry.Do(context.Background(), always(errDown), atOnce, retry.WithBudget(b), retry.WithStop(stopAt(2, errQuota))))
		assert.Equal(t, errQuota, e.Reason)
		assert.InDelta(t, 2, b.Tokens(), 0, "the retry that was stopped took none")
	})
	t.Run("a budget that is spent does not hinder it", func(t *testing.T) {
		e := stopped(t, retry.Do(context.Background(), always(errDown), atOnce, retry.WithBudget(retry.NewBudget(0, 0)), retry.WithStop(stopAt(1, errQuota))))
		assert.Equal(t, errQuota, e.Reason)
	})
}

// A success and a rejected value: the first is never asked about, the second is.
func TestStopAndValues(t *testing.T) {
	t.Parallel()
	require.NoError(t, retry.Do(context.Background(), succeed, retry.WithStop(stopAt(0, errQuota))))
	_, err := retry.DoValue(context.Background(), counting(), rejectAll(errOdd), atOnce, retry.WithStop(stopAt(2, errQuota)))
	e := stopped(t, err)
	assert.Equal(t, errQuota, e.Reason)
	assert.Equal(t, 2, e.Attempts)
	assert.ErrorIs(t, e, retry.ErrRejected)
}

// The log has the reason's text without figures, and the call is given up and not cancelled.
func TestStopIsLogged(t *testing.T) {
	t.Parallel()
	got := logged(slog.LevelInfo, func(l retry.Option) {
		_ = retry.Do(context.Background(), always(errDown), l, doubling, retry.WithStop(stopAt(1, errors.New("retry: no more\nof it"))))
	})
	assert.Contains(t, got, `level=ERROR msg="gave up" attempts=1`)
	assert.Contains(t, got, `reason="no more; of it"`)
	assert.Contains(t, got, `delay=1s`)
}

func TestStopNilFunction(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]retry.Option{
		"alone":         retry.WithStop(nil),
		"among others":  retry.WithStop(stopAt(1, errQuota), nil),
		"in two places": retry.MustNew(retry.WithStop(stopAt(1, errQuota)), retry.WithName("x")),
	} {
		opts := []retry.Option{o}
		if name == "in two places" {
			opts = append(opts, retry.WithStop(nil))
		}
		for way, err := range callAllWays(t, opts...) {
			require.EqualError(t, err, "retry: WithStop: nil function", "%s %s", name, way)
			require.ErrorIs(t, err, retry.ErrOption)
		}
	}
}

// What the caller does to its slice later does not change a policy.
func TestStopListIsCopied(t *testing.T) {
	t.Parallel()
	list := []func(retry.Attempt) error{stopAt(1, errQuota)}
	p := retry.MustNew(retry.WithStop(list...), atOnce)
	list[0] = stopAt(1, errOdd)
	assert.Equal(t, errQuota, stopped(t, p.Do(context.Background(), always(errDown))).Reason)
}

// A panic goes on to the caller.
func TestStopPanics(t *testing.T) {
	t.Parallel()
	assert.PanicsWithValue(t, "boom", func() {
		_ = retry.Do(context.Background(), always(errDown), retry.WithStop(func(retry.Attempt) error { panic("boom") }))
	})
}

func TestStopText(t *testing.T) {
	t.Parallel()
	p := retry.MustNew(retry.WithStop(stopAt(1, errQuota)), retry.WithStopIf(yes))
	assert.Equal(t, defaultText+" stop_if=(func) stop=(func)", p.String())
	_, err := p.MarshalText()
	require.EqualError(t, err, "retry: MarshalText: text cannot carry stop_if, stop; keep the rest as a policy and add these in code: retry.New(policy, ...)")
	_, err = retry.Parse("stop=x")
	require.ErrorIs(t, err, retry.ErrOption)
	assert.Contains(t, err.Error(), "stop is not for text; set it in code: New(policy, ...)")
	assert.Equal(t, defaultText, retry.MustNew(retry.WithStop()).String(), "an empty list is none")
}
