package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestFormatCounts(t *testing.T) {
	t.Parallel()
	assert.Equal(t, "none", formatCounts(nil))
	assert.Equal(t, "2 × a, 1 × b", formatCounts(map[string]int{"b": 1, "a": 2}))
}
