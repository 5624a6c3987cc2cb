package retrypool

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzFifo compares the queue with a slice. The input has the form of FuzzHeap's.
func FuzzFifo(f *testing.F) {
	f.Add([]byte{0, 3, 1, 1, 0, 1, 5, 1, 1, 3})
	f.Add([]byte{0, 200, 9, 50, 0, 200, 9, 100, 0, 255, 6, 90, 0, 30, 11, 200})
	f.Add([]byte{0, 255, 0, 255, 0, 255, 0, 255, 1, 255, 1, 255, 1, 255, 1, 255})
	f.Fuzz(func(t *testing.T, runs []byte) {
		var queue fifo[int, int]
		queue.head, queue.tail = ^uint32(2), ^uint32(2) // about to overflow
		var want []*item[int, int]
		most := 0
		for _, step := range expandRuns(runs) {
			switch {
			case step%4 == 1 && len(want) > 0:
				if want[0] != queue.pop() {
					t.Fatal("another item")
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
				t.Fatal("another item")
			}
		}
		require.Nil(t, queue.pop())
		require.False(t, slices.ContainsFunc(queue.ring, func(it *item[int, int]) bool { return it != nil }), "removed items are dropped")
	})
}
