package retry_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
)

func TestRejectedValuesAreBounded(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		size   retry.Option
		values []int
	}{
		{retry.WithHistorySize(3), []int{10, 11, 12}},
		{retry.WithHistorySize(1), []int{12}},
		{retry.WithHistorySize(0), nil},
		{retry.WithHistorySize(12), []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}},
		{retry.WithName("default size"), []int{3, 4, 5, 6, 7, 8, 9, 10, 11, 12}},
	} {
		_, err := retry.DoValue(context.Background(), countUp(), atOnce, retry.WithMaxAttempts(12), tt.size,
			retry.WithValidator(func(v int, _ retry.Attempt) error { return fmt.Errorf("no %d", v) }))
		var report *retry.ValidationError[int]
		require.ErrorAs(t, err, &report)
		assert.Equal(t, tt.values, report.Values)
		require.Len(t, report.Reasons, len(tt.values))
		for i, v := range tt.values {
			assert.EqualError(t, report.Reasons[i], fmt.Sprintf("no %d", v))
		}
		assert.Equal(t, 12, report.Attempts)
		assert.EqualError(t, retryError(t, err).Err, "value rejected: no 12")
	}
}

func TestValidationErrorOnlyAfterRejection(t *testing.T) {
	t.Parallel()
	n := 0
	_, err := retry.DoValue(context.Background(), func(context.Context) (int, error) {
		if n++; n == 3 {
			return n, errDown
		}
		return n, nil
	}, atOnce, retry.WithMaxAttempts(3), rejectAll(errOdd))
	var report *retry.ValidationError[int]
	assert.False(t, errors.As(err, &report))
	assert.NotErrorIs(t, err, retry.ErrRejected)
	assert.NotErrorIs(t, err, errOdd)
	assert.ErrorIs(t, err, errDown)

	n = 1 // values between failures count too
	_, err = retry.DoValue(context.Background(), func(context.Context) (int, error) {
		if n++; n == 3 {
			return n, errDown
		}
		return n, nil
	}, atOnce, retry.WithMaxAttempts(3), rejectAll(errOdd))
	require.ErrorAs(t, err, &report)
	assert.Equal(t, []int{2, 4}, report.Values)
	assert.Equal(t, 2, report.Attempts)
}

// scriptedValues returns the values in turn. A 0 is an error instead.
func scriptedValues(values ...int) func(context.Context) (int, error) {
	return func(context.Context) (int, error) {
		v := values[0]
		if values = values[1:]; v == 0 {
			return 0, errDown
		}
		return v, nil
	}
}

// Rejected finds the values whatever the last attempt was. errors.As finds them only after a
// rejection.
func TestRejected(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		values []int
		want   []int
		last   bool // the last attempt was a rejection
	}{
		{"all rejected", []int{4, 7, 5}, []int{4, 7, 5}, true},
		{"the last failed otherwise", []int{4, 7, 0}, []int{4, 7}, false},
		{"the first failed otherwise", []int{0, 4, 7}, []int{4, 7}, true},
		{"only one was rejected", []int{0, 4, 0}, []int{4}, false},
		{"none", []int{0, 0, 0}, nil, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for way, err := range map[string]error{
				"DoValue": second(retry.DoValue(context.Background(), scriptedValues(tt.values...), rejectAll(errOdd), atOnce, retry.WithName("best"), retry.WithMaxAttempts(3))),
				"steps":   rejectedByRun(tt.values),
			} {
				e := retryError(t, err)
				assert.Equal(t, retry.ErrExhausted, e.Reason, way)
				assert.Equal(t, tt.last, errors.Is(e, retry.ErrRejected), way)
				var found *retry.ValidationError[int]
				assert.Equal(t, tt.last, errors.As(e, &found), way)
				for name, err := range map[string]error{
					"the error": e, "wrapped": fmt.Errorf("x: %w", e), "joined": errors.Join(errDown, e),
				} {
					rejected := retry.Rejected[int](err)
					if tt.want == nil {
						assert.Nil(t, rejected, "%s %s", way, name)
						continue
					}
					require.NotNil(t, rejected, "%s %s", way, name)
					assert.Equal(t, tt.want, rejected.Values, "%s %s", way, name)
					assert.Equal(t, len(tt.want), rejected.Attempts)
					assert.Len(t, rejected.Reasons, len(tt.want))
					assert.Equal(t, "best", rejected.Name)
					assert.Nil(t, retry.Rejected[string](err), "another type")
				}
			}
		})
	}
}

func second[T any](_ T, err error) error { return err }

// rejectedByRun makes the call of TestRejected with a Run.
func rejectedByRun(values []int) error {
	run := retry.MustNew(rejectAll(errOdd), atOnce, retry.WithName("best"), retry.WithMaxAttempts(3)).Start(context.Background())
	fn := scriptedValues(values...)
	for again := true; again; {
		_, _, again = retry.TryValue(run, fn)
	}
	return run.Err()
}

// Rejected finds the values whatever ended the call.
func TestRejectedAfterAnyEnd(t *testing.T) {
	t.Parallel()
	canceled, cancel := context.WithCancel(context.Background())
	for _, tt := range []struct {
		name   string
		ctx    context.Context
		opts   []retry.Option
		second func() (int, error)
		reason error
	}{
		{"permanent", context.Background(), nil, func() (int, error) { return 0, retry.Permanent(errDown) }, retry.ErrPermanent},
		{"WithStop", context.Background(), []retry.Option{retry.WithStop(stopAt(2, errQuota))}, func() (int, error) { return 0, errDown }, errQuota},
		{"budget", context.Background(), []retry.Option{retry.WithBudget(retry.NewBudget(0, 1))}, func() (int, error) { return 0, errDown }, retry.ErrBudget},
		{"cancelled", canceled, nil, func() (int, error) { cancel(); return 0, errDown }, retry.ErrContext},
		{"hint", context.Background(), []retry.Option{retry.WithMaxRetryAfter(0)}, func() (int, error) { return 0, retry.After(1, errDown) }, retry.ErrRetryAfter},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			calls := 0
			_, err := retry.DoValue(tt.ctx, func(context.Context) (int, error) {
				if calls++; calls == 1 {
					return 42, nil
				}
				return tt.second()
			}, append(tt.opts, atOnce, rejectAll(errOdd))...)
			e := retryError(t, err)
			assert.Equal(t, tt.reason, e.Reason)
			require.NotErrorIs(t, e, retry.ErrRejected)
			require.NotNil(t, retry.Rejected[int](e))
			assert.Equal(t, []int{42}, retry.Rejected[int](e).Values)
		})
	}
}

// Rejected returns nil for anything but the error of a failed call.
func TestRejectedOfOtherErrors(t *testing.T) {
	t.Parallel()
	for name, err := range map[string]error{
		"nil": nil, "plain": errDown, "no validators": retry.Do(context.Background(), alwaysReturn(errDown), retry.WithMaxAttempts(1)),
		"typed nil": (*retry.Error)(nil), "literal": &retry.Error{Reason: retry.ErrExhausted}, "sentinel": retry.ErrRejected,
		"option": retry.Do(context.Background(), nil), "unwraps to itself": &loopError{"loop"}, "panics": panicError{},
	} {
		assert.Nil(t, retry.Rejected[int](err), name)
	}
	v, err := retry.DoValue(context.Background(), scriptedValues(7, 8), retry.WithValidator(func(v int, _ retry.Attempt) error {
		if v == 7 {
			return errOdd
		}
		return nil
	}), atOnce)
	require.NoError(t, err)
	assert.Equal(t, 8, v)
	assert.Nil(t, retry.Rejected[int](err))
}

// With nested calls each error has its own values. Those of the outer call come first.
func TestRejectedOfNestedCalls(t *testing.T) {
	t.Parallel()
	inner := func(ctx context.Context) error {
		return second(retry.DoValue(ctx, scriptedValues(1, 2), rejectAll(errOdd), atOnce, retry.WithMaxAttempts(2)))
	}
	err := retry.Do(context.Background(), inner, retry.WithMaxAttempts(1))
	require.NotNil(t, retry.Rejected[int](err), "the inner call's values if the outer call has none")
	assert.Equal(t, []int{1, 2}, retry.Rejected[int](err).Values)

	calls := 0
	_, err = retry.DoValue(context.Background(), func(ctx context.Context) (int, error) {
		if calls++; calls == 1 {
			return 9, nil
		}
		return 0, inner(ctx)
	}, rejectAll(errOdd), atOnce, retry.WithMaxAttempts(2))
	assert.Equal(t, []int{9}, retry.Rejected[int](err).Values)
}

// The newest values are kept, as many as the history's size, and none with 0. The count
// includes all.
func TestRejectedKeepsNewest(t *testing.T) {
	t.Parallel()
	for size, want := range map[int][]int{0: nil, 1: {4}, 3: {2, 3, 4}, 9: {1, 2, 3, 4}} {
		_, err := retry.DoValue(context.Background(), scriptedValues(1, 2, 3, 4, 0), rejectAll(errOdd), atOnce, retry.WithHistorySize(size))
		rejected := retry.Rejected[int](err)
		require.NotNil(t, rejected, "%d", size)
		assert.Equal(t, want, rejected.Values)
		assert.Equal(t, 4, rejected.Attempts)
	}
}

// No verb, JSON or slog output shows a value, wherever the error is.
func TestValuesAreNotShown(t *testing.T) {
	t.Parallel()
	calls := 0
	_, err := retry.DoValue(context.Background(), func(context.Context) (secret, error) {
		if calls++; calls == 3 {
			return secret{}, errDown
		}
		return secret{secretText}, nil
	}, retry.WithValidator(func(secret, retry.Attempt) error { return errors.New("too short") }), atOnce, retry.WithMaxAttempts(3))
	rejected := retry.Rejected[secret](err)
	require.NotNil(t, rejected)
	_, last := retry.DoValue(context.Background(), func(context.Context) (secret, error) { return secret{secretText}, nil },
		retry.WithValidator(func(secret, retry.Attempt) error { return errors.New("too short") }), retry.WithMaxAttempts(1))
	for name, v := range map[string]any{
		"pointer": rejected, "value": *rejected, "call": err, "call whose last was rejected": last, //nolint:govet // copies no lock
		"in a struct": struct{ Err error }{rejected}, "in a struct by value": struct{ Err any }{*rejected},
		"in a map": map[string]any{"err": *rejected}, "in a list": []error{rejected, err, last},
	} {
		text, jsonErr := json.Marshal(v)
		require.NoError(t, jsonErr, name)
		assert.NotContains(t, string(text), secretText, name)
		var b bytes.Buffer
		for _, h := range []slog.Handler{slog.NewTextHandler(&b, nil), slog.NewJSONHandler(&b, nil)} {
			slog.New(h).Info("x", "v", v, slog.Group("g", "v", v))
		}
		assert.NotContains(t, b.String(), secretText, name)
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x"} {
			shown := fmt.Sprintf(verb, v)
			assert.NotContains(t, shown, secretText, name+verb)
			assert.NotContains(t, shown, fmt.Sprintf("%x", secretText), name+verb)
		}
	}
	text, jsonErr := json.Marshal(rejected)
	require.NoError(t, jsonErr)
	assert.JSONEq(t, `"retry: 2 values of type retry_test.secret rejected, the last: too short"`, string(text))
	assert.Equal(t, rejected.Error(), rejected.LogValue().String())
}
