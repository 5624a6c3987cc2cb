package retry

import (
	"context"
	"errors"
	"iter"
)

// Attempts returns an iterator over the attempts of a call whose function is the body of the loop.
// The body gets the context and the number of the attempt, and assigns its result to *err:
//
//	var err error
//	for ctx, n := range retry.Attempts(ctx, &err) {
//		err = call(ctx, n)
//	}
//
// The loop ends after a success, or when no further attempt is allowed; *err is then nil or an
// *[Error]. If the body does not assign *err, often because := declared a new err, the loop ends
// with an error that says so. Each range over the iterator is a call of its own. A nil err panics.
//
// A break or return ends the call and leaves *err as the body set it, nil if it did not. Hooks and
// the log see a success if *err is nil then, and [ErrPermanent] otherwise. To end with an *Error,
// assign a [Permanent] error and continue.
//
// Until the body assigns it, *err stands for the previous attempt's error: it has its text, and
// errors.Is finds the same. In the first attempt it is a placeholder that is not nil.
func Attempts(ctx context.Context, err *error, opts ...Option) iter.Seq2[context.Context, int] {
	if err == nil {
		panic("retry: Attempts: nil error pointer")
	}
	var faults error
	p, ok := prebuilt(opts)
	if !ok {
		p, faults = New(opts...)
	}
	return func(yield func(context.Context, int) bool) {
		if *err = faults; faults != nil {
			return
		}
		s := p.inForce()
		if *err = join(validatorsWithoutValue(s)); *err != nil {
			return
		}
		c := call{ctx: ctx}
		failed := c.loop(s, func(ctx context.Context) error {
			unassigned := unassignedError(c.last)
			*err = unassigned
			c.left = !yield(ctx, c.number)
			switch {
			case *err != unassigned: // the very one
			case c.left:
				*err = nil
			default:
				*err = errUnassigned
			}
			return *err
		}, nil)
		if !c.left {
			*err = failed
		}
	}
}

// errUnassigned is the error of a loop over Attempts whose body did not assign one.
var errUnassigned = Permanent(errors.New(
	"retry: Attempts: the loop body did not assign the error it was given; was it shadowed by := ?"))

// unassigned is *err until the body assigns it. It reads as the previous attempt's error.
type unassigned struct{ error }

func (u *unassigned) Unwrap() error { return u.error }

// unassignedError returns the next body's *err. previous is the last attempt's error, if there is
// one.
func unassignedError(previous error) error {
	if previous == nil {
		return errUnassigned
	}
	return &unassigned{previous}
}
