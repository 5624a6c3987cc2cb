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

// Errors of submitting. Match them with errors.Is.
var (
	// ErrFull says that the pool holds [Config].Capacity items.
	ErrFull = errors.New("retrypool: the pool is full")
	// ErrClosed says that the pool takes no more items. It is also the cause with which
	// [Pool.Close] cancels items when its context ends.
	ErrClosed = errors.New("retrypool: the pool is closed")
)

// PanicError reports a panic of the function or of a part of the policy. errors.As finds it in
// the item's error. The item is not retried.
type PanicError struct {
	// Value is the value of the panic. If the function ended its goroutine by runtime.Goexit,
	// Value is an error that says so.
	Value any
	// Stack is the stack of the goroutine that panicked, in the form of [debug.Stack].
	Stack []byte
}

func newPanicError(value any) *PanicError { return &PanicError{value, debug.Stack()} }

// Error returns the panic's value as one line of bounded length without control characters. It
// does not include the stack.
func (e *PanicError) Error() string { return "retrypool: panic: " + text.Line(fmt.Sprint(e.Value)) }

// Unwrap returns Value if it is an error, else nil.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// errGoexit is the Value of a PanicError for runtime.Goexit.
var errGoexit = errors.New("the goroutine was ended by runtime.Goexit")

// errCanceled is the cause with which Task.Cancel cancels a context.
var errCanceled = errors.New("retrypool: the task was canceled")

// contextError reports that ctx, which has ended, ended the operation. It matches the context's
// error and its cause.
func contextError(ctx context.Context, operation string) error {
	err, cause := ctx.Err(), context.Cause(ctx)
	causeText := text.Error(cause)
	if errtree.Is(cause, err) {
		return &multiError{"retrypool: " + operation + ": " + causeText, []error{cause}}
	}
	return &multiError{fmt.Sprintf("retrypool: %s: %v (%s)", operation, err, causeText), []error{err, cause}}
}

// deadLetterError is the error of an item that failed and that DeadLetter then failed to take.
func deadLetterError(failure *retry.Error, err error) error {
	return &multiError{failure.Error() + "; retrypool: dead letter: " + text.Error(err), []error{failure, err}}
}

// multiError matches several errors. Its text is prepared with care, because the texts of
// users' errors may be long, contain control characters, or panic.
type multiError struct {
	text string
	errs []error
}

func (e *multiError) Error() string   { return e.text }
func (e *multiError) Unwrap() []error { return e.errs }
