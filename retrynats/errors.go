package retrynats

import (
	"errors"
	"fmt"
	"runtime/debug"

	"github.com/seed-205ff063/retry"
)

// ErrLost is the error of an attempt that was begun and never heard of again: its process was
// killed, or the server could not be told how it ended. Its work may have been done. A dead
// letter has it as [HeaderError] where the last attempt that the policy allows was lost.
var ErrLost = errors.New("retrynats: the attempt was lost")

// PanicError is what a panic of the handler becomes, or of a part of the policy. It is not
// retried. Hooks and [Config].Redact find it with errors.As.
type PanicError struct {
	// Value is what the handler panicked with; an error that says so if it ended its goroutine
	// by runtime.Goexit.
	Value any
	// Stack is the stack of the goroutine that panicked, as [debug.Stack] writes it.
	Stack []byte
}

func newPanicError(value any) *PanicError { return &PanicError{value, debug.Stack()} }

// Error says what the panic was, without the stack.
func (e *PanicError) Error() string { return fmt.Sprintf("retrynats: panic: %v", e.Value) }

// Unwrap returns Value if that is an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// errGoexit is the Value of a handler that ended its goroutine.
var errGoexit = errors.New("the goroutine was ended by runtime.Goexit")

// storedError is the error of an earlier attempt: of it only the text was stored.
type storedError string

func (e storedError) Error() string { return string(e) }

// redactedError shows the text that may be shown of err.
type redactedError struct {
	err  error
	text string
}

func (e *redactedError) Error() string { return e.text }
func (e *redactedError) Unwrap() error { return e.err }

// redacted is err as the policy may see it.
func (c *Config) redacted(err error) error {
	if err == nil || c.Redact == nil {
		return err
	}
	return &redactedError{err, c.text(err)}
}

// text is what may be stored and logged of err: one line.
func (c *Config) text(err error) (s string) {
	switch e := err.(type) { //nolint:errorlint // what is wrapped further is redacted as a whole
	case nil:
		return ""
	case storedError: // redacted when it was stored
		return retry.ErrorText(e)
	case *redactedError:
		return e.text
	}
	if c.Redact == nil || err == ErrLost {
		return retry.ErrorText(err)
	}
	defer func() {
		if v := recover(); v != nil {
			s = fmt.Sprintf("(Config.Redact panicked at %T)", err)
		}
	}()
	return retry.ErrorText(storedError(c.Redact(err)))
}
