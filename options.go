package retry

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/seed-205ff063/retry/internal/judging"
)

// Unlimited means no limit, for [WithMaxAttempts], [WithMaxDelay] and [WithMaxRetryAfter].
const Unlimited = -1

// Option sets one thing about a call or a [Policy]. Of two options of one kind the later
// replaces the earlier; otherwise their order does not matter. Classifiers, stop functions,
// validators, gates and hooks add up instead.
//
// If an option is wrong, the function does not run, and the call returns an error that matches
// [ErrOption]. It names each bad option, its value and the bound. Nil is an error as an Option,
// as an argument of an option, and within constructors such as [Match] and [Chain]. Options are
// immutable.
type Option interface{ option() }

// Each option is a small value with a method apply, beside the concept that it sets. It is no
// function and no pointer, so that options stay on the caller's stack: the compiler must see its
// type in settings.apply, and the value must be boxed in the interface.
func (nameOption) option()           {}
func (maxAttemptsOption) option()    {}
func (maxElapsedOption) option()     {}
func (resetAfterOption) option()     {}
func (stopOption) option()           {}
func (attemptTimeoutOption) option() {}
func (backoffOption) option()        {}
func (maxDelayOption) option()       {}
func (maxRetryAfterOption) option()  {}
func (jitterOption) option()         {}
func (randOption) option()           {}
func (retryIfOption) option()        {}
func (stopIfOption) option()         {}
func (validatorOption) option()      {}
func (historySizeOption) option()    {}
func (historyOption) option()        {}
func (gateOption) option()           {}
func (budgetOption) option()         {}
func (clockOption) option()          {}
func (hooksOption) option()          {}
func (loggerOption) option()         {}
func (finishOption) option()         {}
func (*Policy) option()              {}

// boxed is a field that keeps an interface from holding an option's one pointer directly. What
// apply stores would then escape together with all options of the call.
type boxed struct{}

// settings are the options of a call, merged over the defaults.
type settings struct {
	name           string
	maxAttempts    int
	maxElapsed     time.Duration
	resetAfter     time.Duration
	attemptTimeout time.Duration
	backoff        resolvedBackoff
	maxDelay       time.Duration
	maxRetryAfter  time.Duration
	jitter         Jitter
	rand           func() float64
	historySize    int
	history        *History
	budget         *Budget
	clock          Clock
	logger         *slog.Logger
	finish         judging.Finish

	retryIf    list[Classifier]
	stopIf     list[Classifier]
	stops      list[func(Attempt) error]
	validators list[anyValidator]
	gates      list[Gate]
	hooks      list[Hooks]

	hooked        hookSet // which hooks there are
	maxDelayGiven bool
	jitterGiven   bool
	faults        []fault
}

// defaults are the settings of a call without options. The default jitter and cap depend on the
// backoff, see jitterAndCap.
var defaults = settings{
	maxAttempts:   5,
	backoff:       resolve(Exponential(100*time.Millisecond, 2)),
	maxRetryAfter: time.Minute,
	historySize:   10,
}

const (
	defaultMaxDelay = 30 * time.Second // of the strategies that grow
	defaultGrowth   = 10               // they may grow to at least this many times their first delay
)

var defaultJitter = Jitter{0, 1} // FullJitter, of the strategies that grow

// apply merges the options into s, later ones over earlier ones. The switch shows the compiler
// the type of each option: a call through the interface would move all of them to the heap.
func (s *settings) apply(options []Option) {
	for _, o := range options {
		switch o := o.(type) {
		case nil:
			s.addFault("options", "nil Option")
		case *Policy:
			s.apply(o.given())
		case nameOption:
			o.apply(s)
		case maxAttemptsOption:
			o.apply(s)
		case maxElapsedOption:
			o.apply(s)
		case resetAfterOption:
			o.apply(s)
		case stopOption:
			o.apply(s)
		case attemptTimeoutOption:
			o.apply(s)
		case backoffOption:
			o.apply(s)
		case maxDelayOption:
			o.apply(s)
		case maxRetryAfterOption:
			o.apply(s)
		case jitterOption:
			o.apply(s)
		case randOption:
			o.apply(s)
		case retryIfOption:
			o.apply(s)
		case stopIfOption:
			o.apply(s)
		case validatorOption:
			o.apply(s)
		case historySizeOption:
			o.apply(s)
		case historyOption:
			o.apply(s)
		case gateOption:
			o.apply(s)
		case budgetOption:
			o.apply(s)
		case clockOption:
			o.apply(s)
		case hooksOption:
			o.apply(s)
		case loggerOption:
			o.apply(s)
		case finishOption:
			o.apply(s)
		default:
			s.addFault("options", "an Option embedded in another type; pass the Option itself")
		}
	}
}

// list is what the options of one kind add up to. Two elements are inline, so that the usual
// lists, such as a policy's classifier and one of the call, need no memory of their own.
type list[E any] struct {
	few  [2]E
	rest []E
	n    int
}

// newList returns a list of the elements. It copies them: what the caller does to its slice later
// changes no option.
func newList[E any](elements []E) (l list[E]) {
	l.n = len(elements)
	l.rest = append(l.rest, elements[copy(l.few[:], elements):]...)
	return l
}

// at returns element i of n.
func (l *list[E]) at(i int) E {
	if i < len(l.few) {
		return l.few[i]
	}
	return l.rest[i-len(l.few)]
}

// add appends the elements of more. The rest may be shared with a policy, so it is never extended
// in place.
func (l *list[E]) add(more *list[E]) {
	for i := range more.n {
		if l.n < len(l.few) {
			l.few[l.n] = more.at(i)
		} else {
			l.rest = append(slices.Clip(l.rest), more.at(i))
		}
		l.n++
	}
}

// fault is one thing that is wrong with an option.
type fault struct{ option, problem string }

func (f fault) Error() string        { return "retry: " + f.option + ": " + f.problem }
func (f fault) Is(target error) bool { return target == ErrOption }

// check notes what is wrong with the option, "" if nothing is. An option replaces an earlier one
// of its kind together with its fault.
func (s *settings) check(option, problem string) {
	if problem != "" || len(s.faults) > 0 {
		s.setFault(option, problem)
	}
}

func (s *settings) setFault(option, problem string) {
	s.faults = slices.DeleteFunc(s.faults, func(f fault) bool { return f.option == option })
	if problem != "" {
		s.addFault(option, problem)
	}
}

// addFault notes what no later option can replace, once.
func (s *settings) addFault(option, problem string) {
	f := fault{option, problem}
	if slices.Contains(s.faults, f) {
		return
	}
	s.faults = append(s.faults, f)
	slices.SortFunc(s.faults, func(a, b fault) int {
		return cmp.Or(strings.Compare(a.option, b.option), strings.Compare(a.problem, b.problem))
	})
}

// checkList notes a nil element of an option whose elements add up.
func (s *settings) checkList(option string, hasNil bool, problem string) {
	if hasNil {
		s.addFault(option, problem)
	}
}

// join makes one error of the faults, nil of none.
func join(faults []fault) error {
	all := make([]error, len(faults))
	for i, f := range faults {
		all[i] = f
	}
	return errors.Join(all...)
}

// problemIf returns the problem if there is one, and otherwise "".
func problemIf(is bool, problem string) string {
	if is {
		return problem
	}
	return ""
}

// negative says that d is negative, "" if it is not.
func negative(d time.Duration) string {
	if d < 0 {
		return fmt.Sprintf("%v is negative", d)
	}
	return ""
}

// negativeLimit is negative for a limit that may be Unlimited.
func negativeLimit(d time.Duration) string {
	if d == Unlimited {
		return ""
	}
	return negative(d)
}

// orForever returns the limit, the longest duration if it is Unlimited.
func orForever(limit time.Duration) time.Duration {
	if limit == Unlimited {
		return math.MaxInt64
	}
	return limit
}
