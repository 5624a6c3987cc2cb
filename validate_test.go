package retry_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
)

func TestValidatorsAccept(t *testing.T) {
	t.Parallel()
	atLeast := func(n int) retry.Validator[int] {
		return func(v int, _ retry.Attempt) error {
			if v < n {
				return fmt.Errorf("below %d", n)
			}
			return nil
		}
	}
	for _, tt := range []struct {
		name string
		opts []retry.Option
		want int
	}{
		{"one", []retry.Option{retry.WithValidator(atLeast(3))}, 3},
		{"several in one option", []retry.Option{retry.WithValidator(atLeast(2), atLeast(4))}, 4},
		{"several options add up", []retry.Option{retry.WithValidator(atLeast(4)), retry.WithValidator(atLeast(2))}, 4},
		{"a policy's and the call's", []retry.Option{retry.MustNew(retry.WithValidator(atLeast(4))), retry.WithValidator(atLeast(2))}, 4},
		{"no validators in the option", []retry.Option{retry.WithValidator[int]()}, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			v, err := retry.DoValue(context.Background(), countUp(), append(tt.opts, atOnce)...)
			require.NoError(t, err)
			assert.Equal(t, tt.want, v)
			f := retry.Func(func(_ context.Context, in int) (int, error) { return in, nil }, append(tt.opts, atOnce)...)
			_, err = f(context.Background(), tt.want-1)
			assert.Equal(t, tt.want > 1, errors.Is(err, retry.ErrRejected))
		})
	}
}

func TestValidatorsRunOnlyAfterSuccess(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		const s = time.Second
		var saw []retry.Attempt
		start, n := time.Now(), 0
		v, err := retry.DoValue(context.Background(), func(context.Context) (int, error) {
			time.Sleep(s)
			if n++; n == 1 {
				return 99, errDown
			}
			return n, nil
		}, every(10*s), retry.WithName("call"), retry.WithValidator(func(v int, a retry.Attempt) error {
			assert.Equal(t, a.Number, v)
			if saw = append(saw, a); a.Elapsed < 20*s { // asks for less as time passes
				return errOdd
			}
			return nil
		}))
		require.NoError(t, err)
		assert.Equal(t, 3, v)
		assert.Equal(t, []retry.Attempt{
			{Name: "call", Number: 2, Start: start.Add(11 * s), Waited: 10 * s, Duration: s, Elapsed: 12 * s},
			{Name: "call", Number: 3, Start: start.Add(22 * s), Waited: 10 * s, Duration: s, Elapsed: 23 * s},
		}, saw)
	})
}

func TestAllValidatorsRunAndAllReasonsAreKept(t *testing.T) {
	t.Parallel()
	small, even := errors.New("small"), errors.New("even")
	ran := 0
	reject := func(reason error) retry.Validator[int] {
		return func(int, retry.Attempt) error { ran++; return reason }
	}
	_, err := retry.DoValue(context.Background(), countUp(), atOnce, retry.WithMaxAttempts(2), retry.WithName("call"),
		retry.WithValidator(reject(small), reject(nil)), retry.WithValidator(reject(even)))
	assert.Equal(t, 6, ran)
	e := retryError(t, err)
	assert.Equal(t, retry.ErrExhausted, e.Reason)
	for _, target := range []error{retry.ErrRejected, retry.ErrExhausted, small, even} {
		assert.ErrorIs(t, err, target)
	}
	assert.ErrorIs(t, e.Err, retry.ErrRejected)
	assert.ErrorIs(t, e.Err, even)
	assert.EqualError(t, e.Err, "value rejected: small; even")
	var report *retry.ValidationError[int]
	require.ErrorAs(t, err, &report)
	assert.Equal(t, "call", report.Name)
	assert.Equal(t, []int{1, 2}, report.Values)
	assert.Equal(t, 2, report.Attempts)
	require.Len(t, report.Reasons, 2)
	for _, reason := range report.Reasons {
		assert.EqualError(t, reason, "small\neven", "joined")
		assert.ErrorIs(t, reason, small)
		assert.ErrorIs(t, reason, even)
	}
	assert.ErrorIs(t, report, retry.ErrRejected)
	assert.ErrorIs(t, report, small)
	assert.EqualError(t, report, "retry: call: 2 values of type int rejected, the last: small; even")
	assert.Equal(t, report.Error(), fmt.Sprintf("%d", report))
	assert.Equal(t, fmt.Sprintf("%q", report.Error()), fmt.Sprintf("%#v", report))
	var other *retry.ValidationError[string]
	assert.False(t, errors.As(err, &other))
}

func TestValidationErrorText(t *testing.T) {
	t.Parallel()
	lines := retry.WithValidator(func(fmt.Stringer, retry.Attempt) error { return errors.New("a\nb") })
	_, err := retry.DoValue(context.Background(), func(context.Context) (fmt.Stringer, error) { return nil, nil },
		atOnce, retry.WithMaxAttempts(2), retry.WithHistorySize(0), lines)
	var none *retry.ValidationError[fmt.Stringer]
	require.ErrorAs(t, err, &none)
	assert.EqualError(t, none, "retry: 2 values of type fmt.Stringer rejected")
	_, err = retry.DoValue(context.Background(), func(context.Context) (fmt.Stringer, error) { return nil, nil },
		atOnce, retry.WithMaxAttempts(1), lines)
	require.ErrorAs(t, err, &none)
	assert.EqualError(t, none, "retry: 1 value of type fmt.Stringer rejected, the last: a; b")
}

func TestRejectionsAreClassified(t *testing.T) {
	t.Parallel()
	type opts = []retry.Option
	for _, tt := range []struct {
		name     string
		reason   error
		opts     opts
		attempts int
		want     error
		delay    time.Duration
	}{
		{"retried", errOdd, nil, 3, retry.ErrExhausted, 0},
		{"WithRetryIf does not matter", errOdd, opts{retry.WithRetryIf(no)}, 3, retry.ErrExhausted, 0},
		{"WithStopIf stops", errOdd, opts{retry.WithStopIf(retry.Is(errOdd))}, 1, retry.ErrPermanent, 0},
		{"WithStopIf sees the rejection", errOdd, opts{retry.WithStopIf(retry.Is(retry.ErrRejected))}, 1, retry.ErrPermanent, 0},
		{"WithStopIf before WithRetryIf", errOdd, opts{retry.WithStopIf(yes), retry.WithRetryIf(yes)}, 1, retry.ErrPermanent, 0},
		{"a permanent reason stops", retry.Permanent(errOdd), opts{retry.WithRetryIf(yes)}, 1, retry.ErrPermanent, 0},
		{"a hint in a reason", retry.After(time.Hour, errOdd), nil, 1, retry.ErrRetryAfter, time.Hour},
		{"a limit", errOdd, opts{every(time.Hour), retry.WithMaxElapsed(1)}, 1, retry.ErrMaxElapsed, time.Hour},
		{"the budget", errOdd, opts{retry.WithBudget(new(retry.Budget))}, 1, retry.ErrBudget, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			v, err := retry.DoValue(context.Background(), countUp(), append(opts{
				atOnce, retry.WithMaxAttempts(3),
				retry.WithValidator(func(int, retry.Attempt) error { return nil }), rejectAll(tt.reason),
			}, tt.opts...)...)
			e := retryError(t, err)
			assert.Equal(t, tt.attempts, v, "the last value")
			assert.Equal(t, tt.attempts, e.Attempts)
			assert.Equal(t, tt.want, e.Reason)
			assert.Equal(t, tt.delay, e.Delay)
			assert.ErrorIs(t, err, retry.ErrRejected)
			assert.ErrorIs(t, err, errOdd)
			var report *retry.ValidationError[int]
			require.ErrorAs(t, err, &report, "whatever the reason")
			assert.Equal(t, tt.attempts, report.Attempts)
		})
	}
}

func TestValidatorsDoNotChangeOtherReasons(t *testing.T) {
	t.Parallel()
	t.Run("an ordinary error is classified as usual", func(t *testing.T) {
		t.Parallel()
		e := retryError(t, viaDoValue(context.Background(), alwaysReturn(errDown), rejectAll(errOdd), retry.WithRetryIf(no)))
		assert.Equal(t, retry.ErrPermanent, e.Reason)
		assert.Equal(t, 1, e.Attempts)
	})
	t.Run("the context ended during the attempt", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(context.Background())
		_, err := retry.DoValue(ctx, func(context.Context) (int, error) { cancel(); return 1, nil }, rejectAll(errOdd))
		assert.Equal(t, retry.ErrContext, retryError(t, err).Reason)
		assert.ErrorIs(t, err, retry.ErrRejected)
		assert.ErrorIs(t, err, errOdd)
	})
}

func TestHooksSeeRejection(t *testing.T) {
	t.Parallel()
	h := retry.NewHistory(2)
	var after, waits []error
	v, err := retry.DoValue(context.Background(), countUp(), atOnce, retry.WithHistory(h),
		retry.WithValidator(func(v int, _ retry.Attempt) error {
			if v == 1 {
				return errOdd
			}
			return nil
		}),
		retry.WithHooks(retry.Hooks{
			AfterAttempt: func(_ context.Context, a retry.Attempt) { after = append(after, a.Err) },
			BeforeWait:   func(_ context.Context, a retry.Attempt) { waits = append(waits, a.Err) },
		}))
	require.NoError(t, err)
	assert.Equal(t, 2, v)
	require.Len(t, after, 2)
	assert.NoError(t, after[1])
	require.Len(t, waits, 1)
	for _, err := range []error{after[0], waits[0], h.Slice()[0].Err} {
		assert.ErrorIs(t, err, retry.ErrRejected)
		assert.ErrorIs(t, err, errOdd)
	}
}

func TestValidatorOfOtherTypeIsAnError(t *testing.T) {
	t.Parallel()
	forString := retry.WithValidator(func(string, retry.Attempt) error { return nil })
	forStringer := retry.WithValidator(func(fmt.Stringer, retry.Attempt) error { return nil })
	value := func(opts ...retry.Option) error {
		_, err := retry.DoValue(context.Background(), func(context.Context) (int, error) { t.Error("called"); return 0, nil }, opts...)
		return err
	}
	plain := func(opts ...retry.Option) error {
		return retry.Do(context.Background(), func(context.Context) error { t.Error("called"); return nil }, opts...)
	}
	const wrongTypeText = "retry: WithValidator: a validator for %s does not fit a call that returns int"
	const noValueText = "retry: WithValidator: a validator for %s in a call that returns no value; use DoValue or Func"
	for _, tt := range []struct {
		name string
		err  error
		want string
	}{
		{"DoValue", value(forString), fmt.Sprintf(wrongTypeText, "string")},
		{"DoValue, interface", value(forStringer), fmt.Sprintf(wrongTypeText, "fmt.Stringer")},
		{"DoValue, among fitting ones", value(rejectAll(nil), forString, rejectAll(nil)), fmt.Sprintf(wrongTypeText, "string")},
		{"DoValue, prebuilt", value(retry.MustNew(forString)), fmt.Sprintf(wrongTypeText, "string")},
		{"DoValue, policy and option", value(retry.MustNew(forString), forStringer), fmt.Sprintf(wrongTypeText, "string") + "\n" + fmt.Sprintf(wrongTypeText, "fmt.Stringer")},
		{"Do", plain(forString), fmt.Sprintf(noValueText, "string")},
		{"Do, prebuilt", plain(retry.MustNew(forStringer)), fmt.Sprintf(noValueText, "fmt.Stringer")},
		{"Policy.Do", retry.MustNew(forString).Do(context.Background(), alwaysReturn(nil)), fmt.Sprintf(noValueText, "string")},
		{"nil", value(retry.WithValidator(nil, retry.Validator[int](nil))), "retry: WithValidator: nil Validator"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			require.ErrorIs(t, tt.err, retry.ErrOption)
			assert.EqualError(t, tt.err, tt.want)
		})
	}
}
