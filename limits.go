package retry

import (
	"fmt"
	"time"
)

type (
	nameOption        string
	maxAttemptsOption int
	maxElapsedOption  time.Duration
	resetAfterOption  time.Duration
	stopOption        list[func(Attempt) error]
)

// WithName names the call in errors, logs, hooks and histories.
// The default is no name.
func WithName(name string) Option { return nameOption(name) }

func (o nameOption) apply(s *settings) { s.name = string(o) }

// WithMaxAttempts limits the attempts of a call, the first included: WithMaxAttempts(1) never
// retries. An attempt that a [Gate] refused counts. [Unlimited] sets no limit. Other numbers
// below 1 are errors.
// The default is 5.
func WithMaxAttempts(n int) Option { return maxAttemptsOption(n) }

func (o maxAttemptsOption) apply(s *settings) {
	s.maxAttempts = int(o)
	problem := ""
	if o < 1 && o != Unlimited {
		problem = fmt.Sprintf("%d is below 1; use Unlimited for no limit", o)
	}
	s.check("WithMaxAttempts", problem)
}

// exhausted reports whether no attempt may follow attempt n.
func (s *settings) exhausted(n int) bool { return s.maxAttempts != Unlimited && n >= s.maxAttempts }

// WithMaxElapsed limits the time of a call, besides the context's deadline. The call gives up
// with [ErrMaxElapsed] if the next wait would end d or more after the call began. A running
// attempt is not interrupted. 0 sets no limit. A negative d is an error.
// The default is 0.
func WithMaxElapsed(d time.Duration) Option { return maxElapsedOption(d) }

func (o maxElapsedOption) apply(s *settings) {
	s.maxElapsed = time.Duration(o)
	s.check("WithMaxElapsed", negative(s.maxElapsed))
}

// WithResetAfter is for calls that live long, such as reconnecting or consuming. An attempt that
// ran for at least d before it failed counts as attempt 1 of a new series: waits,
// [WithMaxAttempts] and [WithMaxElapsed] start again. The next attempt is number 2, and Elapsed
// counts from the start of attempt 1.
//
// [Error] and [Outcome] describe the last series. Each series pays into the [Budget] as a call
// does. BeforeAttempt hooks saw the attempt's old number, AfterAttempt hooks see 1. A negative d
// is an error.
// The default is 0, which never resets.
func WithResetAfter(d time.Duration) Option { return resetAfterOption(d) }

func (o resetAfterOption) apply(s *settings) {
	s.resetAfter = time.Duration(o)
	s.check("WithResetAfter", negative(s.resetAfter))
}

// startsSeries reports whether the failed attempt a counts as the first of a new series.
func (s *settings) startsSeries(a *Attempt) bool {
	return s.resetAfter > 0 && a.Duration >= s.resetAfter
}

// WithStop adds limits of your own: a quota with costs, a limit for one kind of error, a
// shutdown. The functions run in the order given, after a failed attempt, for a retry that only
// the budget could still forbid; a.Delay is the wait to come. The first that returns an error
// ends the call, and that error is [Error].Reason. To cut a wait short, cancel the context.
// The default is none.
func WithStop(stops ...func(a Attempt) error) Option { return stopOption(newList(stops)) }

func (o stopOption) apply(s *settings) {
	stops := list[func(Attempt) error](o)
	for i := range stops.n {
		s.checkList("WithStop", stops.at(i) == nil, "nil function")
	}
	s.stops.add(&stops)
}

// stopReason asks the functions of [WithStop] about the retry that would follow a after wait.
//
//go:noinline
func (s *settings) stopReason(a *Attempt, wait time.Duration) error {
	next := *a
	next.Delay = wait
	for i := range s.stops.n {
		if err := s.stops.at(i)(next); err != nil {
			return err
		}
	}
	return nil
}
