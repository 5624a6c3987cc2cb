package retry

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/seed-205ff063/retry/internal/errtree"
)

// Backoff returns the nominal delay after the failed attempt a, before jitter and cap. Most
// callers should use one of this package's strategies.
//
// [Linear], [Exponential], [Fibonacci] and [Decorrelated] grow: they have the default jitter and
// cap. [Constant], [Sequence] and any other type are taken literally: they have no jitter
// without [WithJitter] and no cap without [WithMaxDelay]. A [Chain] follows its active member.
//
// Delay must be a pure function of a. A negative delay counts as 0. A strategy that grows should
// saturate instead of overflowing; retrytest.TestBackoff checks that.
//
// This package's strategies are plain values that saturate for every attempt number. The call
// reports negative durations, and factors that are below 1 or not finite.
type Backoff interface {
	Delay(a Attempt) time.Duration
}

// BackoffFunc is a function used as a [Backoff].
type BackoffFunc func(a Attempt) time.Duration

// Delay calls f.
func (f BackoffFunc) Delay(a Attempt) time.Duration { return f(a) }

type backoffOption struct{ backoff Backoff }

// WithBackoff sets how the waits between attempts grow.
// The default is Exponential(100*time.Millisecond, 2).
func WithBackoff(b Backoff) Option { return backoffOption{b} }

func (o backoffOption) apply(s *settings) {
	s.backoff = resolve(o.backoff)
	s.check("WithBackoff", s.backoff.fault())
}

// strategy is what the package's own backoffs have beyond the delay.
type strategy interface {
	Backoff
	fmt.Stringer   // the form that Parse reads
	fault() string // what is wrong with the arguments, if anything

	// after is Delay with the parts of the Attempt that matter. A copy of a whole Attempt would
	// make the stack grow under every goroutine that waits.
	after(number int, waited time.Duration) time.Duration

	// first is the first delay, and whether the strategy grows and so has the default jitter
	// and cap.
	first() (d time.Duration, grows bool)
}

// resolvedBackoff is a backoff as a policy or a chain holds it. Whether it is one of the
// package's own is found out once, because that takes time and stack.
type resolvedBackoff struct {
	Backoff
	ours strategy // nil if it is another type
}

func resolve(b Backoff) resolvedBackoff {
	ours, _ := b.(strategy)
	return resolvedBackoff{b, ours}
}

func (b *resolvedBackoff) String() string {
	if b.ours == nil {
		return callback
	}
	return b.ours.String()
}

// fault says what is wrong with the backoff.
func (b *resolvedBackoff) fault() string {
	if b.ours != nil {
		return b.ours.fault()
	}
	if f, ok := b.Backoff.(BackoffFunc); ok && f == nil {
		return "nil BackoffFunc"
	}
	if errtree.IsNil(b.Backoff) {
		return "nil Backoff"
	}
	return ""
}

// after is the delay after a, taken as the attempt of that number after that wait.
func (b *resolvedBackoff) after(a *Attempt, number int, waited time.Duration) time.Duration {
	if b.ours != nil {
		return b.ours.after(number, waited)
	}
	return b.foreign(a, number, waited)
}

// foreign is after for a type of another package. It has a frame of its own for the copy of a.
//
//go:noinline
func (b *resolvedBackoff) foreign(a *Attempt, number int, waited time.Duration) time.Duration {
	own := *a
	own.Number, own.Waited = number, waited
	return b.Delay(own)
}

// Constant waits d every time: d, d, d, …
func Constant(d time.Duration) Backoff { return constant(d) }

type constant time.Duration

func (c constant) Delay(Attempt) time.Duration            { return time.Duration(c) }
func (c constant) after(int, time.Duration) time.Duration { return time.Duration(c) }
func (c constant) first() (time.Duration, bool)           { return 0, false }

func (c constant) String() string { return callText("constant", time.Duration(c)) }
func (c constant) fault() string  { return negativeArgument("delay", time.Duration(c)) }

// Linear waits initial + (n−1)·step after attempt n: initial, initial+step, initial+2·step, …
func Linear(initial, step time.Duration) Backoff { return linear{initial, step} }

type linear struct{ initial, step time.Duration }

func (l linear) Delay(a Attempt) time.Duration { return l.after(a.Number, 0) }

func (l linear) after(number int, _ time.Duration) time.Duration {
	return add(l.initial, times(l.step, int64(index(number))))
}

func (l linear) first() (time.Duration, bool) { return l.initial, true }
func (l linear) String() string               { return callText("linear", l.initial, l.step) }
func (l linear) fault() string {
	return either(negativeArgument("initial delay", l.initial), negativeArgument("step", l.step))
}

// Exponential waits initial·factorⁿ⁻¹ after attempt n. With a factor of 2 that is initial,
// 2·initial, 4·initial, 8·initial, …
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

// Fibonacci waits Fₙ·unit after attempt n: 1, 1, 2, 3, 5, 8, … units. It grows by a factor of
// 1.618.
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
func (f fibonacci) fault() string                { return negativeArgument("unit", time.Duration(f)) }
func (f fibonacci) first() (time.Duration, bool) { return time.Duration(f), true }

// Decorrelated waits a random time that grows from the previous wait: uniform in [initial,
// min(cap, factor·previous)], where previous starts at initial and the cap is [WithMaxDelay].
// AWS uses a factor of 3. With an initial delay of 100ms the first wait is then from 100ms to
// 300ms, the next from 100ms to three times the first.
//
// [WithJitter] replaces that range: the wait is then drawn around factor·previous, which is also
// what Delay returns.
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

// Sequence waits the given delays in turn, then repeats the last one. The call reports a
// Sequence without delays.
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
			return negativeArgument("delay", d)
		}
	}
	return ""
}

// index is the place of the attempt of that number, from 0.
func index(number int) int { return max(number, 1) - 1 }

// negativeArgument says that an argument is negative, "" if it is not.
func negativeArgument(what string, d time.Duration) string {
	if d < 0 {
		return fmt.Sprintf("%s %v is negative", what, d)
	}
	return ""
}

func growth(initial time.Duration, factor float64) string {
	if !(factor >= 1) || math.IsInf(factor, 0) {
		return either(negativeArgument("initial delay", initial),
			fmt.Sprintf("factor %v is not a finite number of at least 1", factor))
	}
	return negativeArgument("initial delay", initial)
}

// either returns the text that is not empty, or both in one.
func either(x, y string) string {
	if x != "" && y != "" {
		return x + " and " + y
	}
	return x + y
}
