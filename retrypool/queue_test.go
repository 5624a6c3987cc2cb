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

	"github.com/seed-205ff063/retry/retrypool"
)

// script fails the first attempts of items below 100 and records the order of attempts.
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
		p := newPool(t, s.fn, retrypool.Config[int]{Policy: waitEvery(10*time.Second, 2)})
		for i := range 4 {
			submit(t, p, i)
		}
		time.Sleep(5 * time.Second)
		assert.Equal(t, 4, p.Stats().Parked)
		submit(t, p, 1000)
		time.Sleep(4500 * time.Millisecond)
		for i := range 6 { // all queued before the first retry is due, at 11 s
			submit(t, p, 100+i)
		}
		require.NoError(t, p.Join(t.Context()))
		assert.Equal(t, []string{
			"f0", "f1", "f2", "f3", "f1000",
			"f100", "f101", "r0", "f102", "r1", "f103", "r2", "f104", "r3", "f105",
		}, s.order)
	})
}

// Many retries that fall due together do not hold up first attempts, and many first attempts do not
// hold up retries. They alternate.
func TestNeitherStarves(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		s := &script{work: time.Second}
		p := newPool(t, s.fn, retrypool.Config[int]{Capacity: 1000, Policy: waitEvery(time.Hour, 2)})
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
		p := newPool(t, s.fn, retrypool.Config[int]{Policy: waitEvery(time.Second, 2)})
		for i := range 40 {
			submit(t, p, i) // all at the same time
		}
		require.NoError(t, p.Join(t.Context()))
		for i := range 40 {
			assert.Equal(t, fmt.Sprint("f", i), s.order[i], "in the order submitted")
			assert.Equal(t, fmt.Sprint("r", i), s.order[40+i], "in the order parked")
		}
	})
}

func TestRetriesWithoutWaitAlternateToo(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		s := &script{work: time.Second}
		p := newPool(t, s.fn, retrypool.Config[int]{Policy: waitEvery(0, 2)})
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
		p := newPool(t, func(_ context.Context, in int) (int, error) {
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
		}, retrypool.Config[int]{Workers: 8, MaxRetrying: 2, Policy: waitEvery(time.Hour, 2)})
		for i := range 20 {
			submit(t, p, i)
		}
		time.Sleep(time.Hour + 2500*time.Millisecond)
		assert.Equal(t, 2, p.Stats().Running)
		submit(t, p, 1000) // runs although retries wait
		synctest.Wait()
		assert.Equal(t, 3, p.Stats().Running)
		time.Sleep(time.Second)
		synctest.Wait()
		assert.Equal(t, 1, p.Stats().Parked)
		require.NoError(t, p.Join(t.Context()))
		assert.Equal(t, 2, most)
	})
}

// When a retry ends, another worker may take the next one if the retry's worker takes a first
// attempt.
func TestMaxRetryingWakesTheIdle(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		s := &script{work: time.Second}
		p := newPool(t, s.fn, retrypool.Config[int]{Workers: 2, MaxRetrying: 1, Policy: waitEvery(10*time.Second, 2)})
		began := time.Now()
		submit(t, p, 0)
		submit(t, p, 1)
		time.Sleep(11500 * time.Millisecond) // the first retry runs, the second must not
		submit(t, p, 100)
		submit(t, p, 101)
		require.NoError(t, p.Join(t.Context()))
		// The retry ends at 12 s, and its worker takes 101. The other worker is busy with 100
		// until 12.5 s, then takes the second retry.
		assert.Equal(t, 13500*time.Millisecond, time.Since(began))
	})
}
