package retry

import (
	"fmt"
	"math"
	"strconv"
	"time"
)

// Jitter spreads the waits of clients that failed together: a nominal delay d becomes a wait
// that is uniform in [Lo·d, Hi·d]. If Hi·d would pass [WithMaxDelay], d is lowered until it
// fits, so that waits stay spread out at the cap too. The zero Jitter is an error.
//
// See https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/.
type Jitter struct{ Lo, Hi float64 }

// The jitters in common use.
var (
	// NoJitter waits exactly d.
	NoJitter = Jitter{1, 1}
	// FullJitter waits from 0 to d.
	FullJitter = Jitter{0, 1}
	// EqualJitter waits from half of d to d.
	EqualJitter = Jitter{0.5, 1}
)

// AddJitter waits from d to (1+f)·d, for f ≥ 0.
func AddJitter(f float64) Jitter { return Jitter{1, 1 + f} }

// SpreadJitter waits from (1−f)·d to (1+f)·d, for 0 ≤ f ≤ 1.
func SpreadJitter(f float64) Jitter { return Jitter{1 - f, 1 + f} }

type jitterOption Jitter

// WithJitter sets the range around the nominal delay that a wait is drawn from, for any
// strategy. A Jitter with Lo < 0, Hi < Lo, Hi = 0 or a number that is not finite is an error.
// The default is [FullJitter] for strategies that grow, [Decorrelated]'s own range, and
// [NoJitter] for others.
func WithJitter(j Jitter) Option { return jitterOption(j) }

func (o jitterOption) apply(s *settings) {
	s.jitter, s.jitterGiven = Jitter(o), true
	s.check("WithJitter", s.jitter.fault())
}

// String returns none, full, equal, add(f), spread(f) or range(lo,hi), as [Parse] reads it.
func (j Jitter) String() string {
	switch j {
	case Jitter{1, 1}:
		return "none"
	case Jitter{0, 1}:
		return "full"
	case Jitter{0.5, 1}:
		return "equal"
	}
	// 15 digits undo the rounding of 1+f where there is an f to undo it for.
	text := strconv.FormatFloat(j.Hi-1, 'g', 15, 64)
	f, _ := strconv.ParseFloat(text, 64)
	switch j {
	case AddJitter(f):
		return "add(" + text + ")"
	case SpreadJitter(f):
		return "spread(" + text + ")"
	}
	return "range(" + formatFloat(j.Lo) + "," + formatFloat(j.Hi) + ")"
}

func (j Jitter) fault() string {
	switch {
	case math.IsNaN(j.Lo) || math.IsNaN(j.Hi) || math.IsInf(j.Lo, 0) || math.IsInf(j.Hi, 0):
		return fmt.Sprintf("{%v %v} is not finite", j.Lo, j.Hi)
	case j.Lo < 0:
		return fmt.Sprintf("{%v %v} has Lo below 0", j.Lo, j.Hi)
	case j.Hi < j.Lo:
		return fmt.Sprintf("{%v %v} has Hi below Lo", j.Lo, j.Hi)
	case j.Hi == 0:
		return "{0 0} makes every wait 0; use WithBackoff(Constant(0)) to retry at once"
	}
	return ""
}

// over returns the range of waits for the nominal delay d, lowered so that it ends at or below
// limit. It also returns the delay it was lowered to.
func (j Jitter) over(d, limit time.Duration) (nominal, lo, hi time.Duration) {
	hi = scale(d, j.Hi)
	if hi > limit {
		d, hi = scale(limit, 1/j.Hi), limit
		return d, min(scale(limit, j.Lo/j.Hi), hi), hi
	}
	return d, min(scale(d, j.Lo), hi), hi
}
