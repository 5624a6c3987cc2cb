package retrynats

import (
	"errors"
	"fmt"
	"runtime/debug"

	"github.com/seed-205ff063/retry"
)

// ErrLost is the error of a lost attempt: its process was killed, or could not tell the server how it
// ended. Its work may have been done. It is the [HeaderError] of a dead letter if the last attempt
// that the policy allows was lost.
var ErrLost = errors.New("retrynats: the attempt was lost")

// PanicError is the error of a panic in the handler or in a part of the policy. It is not retried.
// Hooks and [Config].Redact find it with errors.As.
type PanicError struct {
	// Value is the value of the panic. If the handler called runtime.Goexit, it is an error that
	// says so.
	Value any
	// Stack is the stack of the goroutine that panicked, as [debug.Stack] writes it.
	Stack []byte
}

func newPanicError(value any) *PanicError { return &PanicError{value, debug.Stack()} }

// Error returns the value of the panic as text, without the stack.
func (e *PanicError) Error() string { return fmt.Sprintf("retrynats: panic: %v", e.Value) }

// Unwrap returns Value if it is an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// errGoexit is the Value for a handler that ended its goroutine.
var errGoexit = errors.New("the goroutine was ended by runtime.Goexit")

// storedError is the error of an earlier attempt. Only its text was stored.
type storedError string

func (e storedError) Error() string { return string(e) }

// redactedError is an error with a text that may be stored and logged.
type redactedError struct {
	err  error
	text string
}

func (e *redactedError) Error() string { return e.text }
func (e *redactedError) Unwrap() error { return e.err }

// redactError returns err with the text of Config.Redact, if that is set.
func (c *Config) redactError(err error) error {
	if err == nil || c.Redact == nil {
		return err
	}
	return &redactedError{err, c.text(err)}
}

// text returns the text that may be stored and logged of err. It is one line.
func (c *Config) text(err error) (s string) {
	switch e := err.(type) { //nolint:errorlint // an error that wraps one of these is redacted as a whole
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
