package retry

import (
	"math"
	"time"
)

// Arithmetic on durations that saturates instead of overflowing.

// add returns x+y for x, y ≥ 0, the longest duration where that overflows.
func add(x, y time.Duration) time.Duration {
	if sum := x + y; sum >= x {
		return sum
	}
	return math.MaxInt64
}

// times returns n·d for n, d ≥ 0, the longest duration where that overflows.
func times(d time.Duration, n int64) time.Duration {
	if d > 0 && n > int64(math.MaxInt64/d) {
		return math.MaxInt64
	}
	return d * time.Duration(n)
}

// scale returns f·d to the nearest nanosecond for d, f ≥ 0, the longest duration where the
// product is longer than that.
func scale(d time.Duration, f float64) time.Duration {
	if f == 1 || d == 0 {
		return d
	}
	if x := math.Round(f * float64(d)); x < math.MaxInt64 {
		return time.Duration(x)
	}
	return math.MaxInt64
}
