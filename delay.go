package retry

import (
	"math"
	"math/rand/v2"
	"time"
)

// bounds returns the nominal delay after a, and the range that its wait is drawn from. The
// cap lowers the range and does not cut the drawn wait, so that waits never pile up at it.
func (s *settings) bounds(a Attempt) (nominal, lo, hi time.Duration) {
	return s.memberBounds(active(s.backoff, a))
}

// memberBounds is bounds for a backoff that is no chain.
func (s *settings) memberBounds(b Backoff, a Attempt) (nominal, lo, hi time.Duration) {
	d := max(b.Delay(a), 0)
	jitter, limit := s.shape(b)
	if own, ok := b.(decorrelated); ok && !s.has(hasJitter) {
		hi = min(d, limit)
		return hi, min(own.initial, hi), hi
	}
	return jitter.over(d, limit)
}

// shape returns the jitter and the cap in force for b. The defaults of both belong to the
// strategies that grow; a first delay above the default cap raises it.
func (s *settings) shape(b Backoff) (jitter Jitter, limit time.Duration) {
	g, grows := b.(grower)
	switch {
	case s.has(hasJitter):
		jitter = s.jitter
	case grows:
		jitter = defaultJitter
	default:
		jitter = Jitter{1, 1}
	}
	switch {
	case s.has(hasMaxDelay):
		limit = s.maxDelay
	case grows:
		limit = max(defaultMaxDelay, scale(g.first(), jitter.Hi))
	default:
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
	return min(lo+time.Duration(s.uniform()*float64(hi-lo)), hi)
}

// until returns how long it is to the deadline, by the clock.
func (s *settings) until(deadline time.Time) time.Duration {
	if s.clock != nil {
		return deadline.Sub(s.clock.Now())
	}
	return time.Until(deadline)
}
