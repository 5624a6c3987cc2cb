package retry

import (
	"time"

	"github.com/seed-205ff063/retry/internal/errtree"
)

// Permanent marks err as not worth a retry: the call stops with [ErrPermanent], whatever the
// classifiers say. Permanent(nil) is nil.
//
// A mark counts anywhere in the error's tree, except beneath the *[Error] of an inner call. It
// adds no text. errors.Is finds [ErrPermanent] in it.
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
// after the attempt ended. The hint replaces the strategy's delay, even a longer one; see
// [WithMaxRetryAfter]. The longest hint in the error's tree counts. A d of 0 or below is no
// hint. After(d, nil) is nil.
//
// The rules of [Permanent] for marks apply. An error with a method RetryAfter() (time.Duration,
// bool) gives a hint without this package.
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

// unmarked returns err without its outermost marks, so that it compares equal to the error that
// was marked.
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

// marks are what the marks in an error's tree say.
type marks struct {
	permanent bool
	hint      time.Duration // the longest, 0 if there is none
}

// marksOf reads the tree of err. A walk by type takes a tenth of the time of errors.As and
// allocates nothing.
//
//go:noinline
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
			return // what lies beneath was for an inner call
		case *permanent:
			m.permanent, err = true, e.err
		case interface{ Unwrap() error }, interface{ Unwrap() []error }:
			branches, err = errtree.Unwrap(err)
		default:
			return
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
