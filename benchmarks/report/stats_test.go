package main

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestMedianAndSpread(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		values         []float64
		median, spread float64
	}{
		"one":              {[]float64{7}, 7, 0},
		"odd, not sorted":  {[]float64{30, 10, 20}, 20, 50},
		"even":             {[]float64{40, 10, 20, 30}, 25, 60},
		"an outlier below": {[]float64{100, 100, 25}, 100, 75},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.InDelta(t, test.median, median(test.values), 1e-9)
			assert.InDelta(t, test.spread, spread(test.values), 1e-9)
		})
	}
	assert.True(t, math.IsNaN(median(nil)))
}
