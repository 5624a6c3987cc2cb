package retryotel_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrypool"
)

// callsWithin makes two inner calls that keep and release their contexts. It returns an error if the
// outer context ctx ends meanwhile.
func callsWithin(ctx context.Context, t *testing.T, k *kit) error {
	for range 2 {
		err := retry.Do(ctx, func(ctx context.Context) error {
			release := retry.KeepContext(ctx)
			release()
			return ctx.Err()
		}, k.options(retry.WithMaxAttempts(2))...)
		if err != nil {
			return err
		}
		assert.NoError(t, ctx.Err(), "the outer attempt goes on")
	}
	time.Sleep(time.Second)
	return ctx.Err()
}

// An inner call without a timeout runs in an outer attempt, with hooks that derive contexts. When the
// inner call releases the context that it kept, the outer attempt's context does not end.
func TestKeepContextInAnInnerCall(t *testing.T) {
	t.Parallel()
	t.Run("in a call", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			k := newKit(t)
			err := retry.Do(t.Context(), func(ctx context.Context) error { return callsWithin(ctx, t, k) },
				k.options(retry.WithAttemptTimeout(time.Minute))...)
			require.NoError(t, err)
			k.assertSpansEnded(t)
		})
	})
	t.Run("in a pool", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			k := newKit(t)
			p := newPool(t, k, func(ctx context.Context, in int) (int, error) { return in, callsWithin(ctx, t, k) },
				retry.WithAttemptTimeout(time.Minute), retry.WithMaxAttempts(1))
			for i := range 4 {
				_, err := p.Submit(t.Context(), i)
				require.NoError(t, err)
			}
			require.NoError(t, p.Close(t.Context()))
			assert.Equal(t, retrypool.Stats{Submitted: 4, Succeeded: 4}, p.Stats())
			k.assertSpansEnded(t)
		})
	})
}

// A context that a call keeps outlives the call until it is released.
func TestKeepContextOutlivesTheCall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := newKit(t)
		var kept context.Context
		var release context.CancelFunc
		require.NoError(t, retry.Do(t.Context(), func(ctx context.Context) error {
			kept, release = ctx, retry.KeepContext(ctx)
			return nil
		}, k.options(retry.WithAttemptTimeout(time.Minute))...))
		require.NoError(t, kept.Err())
		release()
		require.ErrorIs(t, kept.Err(), context.Canceled)
	})
}

// The outer attempt's context ends with the outer function, even if the inner call never releases
// the context that it kept.
func TestKeepContextDoesNotExtendTheOuterAttempt(t *testing.T) {
	t.Parallel()
	inner := func(k *kit, ctx context.Context) error {
		return retry.Do(ctx, func(ctx context.Context) error {
			retry.KeepContext(ctx)
			return nil
		}, k.options()...)
	}
	t.Run("in a call", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			k := newKit(t)
			var outer context.Context
			require.NoError(t, retry.Do(t.Context(), func(ctx context.Context) error {
				outer = ctx
				return inner(k, ctx)
			}, k.options(retry.WithAttemptTimeout(time.Minute))...))
			require.ErrorIs(t, outer.Err(), context.Canceled)
			k.assertSpansEnded(t)
		})
	})
	t.Run("in a pool, whose item is not settled yet", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			k := newKit(t)
			var first context.Context
			p := newPool(t, k, func(ctx context.Context, in int) (int, error) {
				if first == nil {
					first = ctx
					assert.NoError(t, inner(k, ctx))
					return 0, errDown
				}
				return in, nil
			}, retry.WithAttemptTimeout(time.Minute), retry.WithMaxAttempts(2))
			_, err := p.Submit(t.Context(), 1)
			require.NoError(t, err)
			synctest.Wait()
			require.Equal(t, retrypool.Stats{Submitted: 1, Parked: 1}, p.Stats())
			require.ErrorIs(t, first.Err(), context.Canceled)
			require.NoError(t, p.Close(t.Context()))
			k.assertSpansEnded(t)
		})
	})
}
