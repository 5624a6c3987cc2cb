package sim

import "time"

const (
	bucketsPerSecond = int(time.Second / OutageBucket)
	healthyPercent   = 99 // of the calls that begin in a second
)

// countAt adds one to the bucket of the time, if the time is within the run.
func countAt(buckets []int, at time.Duration) {
	if i := int(at / OutageBucket); i < len(buckets) {
		buckets[i]++
	}
}

func (r *outageRun) result(name string) OutageResult {
	result := OutageResult{
		Policy: name, Layers: r.Layers,
		Calls: sum(r.calls), Attempts: sum(r.load), Succeeded: sum(r.succeeded),
		PeakLoad: r.peakLoad(), Load: r.load, Goodput: r.goodput,
	}
	calls := float64(max(result.Calls, 1))
	result.Amplification = float64(result.Attempts) / calls
	result.GoodputShare = float64(result.Succeeded) / calls
	result.Recovered, result.HasRecovered = r.recovered()
	return result
}

// peakLoad returns the number of requests in the busiest second.
func (r *outageRun) peakLoad() (peak float64) {
	for i := range len(r.load) - bucketsPerSecond + 1 {
		peak = max(peak, float64(sum(r.load[i:i+bucketsPerSecond])))
	}
	return peak
}

// recovered returns how long after the outage the first second begins from which on every
// second is healthy. It walks back from the end of the run.
func (r *outageRun) recovered() (time.Duration, bool) {
	first := int((r.Before + r.Down + OutageBucket - 1) / OutageBucket)
	last := len(r.calls) - bucketsPerSecond
	if first > last {
		return 0, false // the run has no whole second after the outage
	}
	recovered := last + 1
	for i := last; i >= first && r.healthy(i); i-- {
		recovered = i
	}
	return time.Duration(recovered-first) * OutageBucket, recovered <= last
}

// healthy reports whether enough of the calls succeed that begin in the second from bucket i.
func (r *outageRun) healthy(i int) bool {
	calls, succeeded := sum(r.calls[i:i+bucketsPerSecond]), sum(r.succeeded[i:i+bucketsPerSecond])
	return 100*succeeded >= healthyPercent*calls
}

func sum(counts []int) (total int) {
	for _, n := range counts {
		total += n
	}
	return total
}
