package retrypool_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrypool"
)

func TestCloseDrains(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		s := &script{work: time.Second}
		p := newPool(t, s.fn, retrypool.Config[int]{Policy: waitEvery(time.Hour, 2)})
		began := time.Now()
		for i := range 3 {
			submit(t, p, i)
		}
		var wg sync.WaitGroup
		for range 3 { // every Close waits
			wg.Go(func() {
				assert.NoError(t, p.Close(context.Background()))
				assert.Equal(t, time.Hour+4*time.Second, time.Since(began))
				assert.Equal(t, retrypool.Stats{Submitted: 3, Succeeded: 3, Retries: 3}, p.Stats())
			})
		}
		wg.Wait()
	})
}

func TestCloseOfAnIdlePool(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		dead, die := context.WithCancel(t.Context())
		die()
		p := newPool(t, double, retrypool.Config[int]{Workers: 5})
		require.NoError(t, p.Close(dead), "nothing to wait for")
		require.NoError(t, p.Close(dead))
		require.NoError(t, p.Join(dead))
	})
}

func TestCloseGivesUp(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		letter func(context.Context, int, *retry.Error) error
		want   retrypool.Stats
	}{
		"no dead letter": {nil, retrypool.Stats{Submitted: 7, Succeeded: 1, Canceled: 6}},
		"dead letter":    {func(context.Context, int, *retry.Error) error { return nil }, retrypool.Stats{Submitted: 7, Succeeded: 1, DeadLettered: 6}},
		"one that fails": {func(context.Context, int, *retry.Error) error { return errDead }, retrypool.Stats{Submitted: 7, Succeeded: 1, Failed: 6}},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				var letters log[int]
				var deadLetter func(context.Context, int, *retry.Error) error
				if tt.letter != nil {
					deadLetter = func(ctx context.Context, in int, err *retry.Error) error {
						letters.add(in)
						assert.ErrorIs(t, err, retrypool.ErrClosed)
						assert.NoError(t, ctx.Err())
						return tt.letter(ctx, in, err)
					}
				}
				p, tasks := newBusyPool(t, deadLetter)
				closeBusyPool(t, p)
				assert.Equal(t, tt.want, p.Stats())
				if tt.letter != nil {
					assert.ElementsMatch(t, []int{0, 1, 3, 4, 5, 6}, letters.list())
				}
				for i, task := range tasks {
					if i == 2 {
						continue
					}
					_, err := task.Wait(t.Context())
					require.ErrorIs(t, err, retrypool.ErrClosed)
					require.ErrorIs(t, err, context.Canceled)
					assert.Equal(t, retry.ErrContext, retryError(t, err).Reason)
				}
			})
		})
	}
}

// newBusyPool makes a pool and submits seven items. Items 0 and 1 are parked, 2 and 3 are running,
// and the others wait for their key. Item 2 ignores its context and succeeds after two hours.
func newBusyPool(t *testing.T, deadLetter func(context.Context, int, *retry.Error) error) (*retrypool.Pool[int, int], []*retrypool.Task[int]) {
	p := newPool(t, func(ctx context.Context, in int) (int, error) {
		switch in {
		case 0, 1:
			return 0, errDown
		case 2:
			time.Sleep(2 * time.Hour)
			return 2, nil
		}
		return untilEnded(ctx, in)
	}, retrypool.Config[int]{
		Workers: 2, MaxRetrying: 1, Policy: waitEvery(24*time.Hour, 2),
		Key:        func(in int) string { return string(rune('a' + min(in, 3))) },
		DeadLetter: deadLetter,
	})
	var tasks []*retrypool.Task[int]
	for i := range 7 {
		tasks = append(tasks, submit(t, p, i))
	}
	synctest.Wait()
	require.Equal(t, retrypool.Stats{Submitted: 7, Queued: 3, Running: 2, Parked: 2}, p.Stats())
	return p, tasks
}

// closeBusyPool closes the pool of newBusyPool with a context of one hour.
func closeBusyPool(t *testing.T, p *retrypool.Pool[int, int]) {
	began := time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	var wg sync.WaitGroup
	wg.Go(func() { // the others do not wait for the item that ignores its context
		time.Sleep(time.Hour)
		synctest.Wait()
		assert.Equal(t, 1, p.Stats().Running)
		assert.Zero(t, p.Stats().Queued+p.Stats().Parked)
	})
	err := p.Close(ctx)
	wg.Wait()
	require.EqualError(t, err, "retrypool: Close: 7 items were left: context deadline exceeded")
	require.ErrorIs(t, err, context.DeadlineExceeded)
	assert.Equal(t, 2*time.Hour, time.Since(began))
	require.NoError(t, p.Close(ctx), "a pool without items, although ctx has ended")
}

func TestCloseErrorHasTheCause(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		p := newPool(t, untilEnded, retrypool.Config[int]{})
		submit(t, p, 1)
		ctx, cancel := context.WithCancelCause(t.Context())
		cause := errors.New("SIGTERM")
		cancel(cause)
		err := p.Close(ctx)
		require.EqualError(t, err, "retrypool: Close: 1 item was left: context canceled (SIGTERM)")
		require.ErrorIs(t, err, context.Canceled)
		require.ErrorIs(t, err, cause)
	})
}

// An item that is about to be parked when Close gives up is not attempted again.
func TestCloseGivesUpWhileParking(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		calls := 0
		c := retrypool.Config[int]{Policy: waitEvery(time.Hour, 5)}
		c.Events.Parked = func(retrypool.Event[int]) { time.Sleep(time.Minute) }
		p := newPool(t, func(context.Context, int) (int, error) { calls++; return 0, errDown }, c)
		task := submit(t, p, 1)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.Error(t, p.Close(ctx))
		_, err := task.Wait(t.Context())
		require.ErrorIs(t, err, retrypool.ErrClosed)
		assert.Equal(t, 1, calls)
		assert.Equal(t, 1, p.Stats().Canceled)
	})
}

// An item that was submitted from another pool's function is canceled when Close of the other pool
// gives up. This pool was not closed, so the item does not go to DeadLetter.
func TestCloseOfAnotherPoolOnlyCancels(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var letters log[int]
		inner := newPool(t, untilEnded, retrypool.Config[int]{
			DeadLetter: func(_ context.Context, in int, _ *retry.Error) error { letters.add(in); return nil },
		})
		outer, err := retrypool.New(func(ctx context.Context, in int) (int, error) {
			own, cancel := context.WithCancel(ctx)
			defer cancel()
			task, err := inner.Submit(own, in)
			if err != nil {
				return 0, err
			}
			return task.Wait(context.WithoutCancel(ctx))
		}, retrypool.Config[int]{Workers: 1, Capacity: 1})
		require.NoError(t, err)
		submit(t, outer, 7)
		synctest.Wait()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		require.Error(t, outer.Close(ctx))
		synctest.Wait()
		assert.Empty(t, letters.list())
		assert.Equal(t, retrypool.Stats{Submitted: 1, Canceled: 1}, inner.Stats())
	})
}
