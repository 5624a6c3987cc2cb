package retrypool

import (
	"context"
	"strconv"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A parked item takes the memory of an item and of its heap entry. 208 is one of Go's allocation
// sizes.
func TestSizeOfAnItem(t *testing.T) {
	t.Parallel()
	if unsafe.Sizeof(uintptr(0)) != 8 {
		t.Skip("for 64 bits")
	}
	assert.LessOrEqual(t, int(unsafe.Sizeof(item[int, int]{})), 208)
	assert.LessOrEqual(t, int(unsafe.Sizeof(parkedEntry{})), 16)
}

// The pool holds nothing of settled items, also after a context ended for several of them.
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
		"ending": len(p.endedWatches), "watches": len(p.watches), "lanes": len(p.keyQueues), "running": len(p.workers),
		"fresh": p.firstQueue.live, "due": p.retryQueue.live, "parked": p.parked.len(), "hands": p.goroutines, "used": p.used, "idle": p.idle,
	} {
		assert.Zero(t, n, name)
	}
}
