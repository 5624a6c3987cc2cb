package main

import (
	"fmt"
	"math"
	"slices"
)

// median returns the middle of the values, NaN of none.
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

// spread returns how far the value farthest from the median is from it, in percent.
func spread(values []float64) float64 {
	m := median(values)
	farthest := 0.0
	for _, v := range values {
		farthest = max(farthest, math.Abs(v-m))
	}
	return 100 * farthest / m
}

// ns, allocs are the medians of a benchmark's results, NaN if it did not run.
func (m *measurement) ns(name string) float64     { return median(m.Timings[name].ns) }
func (m *measurement) allocs(name string) float64 { return median(m.Timings[name].allocs) }

// nanoseconds writes a time with as many digits as mean something.
func nanoseconds(ns float64) string {
	if math.Abs(ns) < 9.95 {
		return fmt.Sprintf("%.1f", ns)
	}
	return fmt.Sprintf("%.0f", ns)
}
