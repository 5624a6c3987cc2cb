package retrypool_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/benbjohnson/clock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry/retrypool"
)

// Submitters that waited for room are queued in the order they came. One that comes when there is
// room again is queued after them.
func TestWaitersAreAdmittedInOrder(t *testing.T) {
	const n = 8
	for name, c := range map[string]retrypool.Config[int]{
		"at once":    {},
		"with event": {Events: retrypool.Events[int]{Queued: func(retrypool.Event[int]) {}}},
		"slow event": {Events: retrypool.Events[int]{Queued: func(e retrypool.Event[int]) {
			if e.Item >= 0 && e.Item%2 == 0 {
				time.Sleep(time.Second)
			}
		}}},
		"with clock": {Clock: clock.New()},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				var order log[int]
				c.Workers, c.Capacity, c.Key = 1, n, func(int) string { return "key" }
				p := newPool(t, func(ctx context.Context, in int) (int, error) {
					if in < 0 {
						return untilEnded(ctx, in)
					}
					order.add(in)
					time.Sleep(time.Second)
					return 0, nil
				}, c)
				ctx, cancel := context.WithCancel(t.Context())
				for range n {
					_, err := p.Submit(ctx, -1)
					require.NoError(t, err)
				}
				for i := range n {
					go func() { _, _ = p.Submit(t.Context(), i) }()
					time.Sleep(time.Second)
				}
				cancel() // room for all
				synctest.Wait()
				_, err := p.Submit(t.Context(), n)
				require.NoError(t, err)
				require.NoError(t, p.Join(t.Context()))
				assert.Equal(t, []int{0, 1, 2, 3, 4, 5, 6, 7, 8}, order.list())
				assert.Equal(t, retrypool.Stats{Submitted: 2*n + 1, Succeeded: n + 1, Canceled: n}, p.Stats())
			})
		})
	}
}

// If a waiter gets room and gives it back, because its context ends or its event panics, the next
// waiter is admitted.
func TestReturnedRoomGoesToTheNextWaiter(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		leaving, leave := context.WithCancel(t.Context())
		var order log[int]
		p := newPool(t, func(ctx context.Context, in int) (int, error) {
			if in < 0 {
				return untilEnded(ctx, in)
			}
			order.add(in)
			time.Sleep(time.Hour)
			return 0, nil
		}, retrypool.Config[int]{Workers: 2, Capacity: 2, Events: retrypool.Events[int]{Queued: func(e retrypool.Event[int]) {
			if e.Item == 0 {
				time.Sleep(time.Second)
				panic("event")
			}
		}}})
		ctx, cancel := context.WithCancel(t.Context())
		for range 2 {
			_, err := p.Submit(ctx, -1)
			require.NoError(t, err)
		}
		for i := range 4 {
			go func() {
				defer func() { _ = recover() }()
				waiting := t.Context()
				if i == 1 {
					waiting = leaving
				}
				_, _ = p.Submit(waiting, i)
			}()
			time.Sleep(time.Second)
		}
		cancel()
		synctest.Wait()
		leave()
		time.Sleep(time.Minute)
		assert.Equal(t, []int{2, 3}, order.list())
		assert.Equal(t, retrypool.Stats{Submitted: 4, Running: 2, Canceled: 2}, p.Stats())
	})
}

// If a waiter gets room at the moment its context ends, the room goes to the next waiter.
func TestRoomIsNotLost(t *testing.T) {
	t.Parallel()
	for range 200 {
		synctest.Test(t, func(t *testing.T) {
			g := make(latch)
			p := newPool(t, g.fn, retrypool.Config[int]{Capacity: 1})
			submit(t, p, 1)
			ctx, cancel := context.WithCancel(t.Context())
			var wg sync.WaitGroup
			wg.Go(func() { _, _ = p.Submit(ctx, 2) })
			synctest.Wait()
			wg.Go(func() { submit(t, p, 3) })
			synctest.Wait()
			wg.Go(cancel)
			wg.Go(func() { close(g) })
			wg.Wait()
			submit(t, p, 4)
		})
	}
}
