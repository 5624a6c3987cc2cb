package retry

import (
	"math"
	"math/rand/v2"
	"time"
)

type (
	maxDelayOption      time.Duration
	maxRetryAfterOption time.Duration
)

type randOption struct {
	rand func() float64
	_    boxed
}

// WithMaxDelay caps the waits of any strategy at d. The range that jitter draws from is lowered
// until it ends at d. The cap ends no call and cuts no server's hint. With 0 there are no waits,
// and [Unlimited] sets no cap. Any other negative d is an error.
// The default for strategies that grow is 30s, or ten times the longest first wait if that is
// longer. For others it is no cap.
func WithMaxDelay(d time.Duration) Option { return maxDelayOption(d) }

func (o maxDelayOption) apply(s *settings) {
	s.maxDelay, s.maxDelayGiven = time.Duration(o), true
	s.check("WithMaxDelay", negativeLimit(s.maxDelay))
}

// WithMaxRetryAfter sets the longest server's hint that a call obeys. With a longer one the call
// gives up at once with [ErrRetryAfter]. It also gives up if the hint would pass another limit.
// With 0 it gives up at every hint, with [Unlimited] at none. Any other negative d is an error.
//
// For a hint of d the wait is d + u·max(nominal delay, d/10), u uniform in [0, 1). So clients
// with the same hint spread out. With WithJitter(NoJitter) it is exactly d.
// The default is 1m.
func WithMaxRetryAfter(d time.Duration) Option { return maxRetryAfterOption(d) }

func (o maxRetryAfterOption) apply(s *settings) {
	s.maxRetryAfter = time.Duration(o)
	s.check("WithMaxRetryAfter", negativeLimit(s.maxRetryAfter))
}

// WithRand sets the source of random numbers in [0, 1), for reproducible waits. Other numbers
// are moved into that range. f must be safe for concurrent use if the policy is shared.
// The default is math/rand/v2's source, which takes no lock.
func WithRand(f func() float64) Option { return randOption{rand: f} }

func (o randOption) apply(s *settings) {
	s.rand = o.rand
	s.check("WithRand", problemIf(o.rand == nil, "nil function"))
}

// waitRange returns the nominal delay after a, and the range that its wait is drawn from. The
// cap lowers the range and does not cut the drawn wait, so that waits never pile up at it.
func (s *settings) waitRange(a *Attempt) (nominal, lo, hi time.Duration) {
	member, delay := s.delayAfter(a)
	return s.memberRange(member, delay)
}

// delayAfter returns the backoff that decides after a, and its delay.
func (s *settings) delayAfter(a *Attempt) (*resolvedBackoff, time.Duration) {
	member, number, waited := active(&s.backoff, a.Number, a.Waited)
	return member, member.after(a, number, waited)
}

// memberRange is waitRange for a backoff that is no chain, around the delay d.
func (s *settings) memberRange(member *resolvedBackoff, d time.Duration) (nominal, lo, hi time.Duration) {
	d = max(d, 0)
	jitter, limit := s.jitterAndCap(member)
	if own, ok := member.Backoff.(decorrelated); ok && !s.jitterGiven {
		hi = min(d, limit)
		return hi, min(own.initial, hi), hi
	}
	return jitter.over(d, limit)
}

// jitterAndCap returns the jitter and the cap in force for a backoff that is no chain. The
// defaults of both are for strategies that grow, and the default cap leaves them room to grow.
func (s *settings) jitterAndCap(member *resolvedBackoff) (jitter Jitter, limit time.Duration) {
	jitter, limit = Jitter{1, 1}, math.MaxInt64
	var first time.Duration
	grows := false
	if member.ours != nil {
		first, grows = member.ours.first()
	}
	switch {
	case s.jitterGiven:
		jitter = s.jitter
	case grows:
		jitter = defaultJitter
	}
	switch {
	case s.maxDelayGiven:
		limit = orForever(s.maxDelay)
	case grows:
		limit = max(defaultMaxDelay, times(scale(first, jitter.Hi), defaultGrowth))
	}
	return jitter, limit
}

// draw returns a wait from [lo, hi]; it spends no random number on an empty range.
func (s *settings) draw(lo, hi time.Duration) time.Duration {
	if lo >= hi {
		return hi
	}
	return between(lo, hi, s.uniform())
}

// between returns the point at the share u of the way from lo to hi, to the nearest nanosecond:
// the largest u below 1 gives hi.
func between(lo, hi time.Duration, u float64) time.Duration {
	return min(add(lo, scale(hi-lo, u)), hi)
}

// uniform draws from [0, 1): from the source of [WithRand], whose numbers are moved into that
// range, or from the runtime's per-thread source, which takes no lock.
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
