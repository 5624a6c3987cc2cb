package retry_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
)

func nameOf(s string) retry.Option { return retry.WithName(s) }

// A policy used as an option is the same as the options it was made of.
func TestPolicyAsOption(t *testing.T) {
	t.Parallel()
	p := retry.MustNew(retry.WithMaxAttempts(3), retry.WithBackoff(retry.Constant(0)))
	calls := func(opts ...retry.Option) int {
		n := 0
		err := retry.Do(context.Background(), func(context.Context) error { n++; return errRefused }, opts...)
		require.Error(t, err)
		return n
	}
	zero := retry.WithBackoff(retry.Constant(0))
	tests := []struct {
		name string
		opts []retry.Option
		want int
	}{
		{"alone", []retry.Option{p}, 3},
		{"then an option", []retry.Option{p, retry.WithMaxAttempts(1)}, 1},
		{"after an option", []retry.Option{retry.WithMaxAttempts(1), p}, 3},
		{"after an option that the policy does not set", []retry.Option{retry.WithMaxAttempts(2), retry.MustNew(retry.WithName("x")), zero}, 2},
		{"a policy without options", []retry.Option{retry.WithMaxAttempts(2), zero, retry.MustNew()}, 2},
		{"the zero policy", []retry.Option{retry.WithMaxAttempts(2), zero, &retry.Policy{}}, 2},
		{"a nil policy", []retry.Option{retry.WithMaxAttempts(2), zero, (*retry.Policy)(nil)}, 2},
		{"a policy of policies", []retry.Option{retry.MustNew(p, retry.MustNew(retry.WithMaxAttempts(4)))}, 4},
		{"a policy twice", []retry.Option{p, retry.WithMaxAttempts(1), p}, 3},
		{"a default that was set is a setting", []retry.Option{retry.WithMaxAttempts(2), retry.MustNew(retry.WithMaxAttempts(5)), zero}, 5},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, test.want, calls(test.opts...))
			assert.Equal(t, test.want, calls(retry.MustNew(test.opts...)))
		})
	}
	assert.Equal(t, 3, calls(p), "deriving changed nothing")
}

// The default jitter and cap follow the strategy of the derived call, not the policy's.
func TestDerivedDefaultsFollowStrategy(t *testing.T) {
	t.Parallel()
	literal := retry.MustNew(retry.WithBackoff(retry.Constant(time.Hour)))
	assert.Equal(t, "max_attempts=5 backoff=exponential(1m0s,2) max_delay=10m0s max_retry_after=1m0s jitter=full history_size=10",
		retry.MustNew(literal, retry.WithBackoff(retry.Exponential(time.Minute, 2))).String())
	assert.Equal(t, "max_attempts=5 backoff=constant(1h0m0s) max_retry_after=1m0s history_size=10",
		retry.MustNew(retry.MustNew(retry.WithBackoff(retry.Exponential(time.Minute, 2))), literal).String())
}

// A nil policy and a zero policy are the defaults, for every entry point.
func TestNilAndZeroPolicy(t *testing.T) {
	t.Parallel()
	for name, p := range map[string]*retry.Policy{"nil": nil, "zero": {}, "of nothing": retry.MustNew()} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, retry.MustNew().String(), p.String())
			assert.Equal(t, observe(t, fixedRand(0.5)), observe(t, p, fixedRand(0.5)))
			synctest.Test(t, func(t *testing.T) {
				n := 0
				count := func(context.Context) error { n++; return errRefused }
				require.ErrorIs(t, p.Do(t.Context(), count), retry.ErrExhausted)
				assert.Equal(t, 5, n)
				require.ErrorIs(t, retry.Do(t.Context(), count, p), retry.ErrExhausted)
				assert.Equal(t, 10, n)
				require.ErrorIs(t, retry.Do(t.Context(), count), retry.ErrExhausted)
				assert.Equal(t, 15, n)
				_, again := p.Start(t.Context()).Try(count)
				assert.True(t, again)
			})
		})
	}
}

// New copies its slices: changing them later changes nothing.
func TestPolicyCopiesItsLists(t *testing.T) {
	t.Parallel()
	var seen []string
	classifier := func(s string) retry.Classifier {
		return func(retry.Attempt) bool { seen = append(seen, s); return false }
	}
	gate := func(s string) retry.Gate {
		return func(context.Context, retry.Attempt) (func(error), error) { seen = append(seen, s); return nil, nil }
	}
	validator := func(s string) retry.Validator[int] {
		return func(int, retry.Attempt) error { seen = append(seen, s); return nil }
	}
	retryIf, stopIf := []retry.Classifier{classifier("retry")}, []retry.Classifier{classifier("stop")}
	gates, validators := []retry.Gate{gate("gate")}, []retry.Validator[int]{validator("valid")}
	opts := []retry.Option{retry.WithRetryIf(retryIf...), retry.WithStopIf(stopIf...), retry.WithGate(gates...), retry.WithValidator(validators...)}
	p := retry.MustNew(opts...)
	derived := retry.MustNew(p, retry.WithName("derived"))
	f := retry.Func(func(_ context.Context, err error) (int, error) { return 0, err }, opts...)

	retryIf[0], stopIf[0], gates[0], validators[0] = classifier("changed"), classifier("changed"), gate("changed"), validator("changed")
	for i := range opts {
		opts[i] = nil
	}
	for name, call := range map[string]func(err error) error{
		"policy": func(err error) error {
			_, err = retry.DoValue(context.Background(), func(context.Context) (int, error) { return 0, err }, p)
			return err
		},
		"derived": func(err error) error {
			_, err = retry.DoValue(context.Background(), func(context.Context) (int, error) { return 0, err }, derived)
			return err
		},
		"func": func(err error) error { _, err = f(context.Background(), err); return err },
	} {
		seen = nil
		require.NoError(t, call(nil), name)
		require.ErrorIs(t, call(errRefused), retry.ErrPermanent, name)
		assert.Equal(t, []string{"gate", "valid", "gate", "stop", "retry"}, seen, name)
	}
}

// A policy keeps the options of another, not the policy: the variable may get a new one, which may
// even be made of the old one.
func TestPolicyInPlaceOfItsOwnOption(t *testing.T) {
	t.Parallel()
	var p retry.Policy
	require.NoError(t, p.UnmarshalText([]byte("name=a")))
	derived := retry.MustNew(&p, retry.WithMaxAttempts(2))
	for _, name := range []string{"b", "c"} {
		p = *retry.MustNew(&p, retry.WithName(name))
		assert.Equal(t, name, strings.TrimPrefix(strings.Fields(p.String())[0], "name="))
		require.NoError(t, retry.Do(t.Context(), func(context.Context) error { return nil }, &p, retry.WithMaxAttempts(1)))
	}
	assert.Contains(t, derived.String(), "name=a max_attempts=2 ")
	assert.Contains(t, retry.MustNew(derived).String(), "name=a max_attempts=2 ")
}

// Deriving a policy does not change the original.
func TestDerivingDoesNotChangePolicy(t *testing.T) {
	t.Parallel()
	n := 0
	count := retry.WithHooks(retry.Hooks{Start: func(ctx context.Context) context.Context { n++; return ctx }})
	p := retry.MustNew(count, retry.WithName("p"), retry.WithHistorySize(1))
	before := p.String()
	for range 3 {
		retry.MustNew(p, count, retry.WithMaxAttempts(1), count)
	}
	assert.Equal(t, before, p.String())
	require.NoError(t, p.Do(context.Background(), func(context.Context) error { return nil }))
	assert.Equal(t, 1, n)
}

func TestZeroAndNilPolicyUseDefaults(t *testing.T) {
	t.Parallel()
	for name, p := range map[string]*retry.Policy{"zero": new(retry.Policy), "nil": nil} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				fn, calls := failTimes(9, errDown)
				assert.Equal(t, retry.ErrExhausted, retryError(t, p.Do(context.Background(), fn)).Reason)
				assert.Equal(t, 5, *calls)
				fn, calls = failTimes(9, errDown)
				assert.Equal(t, retry.ErrExhausted, retryError(t, retry.Do(context.Background(), fn, p)).Reason)
				assert.Equal(t, 5, *calls)
				run := p.Start(context.Background())
				_, again := run.Try(alwaysReturn(errDown))
				assert.True(t, again)
			})
		})
	}
}
