package main

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry/benchmarks"
)

// Every library comes to its wait and stays there. The test uses only contexts that can be cancelled,
// because the other calls would wait for an hour.
func TestEveryLibraryWaits(t *testing.T) {
	for _, l := range benchmarks.WaitingLibraries() {
		t.Run(l.ID, func(t *testing.T) {
			op, err := benchmarks.WaitingOp(l.ID, true)
			require.NoError(t, err)
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			got := measure(ctx, op, 200, 1)
			assert.Positive(t, got.Stack)
			assert.Positive(t, got.Heap)
		})
	}
}

func TestUnknownLibrary(t *testing.T) {
	_, err := benchmarks.WaitingOp("nobody", false)
	assert.ErrorContains(t, err, `no library "nobody" waits`)
}
