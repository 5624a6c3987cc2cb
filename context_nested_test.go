package retry_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
)

// derivingHooks returns an option with every hook that may derive a context.
func derivingHooks() retry.Option {
	derive := func(ctx context.Context) context.Context { return context.WithValue(ctx, derivedKey{}, "derived") }
	return retry.WithHooks(retry.Hooks{
		Start:         derive,
		BeforeAttempt: func(ctx context.Context, _ retry.Attempt) context.Context { return derive(ctx) },
	})
}

var hourTimeout = retry.WithAttemptTimeout(time.Hour)

// An outer attempt has a timeout and makes a nested call without one. KeepContext in the nested
// call does nothing: its release must not end the outer attempt's context.
func TestKeepContextInNestedCallKeepsNothing(t *testing.T) {
	t.Parallel()
	for _, way := range entryPoints {
		for name, opts := range map[string][]retry.Option{"plain": nil, "hooks": {derivingHooks()}, "gate": {retry.WithGate(new(journal).gate("g"))}} {
			t.Run(way.name+"/"+name, func(t *testing.T) {
				t.Parallel()
				attempts := 0
				err := retry.Do(context.Background(), func(outer context.Context) error {
					attempts = 0
					err := way.call(outer, func(inner context.Context) error {
						release := retry.KeepContext(inner)
						release()
						release()
						assert.NoError(t, inner.Err())
						if attempts++; attempts < 3 {
							return errDown
						}
						return nil
					}, append([]retry.Option{atOnce}, opts...)...)
					assert.NoError(t, outer.Err(), "the outer attempt continues")
					return err
				}, hourTimeout, retry.WithMaxAttempts(1))
				require.NoError(t, err)
				assert.Equal(t, 3, attempts)
			})
		}
	}
}

// A nested call without a timeout does not keep the outer attempt's context beyond its end.
func TestKeepContextInNestedCallIsNotOuter(t *testing.T) {
	t.Parallel()
	var outer context.Context
	require.NoError(t, retry.Do(context.Background(), func(ctx context.Context) error {
		outer = ctx
		return retry.Do(ctx, func(inner context.Context) error {
			retry.KeepContext(inner)
			return nil
		}, derivingHooks())
	}, hourTimeout))
	assert.ErrorIs(t, outer.Err(), context.Canceled)
}

// The outer attempt can keep its own context during a nested call and after it.
func TestKeepContextOfOuterCall(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string][]retry.Option{"plain": nil, "hooks": {derivingHooks()}, "timeout": {hourTimeout}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var outer context.Context
			var release context.CancelFunc
			require.NoError(t, retry.Do(context.Background(), func(ctx context.Context) error {
				outer = ctx
				err := retry.Do(ctx, func(inner context.Context) error {
					assert.Nil(t, release)
					retry.KeepContext(inner)()
					return nil
				}, opts...)
				release = retry.KeepContext(ctx)
				return err
			}, hourTimeout))
			require.NoError(t, outer.Err())
			release()
			assert.ErrorIs(t, outer.Err(), context.Canceled)
		})
	}
}

// Three levels: with a timeout, without one, and with one again. Each keeps its own context.
// The end of an outer context ends the inner ones.
func TestKeepContextThreeLevels(t *testing.T) {
	t.Parallel()
	var contexts [3]context.Context
	var releases [3]context.CancelFunc
	level := func(i int, then func(context.Context) error) func(context.Context) error {
		return func(ctx context.Context) error {
			contexts[i], releases[i] = ctx, retry.KeepContext(ctx)
			return then(ctx)
		}
	}
	require.NoError(t, retry.Do(context.Background(), level(0, func(ctx context.Context) error {
		return retry.Do(ctx, level(1, func(ctx context.Context) error {
			return retry.Do(ctx, level(2, succeed), hourTimeout)
		}), derivingHooks())
	}), hourTimeout))
	for i := range contexts {
		require.NoError(t, contexts[i].Err(), "level %d", i)
	}
	releases[1]()
	for i := range contexts {
		require.NoError(t, contexts[i].Err(), "level %d", i)
	}
	releases[2]()
	require.ErrorIs(t, contexts[2].Err(), context.Canceled)
	require.NoError(t, contexts[0].Err())
	releases[0]()
	require.ErrorIs(t, contexts[0].Err(), context.Canceled)
	require.ErrorIs(t, contexts[1].Err(), context.Canceled)
}
