package retrypool_test

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrypool"
)

// Items of a shared context and an item with a context of its own end with their own context only.
func TestContextsAreIndependent(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		p := newPool(t, alwaysFails, retrypool.Config[int]{Policy: waitEvery(time.Hour, 2)})
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

// The watch of a context is closed once all its items are settled. Later items with the same
// context get a new one.
func TestContextReused(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		g := make(latch)
		p := newPool(t, g.fn, retrypool.Config[int]{Policy: waitEvery(time.Hour, 1)})
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

// customContext is a context of a type that package context does not know. Contexts derived from
// it notice its end a little later.
type customContext struct {
	context.Context
	done chan struct{}
	mu   sync.Mutex
	err  error
}

func newCustomContext() *customContext {
	return &customContext{Context: context.Background(), done: make(chan struct{})}
}

func (c *customContext) Done() <-chan struct{} { return c.done }
func (c *customContext) Value(any) any         { return nil }
func (c *customContext) Err() error            { c.mu.Lock(); defer c.mu.Unlock(); return c.err }
func (c *customContext) end(err error)         { c.mu.Lock(); c.err = err; c.mu.Unlock(); close(c.done) }

// orderedContext is a customContext that runs its AfterFunc callbacks when the test says so.
type orderedContext struct {
	customContext
	callbacks log[func()]
}

func newOrderedContext() *orderedContext {
	c := new(orderedContext)
	c.Context, c.done = context.Background(), make(chan struct{})
	return c
}

func (c *orderedContext) AfterFunc(f func()) (stop func() bool) {
	c.callbacks.add(f)
	return func() bool { return false }
}

// notify runs the callback that was registered in place i, from 0.
func (c *orderedContext) notify(i int) { c.callbacks.list()[i]() }

// The watch may notice the end of the submitting context before the item's context does, or after
// it. Either way there is no further attempt, and a deadline counts as a deadline.
func TestWatchEndsBeforeItemContext(t *testing.T) {
	for _, first := range []int{0, 1} {
		t.Run(fmt.Sprint(first), func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				var letters log[int]
				var calls atomic.Int64
				p := newPool(t, func(ctx context.Context, _ int) (int, error) {
					calls.Add(1)
					ctx.Done()
					return 0, errDown
				}, retrypool.Config[int]{
					Policy:     waitEvery(time.Hour, 5),
					DeadLetter: func(_ context.Context, in int, _ *retry.Error) error { letters.add(in); return nil },
				})
				c := newOrderedContext()
				_, err := p.Submit(c, 1)
				require.NoError(t, err)
				synctest.Wait()
				c.end(context.DeadlineExceeded)
				require.Len(t, c.callbacks.list(), 2)
				for _, i := range []int{first, 1 - first} {
					c.notify(i)
					synctest.Wait()
				}
				assert.EqualValues(t, 1, calls.Load())
				assert.Equal(t, []int{1}, letters.list())
				assert.Equal(t, retrypool.Stats{Submitted: 1, DeadLettered: 1}, p.Stats())
			})
		})
	}
}

// The same while the item is about to be parked.
func TestWatchEndsBeforeItemContextWhileParking(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var letters log[int]
		var calls atomic.Int64
		c := newOrderedContext()
		p := newPool(t, func(ctx context.Context, _ int) (int, error) {
			calls.Add(1)
			ctx.Done()
			return 0, errDown
		}, retrypool.Config[int]{
			Policy:     waitEvery(time.Hour, 5),
			DeadLetter: func(_ context.Context, in int, _ *retry.Error) error { letters.add(in); return nil },
			Events: retrypool.Events[int]{Parked: func(retrypool.Event[int]) {
				if calls.Load() == 1 {
					c.end(context.DeadlineExceeded)
					c.notify(0) // the pool's watch, while the item is running
					time.Sleep(time.Second)
				}
			}},
		})
		_, err := p.Submit(c, 1)
		require.NoError(t, err)
		time.Sleep(time.Minute)
		c.notify(1)
		synctest.Wait()
		assert.EqualValues(t, 1, calls.Load())
		assert.Equal(t, []int{1}, letters.list())
		assert.Equal(t, retrypool.Stats{Submitted: 1, DeadLettered: 1}, p.Stats())
	})
}

// The same with many contexts, and with many items that share one.
func TestNoAttemptAfterTheEnd(t *testing.T) {
	t.Parallel()
	const n = 200
	for _, shared := range []bool{false, true} {
		var letters, late, byNoWorker atomic.Int64
		var ended atomic.Bool
		p := newPool(t, func(ctx context.Context, _ int) (int, error) {
			if ended.Load() {
				late.Add(1)
			}
			select {
			case <-ctx.Done():
				return 0, ctx.Err()
			default:
				return 0, errDown
			}
		}, retrypool.Config[int]{
			Capacity: n, Policy: waitEvery(time.Hour, 5),
			DeadLetter: func(context.Context, int, *retry.Error) error { letters.Add(1); return nil },
			Events: retrypool.Events[int]{Started: func(e retrypool.Event[int]) {
				if e.Worker == 0 {
					byNoWorker.Add(1)
				}
			}},
		})
		var all []*customContext
		for i := range n {
			if i == 0 || !shared {
				all = append(all, newCustomContext())
			}
			_, err := p.Submit(all[len(all)-1], i)
			require.NoError(t, err)
		}
		for p.Stats().Parked < n {
			runtime.Gosched()
		}
		ended.Store(true)
		for _, c := range all {
			c.end(context.DeadlineExceeded)
		}
		require.NoError(t, p.Join(t.Context()))
		assert.Zero(t, late.Load(), "attempts after the end")
		assert.Zero(t, byNoWorker.Load(), "attempts by no worker")
		assert.Equal(t, retrypool.Stats{Submitted: n, DeadLettered: n}, p.Stats())
		assert.EqualValues(t, n, letters.Load())
	}
}

// noDeadline hides a deadline, so that a wait can pass it.
type noDeadline struct{ context.Context }

func (noDeadline) Deadline() (time.Time, bool) { return time.Time{}, false }

// Idle workers help to settle the items of a context that ended.
func TestWorkersHelpToSettle(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		p := newPool(t, alwaysFails, retrypool.Config[int]{
			Workers: 10, Policy: waitEvery(time.Hour, 3),
			DeadLetter: func(context.Context, int, *retry.Error) error { time.Sleep(time.Second); return nil },
		})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		for i := range 22 {
			_, err := p.Submit(noDeadline{ctx}, i)
			require.NoError(t, err)
		}
		<-ctx.Done()
		ended := time.Now()
		require.NoError(t, p.Join(t.Context()))
		assert.Equal(t, 2*time.Second, time.Since(ended), "ten workers and the context's goroutine")
		assert.Equal(t, 22, p.Stats().DeadLettered)
	})
}
