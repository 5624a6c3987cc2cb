package sim

import (
	"slices"
	"time"
)

// herdCounts counts the retries of clients.
type herdCounts struct {
	retries    bucketCounts
	afterFirst bucketCounts // without the first retry of each client
	atCap      int          // clients whose last wait was the cap
	unfinished bool         // some clients had not given up
}

// addRetry counts one retry, which is the client's first or a later one.
func (c *herdCounts) addRetry(at time.Duration, first bool) {
	bucket := int64(at / HerdBucket)
	c.retries.add(bucket, 1)
	if !first {
		c.afterFirst.add(bucket, 1)
	}
}

// merge adds the counts of other clients.
func (c *herdCounts) merge(other *herdCounts) {
	c.retries.merge(&other.retries)
	c.afterFirst.merge(&other.afterFirst)
	c.atCap += other.atCap
	c.unfinished = c.unfinished || other.unfinished
}

func (c *herdCounts) result(name string, totals []time.Duration) HerdResult {
	slices.Sort(totals)
	clients := float64(len(totals))
	return HerdResult{
		Policy: name, Clients: len(totals),
		PeakShare:           float64(c.retries.busiest()) / clients,
		PeakShareAfterFirst: float64(c.afterFirst.busiest()) / clients,
		AtCapShare:          float64(c.atCap) / clients,
		MedianTotal:         quantile(totals, 0.5), P99Total: quantile(totals, 0.99),
		Arrivals: c.retries.firstHour, Left: c.unfinished,
	}
}

// quantile returns the smallest value that is at least as large as a share q of the sorted
// values.
func quantile(sorted []time.Duration, q float64) time.Duration {
	return sorted[min(int(q*float64(len(sorted))), len(sorted)-1)]
}

// bucketCounts counts events by HerdBucket. Events after the first hour are few and far apart,
// so a map holds them.
type bucketCounts struct {
	firstHour []int
	later     map[int64]int
}

const bucketsPerHour = int64(time.Hour / HerdBucket)

func (c *bucketCounts) add(bucket int64, n int) {
	if bucket >= bucketsPerHour {
		if c.later == nil {
			c.later = map[int64]int{}
		}
		c.later[bucket] += n
		return
	}
	if missing := int(bucket) + 1 - len(c.firstHour); missing > 0 {
		c.firstHour = append(c.firstHour, make([]int, missing)...)
	}
	c.firstHour[bucket] += n
}

func (c *bucketCounts) merge(other *bucketCounts) {
	for bucket, n := range other.firstHour {
		c.add(int64(bucket), n)
	}
	for bucket, n := range other.later {
		c.add(bucket, n)
	}
}

// busiest returns the highest count of a bucket.
func (c *bucketCounts) busiest() (highest int) {
	for _, n := range c.firstHour {
		highest = max(highest, n)
	}
	for _, n := range c.later {
		highest = max(highest, n)
	}
	return highest
}
