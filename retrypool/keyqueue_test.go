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
		p := newPool(t, func(_ context.Context, in job) (int, error) {
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
		}, retrypool.Config[job]{Workers: 4, Policy: waitEvery(time.Minute, 5), Key: func(in job) string { return in.key }})
		for n := range 3 {
			for _, key := range []string{"a", "b", "c"} {
				submit(t, p, job{key, n})
			}
		}
		time.Sleep(10 * time.Second)
		synctest.Wait()
		// All of c are done. a0 and b1 are parked; the items behind them wait without a worker.
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

func TestKeyContinuesAfterAnyOutcome(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var done log[int]
		p := newPool(t, func(_ context.Context, in int) (int, error) {
			done.add(in)
			switch in {
			case 0:
				panic("boom")
			case 1:
				return 0, retry.Permanent(errDown)
			}
			return 0, errDown
		}, retrypool.Config[int]{Workers: 4, Policy: waitEvery(time.Minute, 2), Key: func(int) string { return "" }})
		var tasks []*retrypool.Task[int]
		for i := range 6 {
			tasks = append(tasks, submit(t, p, i))
		}
		synctest.Wait()
		assert.Equal(t, []int{0, 1, 2}, done.list())
		assert.Equal(t, retrypool.Stats{Submitted: 6, Failed: 2, Queued: 3, Parked: 1}, p.Stats())
		assert.True(t, tasks[4].Cancel(), "an item that waits for its key")
		assert.True(t, tasks[2].Cancel(), "the parked item ahead of it")
		synctest.Wait()
		assert.Equal(t, []int{0, 1, 2, 3}, done.list())
		assert.Equal(t, retrypool.Stats{Submitted: 6, Failed: 2, Canceled: 2, Queued: 1, Parked: 1}, p.Stats())
		require.NoError(t, p.Join(t.Context()))
		assert.Equal(t, []int{0, 1, 2, 3, 3, 5, 5}, done.list())
	})
}
