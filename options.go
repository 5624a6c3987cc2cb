package retry

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/seed-205ff063/retry/internal/errtree"
)

// Unlimited means no limit. [WithMaxAttempts], [WithMaxDelay] and [WithMaxRetryAfter] take it.
const Unlimited = -1

// The defaults, see defaults for how they are applied.
const (
	defaultMaxAttempts   = 5
	defaultMaxDelay      = 30 * time.Second // of the strategies that grow
	defaultGrowth        = 10               // they may at least grow to so many times their first delay
	defaultMaxRetryAfter = time.Minute
	defaultHistorySize   = 10
)

var (
	defaultBackoff = newPart(Exponential(100*time.Millisecond, 2))
	defaultJitter  = Jitter{0, 1} // FullJitter, of the strategies that grow
)

// defaults returns the settings of a call that is given none.
func defaults() settings {
	return settings{
		maxAttempts:   defaultMaxAttempts,
		backoff:       defaultBackoff,
		maxDelay:      defaultMaxDelay,
		maxRetryAfter: defaultMaxRetryAfter,
		jitter:        defaultJitter,
		historySize:   defaultHistorySize,
	}
}

// Option sets one thing about a call or a [Policy]. The order of options never changes
// their meaning, except that of two options of one kind the later replaces the earlier;
// lists (classifiers, validators, gates, hooks) add up instead. A *Policy is an Option that
// stands for the options it was made of.
//
// The options are checked together, once, before the call begins. If one is wrong the function
// never runs, and the error names option, value and bound and matches [ErrOption]. A nil Option
// is an error. Options are immutable and safe for concurrent use.
type Option interface{ option() }

// An option is a value of its own type that apply knows, and not a function: so options
// stay on the caller's stack.
type (
	nameOption           deep[string]
	maxAttemptsOption    int
	maxElapsedOption     time.Duration
	attemptTimeoutOption time.Duration
	backoffOption        deep[Backoff]
	maxDelayOption       time.Duration
	maxRetryAfterOption  time.Duration
	jitterOption         Jitter
	randOption           deep[func() float64]
	retryIfOption        []Classifier
	stopIfOption         []Classifier
	stopOption           []func(Attempt) error
	resetAfterOption     time.Duration
	validatorOption      []validatorSet
	historySizeOption    int
	historyOption        deep[*History]
	gateOption           []Gate
	budgetOption         deep[*Budget]
	clockOption          deep[Clock]
	hooksOption          []Hooks
	loggerOption         deep[*slog.Logger]
)

// deep holds what the settings keep, and what therefore escapes to the heap, two pointers
// below the option. Escape analysis knows only how deep in the options something escapes,
// and not in which one: nothing above that depth then does, such as the lists and the
// functions in them. The second field keeps interfaces from holding the pointer unboxed.
type deep[T any] struct {
	at **T
	_  struct{}
}

// validatorSet is a []Validator[T] for some T.
type validatorSet struct {
	list any
	n    int
	nils bool          // one of them is nil
	of   func() string // T's name
	own  func(any) any // copies the list
}

func (nameOption) option()           {}
func (maxAttemptsOption) option()    {}
func (maxElapsedOption) option()     {}
func (attemptTimeoutOption) option() {}
func (backoffOption) option()        {}
func (maxDelayOption) option()       {}
func (maxRetryAfterOption) option()  {}
func (jitterOption) option()         {}
func (randOption) option()           {}
func (retryIfOption) option()        {}
func (stopIfOption) option()         {}
func (stopOption) option()           {}
func (resetAfterOption) option()     {}
func (validatorOption) option()      {}
func (historySizeOption) option()    {}
func (historyOption) option()        {}
func (gateOption) option()           {}
func (budgetOption) option()         {}
func (clockOption) option()          {}
func (hooksOption) option()          {}
func (loggerOption) option()         {}
func (*Policy) option()              {}

// WithName names the call in errors, logs, hooks and histories.
// The default is no name.
func WithName(name string) Option {
	p := &name
	return nameOption{at: &p}
}

// WithMaxAttempts limits the attempts of a call, the first one included: WithMaxAttempts(1)
// never retries. One that a [Gate] refused counts. [Unlimited] sets no limit; 0 and other
// negative numbers are errors.
// The default is 5.
func WithMaxAttempts(n int) Option { return maxAttemptsOption(n) }

// WithMaxElapsed gives up instead of waiting, with [ErrMaxElapsed], when the wait would end
// d or more after the call began, attempts included. It does not interrupt an attempt that
// runs: a deadline of the context does. 0 sets no limit, so that a call can lift its
// policy's; a negative d is an error. It and the context's deadline both bind.
// The default is 0: no limit but the context's.
func WithMaxElapsed(d time.Duration) Option { return maxElapsedOption(d) }

// WithAttemptTimeout ends each attempt's context d after the function began; an attempt
// that fails so may be retried. The context's cause then matches context.DeadlineExceeded and
// has Timeout() true. The context also ends when the function returns, see [KeepContext].
// The time at the gates does not count. 0 sets no timeout, so that a call can lift its
// policy's; a negative d is an error. A [Clock] with a WithTimeout method makes the timeout.
// The default is 0: attempts end when the caller's context does.
func WithAttemptTimeout(d time.Duration) Option { return attemptTimeoutOption(d) }

// WithBackoff sets how the waits between attempts grow. A nil strategy and its bad
// arguments are errors.
// The default is Exponential(100*time.Millisecond, 2).
func WithBackoff(b Backoff) Option {
	p := &b
	return backoffOption{at: &p}
}

// WithMaxDelay caps the waits of any strategy at d, jitter included: the range that jitter
// draws from is lowered until it ends at d. With 0 there are no waits, [Unlimited] sets no cap,
// and any other negative d is an error. It does not cut a server's hint, see
// [WithMaxRetryAfter], and never ends a call.
// The default for the strategies that grow is 30s or ten times the longest first wait,
// whichever is longer: a strategy that grows must grow, also from Exponential(time.Minute, 2).
// The others have no cap by default.
func WithMaxDelay(d time.Duration) Option { return maxDelayOption(d) }

// WithMaxRetryAfter sets the longest server's hint that a call obeys. A longer one makes it
// give up at once with [ErrRetryAfter]. With 0 every hint does, with [Unlimited] none does, and
// any other negative d is an error.
//
// A hint of d makes the wait d + u·max(nominal delay, d/10), u uniform in [0, 1), so that
// clients which were told the same d spread out; with WithJitter(NoJitter) it is exactly d.
// A hint that would pass the context's deadline or [WithMaxElapsed] gives up too.
// The default is 1m.
func WithMaxRetryAfter(d time.Duration) Option { return maxRetryAfterOption(d) }

// WithJitter sets where in the range around the nominal delay the wait falls, for any
// strategy. A Jitter with Lo < 0, Hi < Lo, Hi = 0 or a number that is not finite is an error.
// The default is [FullJitter] for the strategies that grow, [Decorrelated]'s own, and none
// for the others.
func WithJitter(j Jitter) Option { return jitterOption(j) }

// WithRand sets the source of random numbers, uniform in [0, 1), for reproducible waits; f
// must be safe for concurrent use if the policy is shared. Numbers outside are brought into
// the range. A nil f is an error.
// The default is math/rand/v2's, which takes no lock.
func WithRand(f func() float64) Option {
	p := &f
	return randOption{at: &p}
}

// WithRetryIf makes a call retry only errors that one of the classifiers matches; others stop
// it with [ErrPermanent]. Repeats add up; without classifiers it changes nothing. [Permanent]
// and [WithStopIf] win over it, and a rejected value is retried whatever it says. A nil
// classifier is an error.
// The default is to retry every error that is not marked by Permanent.
func WithRetryIf(matches ...Classifier) Option { return retryIfOption(matches) }

// WithStopIf makes a call stop with [ErrPermanent] at an error that one of the classifiers
// matches. Repeats add up. It wins over [WithRetryIf]. A nil classifier is an error.
// The default is none.
func WithStopIf(matches ...Classifier) Option { return stopIfOption(matches) }

// WithStop asks the functions after an attempt that failed, before its wait, if nothing else but
// the budget forbids a retry. The first that returns an error ends the call, and that error is
// the [Error].Reason. It is for limits of your own: a quota with costs, a limit for one kind of
// error, a shutdown. a is the attempt that failed, and a.Delay the wait to come. To cut a wait
// short, cancel the context. Repeats add up, in the order given. A nil function is an error.
// The default is none.
func WithStop(stops ...func(a Attempt) error) Option { return stopOption(stops) }

// WithResetAfter makes an attempt that ran for at least d before it failed count as attempt 1
// of a new series. Waits, [WithMaxAttempts] and [WithMaxElapsed] start again with it: the next
// attempt is number 2, and Elapsed counts from that attempt's start. BeforeAttempt hooks saw its old
// number, AfterAttempt hooks see 1. [Error] and [Outcome] are of the last series. A series pays
// into the [Budget] as a call does. It is for calls that live long, such as reconnecting,
// consuming or watching. 0 never starts again, and a negative d is an error.
// The default is 0.
func WithResetAfter(d time.Duration) Option { return resetAfterOption(d) }

// WithValidator makes the validators look at every value that the function returned without
// an error; all of them run. A value that one of them rejects is a failed attempt and is
// retried, unless a reason is [Permanent] or [WithStopIf] matches. Repeats add up. A nil
// validator is an error, and so is one for another type than the call returns, or in a call
// that returns no value.
// The default is none.
func WithValidator[T any](validators ...Validator[T]) Option {
	return validatorOption{{
		list: validators,
		n:    len(validators),
		nils: slices.ContainsFunc(validators, func(v Validator[T]) bool { return v == nil }),
		of:   typeName[T],
		own: func(list any) any {
			validators, _ := list.([]Validator[T])
			return slices.Clone(validators)
		},
	}}
}

// WithHistorySize sets how many of a call's newest attempts its error keeps, and how many
// rejected values a [ValidationError] keeps. 0 keeps none; a negative n is an error. Memory is
// taken after the first failure only.
// The default is 10.
func WithHistorySize(n int) Option { return historySizeOption(n) }

// WithHistory also records every attempt in h, the successful ones too: the last attempts of
// all the calls that share h. A nil or negative-sized history is an error.
// The default is none.
func WithHistory(h *History) Option {
	p := &h
	return historyOption{at: &p}
}

// WithGate makes every attempt pass the gates, in the order given. Repeats add up. A nil
// gate is an error.
// The default is none.
func WithGate(gates ...Gate) Option { return gateOption(gates) }

// WithBudget takes every retry from b, which calls share by the pointer. The budget is asked
// last, for a retry that nothing else forbids; where it has no token the call gives up with
// [ErrBudget]. A nil budget and its bad arguments are errors.
// The default is none: retries are bounded by each call's own limits.
func WithBudget(b *Budget) Option {
	p := &b
	return budgetOption{at: &p}
}

// Clock tells the time and how to wait for it. The mock clocks of
// github.com/benbjohnson/clock, github.com/jonboulle/clockwork and k8s.io/utils/clock are
// Clocks. A wait on one blocks until another goroutine moves it on; retrytest.Auto does that by
// itself. A clock that also has the method WithTimeout(context.Context, time.Duration)
// (context.Context, context.CancelFunc) makes the attempts' timeouts; with any other they run
// in real time.
type Clock interface {
	Now() time.Time
	After(d time.Duration) <-chan time.Time
}

// WithClock sets the clock that times, waits and deadlines go by, for tests. Under
// testing/synctest it is not needed. A nil clock is an error.
// The default is the real clock.
func WithClock(c Clock) Option {
	p := &c
	return clockOption{at: &p}
}

// WithHooks calls h as the call goes on. Repeats add up, in the order given.
// The default is none.
func WithHooks(h Hooks) Option { return hooksOption{h} }

// WithLogger logs one record for each retry at level Warn ("attempt failed, will retry"
// with name, attempt, error, wait, duration, elapsed), one for a call that gives up at
// Error ("gave up" with name, attempts, elapsed, reason, cause, error, delay), and one for a
// success after retries at Debug ("succeeded after retries" with name, attempts, elapsed);
// none for a success at the first attempt. A call whose caller cancelled it (context.Canceled)
// is logged at Info, as "canceled". What is not there, such as a name, is left out.
//
// The reason is a short text without figures, so that records group by it: that of
// [Error].Reason without its prefix, and "next wait would pass the deadline" where the context
// had not ended. Errors are logged as [ErrorText] says; values, arguments and results never are.
// A nil logger is an error.
// The default is no logging.
func WithLogger(l *slog.Logger) Option {
	p := &l
	return loggerOption{at: &p}
}

// settings are options merged over the defaults. The lists are not copied in: they are read
// where they are, from the options, so that they can stay on the caller's stack.
type settings struct {
	name           string
	maxAttempts    int
	maxElapsed     time.Duration
	attemptTimeout time.Duration
	backoff        part
	maxDelay       time.Duration
	maxRetryAfter  time.Duration
	resetAfter     time.Duration
	jitter         Jitter
	rand           func() float64
	historySize    int
	history        *History
	budget         *Budget
	clock          Clock
	logger         *slog.Logger
	given          kinds
}

// kinds is a set of options, by kind.
type kinds uint32

const (
	hasName kinds = 1 << iota
	hasMaxAttempts
	hasMaxElapsed
	hasAttemptTimeout
	hasBackoff
	hasMaxDelay
	hasMaxRetryAfter
	hasJitter
	hasRand
	hasRetryIf
	hasStopIf
	hasStop
	hasResetAfter
	hasValidator
	hasHistorySize
	hasHistory
	hasGate
	hasBudget
	hasClock
	hasLogger
	hasStart
	hasBeforeAttempt
	hasAfterAttempt
	hasBeforeWait
	hasDone

	// Not options but faults that apply meets.
	hasNilOption
	hasForeignOption
	hasNilRetryIf
	hasNilStopIf
	hasNilStop
	hasNilValidator
	hasNilGate

	hasHooks = hasStart | hasBeforeAttempt | hasAfterAttempt | hasBeforeWait | hasDone
)

func (s *settings) note(is bool, k kinds) {
	if is {
		s.given |= k
	}
}

func (s *settings) has(k kinds) bool { return s.given&k != 0 }

// apply merges the options into s, later ones over earlier ones.
func (s *settings) apply(options []Option) {
	for _, o := range options {
		switch o := o.(type) {
		case nil:
			s.given |= hasNilOption
		case *Policy:
			_, options := o.parts()
			s.apply(options)
		case nameOption:
			s.name, s.given = **o.at, s.given|hasName
		case maxAttemptsOption:
			s.maxAttempts, s.given = int(o), s.given|hasMaxAttempts
		case maxElapsedOption:
			s.maxElapsed, s.given = time.Duration(o), s.given|hasMaxElapsed
		case attemptTimeoutOption:
			s.attemptTimeout, s.given = time.Duration(o), s.given|hasAttemptTimeout
		case backoffOption:
			s.backoff, s.given = newPart(**o.at), s.given|hasBackoff
		case maxDelayOption:
			s.maxDelay, s.given = time.Duration(o), s.given|hasMaxDelay
		case maxRetryAfterOption:
			s.maxRetryAfter, s.given = time.Duration(o), s.given|hasMaxRetryAfter
		case resetAfterOption:
			s.resetAfter, s.given = time.Duration(o), s.given|hasResetAfter
		case jitterOption:
			s.jitter, s.given = Jitter(o), s.given|hasJitter
		case randOption:
			s.rand, s.given = **o.at, s.given|hasRand
		case historySizeOption:
			s.historySize, s.given = int(o), s.given|hasHistorySize
		case historyOption:
			s.history, s.given = **o.at, s.given|hasHistory
		case budgetOption:
			s.budget, s.given = **o.at, s.given|hasBudget
		case clockOption:
			s.clock, s.given = **o.at, s.given|hasClock
		case loggerOption:
			s.logger, s.given = **o.at, s.given|hasLogger
		case retryIfOption: // an empty list is as good as none
			for _, c := range o {
				s.given |= hasRetryIf
				s.note(c == nil, hasNilRetryIf)
			}
		case stopIfOption:
			for _, c := range o {
				s.given |= hasStopIf
				s.note(c == nil, hasNilStopIf)
			}
		case stopOption:
			for _, stop := range o {
				s.given |= hasStop
				s.note(stop == nil, hasNilStop)
			}
		case validatorOption:
			s.note(o[0].n > 0, hasValidator)
			s.note(o[0].nils, hasNilValidator)
		case gateOption:
			for _, g := range o {
				s.given |= hasGate
				s.note(g == nil, hasNilGate)
			}
		case hooksOption:
			s.note(o[0].Start != nil, hasStart)
			s.note(o[0].BeforeAttempt != nil, hasBeforeAttempt)
			s.note(o[0].AfterAttempt != nil, hasAfterAttempt)
			s.note(o[0].BeforeWait != nil, hasBeforeWait)
			s.note(o[0].Done != nil, hasDone)
		default:
			s.given |= hasForeignOption
		}
	}
}

// list walks over the elements of the options of type L, those within policies too, in the
// order given. It hands them out by value, and not to a callback, so that they can stay on
// the caller's stack.
type list[L interface {
	~[]E
	Option
}, E any] struct {
	options          []Option
	at, within, item int // of options, of the policy there, of the L there
}

func (l *list[L, E]) next() (element E, ok bool) {
	for ; l.at < len(l.options); l.at++ {
		p, isPolicy := l.options[l.at].(*Policy)
		if !isPolicy {
			if element, ok = l.take(l.options[l.at]); ok {
				return element, true
			}
			continue
		}
		_, options := p.parts()
		for ; l.within < len(options); l.within++ {
			if element, ok = l.take(options[l.within]); ok {
				return element, true
			}
		}
		l.within = 0
	}
	return element, false
}

// take returns the next element of o, if o is an L with one left.
func (l *list[L, E]) take(o Option) (element E, ok bool) {
	if elements, isL := o.(L); isL && l.item < len(elements) {
		l.item++
		return elements[l.item-1], true
	}
	l.item = 0
	return element, false
}

// fault is one thing that is wrong with an option.
type fault struct{ option, problem string }

func (f fault) Error() string        { return "retry: " + f.option + ": " + f.problem }
func (f fault) Is(target error) bool { return target == ErrOption }

// check returns what is wrong with s, merged from the options; nil if nothing is.
func (s *settings) check() (faults []error) {
	blame := func(given kinds, option, problem string) {
		if problem != "" && s.has(given) {
			faults = append(faults, fault{option, problem})
		}
	}
	when := func(wrong bool, problem string) string {
		if wrong {
			return problem
		}
		return ""
	}
	blame(hasNilOption, "options", "nil Option")
	blame(hasForeignOption, "options", "an Option embedded in another type; pass the Option itself")
	if s.maxAttempts < 1 && s.maxAttempts != Unlimited {
		blame(hasMaxAttempts, "WithMaxAttempts",
			fmt.Sprintf("%d is below 1; use Unlimited for no limit", s.maxAttempts))
	}
	blame(hasMaxElapsed, "WithMaxElapsed", below(s.maxElapsed))
	blame(hasAttemptTimeout, "WithAttemptTimeout", below(s.attemptTimeout))
	blame(hasBackoff, "WithBackoff", s.backoff.fault())
	blame(hasMaxDelay, "WithMaxDelay", belowUnlimited(s.maxDelay))
	blame(hasMaxRetryAfter, "WithMaxRetryAfter", belowUnlimited(s.maxRetryAfter))
	blame(hasResetAfter, "WithResetAfter", below(s.resetAfter))
	blame(hasJitter, "WithJitter", s.jitter.fault())
	blame(hasRand, "WithRand", when(s.rand == nil, "nil function"))
	if s.historySize < 0 {
		blame(hasHistorySize, "WithHistorySize", fmt.Sprintf("%d is negative", s.historySize))
	}
	if s.history == nil {
		blame(hasHistory, "WithHistory", "nil History")
	} else if s.history.size < 0 {
		blame(hasHistory, "WithHistory", fmt.Sprintf("a size of %d is negative", s.history.size))
	}
	if s.budget == nil {
		blame(hasBudget, "WithBudget", "nil Budget")
	} else {
		blame(hasBudget, "WithBudget", s.budget.fault())
	}
	blame(hasClock, "WithClock", when(errtree.IsNil(s.clock), "nil Clock"))
	blame(hasLogger, "WithLogger", when(s.logger == nil, "nil Logger"))
	blame(hasNilRetryIf, "WithRetryIf", "nil Classifier")
	blame(hasNilStopIf, "WithStopIf", "nil Classifier")
	blame(hasNilStop, "WithStop", "nil function")
	blame(hasNilValidator, "WithValidator", "nil Validator")
	blame(hasNilGate, "WithGate", "nil Gate")
	return faults
}

func below(d time.Duration) string {
	if d < 0 {
		return fmt.Sprintf("%v is negative", d)
	}
	return ""
}

// belowUnlimited is below for what may be Unlimited.
func belowUnlimited(d time.Duration) string {
	if d == Unlimited {
		return ""
	}
	return below(d)
}

// join makes one error of the faults, nil of none.
func join(faults []error) error { return errors.Join(faults...) }
