package retry_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
)

// requireSafe checks that text is one short line that is safe to print on a terminal.
func requireSafe(t testing.TB, text string) {
	t.Helper()
	require.LessOrEqual(t, len(text), 1024)
	require.True(t, utf8.ValidString(text))
	for _, r := range text {
		require.False(t, unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r), "%q in %q", r, text)
	}
}

// Calls of every kind survive errors that panic, loop or carry huge texts.
func TestHostileErrors(t *testing.T) {
	t.Parallel()
	for _, h := range hostileErrors {
		for _, w := range wrappings {
			t.Run(h.name+"/"+w.name, func(t *testing.T) {
				t.Parallel()
				err := w.wrap(h.err)
				for _, opts := range hostileOptions() {
					var log bytes.Buffer
					e := retryError(t, retry.Do(context.Background(), alwaysReturn(err), atOnce, retry.WithMaxAttempts(2), retry.MustNew(opts...),
						retry.WithMaxRetryAfter(0), retry.WithLogger(slog.New(slog.NewTextHandler(&log, nil)))))
					requireSafe(t, e.Error())
					requireSafe(t, fmt.Sprintf("%v", e))
					requireSafe(t, retry.ErrorText(err))
					requireSafe(t, retry.ErrorText(e))
					if text := retry.ErrorText(err); !strings.Contains(text, h.text) {
						assert.Contains(t, text, "PANIC", "a typed nil beneath a mark has the text that fmt gives it")
					}
					for line := range strings.Lines(log.String()) {
						require.Less(t, len(line), 4<<10)
					}
					require.NotContains(t, log.String(), "\x1b")
					require.NotContains(t, log.String(), "\u202e")
					_, _, _ = e.Timeout(), e.Temporary(), e.LogValue()
					_, _ = e.RetryAfter()
				}
			})
		}
	}
}

// hostileOptions are the options that look into an error.
func hostileOptions() [][]retry.Option {
	return [][]retry.Option{
		nil,
		{retry.WithRetryIf(retry.Transient)},
		{retry.WithRetryIf(retry.Is(io.EOF, context.Canceled))},
		{retry.WithRetryIf(retry.As[*typedError](), retry.As[coded]())},
		{retry.WithStopIf(retry.AlreadyRetried)},
		{retry.WithRetryIf(retry.All(retry.Transient, retry.Not(retry.Is(io.EOF))))},
		{retry.WithGate(retry.Cooldown(time.Nanosecond))},
		{retry.WithStop(func(a retry.Attempt) error { return a.Err })},
	}
}

// A mark beside an error that panics or loops is still found.
func TestMarksBesideHostileErrors(t *testing.T) {
	t.Parallel()
	for _, h := range hostileErrors {
		t.Run(h.name, func(t *testing.T) {
			t.Parallel()
			isPermanent, hint := marksIn(t, retry.Permanent(h.err))
			assert.True(t, isPermanent, "a mark around the hostile error counts")
			assert.Zero(t, hint)
			isPermanent, _ = marksIn(t, joined{retry.Permanent(errDown), h.err})
			assert.True(t, isPermanent, "before it")
			_, hint = marksIn(t, retry.After(time.Second, h.err))
			assert.Equal(t, time.Second, hint, "a mark around the hostile error counts")
			if h.name == "unwraps to itself, twice" || h.name == "unwraps to itself" {
				return // a mark behind it is never reached
			}
			isPermanent, _ = marksIn(t, joined{h.err, retry.Permanent(errDown)})
			assert.True(t, isPermanent, "a mark after the hostile error counts")
			_, hint = marksIn(t, joined{h.err, retry.After(time.Second, errDown)})
			assert.Equal(t, time.Second, hint, "a mark after the hostile error counts")
		})
	}
}

// A panic in RetryAfter does not hide a mark beneath.
func TestMarksBeneathPanickingHint(t *testing.T) {
	t.Parallel()
	isPermanent, _ := marksIn(t, panicHint{retry.Permanent(errDown)})
	assert.True(t, isPermanent)
}

// Classifiers find what is beside a hostile error.
func TestClassifiersWithHostileErrors(t *testing.T) {
	t.Parallel()
	for name, h := range map[string]error{"typed nil": (*fieldsError)(nil), "panics": panicError{}, "panics, several": panicErrors{}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, err := range []error{joined{h, io.ErrUnexpectedEOF}, joined{io.ErrUnexpectedEOF, h}} {
				assert.True(t, retry.Is(io.ErrUnexpectedEOF)(retry.Attempt{Err: err}))
				assert.True(t, retry.Transient(retry.Attempt{Err: err}))
			}
			for _, err := range []error{joined{h, &typedError{1}}, joined{&typedError{1}, h}} {
				assert.True(t, retry.As[*typedError]()(retry.Attempt{Err: err}))
				assert.False(t, retry.AlreadyRetried(retry.Attempt{Err: err}))
			}
			assert.True(t, retry.AlreadyRetried(retry.Attempt{Err: joined{h, &retry.Error{Reason: retry.ErrExhausted}}}))
			assert.False(t, retry.Is(io.EOF)(retry.Attempt{Err: h}))
			assert.False(t, retry.Transient(retry.Attempt{Err: h}))
			assert.False(t, retry.As[*typedError]()(retry.Attempt{Err: h}))
		})
	}
	loop := retry.Attempt{Err: &treeError{"tree"}}
	assert.False(t, retry.Is(io.EOF)(loop))
	assert.False(t, retry.Transient(loop))
	assert.False(t, retry.As[*typedError]()(loop))
	assert.False(t, retry.AlreadyRetried(loop))
	assert.True(t, retry.Is(loop.Err)(loop), "the error itself is found")
}

// The reason that a WithStop function returns may be hostile too, and so may a cause.
func TestHostileReasonsAndCauses(t *testing.T) {
	t.Parallel()
	for _, h := range hostileErrors {
		t.Run(h.name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancelCause(context.Background())
			cancel(h.err)
			for _, call := range []func(l retry.Option) error{
				func(l retry.Option) error {
					return retry.Do(context.Background(), alwaysReturn(errDown), l, atOnce, retry.WithStop(func(retry.Attempt) error { return h.err }))
				},
				func(l retry.Option) error { return retry.Do(ctx, succeed, l) },
			} {
				var e *retry.Error
				log := logOf(slog.LevelDebug, func(l retry.Option) { e = retryError(t, call(l)) })
				requireSafe(t, e.Error())
				assert.Contains(t, e.Error(), h.text)
				require.Less(t, len(log), 4<<10)
				require.NotContains(t, log, "\x1b")
				require.NotContains(t, log, "\u202e")
				_, _ = e.Timeout(), e.Temporary()
			}
		})
	}
}

// The reasons of validators may be hostile too.
func TestHostileRejections(t *testing.T) {
	t.Parallel()
	for _, h := range hostileErrors {
		t.Run(h.name, func(t *testing.T) {
			t.Parallel()
			_, err := retry.DoValue(context.Background(), countUp(), rejectAll(h.err), rejectAll(errOdd), atOnce, retry.WithMaxAttempts(2))
			e := retryError(t, err)
			requireSafe(t, e.Error())
			report := retry.Rejected[int](e)
			require.NotNil(t, report)
			requireSafe(t, report.Error())
			requireSafe(t, fmt.Sprintf("%v", report))
			requireSafe(t, report.LogValue().String())
			text, jsonErr := json.Marshal(report)
			require.NoError(t, jsonErr)
			require.Less(t, len(text), 2<<10)
		})
	}
}

// A name is shown as one safe line. A long error is shown with its start and its end.
func TestHostileNames(t *testing.T) {
	t.Parallel()
	e := retryError(t, retry.Do(context.Background(), alwaysReturn(errDown), atOnce, retry.WithName("a\x1b[31m\u202eb\nc"), retry.WithMaxAttempts(1)))
	requireSafe(t, e.Error())
	assert.Equal(t, `retry: a\x1b[31m\u202eb; c: attempts exhausted after 1 attempt in `+strings.Split(e.Error(), " in ")[1], e.Error())

	e = retryError(t, retry.Do(context.Background(), alwaysReturn(fmt.Errorf("get: %s: %w", longText, errDown)), atOnce, retry.WithMaxAttempts(1)))
	requireSafe(t, e.Error())
	assert.True(t, strings.HasPrefix(e.Error(), "retry: attempts exhausted after 1 attempt in "))
	assert.True(t, strings.HasSuffix(e.Error(), "status line : server down"), "the cause is at the end")
	require.ErrorIs(t, e, errDown, "the text is shortened, not the tree")
}

// A typed nil of an exported error type answers like no error.
func TestTypedNilErrorMethods(t *testing.T) {
	t.Parallel()
	var e *retry.Error
	assert.Equal(t, "<nil>", e.Error())
	assert.Empty(t, e.Unwrap())
	assert.Empty(t, e.History())
	assert.False(t, e.Timeout())
	assert.False(t, e.Temporary())
	d, ok := e.RetryAfter()
	assert.Zero(t, d)
	assert.False(t, ok)
	assert.Nil(t, e.LogValue().Any())
	assert.Contains(t, e.GoString(), "<nil>")
	for _, verb := range []string{"%v", "%+v", "%s", "%q", "%#v"} {
		assert.Contains(t, fmt.Sprintf(verb, e), "nil")
		assert.NotContains(t, fmt.Sprintf(verb, e), "PANIC")
	}
	require.NotErrorIs(t, e, io.EOF)
	var typed *typedError
	assert.False(t, errors.As(e, &typed))
}

func TestTypedNilValidationError(t *testing.T) {
	t.Parallel()
	var e *retry.ValidationError[int]
	assert.Equal(t, "<nil>", e.Error())
	assert.Empty(t, e.Unwrap())
	assert.True(t, e.Is(retry.ErrRejected), "its type is enough")
	assert.False(t, e.Is(io.EOF))
	assert.Equal(t, "<nil>", e.LogValue().String())
	for _, verb := range []string{"%v", "%+v", "%s", "%q", "%#v"} {
		assert.Contains(t, fmt.Sprintf(verb, e), "nil")
		assert.NotContains(t, fmt.Sprintf(verb, e), "PANIC")
	}
	text, err := json.Marshal(map[string]error{"error": e})
	require.NoError(t, err)
	assert.JSONEq(t, `{"error":null}`, string(text))
	require.NotErrorIs(t, e, io.EOF)
}

// Both of slog's handlers can log a typed nil.
func TestTypedNilsInLogs(t *testing.T) {
	t.Parallel()
	for name, err := range map[string]error{
		"Error": (*retry.Error)(nil), "ValidationError": (*retry.ValidationError[int])(nil), "of a user": (*fieldsError)(nil),
	} {
		var b bytes.Buffer
		for _, h := range []slog.Handler{slog.NewTextHandler(&b, nil), slog.NewJSONHandler(&b, nil)} {
			slog.New(h).Info("x", "err", err, "call", retry.Do(context.Background(), alwaysReturn(err), retry.WithMaxAttempts(1)))
		}
		if name != "of a user" { // slog itself reports the bare typed nil
			assert.NotContains(t, b.String(), "PANIC", name)
			assert.NotContains(t, b.String(), "!ERROR", name)
		}
	}
}

// An Error literal with any numbers, or with none, does not panic.
func TestErrorLiterals(t *testing.T) {
	t.Parallel()
	for name, e := range map[string]*retry.Error{
		"zero":      {},
		"largest":   {Attempts: math.MaxInt, Elapsed: math.MaxInt64, Delay: math.MaxInt64, Reason: retry.ErrRetryAfter},
		"smallest":  {Attempts: math.MinInt, Elapsed: math.MinInt64, Delay: math.MinInt64, Reason: retry.ErrBudget},
		"typed nil": {Reason: (*fieldsError)(nil), Err: (*fieldsError)(nil)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			requireSafe(t, e.Error())
			_, _, _, _ = e.Timeout(), e.Temporary(), e.Unwrap(), e.LogValue()
			_, _ = e.RetryAfter()
			_ = retry.AlreadyRetried(retry.Attempt{Err: e})
			assert.Nil(t, retry.Rejected[int](e))
		})
	}
}
