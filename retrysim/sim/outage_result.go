package sim

import "time"

const (
	recoveryWindow     = int(time.Second / OutageBucket)
	recoveryPercentage = 99
)

// tally counts something that happens at the time, if that is within the run.
func tally(buckets []int, at time.Duration) {
	if i := int(at / OutageBucket); i < len(buckets) {
		buckets[i]++
	}
}

func (r *outageRun) result(name string) OutageResult {
	result := OutageResult{
		Policy: name, Layers: r.Layers,
		Calls: sum(r.begun), Attempts: sum(r.load), Succeeded: sum(r.good),
		Load: r.load, Goodput: r.answered,
	}
	calls := float64(max(result.Calls, 1))
	result.Amplification = float64(result.Attempts) / calls
	result.GoodputShare = float64(result.Succeeded) / calls
	const window = recoveryWindow
	for i := range len(r.load) - window + 1 {
		inWindow := float64(sum(r.load[i : i+window]))
		result.PeakLoad = max(result.PeakLoad, inWindow)
	}
	result.Recovered, result.HasRecovered = r.recovered()
	return result
}

// recovered returns how long after the outage no second follows any more in which less than
// 99 % of the calls that began succeeded.
func (r *outageRun) recovered() (time.Duration, bool) {
	first := int((r.Before + r.Down + OutageBucket - 1) / OutageBucket)
	last := len(r.begun) - recoveryWindow
	if first > last {
		return 0, false // there is no second to judge by
	}
	healthy := last + 1
	for i := last; i >= first; i-- {
		if 100*sum(r.good[i:i+recoveryWindow]) < recoveryPercentage*sum(r.begun[i:i+recoveryWindow]) {
			break
		}
		healthy = i
	}
	return time.Duration(healthy-first) * OutageBucket, healthy <= last
}

func sum(counts []int) (total int) {
	for _, n := range counts {
		total += n
	}
	return total
}
