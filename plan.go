package retry

import (
	"math"
	"time"
)

// Step is one retry in the forecast of [Policy.Plan].
type Step struct {
	Retry int // from 1: retry 1 is attempt 2

	// Min, Median and Max describe the wait before it. If a wait depends on the one before, as
	// with [Decorrelated], each assumes the same of that one.
	Min, Median, Max time.Duration

	TotalMax time.Duration // the longest total of all waits up to this one
}

// Plan returns the waits before the first n retries, or before all if the policy allows fewer.
// It leaves out a retry that [WithMaxElapsed] forbids even if attempts take no time. It does not
// know servers' hints or how long attempts run.
func (p *Policy) Plan(n int) []Step {
	s := p.inForce()
	if s.maxAttempts != Unlimited {
		n = min(n, s.maxAttempts-1)
	}
	var steps []Step
	var last Step
	var totalMin time.Duration
	for k := 1; k <= n; k++ {
		step := Step{Retry: k}
		_, step.Min, _ = s.waitRange(&Attempt{Name: s.name, Number: k, Waited: last.Min})
		_, lo, hi := s.waitRange(&Attempt{Name: s.name, Number: k, Waited: last.Median})
		step.Median = between(lo, hi, 0.5)
		_, _, step.Max = s.waitRange(&Attempt{Name: s.name, Number: k, Waited: last.Max})
		step.TotalMax = add(last.TotalMax, step.Max)
		if totalMin = add(totalMin, step.Min); s.maxElapsed > 0 {
			if totalMin >= s.maxElapsed {
				break
			}
			step.TotalMax = min(step.TotalMax, s.maxElapsed)
		}
		steps = append(steps, step)
		last = step
	}
	return steps
}

// MaxTotal returns the longest time that all waits of a call can take together, servers' hints
// aside, and whether they are bounded. Unlimited attempts are bounded only by [WithMaxElapsed];
// without it MaxTotal returns the longest Duration and false. The cost grows with the number of
// distinct waits.
func (p *Policy) MaxTotal() (time.Duration, bool) {
	s := p.inForce()
	limit := time.Duration(math.MaxInt64)
	if s.maxElapsed > 0 {
		limit = s.maxElapsed
	}
	if s.maxAttempts == Unlimited {
		return limit, s.maxElapsed > 0
	}
	var total, wait time.Duration
	for k := 1; k < s.maxAttempts && total < limit; {
		a := Attempt{Name: s.name, Number: k, Waited: wait}
		_, _, wait = s.waitRange(&a)
		through := min(s.sameWaitUntil(&s.backoff, k, wait), s.maxAttempts-1)
		total = add(total, times(wait, int64(through-k+1)))
		k = through + 1
	}
	return min(total, limit), true
}

// sameWaitUntil returns the last attempt from n on whose longest wait is known to be still wait.
// With it a million attempts are not summed up one by one.
func (s *settings) sameWaitUntil(p *resolvedBackoff, n int, wait time.Duration) int {
	forever := false
	switch b := p.Backoff.(type) {
	case *chain:
		if n <= b.n {
			return min(s.sameWaitUntil(&b.initial, n, wait), b.n)
		}
		through := s.sameWaitUntil(&b.final, n-b.n, wait)
		if through > math.MaxInt-b.n {
			return math.MaxInt
		}
		return through + b.n
	case constant:
		forever = true
	case sequence:
		forever = n >= len(b)
	case decorrelated: // depends on the wait before alone
		_, _, next := s.memberRange(p, b.after(n+1, wait))
		forever = next == wait
	case linear, exponential, fibonacci:
		// They never shrink: if the wait is that of the last attempt it stays so.
		_, _, end := s.memberRange(p, p.ours.after(math.MaxInt, math.MaxInt64))
		forever = end == wait
	}
	if forever {
		return math.MaxInt
	}
	return n
}
