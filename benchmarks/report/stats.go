package main

import (
	"fmt"
	"math"
	"slices"
)

// median returns the median of the values, or NaN if there are none.
func median(values []float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}

// spread returns the distance of the farthest value from the median, in percent of the median.
func spread(values []float64) float64 {
	m := median(values)
	farthest := 0.0
	for _, v := range values {
		farthest = max(farthest, math.Abs(v-m))
	}
	return 100 * farthest / m
}

// ns and allocs return the medians of a benchmark's results, or NaN if it did not run.
func (m *measurement) ns(name string) float64     { return median(m.Timings[name].ns) }
func (m *measurement) allocs(name string) float64 { return median(m.Timings[name].allocs) }

// nanoseconds formats a time with its significant digits only.
func nanoseconds(ns float64) string {
	if math.Abs(ns) < 9.95 {
		return fmt.Sprintf("%.1f", ns)
	}
	return fmt.Sprintf("%.0f", ns)
}
