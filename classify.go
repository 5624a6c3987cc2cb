package retry

import (
	"slices"

	"github.com/seed-205ff063/retry/internal/errtree"
	"github.com/seed-205ff063/retry/internal/neterr"
)

// Classifier answers a question about the failed attempt a, mostly by a.Err: with [WithRetryIf]
// whether to retry, with [WithStopIf] whether to stop. It is not asked about a [Permanent]
// error, or after the caller's context ended.
type Classifier func(a Attempt) bool

type (
	retryIfOption list[Classifier]
	stopIfOption  list[Classifier]
)

// WithRetryIf retries only errors that one of the classifiers matches. Other errors stop the
// call with [ErrPermanent]. [Permanent] and [WithStopIf] have priority. A rejected value is
// retried whatever the classifiers say. Without classifiers the option changes nothing.
// The default is to retry every error that is not Permanent.
func WithRetryIf(matches ...Classifier) Option { return retryIfOption(newList(matches)) }

func (o retryIfOption) apply(s *settings) {
	matches := list[Classifier](o)
	s.checkList("WithRetryIf", hasNil(&matches), "nil Classifier")
	s.retryIf.add(&matches)
}

// WithStopIf stops the call with [ErrPermanent] at an error that one of the classifiers matches.
// The default is none.
func WithStopIf(matches ...Classifier) Option { return stopIfOption(newList(matches)) }

func (o stopIfOption) apply(s *settings) {
	matches := list[Classifier](o)
	s.checkList("WithStopIf", hasNil(&matches), "nil Classifier")
	s.stopIf.add(&matches)
}

func hasNil(matches *list[Classifier]) bool {
	for i := range matches.n {
		if matches.at(i) == nil {
			return true
		}
	}
	return false
}

// anyMatches reports whether one of the classifiers matches a.
func anyMatches(matches *list[Classifier], a *Attempt) bool {
	for i := range matches.n {
		if matches.at(i)(*a) {
			return true
		}
	}
	return false
}

// Is matches an error that is one of the targets, as errors.Is says. Without targets it matches
// none.
func Is(targets ...error) Classifier {
	if len(targets) == 1 { // the usual case, without a slice
		target := targets[0]
		return func(a Attempt) bool { return errtree.Is(a.Err, target) }
	}
	own := slices.Clone(targets)
	return func(a Attempt) bool {
		for _, target := range own {
			if errtree.Is(a.Err, target) {
				return true
			}
		}
		return false
	}
}

// As matches an error with an E in its tree, as errors.As finds it: As[*net.DNSError]().
func As[E error]() Classifier {
	return func(a Attempt) bool {
		_, ok := errtree.As[E](a.Err)
		return ok
	}
}

// Match matches an error if f says so.
func Match(f func(err error) bool) Classifier {
	if f == nil {
		return nil // reported by the call
	}
	return func(a Attempt) bool { return f(a.Err) }
}

// All matches what all the classifiers match, and every failure if there are none.
func All(matches ...Classifier) Classifier {
	own := slices.Clone(matches)
	if slices.ContainsFunc(own, func(match Classifier) bool { return match == nil }) {
		return nil // reported by the call
	}
	return func(a Attempt) bool {
		return !slices.ContainsFunc(own, func(match Classifier) bool { return !match(a) })
	}
}

// Not matches what match does not.
func Not(match Classifier) Classifier {
	if match == nil {
		return nil // reported by the call
	}
	return func(a Attempt) bool { return !match(a) }
}

// Transient matches network failures that may pass: connections refused, reset, aborted or
// broken, unreachable hosts and networks, timeouts, streams that break off
// (io.ErrUnexpectedEOF), and DNS failures other than a name that does not exist.
//
// It matches no certificate error, TLS alert or canceled lookup, no error that only calls itself
// temporary, and no io.EOF, which is mostly a normal end. Where io.EOF is a failure, as when an
// HTTP server closes the connection without an answer, add retry.Is(io.EOF).
func Transient(a Attempt) bool { return neterr.Transient(a.Err) }

// AlreadyRetried matches an error with an inner call's *[Error] in its tree.
// WithStopIf(retry.AlreadyRetried) keeps nested retries from multiplying.
func AlreadyRetried(a Attempt) bool {
	_, ok := errtree.As[*Error](a.Err)
	return ok
}

// TimedOut matches an attempt that [WithAttemptTimeout] ended. WithStopIf(retry.TimedOut) makes
// the first slow attempt the last.
func TimedOut(a Attempt) bool { return a.TimedOut }
