package retry_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
)

func TestErrorMatchesReasonAndFailures(t *testing.T) {
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
		cancel  time.Duration // when to cancel the caller's context
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
				err := retry.Do(ctx, alwaysReturn(tt.err), tt.opts...)
				e := retryError(t, err)
				for _, reason := range reasons {
					assert.Equal(t, slices.Contains(tt.matches, reason), errors.Is(err, reason), "%v", reason)
				}
				assert.Equal(t, tt.matches[0], e.Reason)
				assert.Equal(t, withoutMark(tt.err), e.Err)
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

func TestReasonTextsStartWithPackage(t *testing.T) {
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

func TestErrorIsComparable(t *testing.T) {
	t.Parallel()
	one := retry.Do(context.Background(), alwaysReturn(errDown), retry.WithMaxAttempts(1))
	other := retry.Do(context.Background(), alwaysReturn(errDown), retry.WithMaxAttempts(1))
	same := one
	assert.True(t, one == same)
	assert.False(t, one == other)
	seen := map[error]int{one: 1, other: 2}
	assert.Equal(t, 1, seen[same])
	assert.ErrorIs(t, one, same)
	assert.NotErrorIs(t, one, other)
	_, rejected := retry.DoValue(context.Background(), func(context.Context) (int, error) { return 0, nil },
		retry.WithMaxAttempts(1), retry.WithValidator(func(int, retry.Attempt) error { return sliceError{errOdd} }))
	assert.ErrorIs(t, rejected, retry.ErrRejected, "an inner error that is not comparable does not panic")
	assert.NotPanics(t, func() { seen[retryError(t, rejected).Err] = 3 })
}

// sliceError is an error that panics when compared with ==.
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
		from     int // the oldest attempt kept; above attempts if none is
	}{
		{"all fit", []retry.Option{retry.WithMaxAttempts(7)}, 7, 1},
		{"default size", []retry.Option{retry.WithMaxAttempts(13)}, 13, 4},
		{"the newest are kept", []retry.Option{retry.WithHistorySize(3), retry.WithMaxAttempts(7)}, 7, 5},
		{"exactly full", []retry.Option{retry.WithHistorySize(3), retry.WithMaxAttempts(3)}, 3, 1},
		{"one", []retry.Option{retry.WithHistorySize(1), retry.WithMaxAttempts(4)}, 4, 4},
		{"none", []retry.Option{retry.WithHistorySize(0), retry.WithMaxAttempts(4)}, 4, 5},
		{"more than one buffer", []retry.Option{retry.WithHistorySize(40), retry.WithMaxAttempts(100)}, 100, 61},
		{"unlimited attempts", []retry.Option{retry.WithHistorySize(20), retry.WithMaxAttempts(retry.Unlimited), retry.WithStopIf(func(a retry.Attempt) bool { return a.Number == 45 })}, 45, 26},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e := retryError(t, retry.Do(context.Background(), alwaysReturn(errDown), append(tt.opts, atOnce)...))
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

// netError implements net.Error.
type netError struct{ timeout, temporary bool }

func (netError) Error() string     { return "net error" }
func (f netError) Timeout() bool   { return f.timeout }
func (f netError) Temporary() bool { return f.temporary }

func TestErrorTimeoutAndTemporary(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name               string
		opts               []retry.Option
		err                error
		deadline           time.Duration
		cancel             bool // during the attempt
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
				e := retryError(t, err)
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
			d, ok := retryError(t, retry.Do(context.Background(), alwaysReturn(tt.err), tt.opts...)).RetryAfter()
			assert.Equal(t, tt.want, d)
			assert.Equal(t, tt.ok, ok)
		})
	}
}
