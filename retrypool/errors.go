package retrypool

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/internal/errtree"
	"github.com/seed-205ff063/retry/internal/text"
)

// Errors of submitting, matched by errors.Is.
var (
	// ErrFull says that the pool holds [Config].Capacity items.
	ErrFull = errors.New("retrypool: the pool is full")
	// ErrClosed says that the pool takes no more items. It is also the cause with which
	// [Pool.Close] cancels items when its context ends.
	ErrClosed = errors.New("retrypool: the pool is closed")
)

// PanicError is what a panic of the function becomes, or of a part of the policy: errors.As
// finds it in the item's error. It is not retried.
type PanicError struct {
	// Value is what the function panicked with; an error that says so if it ended its
	// goroutine by runtime.Goexit.
	Value any
	// Stack is the stack of the goroutine that panicked, as [debug.Stack] writes it.
	Stack []byte
}

func newPanicError(value any) *PanicError { return &PanicError{value, debug.Stack()} }

// Error says what the panic was, without the stack, as one safe and bounded line.
func (e *PanicError) Error() string { return "retrypool: panic: " + text.Line(fmt.Sprint(e.Value)) }

// Unwrap returns Value if that is an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// errGoexit is the Value of a function that ended its goroutine.
var errGoexit = errors.New("the goroutine was ended by runtime.Goexit")

// errCanceled is the cause with which Task.Cancel ends a context.
var errCanceled = errors.New("retrypool: the task was canceled")

// ended says that ctx ended, of which the caller knows, and what it kept from being done. It
// matches the context's error and its cause.
func contextError(ctx context.Context, operation string) error {
	err, cause := ctx.Err(), context.Cause(ctx)
	causeText := text.Error(cause)
	if errtree.Is(cause, err) {
		return &multiError{"retrypool: " + operation + ": " + causeText, []error{cause}}
	}
	return &multiError{fmt.Sprintf("retrypool: %s: %v (%s)", operation, err, causeText), []error{err, cause}}
}

// notTaken is the error of an item that failed with failure and that DeadLetter, which said
// why, did not take.
func deadLetterError(failure *retry.Error, err error) error {
	return &multiError{failure.Error() + "; retrypool: dead letter: " + text.Error(err), []error{failure, err}}
}

// joined matches several errors and has a text of its own: those of users are written with care.
type multiError struct {
	text string
	errs []error
}

func (e *multiError) Error() string   { return e.text }
func (e *multiError) Unwrap() []error { return e.errs }
