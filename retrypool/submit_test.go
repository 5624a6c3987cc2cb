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

func TestSubmitWaitsWhileFull(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		g := make(latch)
		p := newPool(t, g.fn, retrypool.Config[int]{Capacity: 3})
		for i := range 3 {
			submit(t, p, i)
		}
		synctest.Wait()
		assert.Equal(t, retrypool.Stats{Submitted: 3, Queued: 2, Running: 1}, p.Stats())
		_, err := p.TrySubmit(3)
		require.ErrorIs(t, err, retrypool.ErrFull)

		var order log[int]
		var wg sync.WaitGroup
		for i := range 5 {
			wg.Go(func() {
				submit(t, p, 3+i)
				order.add(i)
			})
			synctest.Wait()
		}
		assert.Empty(t, order.list())
		for i := range 5 {
			g <- struct{}{}
			synctest.Wait()
			assert.Equal(t, i, order.list()[i], "submitters are admitted in the order they came")
			assert.Len(t, order.list(), i+1)
			_, err := p.TrySubmit(9)
			require.ErrorIs(t, err, retrypool.ErrFull, "waiting submitters come first")
		}
		wg.Wait()
		close(g)
	})
}

// Parked items count against Capacity.
func TestCapacityCountsParkedItems(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		p := newPool(t, alwaysFails, retrypool.Config[int]{Capacity: 2, Policy: waitEvery(time.Hour, 2)})
		submit(t, p, 1)
		submit(t, p, 2)
		synctest.Wait()
		assert.Equal(t, 2, p.Stats().Parked)
		_, err := p.TrySubmit(3)
		require.ErrorIs(t, err, retrypool.ErrFull)
		before := time.Now()
		submit(t, p, 3)
		assert.Equal(t, time.Hour, time.Since(before))
	})
}

func TestSubmitObeysItsContext(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		g := make(latch)
		p := newPool(t, g.fn, retrypool.Config[int]{Capacity: 1})
		dead, die := context.WithCancelCause(t.Context())
		cause := errors.New("shutting down")
		die(cause)
		_, err := p.Submit(dead, 1)
		require.EqualError(t, err, "retrypool: Submit: context canceled (shutting down)")
		require.ErrorIs(t, err, context.Canceled)
		require.ErrorIs(t, err, cause)
		assert.Zero(t, p.Stats().Submitted, "although there was room")

		submit(t, p, 1)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		before := time.Now()
		_, err = p.Submit(ctx, 2)
		require.EqualError(t, err, "retrypool: Submit: context deadline exceeded")
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, time.Minute, time.Since(before))

		g <- struct{}{} // the submitter that gave up holds no room
		submit(t, p, 3)
		assert.Equal(t, 2, p.Stats().Submitted)
		close(g)
	})
}

func TestSubmitAfterClose(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		p := newPool(t, double, retrypool.Config[int]{})
		require.NoError(t, p.Close(t.Context()))
		_, err := p.Submit(t.Context(), 1)
		require.ErrorIs(t, err, retrypool.ErrClosed)
		_, err = p.TrySubmit(1)
		require.ErrorIs(t, err, retrypool.ErrClosed)
		assert.Zero(t, p.Stats())
	})
}

func TestCloseRejectsWaiters(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		g := make(latch)
		p := newPool(t, g.fn, retrypool.Config[int]{Capacity: 1})
		submit(t, p, 1)
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				_, err := p.Submit(t.Context(), 2)
				assert.ErrorIs(t, err, retrypool.ErrClosed)
			})
		}
		synctest.Wait()
		wg.Go(func() { assert.NoError(t, p.Close(t.Context())) })
		synctest.Wait()
		close(g)
		wg.Wait()
		assert.Equal(t, retrypool.Stats{Submitted: 1, Succeeded: 1}, p.Stats())
	})
}

func TestSubmitNilContextPanics(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		p := newPool(t, double, retrypool.Config[int]{})
		assert.Panics(t, func() { _, _ = p.Submit(nil, 1) }) //nolint:staticcheck // on purpose
	})
}

// If a callback panics in Submit, no item is added and no room is taken.
func TestPanicInSubmit(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		boom := true
		c := retrypool.Config[int]{Capacity: 1}
		c.Events.Queued = func(retrypool.Event[int]) {
			if boom {
				panic("boom")
			}
		}
		c.Key = func(in int) string {
			if in < 0 {
				panic("boom")
			}
			return ""
		}
		p := newPool(t, double, c)
		assert.Panics(t, func() { _, _ = p.Submit(t.Context(), 1) })
		assert.Panics(t, func() { _, _ = p.TrySubmit(1) })
		boom = false
		assert.Panics(t, func() { _, _ = p.Submit(t.Context(), -1) })
		assert.Panics(t, func() { _, _ = p.TrySubmit(-1) })
		assert.Zero(t, p.Stats())
		submit(t, p, 1)
	})
}

// If every worker waits for an item of its own pool, nothing happens until the contexts end. The
// docs of Submit, Wait and Map say so.
func TestWaitingForItsOwnPool(t *testing.T) {
	t.Parallel()
	type pool = *retrypool.Pool[int, int]
	for name, wait := range map[string]func(ctx context.Context, p pool) error{
		"Submit": func(ctx context.Context, p pool) error {
			for {
				if _, err := p.Submit(ctx, 1); err != nil {
					return err
				}
			}
		},
		"Wait": func(ctx context.Context, p pool) error {
			task, err := p.TrySubmit(1)
			if err != nil {
				return err
			}
			_, err = task.Wait(ctx)
			task.Cancel()
			return err
		},
		"Map": func(ctx context.Context, p pool) error {
			for _, err := range p.Map(ctx, func(yield func(int) bool) { yield(1) }) {
				return err
			}
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				var p pool
				p = newPool(t, func(ctx context.Context, in int) (int, error) {
					if in == 0 {
						return 0, retry.Permanent(wait(ctx, p))
					}
					return in, nil
				}, retrypool.Config[int]{Workers: 1, Capacity: 3})
				ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
				defer cancel()
				began := time.Now()
				task, err := p.Submit(ctx, 0)
				require.NoError(t, err)
				_, err = task.Wait(t.Context())
				require.ErrorIs(t, err, context.DeadlineExceeded)
				assert.Equal(t, time.Hour, time.Since(began))
				cancel()
				require.NoError(t, p.Join(t.Context()))
			})
		})
	}
}
