package main

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Every contender gets through every load.
func TestMeasure(t *testing.T) {
	b, err := newBroker()
	require.NoError(t, err)
	defer b.close()
	s := settings{rounds: 1, messages: 100, workers: 2, work: 100 * time.Microsecond, failing: 10}
	tables, err := measure(b, s)
	require.NoError(t, err)
	require.Len(t, tables, 3)
	for _, table := range tables {
		require.Len(t, table.cost, len(contenders()))
		for _, c := range table.cost {
			assert.Positive(t, c.wall)
			assert.Positive(t, c.processor)
		}
	}
	text := render(s, tables)
	assert.Equal(t, 3, strings.Count(text, "| **retrynats** |"))
}
