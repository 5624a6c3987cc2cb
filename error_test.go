package retry_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
)

func TestErrorMatchesAllAtOnce(t *testing.T) {
	t.Parallel()
	cause := errors.New("shutting down")
	deep := fmt.Errorf("fetch: %w", &net.OpError{Op: "dial", Err: errDown})
	reasons := []error{
		retry.ErrExhausted, retry.ErrMaxElapsed, retry.ErrContext, retry.ErrPermanent,
		retry.ErrRetryAfter, retry.ErrBudget, retry.ErrRejected, retry.ErrOption,
		context.Canceled, context.DeadlineExceeded,
	}
	for _, tt := range []struct {
		name    string
		opts    []retry.Option
		err     error
		cancel  time.Duration // after which the caller's context is cancelled
		matches []error
	}{
		{"exhausted", []retry.Option{atOnce}, deep, 0, []error{retry.ErrExhausted}},
		{"max elapsed", []retry.Option{retry.WithMaxElapsed(1), every(time.Hour)}, deep, 0, []error{retry.ErrMaxElapsed}},
		{"permanent", nil, retry.Permanent(deep), 0, []error{retry.ErrPermanent}},
		{"retry after", nil, retry.After(time.Hour, deep), 0, []error{retry.ErrRetryAfter}},
		{"budget", []retry.Option{retry.WithBudget(new(retry.Budget))}, deep, 0, []error{retry.ErrBudget}},
		{"cancelled", []retry.Option{every(time.Hour)}, deep, time.Minute, []error{retry.ErrContext, context.Canceled}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				ctx, cancel := context.WithCancelCause(context.Background())
				defer cancel(nil)
				if tt.cancel > 0 {
					time.AfterFunc(tt.cancel, func() { cancel(cause) })
				}
				err := retry.Do(ctx, always(tt.err), tt.opts...)
				e := stopped(t, err)
				for _, reason := range reasons {
					assert.Equal(t, slices.Contains(tt.matches, reason), errors.Is(err, reason), "%v", reason)
				}
				assert.Equal(t, tt.matches[0], e.Reason)
				assert.Equal(t, bare(tt.err), e.Err)
				assert.ErrorIs(t, err, errDown)
				var op *net.OpError
				require.ErrorAs(t, err, &op)
				assert.Equal(t, "dial", op.Op)
				assert.Equal(t, tt.cancel > 0, errors.Is(err, cause))
				assert.ErrorIs(t, fmt.Errorf("outer: %w", err), errDown, "wrapped as well")
			})
		})
	}
}

func TestReasonsKnowTheirPackage(t *testing.T) {
	t.Parallel()
	for text, err := range map[string]error{
		"retry: attempts exhausted":                         retry.ErrExhausted,
		"retry: time limit reached":                         retry.ErrMaxElapsed,
		"retry: context done":                               retry.ErrContext,
		"retry: permanent error":                            retry.ErrPermanent,
		"retry: server asks for a longer wait than allowed": retry.ErrRetryAfter,
		"retry: client's own retry budget is spent":         retry.ErrBudget,
		"retry: value rejected":                             retry.ErrRejected,
		"retry: invalid option":                             retry.ErrOption,
	} {
		assert.EqualError(t, err, text)
	}
}

func TestErrorText(t *testing.T) {
	t.Parallel()
	const ms = time.Millisecond
	reject := retry.WithValidator(
		func(int, retry.Attempt) error { return errors.New("too small") },
		func(int, retry.Attempt) error { return errOdd })
	opts := func(o ...retry.Option) []retry.Option { return o }
	for _, tt := range []struct {
		name     string
		opts     []retry.Option
		err      error
		deadline time.Duration
		cancel   time.Duration // negative: before the call
		want     string
	}{
		{
			"exhausted", opts(retry.WithName("fetch"), retry.WithMaxAttempts(4), retry.WithBackoff(retry.Sequence(100*ms, 400*ms, 600*ms))), errDown, 0, 0,
			"retry: fetch: attempts exhausted after 4 attempts in 1.1s: server down",
		},
		{
			"no name, one attempt", opts(retry.WithMaxAttempts(1)), errDown, 0, 0,
			"retry: attempts exhausted after 1 attempt in 0s: server down",
		},
		{
			"three digits of seconds", opts(every(12345678901), retry.WithMaxAttempts(2)), errDown, 0, 0,
			"retry: attempts exhausted after 2 attempts in 12.3s: server down",
		},
		{
			"three digits, rounded up", opts(every(987654321), retry.WithMaxAttempts(2)), errDown, 0, 0,
			"retry: attempts exhausted after 2 attempts in 988ms: server down",
		},
		{
			"below three digits nothing is lost", opts(every(999), retry.WithMaxAttempts(2)), errDown, 0, 0,
			"retry: attempts exhausted after 2 attempts in 999ns: server down",
		},
		{
			"permanent", nil, retry.Permanent(fmt.Errorf("get: %w", errDown)), 0, 0,
			"retry: permanent error after 1 attempt in 0s: get: server down",
		},
		{
			"marked deep down", nil, fmt.Errorf("get: %w!", retry.After(1, retry.Permanent(errDown))), 0, 0,
			"retry: permanent error after 1 attempt in 0s: get: server down!",
		},
		{
			"max elapsed", opts(every(2*time.Second), retry.WithMaxElapsed(time.Second)), errDown, 0, 0,
			"retry: time limit reached (next wait 2s) after 1 attempt in 0s: server down",
		},
		{
			"max elapsed in a zero delay", opts(atOnce, retry.WithMaxElapsed(time.Nanosecond), retry.WithGate(slowGate(time.Second))), errDown, 0, 0,
			"retry: time limit reached after 1 attempt in 1s: server down",
		},
		{
			"deadline too soon", opts(every(time.Hour)), errDown, time.Minute, 0,
			"retry: next wait of 1h0m0s would pass the deadline after 1 attempt in 0s: server down",
		},
		{
			"deadline passed", opts(retry.WithGate(slowGate(time.Second))), errDown, time.Second, 0,
			"retry: context done (context deadline exceeded) after 0 attempts in 1s",
		},
		{
			"cancelled in the wait", opts(every(time.Hour)), errDown, 0, time.Minute,
			"retry: context done (shutting down) after 1 attempt in 1m0s: server down",
		},
		{
			"cancelled before", nil, errDown, 0, -1,
			"retry: context done (shutting down) after 0 attempts in 0s",
		},
		{
			"retry after", nil, retry.After(2*time.Minute, errDown), 0, 0,
			"retry: server asks for a longer wait than allowed (2m0s) after 1 attempt in 0s: server down",
		},
		{
			"budget", opts(every(time.Second), retry.WithBudget(new(retry.Budget))), errDown, 0, 0,
			"retry: client's own retry budget is spent (next wait 1s) after 1 attempt in 0s: server down",
		},
		{
			"several lines", opts(retry.WithMaxAttempts(1)), errors.Join(errDown, errOdd, errors.New("a\r\n\r\nb\n")), 0, 0,
			"retry: attempts exhausted after 1 attempt in 0s: server down; odd; a; b",
		},
		{
			"a name of several lines", opts(retry.WithMaxAttempts(1), retry.WithName("a\nb")), errDown, 0, 0,
			"retry: a; b: attempts exhausted after 1 attempt in 0s: server down",
		},
		{
			"rejected", opts(retry.WithMaxAttempts(2), atOnce, reject), nil, 0, 0,
			"retry: attempts exhausted after 2 attempts in 0s: value rejected: too small; odd",
		},
		{
			"typed nil", opts(retry.WithMaxAttempts(1)), (*retry.Error)(nil), 0, 0,
			"retry: attempts exhausted after 1 attempt in 0s: <nil>",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				ctx, cancel := context.WithCancelCause(context.Background())
				defer cancel(nil)
				if tt.deadline > 0 {
					var stop context.CancelFunc
					ctx, stop = context.WithTimeout(ctx, tt.deadline)
					defer stop()
				}
				switch cause := errors.New("shutting down"); {
				case tt.cancel < 0:
					cancel(cause)
				case tt.cancel > 0:
					time.AfterFunc(tt.cancel, func() { cancel(cause) })
				}
				_, err := retry.DoValue(ctx, func(context.Context) (int, error) { return 0, tt.err }, tt.opts...)
				stopped(t, err)
				assert.EqualError(t, err, tt.want)
			})
		})
	}
}

// slowGate lets everything in after d.
func slowGate(d time.Duration) retry.Gate {
	return func(context.Context, retry.Attempt) (func(error), error) {
		time.Sleep(d)
		synctest.Wait() // a deadline that is now has passed
		return nil, nil
	}
}

func TestErrorIsComparable(t *testing.T) {
	t.Parallel()
	one := retry.Do(context.Background(), always(errDown), retry.WithMaxAttempts(1))
	other := retry.Do(context.Background(), always(errDown), retry.WithMaxAttempts(1))
	same := one
	assert.True(t, one == same)
	assert.False(t, one == other)
	seen := map[error]int{one: 1, other: 2}
	assert.Equal(t, 1, seen[same])
	assert.ErrorIs(t, one, same)
	assert.NotErrorIs(t, one, other)
	_, rejected := retry.DoValue(context.Background(), func(context.Context) (int, error) { return 0, nil },
		retry.WithMaxAttempts(1), retry.WithValidator(func(int, retry.Attempt) error { return sliceError{errOdd} }))
	assert.ErrorIs(t, rejected, retry.ErrRejected, "nor does an error beneath that is not comparable panic")
	assert.NotPanics(t, func() { seen[stopped(t, rejected).Err] = 3 })
}

// sliceError is an error that == panics on.
type sliceError []error

func (s sliceError) Error() string { return fmt.Sprint([]error(s)) }

func TestTypedNilError(t *testing.T) {
	t.Parallel()
	var e *retry.Error
	assert.Equal(t, "<nil>", e.Error())
	assert.Nil(t, e.Unwrap())
	assert.Nil(t, e.History())
	assert.False(t, e.Timeout())
	assert.False(t, e.Temporary())
	d, ok := e.RetryAfter()
	assert.Zero(t, d)
	assert.False(t, ok)
	assert.Equal(t, slog.AnyValue(nil), e.LogValue())
	assert.NotErrorIs(t, e, errDown)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%d"} {
		assert.NotContains(t, fmt.Sprintf(verb, e), "PANIC", verb)
	}
	var v *retry.ValidationError[int]
	assert.Equal(t, "<nil>", v.Error())
	assert.Nil(t, v.Unwrap())
	assert.Equal(t, "<nil>", fmt.Sprint(v))
}

func TestZeroError(t *testing.T) {
	t.Parallel()
	e := new(retry.Error)
	assert.Equal(t, "retry: <nil> after 0 attempts in 0s", e.Error())
	assert.Empty(t, e.Unwrap())
	assert.Empty(t, e.History())
	assert.False(t, e.Timeout())
	assert.False(t, e.Temporary())
}

func TestErrorHistory(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name     string
		opts     []retry.Option
		attempts int
		from     int // the oldest kept; past attempts: none
	}{
		{"all fit", []retry.Option{retry.WithMaxAttempts(7)}, 7, 1},
		{"default size", []retry.Option{retry.WithMaxAttempts(13)}, 13, 4},
		{"the newest stay", []retry.Option{retry.WithHistorySize(3), retry.WithMaxAttempts(7)}, 7, 5},
		{"exactly full", []retry.Option{retry.WithHistorySize(3), retry.WithMaxAttempts(3)}, 3, 1},
		{"one", []retry.Option{retry.WithHistorySize(1), retry.WithMaxAttempts(4)}, 4, 4},
		{"none", []retry.Option{retry.WithHistorySize(0), retry.WithMaxAttempts(4)}, 4, 5},
		{"more than is taken at once", []retry.Option{retry.WithHistorySize(40), retry.WithMaxAttempts(100)}, 100, 61},
		{"unlimited attempts", []retry.Option{retry.WithHistorySize(20), retry.WithMaxAttempts(retry.Unlimited), retry.WithStopIf(func(a retry.Attempt) bool { return a.Number == 45 })}, 45, 26},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e := stopped(t, retry.Do(context.Background(), always(errDown), append(tt.opts, atOnce)...))
			require.Equal(t, tt.attempts, e.Attempts)
			kept := e.History()
			require.Len(t, kept, tt.attempts-tt.from+1)
			for i, a := range kept {
				assert.Equal(t, tt.from+i, a.Number, "oldest first")
				assert.Equal(t, errDown, a.Err)
			}
			for i := range kept {
				kept[i].Number = -1
			}
			for _, a := range e.History() {
				assert.Positive(t, a.Number, "it is a copy")
			}
		})
	}
}

// netError has all of net.Error's answers.
type netError struct{ timeout, temporary bool }

func (netError) Error() string     { return "net fault" }
func (f netError) Timeout() bool   { return f.timeout }
func (f netError) Temporary() bool { return f.temporary }

func TestErrorTimeoutAndTemporary(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name               string
		opts               []retry.Option
		err                error
		deadline           time.Duration
		cancel             bool // in the attempt
		timeout, temporary bool
	}{
		{"plain", nil, errDown, 0, false, false, false},
		{"a timeout failed last", nil, fmt.Errorf("x: %w", netError{timeout: true}), 0, false, true, true},
		{"a temporary error failed last", nil, fmt.Errorf("x: %w", netError{temporary: true}), 0, false, false, true},
		{"neither failed last", nil, netError{}, 0, false, false, false},
		{"max elapsed", []retry.Option{retry.WithMaxElapsed(1), every(1)}, errDown, 0, false, true, true},
		{"deadline", []retry.Option{every(time.Hour)}, errDown, time.Second, false, true, true},
		{"cancelled", nil, errDown, 0, true, false, false},
		{"cancelled in a timeout", nil, netError{timeout: true}, 0, true, false, false},
		{"cancelled in a temporary error", nil, netError{temporary: true}, 0, true, false, true},
		{"budget", []retry.Option{retry.WithBudget(new(retry.Budget))}, errDown, 0, false, false, false},
		{"deadline error", nil, os.ErrDeadlineExceeded, 0, false, true, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(context.Background())
				defer cancel()
				if tt.deadline > 0 {
					ctx, cancel = context.WithTimeout(ctx, tt.deadline)
					defer cancel()
				}
				err := retry.Do(ctx, func(context.Context) error {
					if tt.cancel {
						cancel()
					}
					return tt.err
				}, append([]retry.Option{retry.WithMaxAttempts(2), atOnce}, tt.opts...)...)
				e := stopped(t, err)
				assert.Equal(t, tt.timeout, e.Timeout())
				assert.Equal(t, tt.temporary, e.Temporary())
				wrapped := &url.Error{Op: "Get", URL: "/", Err: err}
				assert.Equal(t, tt.timeout, wrapped.Timeout(), "url.Error does not unwrap")
				assert.Equal(t, tt.temporary, wrapped.Temporary())
			})
		})
	}
}

func TestErrorRetryAfter(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		opts []retry.Option
		err  error
		want time.Duration
		ok   bool
	}{
		{"budget", []retry.Option{retry.WithBudget(new(retry.Budget)), every(3 * time.Second)}, errDown, 3 * time.Second, true},
		{"budget and hint", []retry.Option{retry.WithBudget(new(retry.Budget)), retry.WithJitter(retry.NoJitter)}, retry.After(9*time.Second, errDown), 9 * time.Second, true},
		{"retry after", nil, retry.After(time.Hour, errDown), time.Hour, true},
		{"max elapsed", []retry.Option{retry.WithMaxElapsed(1), every(time.Second)}, errDown, 0, false},
		{"exhausted", []retry.Option{retry.WithMaxAttempts(1)}, retry.After(time.Second, errDown), 0, false},
		{"permanent", nil, retry.Permanent(retry.After(time.Second, errDown)), 0, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d, ok := stopped(t, retry.Do(context.Background(), always(tt.err), tt.opts...)).RetryAfter()
			assert.Equal(t, tt.want, d)
			assert.Equal(t, tt.ok, ok)
		})
	}
}

func TestErrorLogValue(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		opts []retry.Option
		dead bool
		want string
	}{
		{
			"all parts",
			[]retry.Option{retry.WithName("fetch"), every(2 * time.Second), retry.WithMaxElapsed(3 * time.Second)},
			false,
			`err.name=fetch err.attempts=2 err.elapsed=2s err.reason="time limit reached" err.error="server down; odd" err.delay=2s` + "\n",
		},
		{
			"no name, no delay",
			[]retry.Option{retry.WithMaxAttempts(1)},
			false,
			`err.attempts=1 err.elapsed=0s err.reason="attempts exhausted" err.error="server down; odd"` + "\n",
		},
		{"no attempt", nil, true, `err.attempts=0 err.elapsed=0s err.reason="context done" err.cause="context canceled"` + "\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(context.Background())
				defer cancel()
				if tt.dead {
					cancel()
				}
				err := retry.Do(ctx, always(errors.Join(errDown, errOdd)), tt.opts...)
				var b bytes.Buffer
				slog.New(slog.NewTextHandler(&b, &slog.HandlerOptions{ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
					if groups == nil {
						return slog.Attr{}
					}
					return a
				}})).Info("x", "err", err)
				assert.Equal(t, tt.want, b.String())
			})
		})
	}
}

// secret is a value that no text may contain, whatever the verb.
type secret struct{ Token string }

const secretText = "s3cr3t-t0k3n"

func TestTextsNeverContainValues(t *testing.T) {
	t.Parallel()
	var records bytes.Buffer
	var seen []retry.Attempt
	h := retry.NewHistory(5)
	v, err := retry.DoValue(context.Background(), func(context.Context) (secret, error) { return secret{secretText}, nil },
		atOnce, retry.WithMaxAttempts(3), retry.WithName("login"), retry.WithHistory(h),
		retry.WithValidator(func(secret, retry.Attempt) error { return errOdd }),
		retry.WithLogger(slog.New(slog.NewJSONHandler(&records, nil))),
		retry.WithHooks(retry.Hooks{AfterAttempt: func(_ context.Context, a retry.Attempt) { seen = append(seen, a) }}))
	assert.Equal(t, secretText, v.Token)
	e := stopped(t, err)
	var report *retry.ValidationError[secret]
	require.ErrorAs(t, err, &report)
	require.Equal(t, secretText, report.Values[0].Token)

	hex := fmt.Sprintf("%x", secretText)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%T"} {
		for _, arg := range []any{
			err, *e, report, e.Err,
			[]any{err, report, e.Err},
			struct{ E error }{report},
			seen, h.Slice(), e.History(), e.Unwrap(), report.Reasons, fmt.Errorf("wrapped: %w", err),
		} {
			text := fmt.Sprintf(verb, arg)
			assert.NotContains(t, text, secretText, "%s of %T", verb, arg)
			assert.NotContains(t, strings.ToLower(text), hex, "%s of %T", verb, arg)
		}
	}
	for _, verb := range []string{"%v", "%+v", "%#v"} { // fmt asks no methods of unexported fields
		for _, arg := range []any{struct{ e error }{err}, struct{ e error }{report}, struct{ e error }{e.Err}} {
			assert.NotContains(t, fmt.Sprintf(verb, arg), secretText, "%s of %T", verb, arg)
		}
	}
	assert.NotContains(t, records.String(), secretText)
	assert.Contains(t, records.String(), "value rejected: odd")
	assert.Equal(t, fmt.Sprintf("&retry.Error(%q)", e.Error()), fmt.Sprintf("%#v", e))
	assert.Equal(t, e.Error(), fmt.Sprintf("%+v", e))
	var logged bytes.Buffer
	slog.New(slog.NewTextHandler(&logged, nil)).Info("x", "e", e, "report", report, "err", e.Err)
	assert.NotContains(t, logged.String(), secretText)
}

func TestNestedRetries(t *testing.T) {
	t.Parallel()
	inner := func(opts ...retry.Option) func(context.Context) error {
		return func(ctx context.Context) error {
			return retry.Do(ctx, always(retry.Permanent(retry.After(time.Hour, errDown))), append(opts, retry.WithName("inner"))...)
		}
	}
	t.Run("reasons", func(t *testing.T) {
		t.Parallel()
		calls := 0
		err := retry.Do(context.Background(), func(ctx context.Context) error { calls++; return inner()(ctx) },
			atOnce, retry.WithName("outer"), retry.WithMaxAttempts(3))
		assert.Equal(t, 3, calls, "a marker speaks to its own loop, and so does a hint")
		e := stopped(t, err)
		assert.Equal(t, retry.ErrExhausted, e.Reason, "this loop's own")
		assert.Equal(t, "outer", e.Name)
		assert.ErrorIs(t, err, retry.ErrPermanent, "the inner one's is seen too")
		assert.ErrorIs(t, err, errDown)
		var found *retry.Error
		require.ErrorAs(t, e.Err, &found)
		assert.Equal(t, "inner", found.Name)
		assert.Equal(t, retry.ErrPermanent, found.Reason)
		require.ErrorAs(t, err, &found)
		assert.Same(t, e, found, "the outer one is found first")
	})
	t.Run("marked again outside", func(t *testing.T) {
		t.Parallel()
		err := retry.Do(context.Background(), func(ctx context.Context) error {
			return errors.Join(inner()(ctx), retry.Permanent(errOdd))
		}, atOnce)
		assert.Equal(t, retry.ErrPermanent, stopped(t, err).Reason)
		assert.Equal(t, 1, stopped(t, err).Attempts)
	})
	t.Run("already retried", func(t *testing.T) {
		t.Parallel()
		err := retry.Do(context.Background(), inner(), atOnce, retry.WithStopIf(retry.AlreadyRetried))
		assert.Equal(t, retry.ErrPermanent, stopped(t, err).Reason)
		assert.Equal(t, 1, stopped(t, err).Attempts)
	})
	t.Run("the inner budget's delay is honoured", func(t *testing.T) {
		inBubble(t, func(t *testing.T) {
			start := time.Now()
			err := retry.Do(context.Background(), func(ctx context.Context) error {
				return fmt.Errorf("inner: %w", retry.Do(ctx, always(errDown), every(20*time.Second), retry.WithBudget(new(retry.Budget))))
			}, atOnce, retry.WithMaxAttempts(2), retry.WithJitter(retry.NoJitter))
			assert.Equal(t, 20*time.Second, time.Since(start))
			assert.Equal(t, retry.ErrExhausted, stopped(t, err).Reason)
			assert.ErrorIs(t, err, retry.ErrBudget)
		})
	})
	t.Run("the inner hint is too long for both", func(t *testing.T) {
		t.Parallel()
		e := stopped(t, retry.Do(context.Background(), func(ctx context.Context) error {
			return retry.Do(ctx, always(retry.After(time.Hour, errDown)))
		}))
		assert.Equal(t, retry.ErrRetryAfter, e.Reason)
		assert.Equal(t, time.Hour, e.Delay)
		assert.Equal(t, 1, e.Attempts)
	})
	t.Run("context of both", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(context.Background())
		e := stopped(t, retry.Do(ctx, func(ctx context.Context) error {
			return retry.Do(ctx, func(context.Context) error { cancel(); return io.ErrUnexpectedEOF })
		}))
		assert.Equal(t, retry.ErrContext, e.Reason)
		assert.Equal(t, 1, e.Attempts)
		assert.ErrorIs(t, e, io.ErrUnexpectedEOF)
	})
}
