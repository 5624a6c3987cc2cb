package retrypool_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrypool"
)

// untilEnded runs until its context ends.
func untilEnded(ctx context.Context, _ int) (int, error) {
	<-ctx.Done()
	return 0, context.Cause(ctx)
}

// The end of the submitting context ends items wherever they are, at once.
func TestCancelingTheContext(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		cause := errors.New("going home")
		var letters log[int]
		c := retrypool.Config[int]{
			Workers: 2, Policy: every(time.Hour, 2),
			Key:        func(in int) string { return []string{"x", "x", "", "-", "-"}[in] },
			DeadLetter: func(_ context.Context, in int, _ *retry.Error) error { letters.add(in); return nil },
		}
		p := start(t, func(ctx context.Context, in int) (int, error) {
			if in == 0 {
				return -1, errDown
			}
			return untilEnded(ctx, in)
		}, c)
		ctx, cancel := context.WithCancelCause(t.Context())
		var tasks []*retrypool.Task[int]
		for i := range 5 { // parked, held, running, running, held
			task, err := p.Submit(ctx, i)
			require.NoError(t, err)
			tasks = append(tasks, task)
			synctest.Wait()
		}
		queued, err := p.Submit(ctx, 2)
		require.NoError(t, err)
		assert.Equal(t, retrypool.Stats{Submitted: 6, Queued: 3, Running: 2, Parked: 1}, p.Stats())
		cancel(cause)
		synctest.Wait()
		assert.Equal(t, retrypool.Stats{Submitted: 6, Canceled: 6}, p.Stats())
		for i, task := range append(tasks, queued) {
			_, err := task.Wait(t.Context())
			e := stopped(t, err)
			assert.Equal(t, retry.ErrContext, e.Reason)
			require.ErrorIs(t, err, context.Canceled)
			require.ErrorIs(t, err, cause)
			assert.Equal(t, []int{1, 0, 1, 1, 0, 0}[i], e.Attempts)
		}
		v, err := tasks[0].Wait(t.Context())
		assert.Equal(t, -1, v, "what it returned before it was parked")
		require.ErrorIs(t, err, errDown)
		assert.Empty(t, letters.list(), "canceled items are not dead")
	})
}

func TestDeadlineFailsTheItem(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var letters log[int]
		c := retrypool.Config[int]{
			Workers: 2, Policy: every(time.Hour, 2), MaxRetrying: 1,
			DeadLetter: func(_ context.Context, in int, _ *retry.Error) error { letters.add(in); return nil },
		}
		p := start(t, func(ctx context.Context, in int) (int, error) {
			if in == 0 {
				return 0, errDown
			}
			time.Sleep(4 * time.Hour)
			return 0, ctx.Err()
		}, c)
		began := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		tooLong, err := p.Submit(ctx, 0) // its wait would pass the deadline
		require.NoError(t, err)
		_, err = tooLong.Wait(t.Context())
		assert.Equal(t, retry.ErrContext, stopped(t, err).Reason)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Zero(t, time.Since(began))

		submit(t, p, 1)
		submit(t, p, 1)
		queued, err := p.Submit(ctx, 2)
		require.NoError(t, err)
		_, err = queued.Wait(t.Context())
		assert.Equal(t, time.Hour, time.Since(began), "at once, though the workers are busy")
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Zero(t, stopped(t, err).Attempts)
		assert.Equal(t, 2, p.Stats().DeadLettered)
		assert.Zero(t, p.Stats().Canceled)
		assert.Equal(t, []int{0, 2}, letters.list())
	})
}

func TestContextOfTheFunction(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		type key struct{}
		ctx, cancel := context.WithTimeout(context.WithValue(t.Context(), key{}, "value"), time.Minute)
		defer cancel()
		var kept, derived context.Context
		p := start(t, func(ctx context.Context, _ int) (int, error) {
			assert.Equal(t, "value", ctx.Value(key{}))
			at, ok := ctx.Deadline()
			assert.True(t, ok)
			assert.Equal(t, time.Now().Add(time.Minute), at)
			kept = ctx
			var cancel context.CancelFunc
			derived, cancel = context.WithTimeout(ctx, time.Second)
			t.Cleanup(cancel)
			assert.Equal(t, "value", ctx.Value(key{}), "also once something is derived from it")
			assert.Equal(t, "value", derived.Value(key{}))
			assert.NoError(t, ctx.Err())
			return 0, nil
		}, retrypool.Config[int]{})
		task, err := p.Submit(ctx, 0)
		require.NoError(t, err)
		_, err = task.Wait(t.Context())
		require.NoError(t, err)
		synctest.Wait()
		require.ErrorIs(t, kept.Err(), context.Canceled, "it ends with the item")
		require.ErrorIs(t, derived.Err(), context.Canceled)
		require.NoError(t, ctx.Err())
	})
}

// Many items under one context, and one with its own: each ends with its own.
func TestContextsAreKeptApart(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		p := start(t, down, retrypool.Config[int]{Policy: every(time.Hour, 2)})
		type key struct{}
		shared, cancelShared := context.WithCancel(t.Context())
		alone, cancelAlone := context.WithCancel(t.Context())
		defer cancelAlone()
		for i := range 10 {
			_, err := p.Submit(shared, i)
			require.NoError(t, err)
			_, err = p.Submit(context.WithValue(shared, key{}, i), i)
			require.NoError(t, err)
			submit(t, p, i)
		}
		_, err := p.Submit(alone, 0)
		require.NoError(t, err)
		synctest.Wait()
		assert.Equal(t, 31, p.Stats().Parked)
		cancelAlone()
		synctest.Wait()
		assert.Equal(t, 1, p.Stats().Canceled)
		cancelShared()
		synctest.Wait()
		assert.Equal(t, retrypool.Stats{Submitted: 31, Canceled: 21, Parked: 10}, p.Stats())
	})
}

// A context that ended is let go, and so is one all of whose items are settled; later items
// with the same one are seen to as well.
func TestContextIsUsedAgain(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		g := make(gate)
		p := start(t, g.fn, retrypool.Config[int]{Policy: every(time.Hour, 1)})
		ctx, cancel := context.WithCancel(t.Context())
		for range 3 {
			task, err := p.Submit(ctx, 1)
			require.NoError(t, err)
			g <- struct{}{}
			_, err = task.Wait(t.Context())
			require.NoError(t, err)
		}
		_, err := p.Submit(ctx, 2)
		require.NoError(t, err)
		_, err = p.Submit(ctx, 3)
		require.NoError(t, err)
		cancel()
		synctest.Wait()
		assert.Equal(t, retrypool.Stats{Submitted: 5, Succeeded: 3, Canceled: 2}, p.Stats())
	})
}

func TestTaskCancel(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		p := start(t, func(ctx context.Context, in int) (int, error) {
			if in == 0 {
				return 0, errDown
			}
			return untilEnded(ctx, in)
		}, retrypool.Config[int]{Policy: every(time.Hour, 2)})
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
			assert.Equal(t, retry.ErrContext, stopped(t, err).Reason)
		}
	})
}

// A function that succeeds though its task was canceled has succeeded; one that fails is not
// retried.
func TestTaskCancelWhileRunning(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		p := start(t, func(_ context.Context, in int) (int, error) {
			time.Sleep(time.Second)
			if in == 0 {
				return 1, nil
			}
			return 0, errDown
		}, retrypool.Config[int]{Workers: 2, Policy: every(0, 9)})
		good, bad := submit(t, p, 0), submit(t, p, 1)
		time.Sleep(time.Millisecond)
		assert.True(t, good.Cancel())
		assert.True(t, bad.Cancel())
		_, err := good.Wait(t.Context())
		require.NoError(t, err)
		_, err = bad.Wait(t.Context())
		assert.Equal(t, 1, stopped(t, err).Attempts)
		require.ErrorIs(t, err, errDown)
		assert.Equal(t, retrypool.Stats{Submitted: 2, Succeeded: 1, Canceled: 1}, p.Stats())
	})
}

// A cancellation between the decision to retry and the parking is not overlooked.
func TestTaskCancelBeforeParking(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var task *retrypool.Task[int]
		c := retrypool.Config[int]{Policy: every(time.Hour, 5)}
		c.Events.Parked = func(retrypool.Event[int]) { assert.True(t, task.Cancel()) }
		g := make(gate)
		p := start(t, func(ctx context.Context, in int) (int, error) {
			_, _ = g.fn(ctx, in)
			return 0, errDown
		}, c)
		task = submit(t, p, 1)
		began := time.Now()
		close(g)
		_, err := task.Wait(t.Context())
		require.ErrorIs(t, err, context.Canceled)
		assert.Equal(t, 1, stopped(t, err).Attempts)
		assert.Zero(t, time.Since(began))
	})
}

func TestTaskWaitObeysItsContext(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		g := make(gate)
		p := start(t, g.fn, retrypool.Config[int]{})
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
		require.NoError(t, err, "what is settled is returned also when the context has ended")
		assert.Equal(t, 7, v)
	})
}

// The wait at a gate is cut short too, for a gate gets the item's context.
func TestTaskCancelAtAGate(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		policy := retry.MustNew(retry.WithGate(func(ctx context.Context, _ retry.Attempt) (func(error), error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}))
		p := start(t, double, retrypool.Config[int]{Policy: policy})
		task := submit(t, p, 1)
		synctest.Wait()
		assert.True(t, task.Cancel())
		_, err := task.Wait(t.Context())
		require.ErrorIs(t, err, context.Canceled)
		assert.Zero(t, stopped(t, err).Attempts)
		assert.Equal(t, 1, p.Stats().Canceled)
	})
}
