package main

import (
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestOurBehaviour checks what the table says about retrygrpc.
func TestOurBehaviour(t *testing.T) {
	t.Parallel()
	want := map[string][2]float64{ // least and most
		"stream that breaks after 2 messages":                         {2, 2},
		"stream that fails before its first message, then works":      {1, 1},
		"not idempotent, UNAVAILABLE after it was processed":          {1, 1},
		"not idempotent, no connection":                               {4, 4},
		"RetryInfo of 300 ms":                                         {300, 3000},
		"pushback of 300 ms":                                          {300, 3000},
		"pushback of -1: stop":                                        {1, 1},
		"request above the server's size limit":                       {1, 1},
		"idempotent, attempts of at most 100 ms, the first hangs":     {2, 4},
		"not idempotent, attempts of at most 100 ms, the first hangs": {1, 1},
		"next wait of 10 s, the deadline is in 1 s":                   {0, 900},
	}
	for _, s := range situations() {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			require.Contains(t, want, s.name)
			figure, ok, err := s.run(ours())
			require.NoError(t, err)
			assert.True(t, ok)
			assert.GreaterOrEqual(t, figure, want[s.name][0])
			assert.LessOrEqual(t, figure, want[s.name][1])
		})
	}
}

// TestRepeatsAreCounted checks that the table shows messages and calls that are repeated.
func TestRepeatsAreCounted(t *testing.T) {
	t.Parallel()
	repeated, _, err := brokenStream(middleware())
	require.NoError(t, err)
	assert.Greater(t, repeated, 2.)
	processed, _, err := counted(create, nil, errDown)(serviceConfig())
	require.NoError(t, err)
	assert.InDelta(t, attempts, processed, 0)
}

// TestCosts checks that all contenders make their calls, and what retrygrpc allocates beyond gRPC.
func TestCosts(t *testing.T) { //nolint:paralleltest // it counts allocations
	costs, err := measureCosts(settings{batches: 1, batch: 5, counted: 500})
	require.NoError(t, err)
	for i, most := range []float64{4.5, 6.5, 8.5} {
		assert.LessOrEqual(t, costs[1].kinds[i].allocs-costs[0].kinds[i].allocs, most, kinds()[i].name)
	}
	text := render(measurement{settings: settings{batches: 1, batch: 5}, costs: costs, behaviours: []behaviour{
		{situation: "s", unit: "u", found: []string{strconv.Itoa(12345), "2", "3", "4"}},
	}})
	assert.Contains(t, text, "| s | u | 12345 | 2 | 3 | 4 |")
	assert.Equal(t, len(kinds())*len(contenders()), strings.Count(text, " % |"))
}
