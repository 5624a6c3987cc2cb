package retrypool_test

import (
	"context"
	"math"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/benbjohnson/clock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrypool"
	"github.com/seed-205ff063/retry/retrytest"
)

// Only the test moves a mock clock on. The bubble is there to know when all goroutines wait.
func TestMockClock(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		mock := clock.NewMock()
		var calls atomic.Int64
		p := newPool(t, func(context.Context, int) (int, error) { calls.Add(1); return 0, errDown },
			retrypool.Config[int]{Clock: mock, Policy: waitEvery(time.Minute, 3, retry.WithMaxElapsed(time.Hour))})
		task := submit(t, p, 1)
		synctest.Wait()
		mock.Add(30 * time.Second)
		later := submit(t, p, 2)
		synctest.Wait()
		assert.EqualValues(t, 2, calls.Load())
		for _, want := range []int64{3, 4, 5, 6} {
			mock.Add(30*time.Second - 1)
			synctest.Wait()
			assert.Equal(t, want-1, calls.Load())
			mock.Add(1)
			synctest.Wait()
			assert.Equal(t, want, calls.Load())
		}
		for _, task := range []*retrypool.Task[int]{task, later} {
			_, err := task.Wait(t.Context())
			assert.Equal(t, 2*time.Minute, retryError(t, err).Elapsed, "the call uses the clock too")
		}
	})
}

// A new wait that ends before the current one is noticed in time.
func TestMockClockEarlierWait(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		mock := clock.NewMock()
		p := newPool(t, func(_ context.Context, in int) (int, error) {
			return 0, retry.After(time.Duration(in)*time.Second, errDown)
		},
			retrypool.Config[int]{Clock: mock, Policy: waitEvery(0, 2, retry.WithMaxRetryAfter(time.Hour), retry.WithJitter(retry.NoJitter))})
		submit(t, p, 60)
		synctest.Wait()
		submit(t, p, 10)
		synctest.Wait()
		assert.Equal(t, 2, p.Stats().Parked)
		mock.Add(10 * time.Second)
		synctest.Wait()
		assert.Equal(t, retrypool.Stats{Submitted: 2, Failed: 1, Parked: 1, Retries: 1}, p.Stats())
		mock.Add(50 * time.Second)
		synctest.Wait()
		assert.Equal(t, 2, p.Stats().Failed)
	})
}

// Without a bubble, the test moves the clock on while goroutines work. A wait that the clock does
// not know yet when it moves ends in time too.
func TestMockClockMovesAtAnyMoment(t *testing.T) {
	t.Parallel()
	mock := clock.NewMock()
	p := newPool(t, alwaysFails, retrypool.Config[int]{Workers: 4, Clock: mock, Policy: waitEvery(time.Second, 5)})
	for i := range 100 {
		submit(t, p, i)
	}
	for p.Stats().Failed < 100 {
		mock.Add(100 * time.Millisecond)
		runtime.Gosched()
	}
	assert.Equal(t, 400, p.Stats().Retries)
}

// racingClock is a clock that moves on just before After registers its first wait.
type racingClock struct {
	*clock.Mock
	moved atomic.Bool
}

func (h *racingClock) After(d time.Duration) <-chan time.Time {
	if !h.moved.Swap(true) {
		h.Add(d)
	}
	return h.Mock.After(d)
}

// That wait is over and must not be waited for a second time.
func TestClockMovesBeforeAfterRegisters(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		p := newPool(t, alwaysFails, retrypool.Config[int]{Clock: &racingClock{Mock: clock.NewMock()}, Policy: waitEvery(time.Minute, 2)})
		submit(t, p, 1)
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		require.NoError(t, p.Join(ctx))
	})
}

// The clock of package retrytest moves on at once by each wait.
func TestRetrytestClock(t *testing.T) {
	t.Parallel()
	var clk retrytest.Clock
	p := newPool(t, alwaysFails, retrypool.Config[int]{Clock: &clk, Policy: waitEvery(time.Hour, 4)})
	_, err := submit(t, p, 1).Wait(context.Background())
	require.ErrorIs(t, err, errDown)
	assert.Equal(t, []time.Duration{time.Hour, time.Hour, time.Hour}, clk.Waits())
	assert.Equal(t, 3*time.Hour, retryError(t, err).Elapsed)
	for i := range 20 {
		submit(t, p, i)
	}
	require.NoError(t, p.Join(context.Background()))
	assert.Equal(t, 21, p.Stats().Failed)
}

// A policy that has a clock of its own keeps it.
func TestPolicyKeepsItsOwnClock(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var clk retrytest.Clock
		p := newPool(t, alwaysFails, retrypool.Config[int]{Policy: waitEvery(time.Hour, 2, retry.WithClock(&clk)), Clock: clock.New()})
		began := time.Now()
		_, err := submit(t, p, 1).Wait(t.Context())
		require.Error(t, err)
		assert.Zero(t, retryError(t, err).Elapsed, "by the policy's clock, which did not move")
		assert.Equal(t, time.Hour, time.Since(began), "by the pool's clock")
	})
}

// The longest possible wait does not overflow to no wait.
func TestHugeWait(t *testing.T) {
	for name, isSetBack := range map[string]bool{"real": false, "set back": true} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				var calls atomic.Int64
				c := retrypool.Config[int]{Policy: waitEvery(math.MaxInt64, 5)}
				clk := new(setBackClock)
				if isSetBack {
					c.Clock = clk
				}
				p := newPool(t, func(context.Context, int) (int, error) { calls.Add(1); return 0, errDown }, c)
				clk.by.Store(int64(-time.Hour))
				time.Sleep(time.Second)
				task := submit(t, p, 1)
				time.Sleep(time.Minute)
				synctest.Wait()
				assert.EqualValues(t, 1, calls.Load())
				assert.Equal(t, 1, p.Stats().Parked)
				task.Cancel()
			})
		})
	}
}

// setBackClock is a clock that can be set back.
type setBackClock struct{ by atomic.Int64 }

func (c *setBackClock) Now() time.Time                         { return time.Now().Add(time.Duration(c.by.Load())) }
func (c *setBackClock) After(d time.Duration) <-chan time.Time { return time.After(d) }

// A clock that was set back gives negative instants. None of them is mistaken for never.
func TestClockSetBack(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var elapsed log[time.Duration]
		var clk setBackClock
		p := newPool(t, alwaysFails, retrypool.Config[int]{
			Clock: &clk, Policy: waitEvery(time.Hour-1, 2),
			Events: retrypool.Events[int]{Failed: func(e retrypool.Event[int]) { elapsed.add(e.Elapsed) }},
		})
		clk.by.Store(int64(-time.Hour))
		submit(t, p, 1)
		time.Sleep(10 * time.Hour)
		synctest.Wait()
		assert.Equal(t, retrypool.Stats{Submitted: 1, Failed: 1, Retries: 1}, p.Stats())
		assert.Equal(t, []time.Duration{time.Hour - 1}, elapsed.list())
	})
}

// Elapsed times are not negative if the clock is set back.
func TestElapsedIsNotNegative(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		mock := clock.NewMock()
		var elapsed log[time.Duration]
		p := newPool(t, func(context.Context, int) (int, error) {
			mock.Set(time.Unix(-3600, 0))
			panic("x")
		}, retrypool.Config[int]{
			Clock:  mock,
			Events: retrypool.Events[int]{Failed: func(e retrypool.Event[int]) { elapsed.add(e.Elapsed) }},
		})
		_, err := submit(t, p, 1).Wait(t.Context())
		assert.Zero(t, retryError(t, err).Elapsed)
		assert.Equal(t, []time.Duration{0}, elapsed.list())
	})
}

// poolReadingClock is a clock whose Now uses the pool.
type poolReadingClock struct {
	clock.Clock
	p atomic.Pointer[retrypool.Pool[int, int]]
}

func (c *poolReadingClock) Now() time.Time {
	if p := c.p.Load(); p != nil {
		p.Stats()
	}
	return c.Clock.Now()
}

// The pool calls no clock's methods while it holds its lock.
func TestClockMayUseThePool(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		clk := &poolReadingClock{Clock: clock.New()}
		p := newPool(t, func(_ context.Context, in int) (int, error) {
			time.Sleep(time.Second)
			if in == 1 {
				return 0, errDown
			}
			return in, nil
		}, retrypool.Config[int]{Workers: 2, Capacity: 3, Clock: clk, Policy: waitEvery(time.Minute, 3)})
		clk.p.Store(p)
		for i := range 10 {
			submit(t, p, i)
		}
		require.NoError(t, p.Join(t.Context()))
		assert.Equal(t, retrypool.Stats{Submitted: 10, Succeeded: 9, Failed: 1, Retries: 2}, p.Stats())
	})
}

// A pool without a clock uses its policy's.
func TestPoolUsesThePolicysClock(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var clk retrytest.Clock
		p := newPool(t, alwaysFails, retrypool.Config[int]{Policy: waitEvery(time.Hour, 3, retry.WithClock(&clk))})
		began := time.Now()
		_, err := submit(t, p, 1).Wait(t.Context())
		assert.Equal(t, 2*time.Hour, retryError(t, err).Elapsed)
		assert.Zero(t, time.Since(began))
	})
}
