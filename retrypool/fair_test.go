package retrypool_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrypool"
)

// script makes the first attempts of items below 100 fail, and notes the order of attempts.
type script struct {
	mu    sync.Mutex
	seen  map[int]bool
	order []string // f3 for a first attempt of 3, r3 for a retry
	work  time.Duration
}

func (s *script) fn(_ context.Context, in int) (int, error) {
	time.Sleep(s.work)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.seen == nil {
		s.seen = map[int]bool{}
	}
	if s.seen[in] {
		s.order = append(s.order, fmt.Sprint("r", in))
		return in, nil
	}
	s.seen[in] = true
	s.order = append(s.order, fmt.Sprint("f", in))
	if in < 100 {
		return in, errDown
	}
	return in, nil
}

func TestFirstAttemptsAndRetriesTakeTurns(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		s := &script{work: time.Second}
		p := start(t, s.fn, retrypool.Config[int]{Policy: every(10*time.Second, 2)})
		for i := range 4 {
			submit(t, p, i)
		}
		time.Sleep(5 * time.Second)
		assert.Equal(t, 4, p.Stats().Parked)
		submit(t, p, 1000)
		time.Sleep(4500 * time.Millisecond)
		for i := range 6 { // all there before the first retry is due, at 11 s
			submit(t, p, 100+i)
		}
		require.NoError(t, p.Join(t.Context()))
		assert.Equal(t, []string{
			"f0", "f1", "f2", "f3", "f1000",
			"f100", "f101", "r0", "f102", "r1", "f103", "r2", "f104", "r3", "f105",
		}, s.order)
	})
}

// A crowd of retries that fall due together does not hold up first attempts, nor the other
// way round: each gets every other worker that is free.
func TestNeitherStarves(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		s := &script{work: time.Second}
		p := start(t, s.fn, retrypool.Config[int]{Capacity: 1000, Policy: every(time.Hour, 2)})
		for i := range 50 {
			submit(t, p, i)
		}
		time.Sleep(time.Hour - time.Second)
		for i := range 50 {
			submit(t, p, 100+i)
		}
		require.NoError(t, p.Join(t.Context()))
		firsts, retries := 0, 0
		for _, a := range s.order[52:] {
			if a[0] == 'f' {
				firsts++
			} else {
				retries++
			}
			if firsts < 47 && retries < 47 {
				assert.InDelta(t, firsts, retries, 3)
			}
		}
	})
}

func TestOrderOfRetries(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		s := &script{}
		p := start(t, s.fn, retrypool.Config[int]{Policy: every(time.Second, 2)})
		for i := range 40 {
			submit(t, p, i) // all at one instant
		}
		require.NoError(t, p.Join(t.Context()))
		for i := range 40 {
			assert.Equal(t, fmt.Sprint("f", i), s.order[i], "in the order submitted")
			assert.Equal(t, fmt.Sprint("r", i), s.order[40+i], "in the order parked")
		}
	})
}

func TestRetriesWithoutWaitGoBehindTheOthers(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		s := &script{work: time.Second}
		p := start(t, s.fn, retrypool.Config[int]{Policy: every(0, 2)})
		for i := range 3 {
			submit(t, p, i)
		}
		require.NoError(t, p.Join(t.Context()))
		assert.Equal(t, []string{"f0", "r0", "f1", "r1", "f2", "r2"}, s.order)
		assert.Zero(t, p.Stats().Parked)
	})
}

func TestMaxRetrying(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var retrying, most int
		var mu sync.Mutex
		seen := map[int]bool{}
		p := start(t, func(_ context.Context, in int) (int, error) {
			mu.Lock()
			again := seen[in]
			seen[in] = true
			if again {
				retrying++
				most = max(most, retrying)
			}
			mu.Unlock()
			time.Sleep(time.Second)
			mu.Lock()
			defer mu.Unlock()
			if again {
				retrying--
				return in, nil
			}
			return in, errDown
		}, retrypool.Config[int]{Workers: 8, MaxRetrying: 2, Policy: every(time.Hour, 2)})
		for i := range 20 {
			submit(t, p, i)
		}
		time.Sleep(time.Hour + 2500*time.Millisecond)
		assert.Equal(t, 2, p.Stats().Running)
		submit(t, p, 1000) // is not crowded out
		synctest.Wait()
		assert.Equal(t, 3, p.Stats().Running)
		time.Sleep(time.Second)
		synctest.Wait()
		assert.Equal(t, 1, p.Stats().Parked)
		require.NoError(t, p.Join(t.Context()))
		assert.Equal(t, 2, most)
	})
}

// A retry that ends makes way for the next, also when its worker takes something else.
func TestMaxRetryingWakesTheIdle(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		s := &script{work: time.Second}
		p := start(t, s.fn, retrypool.Config[int]{Workers: 2, MaxRetrying: 1, Policy: every(10*time.Second, 2)})
		began := time.Now()
		submit(t, p, 0)
		submit(t, p, 1)
		time.Sleep(11500 * time.Millisecond) // the first retry runs, the second must not
		submit(t, p, 100)
		submit(t, p, 101)
		require.NoError(t, p.Join(t.Context()))
		// The retry ends at 12 s and its worker takes 101; the other one is busy with 100 till
		// 12.5 s, then takes the second retry.
		assert.Equal(t, 13500*time.Millisecond, time.Since(began))
	})
}

func TestKeyKeepsOrder(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		type job struct {
			key string
			n   int
		}
		var mu sync.Mutex
		runs := map[string]int{}
		failures := map[job]int{{"a", 0}: 2, {"b", 1}: 1}
		var done log[string]
		p := start(t, func(_ context.Context, in job) (int, error) {
			mu.Lock()
			runs[in.key]++
			assert.Equal(t, 1, runs[in.key], "one at a time")
			failures[in]--
			fails := failures[in] >= 0
			mu.Unlock()
			time.Sleep(time.Second)
			mu.Lock()
			defer mu.Unlock()
			runs[in.key]--
			if fails {
				return 0, errDown
			}
			done.add(fmt.Sprint(in.key, in.n))
			return 0, nil
		}, retrypool.Config[job]{Workers: 4, Policy: every(time.Minute, 5), Key: func(in job) string { return in.key }})
		for n := range 3 {
			for _, key := range []string{"a", "b", "c"} {
				submit(t, p, job{key, n})
			}
		}
		time.Sleep(10 * time.Second)
		synctest.Wait()
		// c is through; a0 and b1 are parked and hold back the others, which hold no worker.
		assert.Equal(t, retrypool.Stats{Submitted: 9, Succeeded: 4, Queued: 3, Parked: 2}, p.Stats())
		require.NoError(t, p.Join(t.Context()))
		for _, key := range []string{"a", "b", "c"} {
			var order []string
			for _, d := range done.list() {
				if d[:1] == key {
					order = append(order, d)
				}
			}
			assert.Equal(t, []string{key + "0", key + "1", key + "2"}, order)
		}
	})
}

func TestKeyGoesOnAfterAnyEnd(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var done log[int]
		p := start(t, func(_ context.Context, in int) (int, error) {
			done.add(in)
			switch in {
			case 0:
				panic("boom")
			case 1:
				return 0, retry.Permanent(errDown)
			}
			return 0, errDown
		}, retrypool.Config[int]{Workers: 4, Policy: every(time.Minute, 2), Key: func(int) string { return "" }})
		var tasks []*retrypool.Task[int]
		for i := range 6 {
			tasks = append(tasks, submit(t, p, i))
		}
		synctest.Wait()
		assert.Equal(t, []int{0, 1, 2}, done.list())
		assert.Equal(t, retrypool.Stats{Submitted: 6, Failed: 2, Queued: 3, Parked: 1}, p.Stats())
		assert.True(t, tasks[4].Cancel(), "one that waits for its key")
		assert.True(t, tasks[2].Cancel(), "the parked one that holds it back")
		synctest.Wait()
		assert.Equal(t, []int{0, 1, 2, 3}, done.list())
		assert.Equal(t, retrypool.Stats{Submitted: 6, Failed: 2, Canceled: 2, Queued: 1, Parked: 1}, p.Stats())
		require.NoError(t, p.Join(t.Context()))
		assert.Equal(t, []int{0, 1, 2, 3, 3, 5, 5}, done.list())
	})
}
