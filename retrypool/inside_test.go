package retrypool

import (
	"bytes"
	"context"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// FuzzFifo compares the queue with a slice. Its input is as FuzzHeap's.
func FuzzFifo(f *testing.F) {
	f.Add([]byte{0, 3, 1, 1, 0, 1, 5, 1, 1, 3})
	f.Add([]byte{0, 200, 9, 50, 0, 200, 9, 100, 0, 255, 6, 90, 0, 30, 11, 200})
	f.Add([]byte{0, 255, 0, 255, 0, 255, 0, 255, 1, 255, 1, 255, 1, 255, 1, 255})
	f.Fuzz(func(t *testing.T, runs []byte) {
		var queue fifo[int, int]
		queue.head, queue.tail = ^uint32(2), ^uint32(2) // about to overflow
		var want []*item[int, int]
		most := 0
		for _, step := range unfold(runs) {
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

// FuzzHeap compares the heap with a sorted slice. The input is pairs of bytes, a step and how
// often it is made: short inputs make large heaps, for the fuzzer would else spend its time on
// minimizing long ones.
func FuzzHeap(f *testing.F) {
	f.Add([]byte{3, 1, 1, 1, 2, 1, 255, 1, 1, 3, 254, 1, 9, 1})
	f.Add([]byte{7, 255, 200, 255, 3, 255, 3, 255, 255, 240, 130, 255, 254, 200, 4, 3})
	f.Add([]byte{7, 255, 200, 250, 3, 255, 9, 255, 241, 255, 250, 255, 247, 255, 241, 255})
	f.Fuzz(func(t *testing.T, runs []byte) {
		type one struct {
			due reading
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
		for _, step := range unfold(runs) {
			switch {
			case step > 250 && len(all) > 0:
				take()
			case step > 240 && len(all) > 0:
				i := int(step) % len(all)
				h.remove(all[i].it)
				all = slices.Delete(all, i, i+1)
			default:
				due := reading(step % 16)
				it := new(item[int, int])
				h.push(it, due, order)
				order++
				i, _ := slices.BinarySearchFunc(all, due, func(p one, due reading) int {
					if p.due <= due {
						return -1
					}
					return 1
				})
				all = slices.Insert(all, i, one{due, it})
			}
			most = max(most, len(all))
			if h.len() != len(all) || len(h.slots) > max(128, 2*most+2) || len(h.all)+len(h.free) != len(h.slots) {
				t.Fatalf("%d of %d in %d slots, %d free", h.len(), len(all), len(h.slots), len(h.free))
			}
		}
		for len(all) > 0 {
			take()
		}
		_, ok := h.first()
		require.False(t, ok)
		for _, it := range h.slots {
			require.Nil(t, it, "nothing is kept")
		}
	})
}

// unfold makes each step of runs as often as the byte after it says; what is beyond 16 runs
// is left out.
func unfold(runs []byte) (steps []byte) {
	for run := range slices.Chunk(runs[:min(len(runs), 32)], 2) {
		steps = append(steps, bytes.Repeat(run[:1], int(run[len(run)-1]))...)
	}
	return steps
}

// A burst of items does not leave its memory behind.
func TestLargeQueuesAreGivenBack(t *testing.T) {
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
	for _, it := range slices.Clone(h.slots) {
		h.remove(it)
	}
	assert.Zero(t, h)
}

// What is settled has left no trace, also where a context ended for several at once.
func TestNothingIsKept(t *testing.T) {
	t.Parallel()
	p, err := New(func(ctx context.Context, in int) (int, error) {
		<-ctx.Done()
		return in, ctx.Err()
	}, Config[int]{Workers: 2, Capacity: 10, Key: strconv.Itoa})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	for i := range 10 {
		_, err := p.Submit(ctx, i/2)
		require.NoError(t, err)
	}
	cancel()
	require.NoError(t, p.Close(t.Context()))
	assert.Equal(t, Stats{Submitted: 10, Canceled: 10}, p.Stats())
	for name, n := range map[string]int{
		"ending": len(p.ending), "watches": len(p.watches), "lanes": len(p.lanes), "running": len(p.running),
		"fresh": p.fresh.live, "due": p.due.live, "parked": p.parked.len(), "hands": p.hands, "used": p.used, "idle": p.idle,
	} {
		assert.Zero(t, n, name)
	}
}
