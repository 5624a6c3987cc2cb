package retrypool

import (
	"bytes"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// parkedItem is an item in a sortedItems.
type parkedItem struct {
	due instant
	it  *item[int, int]
}

// sortedItems is a slice with the methods of a heap, in the order of the due times.
type sortedItems []parkedItem

func (s *sortedItems) push(it *item[int, int], due instant) {
	i, _ := slices.BinarySearchFunc(*s, due, func(p parkedItem, due instant) int {
		if p.due <= due {
			return -1
		}
		return 1
	})
	*s = slices.Insert(*s, i, parkedItem{due, it})
}

// pop removes the first item from s and from h, and checks that it is the same.
func (s *sortedItems) pop(t *testing.T, h *heap[int, int]) {
	want := (*s)[0]
	due, ok := h.first()
	if !ok || due != want.due || h.pop() != want.it {
		t.Fatal("another item")
	}
	*s = (*s)[1:]
}

// FuzzHeap compares the heap with a sorted slice. The input is pairs of bytes: a step and how often
// to repeat it. So short inputs make large heaps, and the fuzzer need not minimize long ones.
func FuzzHeap(f *testing.F) {
	f.Add([]byte{3, 1, 1, 1, 2, 1, 255, 1, 1, 3, 254, 1, 9, 1})
	f.Add([]byte{7, 255, 200, 255, 3, 255, 3, 255, 255, 240, 130, 255, 254, 200, 4, 3})
	f.Add([]byte{7, 255, 200, 250, 3, 255, 9, 255, 241, 255, 250, 255, 247, 255, 241, 255})
	f.Fuzz(func(t *testing.T, runs []byte) {
		var h heap[int, int]
		var want sortedItems
		order := ^uint32(5) // about to overflow
		most := 0
		for _, step := range expandRuns(runs) {
			switch {
			case step > 250 && len(want) > 0:
				want.pop(t, &h)
			case step > 240 && len(want) > 0:
				i := int(step) % len(want)
				h.remove(want[i].it)
				want = slices.Delete(want, i, i+1)
			default:
				due, it := instant(step%16), new(item[int, int])
				h.push(it, due, order)
				order++
				want.push(it, due)
			}
			most = max(most, len(want))
			if h.len() != len(want) || len(h.items) > max(128, 2*most+2) || len(h.entries)+len(h.freeSlots) != len(h.items) {
				t.Fatalf("%d of %d in %d slots, %d free", h.len(), len(want), len(h.items), len(h.freeSlots))
			}
		}
		for len(want) > 0 {
			want.pop(t, &h)
		}
		_, ok := h.first()
		require.False(t, ok)
		for _, it := range h.items {
			require.Nil(t, it, "removed items are dropped")
		}
	})
}

// expandRuns repeats each step of runs as often as the byte after it says. It ignores all but
// the first 16 runs.
func expandRuns(runs []byte) (steps []byte) {
	for run := range slices.Chunk(runs[:min(len(runs), 32)], 2) {
		steps = append(steps, bytes.Repeat(run[:1], int(run[len(run)-1]))...)
	}
	return steps
}

// The memory of a burst of items is freed once the queues are empty.
func TestLargeQueuesAreFreed(t *testing.T) {
	t.Parallel()
	var queue fifo[int, int]
	var h heap[int, int]
	for range 2000 {
		queue.push(new(item[int, int]))
		h.push(new(item[int, int]), 1, 0)
	}
	for range 2000 {
		queue.pop()
		h.pop()
	}
	assert.Nil(t, queue.ring)
	assert.Zero(t, h)
	for range 2000 {
		h.push(new(item[int, int]), 1, 0)
	}
	for _, it := range slices.Clone(h.items) {
		h.remove(it)
	}
	assert.Zero(t, h)
}
