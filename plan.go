package retry

import (
	"math"
	"time"
)

// Step is one retry of a policy as [Policy.Plan] foresees it.
type Step struct {
	// Retry counts the retries from 1: retry 1 is attempt 2.
	Retry int
	// Min, Median and Max are the shortest, the median and the longest wait before it. Where
	// a wait depends on the one before, as with [Decorrelated], that was the shortest, the
	// median, the longest too.
	Min, Median, Max time.Duration
	// TotalMax is the longest that all waits up to this one can take together.
	TotalMax time.Duration
}

// Plan returns the waits before the first n retries, as far as the policy has so many; with
// an n of 0 or below there are none. It foresees neither servers' hints nor how long attempts
// run; a retry that [WithMaxElapsed] forbids even if they take no time is left out.
func (p *Policy) Plan(n int) []Step {
	s, _ := p.parts()
	if s.maxAttempts != Unlimited {
		n = min(n, s.maxAttempts-1)
	}
	var steps []Step
	var last Step
	var totalMin time.Duration
	for k := 1; k <= n; k++ {
		step := Step{Retry: k}
		_, step.Min, _ = s.bounds(&Attempt{Name: s.name, Number: k, Waited: last.Min})
		_, lo, hi := s.bounds(&Attempt{Name: s.name, Number: k, Waited: last.Median})
		step.Median = within(lo, hi, 0.5)
		_, _, step.Max = s.bounds(&Attempt{Name: s.name, Number: k, Waited: last.Max})
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

// MaxTotal returns the longest that all waits of a call can take together, and whether they
// are bounded at all: with unlimited attempts only [WithMaxElapsed] bounds them, and without
// it the time is the longest Duration. Servers' hints are not foreseen. The cost
// grows with the number of distinct waits: a strategy that still grows after a million attempts,
// or is of a type of your own, is asked for each.
func (p *Policy) MaxTotal() (time.Duration, bool) {
	s, _ := p.parts()
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
		_, _, wait = s.bounds(&a)
		through := min(s.steady(&s.backoff, k, wait), s.maxAttempts-1)
		total = add(total, times(wait, int64(through-k+1)))
		k = through + 1
	}
	return min(total, limit), true
}

// steady returns the last attempt in a row from n on after which the longest wait stays at
// wait, as far as that is known, so that a million attempts are not summed up singly.
func (s *settings) steady(p *part, n int, wait time.Duration) int {
	forever := false
	switch b := p.Backoff.(type) {
	case *chain:
		if n <= b.n {
			return min(s.steady(&b.initial, n, wait), b.n)
		}
		through := s.steady(&b.final, n-b.n, wait)
		if through > math.MaxInt-b.n {
			return math.MaxInt
		}
		return through + b.n
	case constant:
		forever = true
	case sequence:
		forever = n >= len(b)
	case decorrelated: // depends on the wait before alone
		_, _, next := s.memberBounds(p, b.after(n+1, wait))
		forever = next == wait
	case linear, exponential, fibonacci:
		// They never shrink: what the wait is at the end it stays from now on.
		_, _, end := s.memberBounds(p, p.ours.after(math.MaxInt, math.MaxInt64))
		forever = end == wait
	}
	if forever {
		return math.MaxInt
	}
	return n
}
