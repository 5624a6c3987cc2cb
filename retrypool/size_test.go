package retrypool

import (
	"testing"
	"unsafe"

	"github.com/stretchr/testify/assert"
)

// An item and its place in the heap: what a parked item takes of memory. Go hands memory out
// in sizes of which 208 is one.
func TestSizeOfAnItem(t *testing.T) {
	t.Parallel()
	if unsafe.Sizeof(uintptr(0)) != 8 {
		t.Skip("for 64 bits")
	}
	assert.LessOrEqual(t, int(unsafe.Sizeof(item[int, int]{})), 208)
	assert.LessOrEqual(t, int(unsafe.Sizeof(parking{})), 16)
}
