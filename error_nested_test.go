package retry_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
)

// innerCall makes a call of its own, which ends with a permanent error that carries a hint.
func innerCall(ctx context.Context) error {
	return retry.Do(ctx, alwaysReturn(retry.Permanent(retry.After(time.Hour, errDown))), retry.WithName("inner"))
}

// Each call decides by its own marks, and its error holds the inner call's error.
func TestNestedCallReasons(t *testing.T) {
	t.Parallel()
	t.Run("reasons", func(t *testing.T) {
		t.Parallel()
		calls := 0
		err := retry.Do(context.Background(), func(ctx context.Context) error { calls++; return innerCall(ctx) },
			atOnce, retry.WithName("outer"), retry.WithMaxAttempts(3))
		assert.Equal(t, 3, calls, "marks and hints apply to their own call only")
		e := retryError(t, err)
		assert.Equal(t, retry.ErrExhausted, e.Reason, "the outer call's own reason")
		assert.Equal(t, "outer", e.Name)
		assert.ErrorIs(t, err, retry.ErrPermanent, "the inner reason is found too")
		assert.ErrorIs(t, err, errDown)
		var found *retry.Error
		require.ErrorAs(t, e.Err, &found)
		assert.Equal(t, "inner", found.Name)
		assert.Equal(t, retry.ErrPermanent, found.Reason)
		require.ErrorAs(t, err, &found)
		assert.Same(t, e, found, "the outer one is found first")
	})
	t.Run("marked again outside", func(t *testing.T) {
		t.Parallel()
		err := retry.Do(context.Background(), func(ctx context.Context) error {
			return errors.Join(innerCall(ctx), retry.Permanent(errOdd))
		}, atOnce)
		assert.Equal(t, retry.ErrPermanent, retryError(t, err).Reason)
		assert.Equal(t, 1, retryError(t, err).Attempts)
	})
	t.Run("already retried", func(t *testing.T) {
		t.Parallel()
		err := retry.Do(context.Background(), innerCall, atOnce, retry.WithStopIf(retry.AlreadyRetried))
		assert.Equal(t, retry.ErrPermanent, retryError(t, err).Reason)
		assert.Equal(t, 1, retryError(t, err).Attempts)
	})
}

// An outer call obeys the hint of the inner call's error, and ends with the context of both.
func TestNestedCallLimits(t *testing.T) {
	t.Parallel()
	t.Run("the inner budget's delay is honoured", func(t *testing.T) {
		inBubble(t, func(t *testing.T) {
			start := time.Now()
			err := retry.Do(context.Background(), func(ctx context.Context) error {
				return fmt.Errorf("inner: %w", retry.Do(ctx, alwaysReturn(errDown), every(20*time.Second), retry.WithBudget(new(retry.Budget))))
			}, atOnce, retry.WithMaxAttempts(2), retry.WithJitter(retry.NoJitter))
			assert.Equal(t, 20*time.Second, time.Since(start))
			assert.Equal(t, retry.ErrExhausted, retryError(t, err).Reason)
			assert.ErrorIs(t, err, retry.ErrBudget)
		})
	})
	t.Run("the inner hint is too long for both", func(t *testing.T) {
		t.Parallel()
		e := retryError(t, retry.Do(context.Background(), func(ctx context.Context) error {
			return retry.Do(ctx, alwaysReturn(retry.After(time.Hour, errDown)))
		}))
		assert.Equal(t, retry.ErrRetryAfter, e.Reason)
		assert.Equal(t, time.Hour, e.Delay)
		assert.Equal(t, 1, e.Attempts)
	})
	t.Run("context of both", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(context.Background())
		e := retryError(t, retry.Do(ctx, func(ctx context.Context) error {
			return retry.Do(ctx, func(context.Context) error { cancel(); return io.ErrUnexpectedEOF })
		}))
		assert.Equal(t, retry.ErrContext, e.Reason)
		assert.Equal(t, 1, e.Attempts)
		assert.ErrorIs(t, e, io.ErrUnexpectedEOF)
	})
}
