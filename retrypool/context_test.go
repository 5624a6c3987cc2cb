package retrypool_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrypool"
)

// When the submitting context is canceled, its items end at once, wherever they are.
func TestCancelingTheContext(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		cause := errors.New("shutting down")
		var letters log[int]
		c := retrypool.Config[int]{
			Workers: 2, Policy: waitEvery(time.Hour, 2),
			Key:        func(in int) string { return []string{"x", "x", "", "-", "-"}[in] },
			DeadLetter: func(_ context.Context, in int, _ *retry.Error) error { letters.add(in); return nil },
		}
		p := newPool(t, func(ctx context.Context, in int) (int, error) {
			if in == 0 {
				return -1, errDown
			}
			return untilEnded(ctx, in)
		}, c)
		ctx, cancel := context.WithCancelCause(t.Context())
		var tasks []*retrypool.Task[int]
		for i := range 5 { // parked, waiting for key, running, running, waiting for key
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
			e := retryError(t, err)
			assert.Equal(t, retry.ErrContext, e.Reason)
			require.ErrorIs(t, err, context.Canceled)
			require.ErrorIs(t, err, cause)
			assert.Equal(t, []int{1, 0, 1, 1, 0, 0}[i], e.Attempts)
		}
		v, err := tasks[0].Wait(t.Context())
		assert.Equal(t, -1, v, "the value from before it was parked")
		require.ErrorIs(t, err, errDown)
		assert.Empty(t, letters.list(), "canceled items are no dead letters")
	})
}

func TestDeadlineFailsTheItem(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var letters log[int]
		c := retrypool.Config[int]{
			Workers: 2, Policy: waitEvery(time.Hour, 2), MaxRetrying: 1,
			DeadLetter: func(_ context.Context, in int, _ *retry.Error) error { letters.add(in); return nil },
		}
		p := newPool(t, func(ctx context.Context, in int) (int, error) {
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
		assert.Equal(t, retry.ErrContext, retryError(t, err).Reason)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Zero(t, time.Since(began))

		submit(t, p, 1)
		submit(t, p, 1)
		queued, err := p.Submit(ctx, 2)
		require.NoError(t, err)
		_, err = queued.Wait(t.Context())
		assert.Equal(t, time.Hour, time.Since(began), "at the deadline, though the workers are busy")
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Zero(t, retryError(t, err).Attempts)
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
		p := newPool(t, func(ctx context.Context, _ int) (int, error) {
			assert.Equal(t, "value", ctx.Value(key{}))
			at, ok := ctx.Deadline()
			assert.True(t, ok)
			assert.Equal(t, time.Now().Add(time.Minute), at)
			kept = ctx
			var cancel context.CancelFunc
			derived, cancel = context.WithTimeout(ctx, time.Second)
			t.Cleanup(cancel)
			assert.Equal(t, "value", ctx.Value(key{}), "after a context was derived from it too")
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

// poolReadingContext is a context whose Err uses the pool.
type poolReadingContext struct {
	context.Context
	p *retrypool.Pool[int, int]
}

func (n poolReadingContext) Err() error { n.p.Stats(); return n.Context.Err() }

// The pool calls no context's methods while it holds its lock.
func TestContextMayUseThePool(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		p := newPool(t, untilEnded, retrypool.Config[int]{})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		task, err := p.Submit(poolReadingContext{t.Context(), p}, 1)
		require.NoError(t, err)
		require.ErrorIs(t, p.Join(poolReadingContext{ctx, p}), context.DeadlineExceeded)
		task.Cancel()
	})
}

// The context of an item has ended once the item is settled, also if Done is first called then.
func TestContextEndsWithTheItem(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		type key struct{}
		var kept context.Context
		p := newPool(t, func(ctx context.Context, _ int) (int, error) { kept = ctx; return 0, nil }, retrypool.Config[int]{})
		task, err := p.Submit(context.WithValue(t.Context(), key{}, "value"), 0)
		require.NoError(t, err)
		_, err = task.Wait(t.Context())
		require.NoError(t, err)
		synctest.Wait()
		require.ErrorIs(t, kept.Err(), context.Canceled)
		select {
		case <-kept.Done():
		default:
			t.Error("Done is not closed")
		}
		assert.Equal(t, "value", kept.Value(key{}))
		derived, cancel := context.WithCancel(kept)
		defer cancel()
		require.ErrorIs(t, derived.Err(), context.Canceled)
	})
}

// A goroutine that the function left behind ends too if it waits for the context.
func TestContextEndsForLateReceivers(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		p := newPool(t, func(ctx context.Context, _ int) (int, error) {
			go func() { time.Sleep(time.Second); <-ctx.Done() }()
			return 0, nil
		}, retrypool.Config[int]{})
		_, err := submit(t, p, 0).Wait(t.Context())
		require.NoError(t, err)
		time.Sleep(2 * time.Second) // the bubble fails the test if the goroutine is left
	})
}

// Calling Done on the context of a settled item leaves nothing in the submitting context.
func TestContextOfASettledItemIsNotKept(t *testing.T) {
	p := newPool(t, func(ctx context.Context, _ int) (context.Context, error) { return ctx, nil }, retrypool.Config[int]{})
	root, cancel := context.WithCancel(context.Background())
	defer cancel()
	heap := func() int64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	const n = 20_000
	before := heap()
	for i := range n {
		task, err := p.Submit(root, i)
		require.NoError(t, err)
		ctx, err := task.Wait(t.Context())
		require.NoError(t, err)
		_ = ctx.Done()
	}
	assert.Less(t, (heap()-before)/n, int64(20))
	runtime.KeepAlive(root)
}

// Mocks print their arguments, also the context that the function got.
func TestContextCanBePrinted(t *testing.T) {
	t.Parallel()
	p := newPool(t, func(ctx context.Context, _ int) (string, error) {
		text := ""
		for range 1000 {
			text = fmt.Sprint(ctx)
		}
		return text, nil
	}, retrypool.Config[int]{Workers: 2})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	for i := range 20 {
		_, err := p.Submit(ctx, i)
		require.NoError(t, err)
	}
	text, err := submit(t, p, 20).Wait(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "retrypool.Context", text)
	require.NoError(t, p.Join(t.Context()))
}
