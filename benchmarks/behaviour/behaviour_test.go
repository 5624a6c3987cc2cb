package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry/benchmarks"
)

func TestOurs(t *testing.T) {
	l := benchmarks.Libraries()[0]
	require.True(t, l.Ours)
	got := observation{Allocs: allocs(l)}
	observe(l, &got)
	assert.Less(t, got.Late, atOnce, "gives up at once")
	got.Late = 0
	assert.Equal(t, observation{Last: true, CtxErr: true, Cause: true}, got)
}

func TestTable(t *testing.T) {
	t.Parallel()
	text := render([]observation{
		{Name: "one", Ours: true, Last: true, Cause: true},
		{Name: "two", Version: "v1.2.3", CtxErr: true, Late: deadline, DeadCalls: 1, Allocs: 14},
	})
	assert.Contains(t, text, "| **one** | ✓ | – | ✓ | gives up at once | 0 | 0 |\n")
	assert.Contains(t, text, "| two | – | ✓ | – | sleeps 50ms | 1 | 14 |\n")
	assert.Contains(t, text, ": two v1.2.3.\n")
}
