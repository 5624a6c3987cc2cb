package sim

import (
	"slices"
	"time"
)

// herdTally counts arrivals. Those past the window are few and far apart, so a map holds them.
type herdTally struct {
	all, later         []int
	allPast, laterPast map[int64]int
	atCap              int
	left               bool
}

// arrive counts a retry, which is later than the first or not.
func (t *herdTally) arrive(at time.Duration, later bool) {
	bucket := int64(at / HerdBucket)
	t.all, t.allPast = count(t.all, t.allPast, bucket, 1)
	if later {
		t.later, t.laterPast = count(t.later, t.laterPast, bucket, 1)
	}
}

func count(window []int, past map[int64]int, bucket int64, n int) ([]int, map[int64]int) {
	if bucket >= int64(herdWindow) {
		if past == nil {
			past = map[int64]int{}
		}
		past[bucket] += n
		return window, past
	}
	if missing := int(bucket) + 1 - len(window); missing > 0 {
		window = append(window, make([]int, missing)...)
	}
	window[bucket] += n
	return window, past
}

func (t *herdTally) merge(other *herdTally) {
	t.all, t.allPast = merge(t.all, t.allPast, other.all, other.allPast)
	t.later, t.laterPast = merge(t.later, t.laterPast, other.later, other.laterPast)
	t.atCap += other.atCap
	t.left = t.left || other.left
}

func merge(window []int, past map[int64]int, otherWindow []int, otherPast map[int64]int) ([]int, map[int64]int) {
	for bucket, n := range otherWindow {
		window, past = count(window, past, int64(bucket), n)
	}
	for bucket, n := range otherPast {
		window, past = count(window, past, bucket, n)
	}
	return window, past
}

func (t *herdTally) result(name string, totals []time.Duration) HerdResult {
	slices.Sort(totals)
	clients := float64(len(totals))
	return HerdResult{
		Policy: name, Clients: len(totals),
		PeakShare:           float64(busiest(t.all, t.allPast)) / clients,
		PeakShareAfterFirst: float64(busiest(t.later, t.laterPast)) / clients,
		AtCapShare:          float64(t.atCap) / clients,
		MedianTotal:         quantile(totals, 0.5), P99Total: quantile(totals, 0.99),
		Arrivals: t.all, Left: t.left,
	}
}

func busiest(window []int, past map[int64]int) (most int) {
	for _, n := range window {
		most = max(most, n)
	}
	for _, n := range past {
		most = max(most, n)
	}
	return most
}

// quantile returns the smallest value that a share q of the sorted values do not exceed.
func quantile(sorted []time.Duration, q float64) time.Duration {
	return sorted[min(int(q*float64(len(sorted))), len(sorted)-1)]
}
