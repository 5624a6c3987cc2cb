package retrypool

import (
	"bytes"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// FuzzHeap compares the heap with a sorted slice. The input is pairs of bytes: a step and how often
// to repeat it. So short inputs make large heaps, and the fuzzer need not minimize long ones.
func FuzzHeap(f *testing.F) {
	f.Add([]byte{3, 1, 1, 1, 2, 1, 255, 1, 1, 3, 254, 1, 9, 1})
	f.Add([]byte{7, 255, 200, 255, 3, 255, 3, 255, 255, 240, 130, 255, 254, 200, 4, 3})
	f.Add([]byte{7, 255, 200, 250, 3, 255, 9, 255, 241, 255, 250, 255, 247, 255, 241, 255})
	f.Fuzz(func(t *testing.T, runs []byte) {
		type one struct {
			due instant
			it  *item[int, int]
		}
		var h heap[int, int]
		var all []one
		order := ^uint32(5) // about to overflow
		take := func() {
			due, ok := h.first()
			if !ok || due != all[0].due || h.pop() != all[0].it {
				t.Fatal("another one")
			}
			all = all[1:]
		}
		most := 0
		for _, step := range expandRuns(runs) {
			switch {
			case step > 250 && len(all) > 0:
				take()
			case step > 240 && len(all) > 0:
				i := int(step) % len(all)
				h.remove(all[i].it)
				all = slices.Delete(all, i, i+1)
			default:
				due := instant(step % 16)
				it := new(item[int, int])
				h.push(it, due, order)
				order++
				i, _ := slices.BinarySearchFunc(all, due, func(p one, due instant) int {
					if p.due <= due {
						return -1
					}
					return 1
				})
				all = slices.Insert(all, i, one{due, it})
			}
			most = max(most, len(all))
			if h.len() != len(all) || len(h.items) > max(128, 2*most+2) || len(h.entries)+len(h.freeSlots) != len(h.items) {
				t.Fatalf("%d of %d in %d slots, %d free", h.len(), len(all), len(h.items), len(h.freeSlots))
			}
		}
		for len(all) > 0 {
			take()
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
