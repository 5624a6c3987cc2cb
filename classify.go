package retry

import (
	"slices"
	"time"

	"github.com/seed-205ff063/retry/internal/errtree"
	"github.com/seed-205ff063/retry/internal/neterr"
)

// Classifier answers a question about the failed attempt a, mostly by a.Err. With
// [WithRetryIf] the question is whether another attempt is worth it, with [WithStopIf]
// whether it is not. It is asked only about failures that are neither marked by
// [Permanent] nor due to the end of the caller's context.
type Classifier func(a Attempt) bool

// Is returns a classifier that matches errors that are any of the targets, as errors.Is
// says. Without targets it matches none.
func Is(targets ...error) Classifier {
	own := targets
	if len(targets) > 1 { // perhaps not a list written at the call but somebody's slice
		own = slices.Clone(targets)
	}
	return func(a Attempt) bool {
		for _, target := range own {
			if errtree.Is(a.Err, target) {
				return true
			}
		}
		return false
	}
}

// As returns a classifier that matches errors with an E in their tree, as errors.As finds
// it: As[*net.DNSError]().
func As[E error]() Classifier {
	return func(a Attempt) bool {
		_, ok := errtree.As[E](a.Err)
		return ok
	}
}

// Match returns a classifier that asks f about the error. A nil f is reported by the call.
func Match(f func(err error) bool) Classifier {
	if f == nil {
		return nil // reported by the call
	}
	return func(a Attempt) bool { return f(a.Err) }
}

// All returns a classifier that matches what all of the classifiers match. Without classifiers
// it matches every failure. A nil classifier is reported by the call.
func All(matches ...Classifier) Classifier {
	own := slices.Clone(matches)
	if slices.ContainsFunc(own, func(match Classifier) bool { return match == nil }) {
		return nil // reported by the call
	}
	return func(a Attempt) bool {
		return !slices.ContainsFunc(own, func(match Classifier) bool { return !match(a) })
	}
}

// Not returns a classifier that matches what match does not. A nil classifier is reported by the
// call.
func Not(match Classifier) Classifier {
	if match == nil {
		return nil // reported by the call
	}
	return func(a Attempt) bool { return !match(a) }
}

// Transient is a classifier that matches failures of the network that pass: connections
// refused, reset, aborted or broken, hosts and networks that are unreachable, timeouts,
// streams that break off (io.ErrUnexpectedEOF), and DNS failures other than a name that does
// not exist.
//
// It matches nothing else: not certificate errors, TLS alerts, a cancelled lookup, nor any
// error that merely calls itself temporary. A plain io.EOF is mostly an end and no failure;
// where it is one, as when an HTTP server closes the connection without an answer, add
// retry.Is(io.EOF). Use it as WithRetryIf(retry.Transient).
func Transient(a Attempt) bool { return neterr.Transient(a.Err) }

// AlreadyRetried is a classifier that matches an error which carries an inner call's
// *[Error]. WithStopIf(retry.AlreadyRetried) keeps nested retries from multiplying.
func AlreadyRetried(a Attempt) bool {
	_, ok := errtree.As[*Error](a.Err)
	return ok
}

// TimedOut is a classifier that matches an attempt that [WithAttemptTimeout] ended, see
// [Attempt].TimedOut. WithStopIf(retry.TimedOut) makes the first slow attempt the last.
func TimedOut(a Attempt) bool { return a.TimedOut }

// Permanent marks err as not worth another attempt: the call that sees it stops with
// [ErrPermanent], whatever the classifiers say.
//
// The mark counts anywhere in the error's tree, but only for the innermost call: beneath
// the *[Error] of an inner call it does not. It adds no text, and errors.Is finds [ErrPermanent]
// in it. Where it is the outermost of the last error, [Error].Err is without it. Permanent(nil)
// is nil.
func Permanent(err error) error {
	if err == nil {
		return nil
	}
	return &permanent{err}
}

type permanent struct{ err error }

func (p *permanent) Error() string        { return p.err.Error() }
func (p *permanent) Unwrap() error        { return p.err }
func (p *permanent) Is(target error) bool { return target == ErrPermanent }

// After marks err with a hint, such as a server's Retry-After: a retry comes no sooner than d
// after the attempt ended. Where several hints are in one error's tree the longest counts; a
// d of 0 or below is none. The hint takes the place of the strategy's delay, also of a longer
// one; see [WithMaxRetryAfter].
//
// Like Permanent it counts anywhere in the tree but not beneath an inner *[Error], adds no
// text, and After(d, nil) is nil. An error with a method RetryAfter() (time.Duration, bool)
// gives a hint without this package.
func After(d time.Duration, err error) error {
	if err == nil {
		return nil
	}
	return &after{d, err}
}

type after struct {
	delay time.Duration
	err   error
}

func (a *after) Error() string                     { return a.err.Error() }
func (a *after) Unwrap() error                     { return a.err }
func (a *after) RetryAfter() (time.Duration, bool) { return a.delay, true }

// unmarked returns err without the marks that are outermost, so that it compares as what was
// marked.
func unmarked(err error) error {
	for {
		switch e := err.(type) { // only the outermost
		case *permanent:
			err = e.err
		case *after:
			err = e.err
		default:
			return err
		}
	}
}

// isMark reports whether err is a mark itself.
func isMark(err error) bool {
	switch err.(type) { // only the outermost
	case *permanent, *after:
		return true
	}
	return false
}

// marks are what the tree of an error says to the loop that sees it.
type marks struct {
	permanent bool
	hint      time.Duration // the longest, 0 if there is none
}

// marksOf reads the tree of err. A walk by type costs a tenth of errors.As and allocates nothing.
func marksOf(err error) (m marks) {
	nodes := errtree.MaxNodes
	m.read(err, &nodes)
	return m
}

func (m *marks) read(err error, nodes *int) {
	for err != nil && *nodes > 0 {
		*nodes--
		m.hint = max(m.hint, hintOf(err))
		var branches []error
		switch e := err.(type) {
		case *Error:
			return // what lies beneath spoke to an inner loop
		case *permanent:
			m.permanent, err = true, e.err
		default:
			branches, err = errtree.Unwrap(err)
		}
		for _, branch := range branches {
			m.read(branch, nodes)
		}
	}
}

// hintOf returns the hint of err itself, 0 if it has none or its method panics.
func hintOf(err error) (hint time.Duration) {
	h, ok := err.(interface{ RetryAfter() (time.Duration, bool) })
	if !ok {
		return 0
	}
	defer func() { _ = recover() }()
	if d, ok := h.RetryAfter(); ok {
		return d
	}
	return 0
}

// stops reports whether a WithStopIf classifier matches a.
func stops(options []Option, a *Attempt) bool {
	matches := list[stopIfOption, Classifier]{options: options}
	for match, ok := matches.next(); ok; match, ok = matches.next() {
		if match(*a) {
			return true
		}
	}
	return false
}

// retries reports whether a WithRetryIf classifier matches a, or there is none.
func retries(options []Option, a *Attempt) bool {
	matches := list[retryIfOption, Classifier]{options: options}
	match, ok := matches.next()
	if !ok {
		return true
	}
	for ; ok; match, ok = matches.next() {
		if match(*a) {
			return true
		}
	}
	return false
}
