package retrypool_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrypool"
)

func TestTaskCancel(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		p := newPool(t, func(ctx context.Context, in int) (int, error) {
			if in == 0 {
				return 0, errDown
			}
			return untilEnded(ctx, in)
		}, retrypool.Config[int]{Policy: waitEvery(time.Hour, 2)})
		parked := submit(t, p, 0)
		synctest.Wait()
		running := submit(t, p, 1)
		synctest.Wait()
		queued := submit(t, p, 2)
		later := submit(t, p, 3)

		for _, task := range []*retrypool.Task[int]{parked, queued} {
			assert.True(t, task.Cancel())
			select {
			case <-task.Done():
			default:
				t.Error("not settled when Cancel returned")
			}
			assert.False(t, task.Cancel(), "once")
		}
		assert.Equal(t, retrypool.Stats{Submitted: 4, Canceled: 2, Queued: 1, Running: 1}, p.Stats())
		assert.True(t, running.Cancel())
		synctest.Wait()
		assert.False(t, running.Cancel())
		assert.True(t, later.Cancel())
		synctest.Wait()
		assert.Equal(t, 4, p.Stats().Canceled)
		for _, task := range []*retrypool.Task[int]{parked, queued, running, later} {
			_, err := task.Wait(t.Context())
			require.ErrorIs(t, err, context.Canceled)
			require.ErrorContains(t, err, "context done (retrypool: the task was canceled)")
			assert.Equal(t, retry.ErrContext, retryError(t, err).Reason)
		}
	})
}

// If the function succeeds after its task was canceled, the item has succeeded. If it fails, it is
// not retried.
func TestTaskCancelWhileRunning(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		p := newPool(t, func(_ context.Context, in int) (int, error) {
			time.Sleep(time.Second)
			if in == 0 {
				return 1, nil
			}
			return 0, errDown
		}, retrypool.Config[int]{Workers: 2, Policy: waitEvery(0, 9)})
		good, bad := submit(t, p, 0), submit(t, p, 1)
		time.Sleep(time.Millisecond)
		assert.True(t, good.Cancel())
		assert.True(t, bad.Cancel())
		_, err := good.Wait(t.Context())
		require.NoError(t, err)
		_, err = bad.Wait(t.Context())
		assert.Equal(t, 1, retryError(t, err).Attempts)
		require.ErrorIs(t, err, errDown)
		assert.Equal(t, retrypool.Stats{Submitted: 2, Succeeded: 1, Canceled: 1}, p.Stats())
	})
}

// A cancellation between the decision to retry and the parking ends the item.
func TestTaskCancelBeforeParking(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var task *retrypool.Task[int]
		c := retrypool.Config[int]{Policy: waitEvery(time.Hour, 5)}
		c.Events.Parked = func(retrypool.Event[int]) { assert.True(t, task.Cancel()) }
		g := make(latch)
		p := newPool(t, func(ctx context.Context, in int) (int, error) {
			_, _ = g.fn(ctx, in)
			return 0, errDown
		}, c)
		task = submit(t, p, 1)
		began := time.Now()
		close(g)
		_, err := task.Wait(t.Context())
		require.ErrorIs(t, err, context.Canceled)
		assert.Equal(t, 1, retryError(t, err).Attempts)
		assert.Zero(t, time.Since(began))
	})
}

func TestTaskWaitObeysItsContext(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		g := make(latch)
		p := newPool(t, g.fn, retrypool.Config[int]{})
		task := submit(t, p, 7)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		v, err := task.Wait(ctx)
		require.EqualError(t, err, "retrypool: Wait: context deadline exceeded")
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Zero(t, v)
		assert.Equal(t, 1, p.Stats().Running, "the item goes on")
		close(g)
		<-task.Done()
		v, err = task.Wait(ctx)
		require.NoError(t, err, "the result of a settled item, although the context has ended")
		assert.Equal(t, 7, v)
	})
}

// Cancel also ends the wait at a gate, because the gate gets the item's context.
func TestTaskCancelAtAGate(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		policy := retry.MustNew(retry.WithGate(func(ctx context.Context, _ retry.Attempt) (func(error), error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}))
		p := newPool(t, double, retrypool.Config[int]{Policy: policy})
		task := submit(t, p, 1)
		synctest.Wait()
		assert.True(t, task.Cancel())
		_, err := task.Wait(t.Context())
		require.ErrorIs(t, err, context.Canceled)
		assert.Zero(t, retryError(t, err).Attempts)
		assert.Equal(t, 1, p.Stats().Canceled)
	})
}

func TestTaskFormat(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		g := make(latch)
		p := newPool(t, func(ctx context.Context, in int) (int, error) {
			if in == 0 {
				return 0, errDown
			}
			return g.fn(ctx, in)
		}, retrypool.Config[int]{Policy: waitEvery(time.Hour, 2), Key: func(in int) string { return fmt.Sprint(in) }})
		tasks := []*retrypool.Task[int]{submit(t, p, 0), submit(t, p, 1), submit(t, p, 1), submit(t, p, 2)}
		for p.Stats().Parked == 0 || p.Stats().Running == 0 {
			time.Sleep(time.Millisecond)
		}
		assert.Equal(t, "[retrypool.Task(parked) retrypool.Task(running) retrypool.Task(queued) retrypool.Task(queued)]", fmt.Sprint(tasks))
		close(g)
		<-tasks[3].Done()
		assert.Equal(t, "retrypool.Task(settled)", fmt.Sprint(tasks[3]))
	})
}
