package main

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry/benchmarks"
)

func TestMeasure(t *testing.T) {
	if _, err := processorTime(); err != nil {
		t.Skip(err)
	}
	m, err := measure(settings{calls: 2, series: 1, wait: time.Microsecond, rounds: 1})
	require.NoError(t, err)
	require.NotEmpty(t, m.results)
	for _, r := range m.results {
		assert.Len(t, r.plain, 1, r.library.Name)
		assert.Len(t, r.cancellable, 1, r.library.Name)
		assert.GreaterOrEqual(t, r.plain[0], 0.0)
	}
}

func TestRender(t *testing.T) {
	t.Parallel()
	row := func(l benchmarks.Library, plain, cancellable float64) result {
		return result{library: l, plain: []float64{plain, plain, 2 * plain}, cancellable: []float64{cancellable}, allocs: 2.5, allocsCancel: 6}
	}
	ours := benchmarks.Library{ID: "retry", Name: "retry", Path: "p", Ours: true}
	peer := benchmarks.Library{ID: "peer", Name: "peer", Path: "q"}
	bare := benchmarks.Library{ID: "retry-no-history", Name: "no history", Path: "p", Ours: true}
	loop := benchmarks.Library{ID: "loop", Name: "loop"}
	s := settings{calls: 400, series: 10, wait: 3 * time.Millisecond, rounds: 3}

	text := render(measurement{s, []result{row(peer, 1000, 1000), row(ours, 900, 1050), row(bare, 900, 1040), row(loop, 1, 1)}})
	assert.Contains(t, text, "| **retry** | 900 | 100% | 2.5 | 1050 | 0% | 6.0 |\n")
	assert.Less(t, strings.Index(text, "**retry**"), strings.Index(text, "| peer |"), "the cheapest first")
	assert.Contains(t, text, "0.90 (900 ns, peer 1000 ns) | pass |")
	assert.Contains(t, text, "cancellable: at most 1.05 of the best peer's time | 1.05 (1050 ns, peer 1000 ns) | pass |")
	assert.Contains(t, text, "no history: at most 1.05 of the best peer's time | 1.04 (1040 ns, peer 1000 ns) | pass |")

	text = render(measurement{s, []result{row(peer, 1000, 1000), row(ours, 1001, 1051), row(bare, 1, 1051)}})
	assert.Equal(t, 3, strings.Count(text, "| **miss** |"))
}

// A spell of slowness that hits a round is the same for all.
func TestRatios(t *testing.T) {
	t.Parallel()
	assert.Equal(t, 0.5, median(ratios([]float64{100, 500, 100}, []float64{200, 1000, 150})))
	assert.True(t, math.IsNaN(median(ratios(nil, []float64{1}))))
}
