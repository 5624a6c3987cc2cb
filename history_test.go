package retry_test

import (
	"context"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
)

// numbersOf returns the attempts' numbers.
func numbersOf(all []retry.Attempt) []int {
	numbers := make([]int, 0, len(all))
	for _, a := range all {
		numbers = append(numbers, a.Number)
	}
	return numbers
}

func TestHistoryRing(t *testing.T) {
	t.Parallel()
	for _, size := range []int{0, 1, 2, 3, 7} {
		h := retry.NewHistory(size)
		assert.Equal(t, size, h.Cap())
		assert.Zero(t, h.Len())
		assert.Empty(t, h.Slice())
		for n := 1; n <= 3*size+2; n++ {
			h.Add(retry.Attempt{Number: n})
			want := []int{}
			for i := max(n-size+1, 1); i <= n; i++ {
				want = append(want, i)
			}
			require.Equal(t, min(n, size), h.Len())
			require.Equal(t, want, numbersOf(h.Slice()), "the newest, oldest first")
			require.Equal(t, want, numbersOf(slices.Collect(h.All())))
			require.Equal(t, size, h.Cap())
		}
	}
}

func TestHistoryZeroValue(t *testing.T) {
	t.Parallel()
	var h retry.History
	h.Add(retry.Attempt{Number: 1})
	assert.Zero(t, h.Len())
	assert.Zero(t, h.Cap())
	assert.Empty(t, h.Slice())
	assert.Empty(t, slices.Collect(h.All()))
	require.NoError(t, retry.Do(context.Background(), alwaysReturn(nil), retry.WithHistory(&h)))
	assert.Zero(t, h.Len())
}

func TestHistoryNegativeSize(t *testing.T) {
	t.Parallel()
	h := retry.NewHistory(-4)
	h.Add(retry.Attempt{})
	assert.Zero(t, h.Len())
	assert.Zero(t, h.Cap())
	err := retry.Do(context.Background(), alwaysReturn(nil), retry.WithHistory(h))
	require.ErrorIs(t, err, retry.ErrOption)
	assert.EqualError(t, err, "retry: WithHistory: a size of -4 is negative")
}

func TestHistorySliceIsACopy(t *testing.T) {
	t.Parallel()
	h := retry.NewHistory(2)
	h.Add(retry.Attempt{Number: 1})
	all := h.Slice()
	all[0].Number = 9
	h.Add(retry.Attempt{Number: 2})
	h.Add(retry.Attempt{Number: 3})
	assert.Equal(t, []int{9}, numbersOf(all))
	assert.Equal(t, []int{2, 3}, numbersOf(h.Slice()))
}

func TestHistoryAll(t *testing.T) {
	t.Parallel()
	h := retry.NewHistory(3)
	all := h.All()
	for n := 1; n <= 4; n++ {
		h.Add(retry.Attempt{Number: n})
	}
	for range 2 { // can be ranged over twice
		var seen []int
		for a := range all {
			seen = append(seen, a.Number)
			h.Add(retry.Attempt{Number: 10 + a.Number}) // would block forever if the history were locked
			if len(seen) == 2 {
				break
			}
		}
		assert.Len(t, seen, 2)
		assert.Less(t, seen[0], seen[1])
	}
	assert.Equal(t, []int{13, 14, 23}, func() []int {
		h := retry.NewHistory(3)
		for _, n := range []int{2, 13, 14, 23} {
			h.Add(retry.Attempt{Number: n})
		}
		return numbersOf(slices.Collect(h.All()))
	}())
}

func TestHistoryIsSafeForConcurrentUse(t *testing.T) {
	t.Parallel()
	h := retry.NewHistory(8)
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			for n := range 100 {
				h.Add(retry.Attempt{Number: n + 1})
				for a := range h.All() {
					if a.Number < 1 {
						t.Error("an unknown attempt")
					}
				}
				if h.Len() > h.Cap() || len(h.Slice()) > 8 {
					t.Error("more than the size")
				}
			}
		})
	}
	wg.Wait()
	assert.Equal(t, 8, h.Len())
}

func TestSharedHistoryRecordsEveryAttempt(t *testing.T) {
	t.Parallel()
	h := retry.NewHistory(6)
	p := retry.MustNew(retry.WithHistory(h), atOnce, retry.WithMaxAttempts(3), retry.WithHistorySize(1))
	for _, fails := range []int{0, 2, 9, 0} {
		fn, _ := failTimes(fails, errDown)
		_ = p.Do(context.Background(), fn)
	}
	assert.Equal(t, []int{2, 3, 1, 2, 3, 1}, numbersOf(h.Slice()), "all calls, including successes")
	var failed []bool
	for a := range h.All() {
		failed = append(failed, a.Err != nil)
		assert.False(t, a.Start.IsZero())
	}
	assert.Equal(t, []bool{true, false, true, true, true, false}, failed)
}
