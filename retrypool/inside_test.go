package retrypool

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// FuzzFifo compares the queue with a slice.
func FuzzFifo(f *testing.F) {
	f.Add([]byte{0, 0, 0, 1, 0, 5, 1, 1, 1})
	f.Add(slices.Repeat([]byte{0, 0, 0, 9}, 600))
	f.Add(append(slices.Repeat([]byte{0}, 1500), slices.Repeat([]byte{1}, 1500)...))
	f.Fuzz(func(t *testing.T, steps []byte) {
		var queue fifo[int, int]
		queue.head, queue.tail = ^uint32(2), ^uint32(2) // about to overflow
		var want []*item[int, int]
		most := 0
		for _, step := range steps {
			switch {
			case step%4 == 1 && len(want) > 0:
				if want[0] != queue.pop() {
					t.Fatal("another one")
				}
				want = want[1:]
			case step%4 == 1:
				require.Nil(t, queue.pop())
			case step > 4 && len(want) > 0:
				i := int(step) % len(want)
				queue.remove(want[i])
				want = slices.Delete(want, i, i+1)
			default:
				it := new(item[int, int])
				queue.push(it)
				want = append(want, it)
			}
			most = max(most, len(want))
			if len(want) != queue.live || len(queue.ring) > max(8, 4*most) {
				t.Fatalf("%d of %d in a ring of %d", queue.live, len(want), len(queue.ring))
			}
		}
		for _, it := range want {
			if it != queue.pop() {
				t.Fatal("another one")
			}
		}
		require.Nil(t, queue.pop())
		require.False(t, slices.ContainsFunc(queue.ring, func(it *item[int, int]) bool { return it != nil }), "nothing is kept")
	})
}

// FuzzHeap compares the heap with a sorted slice.
func FuzzHeap(f *testing.F) {
	f.Add([]byte{3, 1, 2, 255, 1, 1, 1, 254, 9})
	f.Add(slices.Repeat([]byte{7, 200, 3, 3, 255, 130}, 400))
	f.Fuzz(func(t *testing.T, steps []byte) {
		var h heap[int, int]
		var all []parking[int, int]
		order := ^uint32(5) // about to overflow
		for _, step := range steps {
			switch {
			case step > 250 && len(all) > 0:
				if all[0].it != h.remove(0) {
					t.Fatal("another one")
				}
				all = all[1:]
			case step > 240 && len(all) > 0:
				i := int(step) % len(all)
				require.Same(t, all[i].it, h.remove(int(all[i].it.place)))
				all = slices.Delete(all, i, i+1)
			default:
				it := &item[int, int]{order: order}
				order++
				h.push(it, time.Duration(step%16))
				i, _ := slices.BinarySearchFunc(all, it, func(p parking[int, int], _ *item[int, int]) int {
					if p.due <= time.Duration(step%16) {
						return -1
					}
					return 1
				})
				all = slices.Insert(all, i, parking[int, int]{time.Duration(step % 16), it})
			}
			for i, p := range h {
				if int(p.it.place) != i {
					t.Fatalf("the item at %d notes %d", i, p.it.place)
				}
			}
		}
		for _, p := range all {
			if p.it != h.remove(0) {
				t.Fatal("another one")
			}
		}
		assert.Empty(t, h)
		for _, p := range h[:cap(h)] {
			require.Nil(t, p.it, "nothing is kept")
		}
	})
}

// A burst of items does not leave its memory behind.
func TestLargeQueuesAreGivenBack(t *testing.T) {
	t.Parallel()
	var queue fifo[int, int]
	var h heap[int, int]
	for range 2000 {
		queue.push(new(item[int, int]))
		h.push(new(item[int, int]), 1)
	}
	for range 2000 {
		queue.pop()
		h.remove(0)
	}
	assert.Nil(t, queue.ring)
	assert.Nil(t, h)
}
