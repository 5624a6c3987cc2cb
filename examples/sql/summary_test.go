package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestListed(t *testing.T) {
	t.Parallel()
	assert.Equal(t, "none", listed(nil))
	assert.Equal(t, "2 × a, 1 × b", listed(map[string]int{"b": 1, "a": 2}))
}
