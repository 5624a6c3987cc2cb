package retry

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/seed-205ff063/retry/internal/errtree"
)

// Backoff says how long to wait after the failed attempt a, before jitter and cap.
//
// Delay must be a pure function of a: a.Number is 1 after the first attempt, a.Waited is
// the wait that came before the attempt. A negative delay counts as 0; a strategy that grows
// should saturate and not overflow (retrytest.TestBackoff checks that). The strategies of
// this package are plain values, saturate instead of overflowing for every attempt number,
// and are safe for concurrent use.
//
// The strategies that grow ([Linear], [Exponential], [Fibonacci], [Decorrelated]) bring the
// default jitter and the default cap with them. [Constant], [Sequence], a [BackoffFunc] and
// any other type are taken literally: no jitter unless [WithJitter], no cap unless
// [WithMaxDelay]. A [Chain] follows its active member.
type Backoff interface {
	Delay(a Attempt) time.Duration
}

// BackoffFunc is a function used as a [Backoff].
type BackoffFunc func(a Attempt) time.Duration

// Delay calls f.
func (f BackoffFunc) Delay(a Attempt) time.Duration { return f(a) }

// strategy is what the package's own backoffs tell beyond the delay.
type strategy interface {
	Backoff
	fmt.Stringer   // the form that Parse reads
	fault() string // what is wrong with the arguments, if anything

	// after is Delay by what of the Attempt matters. Copies of whole ones would make the
	// stack grow under every goroutine that waits.
	after(number int, waited time.Duration) time.Duration

	// first is the first delay, below which the default cap never falls, of a strategy that
	// grows and so brings the default jitter and cap.
	first() (d time.Duration, grows bool)
}

// part is a backoff as a policy or a chain holds it: looked at once for whether it is one of
// the package's own, because to ask takes time and stack.
type part struct {
	Backoff
	ours strategy // nil: somebody else's
}

func newPart(b Backoff) part {
	ours, _ := b.(strategy)
	return part{b, ours}
}

func (p *part) String() string {
	if p.ours == nil {
		return callback
	}
	return p.ours.String()
}

// fault says what is wrong with the backoff.
func (p *part) fault() string {
	if p.ours != nil {
		return p.ours.fault()
	}
	if f, ok := p.Backoff.(BackoffFunc); ok && f == nil {
		return "nil BackoffFunc"
	}
	if errtree.IsNil(p.Backoff) {
		return "nil Backoff"
	}
	return ""
}

// after is the delay after a, seen as the attempt of that number after that wait.
func (p *part) after(a *Attempt, number int, waited time.Duration) time.Duration {
	if p.ours != nil {
		return p.ours.after(number, waited)
	}
	return p.foreign(a, number, waited)
}

// foreign is after for somebody else's type, in a frame of its own for the copy that it gets.
//
//go:noinline
func (p *part) foreign(a *Attempt, number int, waited time.Duration) time.Duration {
	own := *a
	own.Number, own.Waited = number, waited
	return p.Delay(own)
}

// Constant waits d every time: d, d, d, …
// It is taken literally: no jitter and no cap unless they are set. A negative d is reported
// by the call.
func Constant(d time.Duration) Backoff { return constant(d) }

type constant time.Duration

func (c constant) Delay(Attempt) time.Duration            { return time.Duration(c) }
func (c constant) after(int, time.Duration) time.Duration { return time.Duration(c) }
func (c constant) first() (time.Duration, bool)           { return 0, false }

func (c constant) String() string { return callText("constant", time.Duration(c)) }
func (c constant) fault() string  { return negative("delay", time.Duration(c)) }

// Linear waits initial + (n−1)·step after attempt n: initial, initial+step, initial+2·step, …
// It brings the default jitter and cap. Negative arguments are reported by the call.
func Linear(initial, step time.Duration) Backoff { return linear{initial, step} }

type linear struct{ initial, step time.Duration }

func (l linear) Delay(a Attempt) time.Duration { return l.after(a.Number, 0) }

func (l linear) after(number int, _ time.Duration) time.Duration {
	return add(l.initial, times(l.step, int64(index(number))))
}

func (l linear) first() (time.Duration, bool) { return l.initial, true }
func (l linear) String() string               { return callText("linear", l.initial, l.step) }
func (l linear) fault() string {
	return either(negative("initial delay", l.initial), negative("step", l.step))
}

// Exponential waits initial·factorⁿ⁻¹ after attempt n: with a factor of 2 initial,
// 2·initial, 4·initial, 8·initial, …
// It brings the default jitter and cap. A negative initial delay and a factor that is below
// 1 or not finite are reported by the call.
func Exponential(initial time.Duration, factor float64) Backoff {
	return exponential{initial, factor}
}

type exponential struct {
	initial time.Duration
	factor  float64
}

func (e exponential) Delay(a Attempt) time.Duration { return e.after(a.Number, 0) }

func (e exponential) after(number int, _ time.Duration) time.Duration {
	n := index(number)
	if e.factor == 2 && n < 63 { // the common factor: a shift is exact and costs nothing
		return times(e.initial, 1<<n)
	}
	return scale(e.initial, math.Pow(e.factor, float64(n)))
}

func (e exponential) String() string               { return callText("exponential", e.initial, e.factor) }
func (e exponential) fault() string                { return growth(e.initial, e.factor) }
func (e exponential) first() (time.Duration, bool) { return e.initial, true }

// Fibonacci waits Fₙ·unit after attempt n: 1, 1, 2, 3, 5, 8, … units. It grows by a factor
// of 1.618, more gently than doubling.
// It brings the default jitter and cap. A negative unit is reported by the call.
func Fibonacci(unit time.Duration) Backoff { return fibonacci(unit) }

type fibonacci time.Duration

func (f fibonacci) Delay(a Attempt) time.Duration { return f.after(a.Number, 0) }

func (f fibonacci) after(number int, _ time.Duration) time.Duration {
	current, next := time.Duration(f), time.Duration(f)
	for n := index(number); n > 0 && current < math.MaxInt64 && current > 0; n-- {
		current, next = next, add(current, next)
	}
	return current
}
func (f fibonacci) String() string               { return callText("fibonacci", time.Duration(f)) }
func (f fibonacci) fault() string                { return negative("unit", time.Duration(f)) }
func (f fibonacci) first() (time.Duration, bool) { return time.Duration(f), true }

// Decorrelated waits a random time that grows from the previous wait and not from the
// attempt's number: uniform in [initial, min(cap, factor·previous)], previous starting at
// initial. The cap is [WithMaxDelay] and binds the range, so waits do not pile up at it.
// AWS uses a factor of 3: with an initial delay of 100ms the first wait is from 100ms to
// 300ms, the next from 100ms to three times the first.
//
// It brings the default cap and its own jitter, which [WithJitter] replaces: the wait is
// then drawn around factor·previous. Its Delay is the end of the range. A negative initial
// delay and a factor that is below 1 or not finite are reported by the call.
//
// See https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/.
func Decorrelated(initial time.Duration, factor float64) Backoff {
	return decorrelated{initial, factor}
}

type decorrelated struct {
	initial time.Duration
	factor  float64
}

func (d decorrelated) Delay(a Attempt) time.Duration { return d.after(0, a.Waited) }

func (d decorrelated) after(_ int, waited time.Duration) time.Duration {
	return scale(max(waited, d.initial), d.factor)
}

func (d decorrelated) first() (time.Duration, bool) { return d.after(1, 0), true }
func (d decorrelated) String() string               { return callText("decorrelated", d.initial, d.factor) }
func (d decorrelated) fault() string                { return growth(d.initial, d.factor) }

// Sequence waits the given delays in turn, then the last one again and again.
// It is taken literally: no jitter and no cap unless they are set. No delays at all and
// negative ones are reported by the call.
func Sequence(delays ...time.Duration) Backoff { return sequence(slices.Clone(delays)) }

type sequence []time.Duration

func (s sequence) Delay(a Attempt) time.Duration { return s.after(a.Number, 0) }

func (s sequence) after(number int, _ time.Duration) time.Duration {
	if len(s) == 0 {
		return 0
	}
	return s[min(index(number), len(s)-1)]
}

func (s sequence) first() (time.Duration, bool) { return 0, false }

func (s sequence) String() string {
	args := make([]any, len(s))
	for i, d := range s {
		args[i] = d
	}
	return callText("sequence", args...)
}

func (s sequence) fault() string {
	if len(s) == 0 {
		return "sequence() has no delays; give at least one"
	}
	for _, d := range s {
		if d < 0 {
			return negative("delay", d)
		}
	}
	return ""
}

// Chain waits as first says n times, then as the other says from its own start:
// Chain(3, Constant(50*time.Millisecond), Exponential(time.Second, 2)) makes three quick
// retries before it backs off.
//
// Each member keeps its own default jitter and cap. A negative n, a nil member and a
// member's own faults are reported by the call.
func Chain(n int, first, then Backoff) Backoff { return &chain{n, newPart(first), newPart(then)} }

type chain struct {
	n              int
	initial, final part
}

func (c *chain) Delay(a Attempt) time.Duration {
	member, number, waited := c.member(a.Number, a.Waited)
	return member.after(&a, number, waited)
}

func (c *chain) after(number int, waited time.Duration) time.Duration {
	return c.Delay(Attempt{Number: number, Waited: waited})
}

func (c *chain) first() (time.Duration, bool) { return 0, false }

// member returns the backoff in charge after the attempt of that number, which came after
// that wait, and both as that member counts them.
func (c *chain) member(number int, waited time.Duration) (*part, int, time.Duration) {
	if number <= c.n {
		return &c.initial, number, waited
	}
	number -= max(c.n, 0)
	if number <= 1 {
		waited = 0 // the wait of another strategy
	}
	return &c.final, number, waited
}

func (c *chain) String() string { return callText("chain", c.n, &c.initial, &c.final) }

func (c *chain) fault() string {
	if c.n < 0 {
		return fmt.Sprintf("chain length %d is negative", c.n)
	}
	return either(c.initial.fault(), c.final.fault())
}

// active follows chains down to the member in charge, see chain.member.
func active(p *part, number int, waited time.Duration) (*part, int, time.Duration) {
	for {
		c, ok := p.Backoff.(*chain)
		if !ok {
			return p, number, waited
		}
		p, number, waited = c.member(number, waited)
	}
}

// index is an attempt's place in its row, from 0.
func index(number int) int { return max(number, 1) - 1 }

// add returns x+y for x, y ≥ 0, the longest duration where that overflows.
func add(x, y time.Duration) time.Duration {
	if sum := x + y; sum >= x {
		return sum
	}
	return math.MaxInt64
}

// times returns n·d for n, d ≥ 0, the longest duration where that overflows.
func times(d time.Duration, n int64) time.Duration {
	if d > 0 && n > int64(math.MaxInt64/d) {
		return math.MaxInt64
	}
	return d * time.Duration(n)
}

func negative(what string, d time.Duration) string {
	if d < 0 {
		return fmt.Sprintf("%s %v is negative", what, d)
	}
	return ""
}

func growth(initial time.Duration, factor float64) string {
	if !(factor >= 1) || math.IsInf(factor, 0) {
		return either(negative("initial delay", initial),
			fmt.Sprintf("factor %v is not a finite number of at least 1", factor))
	}
	return negative("initial delay", initial)
}

// either joins what there is of two faults.
func either(x, y string) string {
	if x != "" && y != "" {
		return x + " and " + y
	}
	return x + y
}
