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

// The first stop function that returns an error ends the call, and that error is the Reason.
func TestStopEndsCall(t *testing.T) {
	for _, way := range entryPoints {
		t.Run(way.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				fn, calls := failTimes(9, errDown)
				start := time.Now()
				e := retryError(t, way.call(context.Background(), fn, doublingWaits, retry.WithStop(stopAt(2, errQuota))))
				assert.Equal(t, 2, *calls)
				assert.Equal(t, errQuota, e.Reason)
				assert.Equal(t, errDown, e.Err)
				assert.Equal(t, 2*time.Second, e.Delay, "the wait that did not start")
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
	e := retryError(t, retry.Do(context.Background(), alwaysReturn(errDown), atOnce,
		retry.MustNew(retry.WithStop(stop("a", nil), stop("b", nil))),
		retry.WithStop(),
		retry.WithStop(stop("c", errQuota), stop("d", errOdd))))
	assert.Equal(t, []string{"a", "b", "c"}, asked)
	assert.Equal(t, errQuota, e.Reason)
}

// The functions see the failed attempt with the next wait.
func TestStopSeesAttempt(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var seen []retry.Attempt
		start := time.Now()
		_ = retry.Do(context.Background(), func(context.Context) error { time.Sleep(time.Minute); return errDown },
			doublingWaits, retry.WithName("job"), retry.WithMaxAttempts(3),
			retry.WithStop(func(a retry.Attempt) error { seen = append(seen, a); return nil }))
		require.Len(t, seen, 2, "not called after the last attempt: there is no retry")
		assert.Equal(t, retry.Attempt{
			Name: "job", Number: 1, Start: start, Duration: time.Minute, Elapsed: time.Minute, Delay: time.Second, Err: errDown,
		}, seen[0])
		assert.Equal(t, retry.Attempt{
			Name: "job", Number: 2, Start: start.Add(61 * time.Second), Waited: time.Second, Duration: time.Minute,
			Elapsed: 121 * time.Second, Delay: 2 * time.Second, Err: errDown,
		}, seen[1])
	})
}

// a.Delay is the whole wait. After a server's hint it includes the spread.
func TestStopSeesHint(t *testing.T) {
	t.Parallel()
	e := retryError(t, retry.Do(context.Background(), alwaysReturn(retry.After(30*time.Second, errDown)), fixedRand(0.5), retry.WithStop(func(a retry.Attempt) error {
		assert.Equal(t, 31500*time.Millisecond, a.Delay)
		return errQuota
	})))
	assert.Equal(t, 31500*time.Millisecond, e.Delay)
	hint, ok := e.RetryAfter()
	assert.True(t, ok, "the wait that did not start was a server's hint")
	assert.Equal(t, 31500*time.Millisecond, hint)
}

// The functions run only for a retry that nothing else forbids, and before the budget.
func TestStopIsAskedLast(t *testing.T) {
	canceled, cancel := context.WithCancel(context.Background())
	for _, tt := range []struct {
		name   string
		opts   []retry.Option
		fn     func(context.Context) error
		reason error
	}{
		{"permanent", nil, alwaysReturn(retry.Permanent(errDown)), retry.ErrPermanent},
		{"stop if", []retry.Option{retry.WithStopIf(yes)}, alwaysReturn(errDown), retry.ErrPermanent},
		{"retry if", []retry.Option{retry.WithRetryIf(no)}, alwaysReturn(errDown), retry.ErrPermanent},
		{"attempts", []retry.Option{retry.WithMaxAttempts(1)}, alwaysReturn(errDown), retry.ErrExhausted},
		{"hint", nil, alwaysReturn(retry.After(time.Hour, errDown)), retry.ErrRetryAfter},
		{"time limit", []retry.Option{retry.WithMaxElapsed(time.Second)}, alwaysReturn(errDown), retry.ErrMaxElapsed},
		{"context", nil, func(context.Context) error { cancel(); return errDown }, retry.ErrContext},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ctx := context.Background()
			if tt.name == "context" {
				ctx = canceled
			}
			e := retryError(t, retry.Do(ctx, tt.fn, doublingWaits, retry.MustNew(tt.opts...),
				retry.WithStop(func(retry.Attempt) error { t.Error("asked"); return errQuota })))
			assert.Equal(t, tt.reason, e.Reason)
		})
	}
	t.Run("deadline", func(t *testing.T) {
		e := retryError(t, retry.Do(withDeadline(t, time.Millisecond), alwaysReturn(errDown), every(time.Minute),
			retry.WithStop(func(retry.Attempt) error { t.Error("asked"); return errQuota })))
		assert.Equal(t, retry.ErrContext, e.Reason)
	})
	t.Run("before the budget", func(t *testing.T) {
		b := retry.NewBudget(0, 3)
		e := retryError(t, retry.Do(context.Background(), alwaysReturn(errDown), atOnce, retry.WithBudget(b), retry.WithStop(stopAt(2, errQuota))))
		assert.Equal(t, errQuota, e.Reason)
		assert.InDelta(t, 2, b.Tokens(), 0, "the stopped retry took no token")
	})
	t.Run("a spent budget does not matter", func(t *testing.T) {
		e := retryError(t, retry.Do(context.Background(), alwaysReturn(errDown), atOnce, retry.WithBudget(retry.NewBudget(0, 0)), retry.WithStop(stopAt(1, errQuota))))
		assert.Equal(t, errQuota, e.Reason)
	})
}

// The functions run after a rejected value and not after a success.
func TestStopWithRejectedValue(t *testing.T) {
	t.Parallel()
	require.NoError(t, retry.Do(context.Background(), succeed, retry.WithStop(stopAt(0, errQuota))))
	_, err := retry.DoValue(context.Background(), countUp(), rejectAll(errOdd), atOnce, retry.WithStop(stopAt(2, errQuota)))
	e := retryError(t, err)
	assert.Equal(t, errQuota, e.Reason)
	assert.Equal(t, 2, e.Attempts)
	assert.ErrorIs(t, e, retry.ErrRejected)
}

// The log shows the reason as one line without its prefix, at Error: the call gave up and was not
// cancelled.
func TestStopIsLogged(t *testing.T) {
	t.Parallel()
	got := logOf(slog.LevelInfo, func(l retry.Option) {
		_ = retry.Do(context.Background(), alwaysReturn(errDown), l, doublingWaits, retry.WithStop(stopAt(1, errors.New("retry: no more\nof it"))))
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
		for way, err := range callEveryWay(t, opts...) {
			require.EqualError(t, err, "retry: WithStop: nil function", "%s %s", name, way)
			require.ErrorIs(t, err, retry.ErrOption)
		}
	}
}

// WithStop copies its functions: changing the slice later does not change a policy.
func TestStopCopiesItsFunctions(t *testing.T) {
	t.Parallel()
	list := []func(retry.Attempt) error{stopAt(1, errQuota)}
	p := retry.MustNew(retry.WithStop(list...), atOnce)
	list[0] = stopAt(1, errOdd)
	assert.Equal(t, errQuota, retryError(t, p.Do(context.Background(), alwaysReturn(errDown))).Reason)
}

// A panic goes on to the caller.
func TestStopPanics(t *testing.T) {
	t.Parallel()
	assert.PanicsWithValue(t, "boom", func() {
		_ = retry.Do(context.Background(), alwaysReturn(errDown), retry.WithStop(func(retry.Attempt) error { panic("boom") }))
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
	assert.Equal(t, defaultText, retry.MustNew(retry.WithStop()).String(), "no functions, no setting")
}
