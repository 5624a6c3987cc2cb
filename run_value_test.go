package retry_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
)

func TestTryValue(t *testing.T) {
	t.Parallel()
	h := retry.NewHistory(9)
	policy := retry.MustNew(every(time.Hour), retry.WithMaxAttempts(3), retry.WithHistory(h))
	for _, validated := range []bool{false, true} {
		p := policy
		if validated {
			p = retry.MustNew(policy, rejectAll(errOdd))
		}
		run := p.Start(t.Context())
		n := 0
		fn := func(context.Context) (int, error) { n++; return n, errDown }
		for range 2 {
			v, wait, again := retry.TryValue(run, fn)
			assert.Equal(t, n, v)
			assert.Equal(t, time.Hour, wait)
			assert.True(t, again)
		}
		v, _, again := retry.TryValue(run, fn)
		assert.False(t, again)
		assert.Equal(t, 3, v)
		assert.Equal(t, retry.ErrExhausted, retryError(t, run.Err()).Reason)
		v, _, again = retry.TryValue(run, fn)
		assert.False(t, again)
		assert.Zero(t, v, "TryValue after the end does nothing")
		assert.Equal(t, 3, n)
	}
}

func TestTryValueValidatesLikeDoValue(t *testing.T) {
	t.Parallel()
	p := retry.MustNew(every(time.Hour), retry.WithMaxAttempts(4), retry.WithHistorySize(2), rejectAll(errOdd))
	run := p.Start(t.Context())
	fn := countUp()
	for again := true; again; {
		_, _, again = retry.TryValue(run, fn)
	}
	var report *retry.ValidationError[int]
	require.ErrorAs(t, run.Err(), &report)
	assert.Equal(t, []int{3, 4}, report.Values, "the newest values of all attempts")
	assert.Equal(t, 4, report.Attempts)
	assert.ErrorIs(t, run.Err(), errOdd)

	run = retry.MustNew(every(time.Hour), retry.WithValidator(func(v int, _ retry.Attempt) error {
		if v == 1 {
			return errOdd
		}
		return nil
	})).Start(t.Context())
	fn = countUp()
	_, _, again := retry.TryValue(run, fn)
	assert.True(t, again)
	v, _, again := retry.TryValue(run, fn)
	assert.False(t, again)
	assert.Equal(t, 2, v)
	assert.NoError(t, run.Err())
}

func TestTryValueErrors(t *testing.T) {
	t.Parallel()
	forString := retry.MustNew(retry.WithValidator(func(string, retry.Attempt) error { return nil }))
	for name, tt := range map[string]struct {
		policy *retry.Policy
		fn     func(context.Context) (int, error)
		want   string
	}{
		"nil function":           {nil, nil, "retry: TryValue: nil function"},
		"a validator that fails": {forString, countUp(), "retry: WithValidator: a validator for string does not fit a call that returns int"},
		"both": {
			forString, nil,
			"retry: WithValidator: a validator for string does not fit a call that returns int\nretry: TryValue: nil function",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run := tt.policy.Start(t.Context())
			for range 2 {
				v, _, again := retry.TryValue(run, tt.fn)
				assert.False(t, again)
				assert.Zero(t, v)
				require.ErrorIs(t, run.Err(), retry.ErrOption)
				assert.EqualError(t, run.Err(), tt.want)
			}
		})
	}
}

// TryValue without a function is an error in each kind of Run, unless the Run is over.
func TestTryValueNilFunction(t *testing.T) {
	t.Parallel()
	forInt := retry.WithValidator(func(int, retry.Attempt) error { return nil })
	for name, policy := range map[string]*retry.Policy{
		"plain":     retry.MustNew(atOnce),
		"validated": retry.MustNew(atOnce, forInt),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run := policy.Start(context.Background())
			v, wait, again := retry.TryValue[int](run, nil)
			assert.Zero(t, v)
			assert.Zero(t, wait)
			assert.False(t, again)
			assertOptionError(t, run.Err())
			assert.EqualError(t, run.Err(), "retry: TryValue: nil function")

			over := policy.Start(context.Background())
			_, _, again = retry.TryValue(over, countUp())
			require.False(t, again)
			require.NoError(t, over.Err())
			_, _, again = retry.TryValue[int](over, nil)
			assert.False(t, again)
			assert.NoError(t, over.Err(), "the Run keeps its result")

			started := policy.Start(context.Background())
			_, _, again = retry.TryValue(started, func(context.Context) (int, error) { return 7, errDown })
			require.True(t, again)
			v, _, again = retry.TryValue[int](started, nil)
			assert.Zero(t, v)
			assert.False(t, again)
			assertOptionError(t, started.Err())
		})
	}
}
