package main

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
)

// In a bubble of testing/synctest the time of package time is virtual. It advances when all goroutines
// of the test wait. So code that takes no clock can be tested too.

func TestBecomesReadyMeanwhile(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ready := make(chan struct{})
		time.AfterFunc(5*time.Second, func() { close(ready) })

		start := time.Now()
		err := WaitReady(t.Context(), func(context.Context) error {
			select {
			case <-ready:
				return nil
			default:
				return errStarting
			}
		})
		require.NoError(t, err)
		assert.Equal(t, 7*time.Second, time.Since(start), "probed after 0, 1, 3 and 7 seconds")
	})
}

func TestCancelEndsTheWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(1500*time.Millisecond, cancel) // in the second wait

		start := time.Now()
		err := WaitReady(ctx, func(context.Context) error { return errStarting })
		require.ErrorIs(t, err, retry.ErrContext)
		require.ErrorIs(t, err, context.Canceled)
		require.ErrorIs(t, err, errStarting)
		assert.Equal(t, 1500*time.Millisecond, time.Since(start))
	})
}

func TestProbeThatHangsIsCutOff(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		hangs := true
		err := WaitReady(t.Context(), func(ctx context.Context) error {
			if hangs {
				hangs = false
				<-ctx.Done()
				return ctx.Err()
			}
			return nil
		})
		require.NoError(t, err)
		assert.Equal(t, 4*time.Second, time.Since(start), "cut off after 3 seconds, waited 1")
	})
}
