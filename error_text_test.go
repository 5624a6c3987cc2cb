package retry_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
)

// rejectTwice rejects every value for two reasons.
var rejectTwice = retry.WithValidator(
	func(int, retry.Attempt) error { return errors.New("too small") },
	func(int, retry.Attempt) error { return errOdd })

func optionList(o ...retry.Option) []retry.Option { return o }

// errorTextTests are calls that fail, and the texts of their errors.
var errorTextTests = []struct {
	name     string
	opts     []retry.Option
	err      error
	deadline time.Duration
	cancel   time.Duration // negative: before the call
	want     string
}{
	{
		"exhausted", optionList(retry.WithName("fetch"), retry.WithMaxAttempts(4), retry.WithBackoff(retry.Sequence(100*ms, 400*ms, 600*ms))), errDown, 0, 0,
		"retry: fetch: attempts exhausted after 4 attempts in 1.1s: server down",
	},
	{
		"no name, one attempt", optionList(retry.WithMaxAttempts(1)), errDown, 0, 0,
		"retry: attempts exhausted after 1 attempt in 0s: server down",
	},
	{
		"three digits of seconds", optionList(every(12345678901), retry.WithMaxAttempts(2)), errDown, 0, 0,
		"retry: attempts exhausted after 2 attempts in 12.3s: server down",
	},
	{
		"three digits, rounded up", optionList(every(987654321), retry.WithMaxAttempts(2)), errDown, 0, 0,
		"retry: attempts exhausted after 2 attempts in 988ms: server down",
	},
	{
		"fewer than three digits are exact", optionList(every(999), retry.WithMaxAttempts(2)), errDown, 0, 0,
		"retry: attempts exhausted after 2 attempts in 999ns: server down",
	},
	{
		"permanent", nil, retry.Permanent(fmt.Errorf("get: %w", errDown)), 0, 0,
		"retry: permanent error after 1 attempt in 0s: get: server down",
	},
	{
		"marked deep in the tree", nil, fmt.Errorf("get: %w%s", retry.After(1, retry.Permanent(errDown)), "!"), 0, 0,
		"retry: permanent error after 1 attempt in 0s: get: server down!",
	},
	{
		"max elapsed", optionList(every(2*time.Second), retry.WithMaxElapsed(time.Second)), errDown, 0, 0,
		"retry: time limit reached (next wait 2s) after 1 attempt in 0s: server down",
	},
	{
		"max elapsed in a zero delay", optionList(atOnce, retry.WithMaxElapsed(time.Nanosecond), retry.WithGate(slowGate(time.Second))), errDown, 0, 0,
		"retry: time limit reached after 1 attempt in 1s: server down",
	},
	{
		"deadline too soon", optionList(every(time.Hour)), errDown, time.Minute, 0,
		"retry: next wait of 1h0m0s would pass the deadline after 1 attempt in 0s: server down",
	},
	{
		"deadline passed", optionList(retry.WithGate(slowGate(time.Second))), errDown, time.Second, 0,
		"retry: context done (context deadline exceeded) after 0 attempts in 1s",
	},
	{
		"cancelled in the wait", optionList(every(time.Hour)), errDown, 0, time.Minute,
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
		"budget", optionList(every(time.Second), retry.WithBudget(new(retry.Budget))), errDown, 0, 0,
		"retry: client's own retry budget is spent (next wait 1s) after 1 attempt in 0s: server down",
	},
	{
		"several lines", optionList(retry.WithMaxAttempts(1)), errors.Join(errDown, errOdd, fmt.Errorf("%s", "a\r\n\r\nb\n")), 0, 0,
		"retry: attempts exhausted after 1 attempt in 0s: server down; odd; a; b",
	},
	{
		"a name of several lines", optionList(retry.WithMaxAttempts(1), retry.WithName("a\nb")), errDown, 0, 0,
		"retry: a; b: attempts exhausted after 1 attempt in 0s: server down",
	},
	{
		"rejected", optionList(retry.WithMaxAttempts(2), atOnce, rejectTwice), nil, 0, 0,
		"retry: attempts exhausted after 2 attempts in 0s: value rejected: too small; odd",
	},
	{
		"typed nil", optionList(retry.WithMaxAttempts(1)), (*retry.Error)(nil), 0, 0,
		"retry: attempts exhausted after 1 attempt in 0s: <nil>",
	},
}

func TestErrorText(t *testing.T) {
	t.Parallel()
	for _, tt := range errorTextTests {
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
				retryError(t, err)
				assert.EqualError(t, err, tt.want)
			})
		})
	}
}

// slowGate lets everything in after d.
func slowGate(d time.Duration) retry.Gate {
	return func(context.Context, retry.Attempt) (func(error), error) {
		time.Sleep(d)
		synctest.Wait() // let a deadline at this moment pass
		return nil, nil
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
				err := retry.Do(ctx, alwaysReturn(errors.Join(errDown, errOdd)), tt.opts...)
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

// secret is a value that must not appear in any text, whatever the verb.
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
	e := retryError(t, err)
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
	for _, verb := range []string{"%v", "%+v", "%#v"} { // fmt calls no methods on unexported fields
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
