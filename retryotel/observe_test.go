package retryotel_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrypool"
)

func TestBudget(t *testing.T) {
	t.Parallel()
	k := newKit(t)
	budget := retry.NewBudget(0.5, 3)
	stop, err := k.ObserveBudget("search", budget)
	require.NoError(t, err)
	_, err = k.ObserveBudget("", retry.NewBudget(0, 7))
	require.NoError(t, err)
	const key = "retry.budget.tokens{retry.budget.name=search}"
	assert.EqualValues(t, 3, k.figures(t)[key])
	assert.EqualValues(t, 7, k.figures(t)["retry.budget.tokens{}"])

	for range 3 {
		_ = retry.Do(t.Context(), func(context.Context) error { return errDown },
			k.options(retry.WithBudget(budget), retry.WithMaxAttempts(4), retry.WithBackoff(retry.Constant(0)))...)
	}
	f := k.figures(t)
	assert.EqualValues(t, budget.Tokens(), f[key])
	assert.InDelta(t, 0, f[key], 0.9)
	assert.EqualValues(t, 2, f["retry.budget.denials{retry.policy.name=fetch}"])
	f.assertAddUp(t)

	stop()
	stop()
	assert.NotContains(t, k.figures(t), key)
	assert.Contains(t, k.figures(t), "retry.budget.tokens{}")
	stop2, err := k.ObserveBudget("search", budget)
	require.NoError(t, err, "the name is free")
	stop() // a third call does not free the name, which another budget has now
	_, err = k.ObserveBudget("search", budget)
	require.Error(t, err)
	stop2()
}

func TestObserveErrors(t *testing.T) {
	t.Parallel()
	k := newKit(t)
	for want, observe := range map[string]func() (func(), error){
		"retryotel: ObserveBudget: nil budget; make one by retry.NewBudget": func() (func(), error) { return k.ObserveBudget("a", nil) },
		`retryotel: ObserveBudget: the name "twice" is in use; choose another, or call the stop function of the one that uses it`: func() (func(), error) {
			_, err := k.ObserveBudget("twice", &retry.Budget{})
			require.NoError(t, err)
			return k.ObserveBudget("twice", &retry.Budget{})
		},
		"retryotel: ObservePool: nil pool; make one by retrypool.New": func() (func(), error) {
			return k.ObservePool("a", nil)
		},
		`retryotel: ObservePool: the name "" is in use; choose another, or call the stop function of the one that uses it`: func() (func(), error) {
			_, err := k.ObservePool("", fixedPool{})
			require.NoError(t, err)
			return k.ObservePool("", fixedPool{})
		},
	} {
		stop, err := observe()
		require.EqualError(t, err, want)
		require.ErrorIs(t, err, retry.ErrOption)
		assert.Nil(t, stop)
	}
	var none *retrypool.Pool[int, int]
	_, err := k.ObservePool("a", none)
	require.ErrorIs(t, err, retry.ErrOption, "it would panic at the first collection")
	_, err = k.ObservePool("twice", fixedPool{})
	require.NoError(t, err, "a pool and a budget may have the same name")
}
