package retrypool_test

import (
	"context"
	"errors"
	"iter"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrypool"
)

// count yields 0, 1, 2, … below n.
func count(n int) iter.Seq[int] {
	return func(yield func(int) bool) {
		for i := range n {
			if !yield(i) {
				return
			}
		}
	}
}

func TestMapKeepsTheOrder(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		p := newPool(t, func(_ context.Context, in int) (int, error) {
			time.Sleep(time.Duration(100-in%7) * time.Millisecond)
			if in%10 == 3 {
				return -in, retry.Permanent(errDown)
			}
			return 2 * in, nil
		}, retrypool.Config[int]{Workers: 5, Capacity: 8})
		i := 0
		for v, err := range p.Map(t.Context(), count(50)) {
			if i%10 == 3 {
				require.ErrorIs(t, err, errDown)
				assert.Equal(t, -i, v, "the last value that the function returned")
			} else {
				require.NoError(t, err)
				assert.Equal(t, 2*i, v)
			}
			i++
		}
		assert.Equal(t, 50, i)
		for range p.Map(t.Context(), count(0)) {
			t.Error("there are no items")
		}
	})
}

func TestMapLooksAheadNoFurtherThanCapacity(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var pulled atomic.Int64
		items := func(yield func(int) bool) {
			for i := range 30 {
				pulled.Add(1)
				if !yield(i) {
					return
				}
			}
		}
		p := newPool(t, double, retrypool.Config[int]{Workers: 2, Capacity: 4})
		n := int64(0)
		for range p.Map(t.Context(), items) {
			synctest.Wait()
			assert.EqualValues(t, min(n+4, 30), pulled.Load(), "Capacity items ahead, and no more")
			n++
		}
		assert.EqualValues(t, 30, n)
	})
}

// Results are yielded while the sequence of items blocks, so that the sequence may depend on
// them.
func TestMapDoesNotWaitForTheSequence(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		more := make(chan int, 1)
		more <- 0
		items := func(yield func(int) bool) {
			for i := range more {
				if !yield(i) {
					return
				}
			}
		}
		p := newPool(t, double, retrypool.Config[int]{})
		n := 0
		for v, err := range p.Map(t.Context(), items) {
			require.NoError(t, err)
			assert.Equal(t, 2*n, v)
			if n++; n == 5 {
				close(more)
			} else {
				more <- n
			}
		}
		assert.Equal(t, 5, n)
	})
}

func TestMapLoopIsLeft(t *testing.T) {
	t.Parallel()
	for name, leave := range map[string]func(){"break": func() {}, "panic": func() { panic("boom") }} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				ended := false
				items := func(yield func(int) bool) {
					defer func() { ended = true }()
					for i := 0; yield(i); i++ {
					}
				}
				p := newPool(t, func(ctx context.Context, in int) (int, error) {
					if in == 1 {
						return untilEnded(ctx, in)
					}
					return in, nil
				}, retrypool.Config[int]{Workers: 1, Capacity: 10})
				func() {
					defer func() { _ = recover() }()
					for range p.Map(t.Context(), items) {
						synctest.Wait()
						leave()
						break
					}
				}()
				assert.True(t, ended, "the sequence ends before the loop does")
				synctest.Wait()
				s := p.Stats()
				assert.Equal(t, retrypool.Stats{Submitted: s.Submitted, Succeeded: 1, Canceled: s.Submitted - 1}, s)
			})
		})
	}
}

func TestMapEndsWithItsContext(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		p := newPool(t, func(ctx context.Context, in int) (int, error) {
			if in == 3 {
				return untilEnded(ctx, in)
			}
			return in, nil
		}, retrypool.Config[int]{Workers: 1, Capacity: 10})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		var errs []error
		for _, err := range p.Map(ctx, count(100)) {
			errs = append(errs, err)
		}
		require.Len(t, errs, 4)
		require.NoError(t, errors.Join(errs[:3]...))
		require.EqualError(t, errs[3], "retrypool: Map: context deadline exceeded")
		require.ErrorIs(t, errs[3], context.DeadlineExceeded)

		errs = nil
		for _, err := range p.Map(ctx, count(100)) {
			errs = append(errs, err)
		}
		require.Len(t, errs, 1)
		require.ErrorIs(t, errs[0], context.DeadlineExceeded)
	})
}

// If the context ends after the last result was yielded, there is no error.
func TestMapContextEndsAfterTheLast(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		p := newPool(t, double, retrypool.Config[int]{})
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		n := 0
		for _, err := range p.Map(ctx, count(3)) {
			require.NoError(t, err)
			if n++; n == 3 {
				synctest.Wait()
				cancel()
			}
		}
		assert.Equal(t, 3, n)
	})
}

func TestMapOfAClosedPool(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		p := newPool(t, double, retrypool.Config[int]{Capacity: 2})
		var errs []error
		for _, err := range p.Map(t.Context(), count(100)) {
			if errs = append(errs, err); len(errs) == 1 {
				synctest.Wait()
				require.NoError(t, p.Close(t.Context()))
			}
		}
		require.NoError(t, errors.Join(errs[:len(errs)-1]...), "the items submitted before Close")
		require.ErrorIs(t, errs[len(errs)-1], retrypool.ErrClosed)
		assert.Equal(t, p.Stats().Submitted, len(errs)-1)
	})
}

func TestMapPanicOfTheSequence(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		p := newPool(t, double, retrypool.Config[int]{})
		var got []int
		assert.PanicsWithValue(t, "boom", func() {
			for v := range p.Map(t.Context(), func(yield func(int) bool) { yield(1); panic("boom") }) {
				got = append(got, v)
			}
		})
		assert.Equal(t, []int{2}, got)
	})
}

func TestMapTwiceAtOnce(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		p := newPool(t, double, retrypool.Config[int]{Workers: 2, Capacity: 3})
		twice := p.Map(t.Context(), slices.Values([]int{1, 2, 3, 4, 5}))
		n := 0
		for a := range twice {
			for b := range twice {
				n += a * b
			}
		}
		assert.Equal(t, 900, n)
	})
}

// Map's allocations do not depend on the pool's capacity.
func TestMapOfALargePool(t *testing.T) {
	p := newPool(t, double, retrypool.Config[int]{Capacity: 50_000_000})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for _, err := range p.Map(t.Context(), count(1)) {
		require.NoError(t, err)
	}
	runtime.ReadMemStats(&after)
	assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(1<<20))
}

// If the sequence ends its goroutine, as a test's require does, the loop's goroutine ends too.
func TestMapGoexitOfTheSequence(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		p := newPool(t, double, retrypool.Config[int]{})
		var results log[int]
		over, ended := false, make(chan struct{})
		go func() {
			defer close(ended)
			for out := range p.Map(t.Context(), func(yield func(int) bool) { yield(1); runtime.Goexit() }) {
				results.add(out)
			}
			over = true
		}()
		<-ended
		assert.False(t, over)
		assert.Equal(t, []int{2}, results.list())
	})
}
