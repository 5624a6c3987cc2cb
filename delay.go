package retry

import (
	"math"
	"math/rand/v2"
	"time"
)

// bounds returns the nominal delay after a, and the range that its wait is drawn from. The
// cap lowers the range and does not cut the drawn wait, so that waits never pile up at it.
func (s *settings) bounds(a *Attempt) (nominal, lo, hi time.Duration) {
	member, number, waited := active(&s.backoff, a.Number, a.Waited)
	return s.memberBounds(member, member.after(a, number, waited))
}

// memberBounds is bounds for a backoff that is no chain, around the delay d.
func (s *settings) memberBounds(member *part, d time.Duration) (nominal, lo, hi time.Duration) {
	d = max(d, 0)
	jitter, limit := s.shape(member)
	if own, ok := member.Backoff.(decorrelated); ok && !s.has(hasJitter) {
		hi = min(d, limit)
		return hi, min(own.initial, hi), hi
	}
	return jitter.over(d, limit)
}

// shape returns the jitter and the cap in force for a backoff that is no chain. The defaults
// of both belong to the strategies that grow, and the default cap leaves them room to.
func (s *settings) shape(member *part) (jitter Jitter, limit time.Duration) {
	jitter, limit = Jitter{1, 1}, math.MaxInt64
	var first time.Duration
	grows := false
	if member.ours != nil {
		first, grows = member.ours.first()
	}
	switch {
	case s.has(hasJitter):
		jitter = s.jitter
	case grows:
		jitter = defaultJitter
	}
	switch {
	case s.has(hasMaxDelay):
		limit = s.maxDelay
	case grows:
		limit = max(defaultMaxDelay, times(scale(first, jitter.Hi), defaultGrowth))
	}
	if limit == Unlimited {
		limit = math.MaxInt64
	}
	return jitter, limit
}

// uniform draws from [0, 1): from the source of [WithRand], whose numbers are brought into
// that range, or from the runtime's per-thread one, which no lock guards.
func (s *settings) uniform() float64 {
	if s.rand == nil {
		return rand.Float64()
	}
	u := s.rand()
	if !(u > 0) { // NaN is not
		return 0
	}
	return min(u, 1-1.0/(1<<53))
}

// draw returns a wait from [lo, hi]; no random number is spent on an empty range.
func (s *settings) draw(lo, hi time.Duration) time.Duration {
	if lo >= hi {
		return hi
	}
	return within(lo, hi, s.uniform())
}

// within returns what is the share u of the way from lo to hi, to the nearest nanosecond: the
// largest u below 1 gives hi.
func within(lo, hi time.Duration, u float64) time.Duration {
	return min(add(lo, scale(hi-lo, u)), hi)
}

// until returns how long it is to the deadline, by the clock.
func (s *settings) until(deadline time.Time) time.Duration {
	if s.clock != nil {
		return deadline.Sub(s.clock.Now())
	}
	return time.Until(deadline)
}
