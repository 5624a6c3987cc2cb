package retrysql

import (
	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/internal/text"
)

// optionError says what is wrong with the arguments of a call.
type optionError string

func (e optionError) Error() string        { return "retrysql: " + string(e) }
func (e optionError) Is(target error) bool { return target == retry.ErrOption }

// stepError says which step of a transaction failed.
type stepError struct {
	step string
	err  error
}

func (s *stepError) Error() string { return text.Line(s.step + ": " + text.Error(s.err)) }
func (s *stepError) Unwrap() error { return s.err }

// timeoutError adds to err that the attempt timed out, if err does not say so itself.
type timeoutError struct{ err, cause error }

func (t *timeoutError) Error() string {
	return text.Line(text.Error(t.err) + " (" + text.Error(t.cause) + ")")
}
func (t *timeoutError) Unwrap() []error { return []error{t.err, t.cause} }

// retryableError marks an attempt's error as retryable. It adds no text.
type retryableError struct{ err error }

func (r *retryableError) Error() string { return text.Error(r.err) }
func (r *retryableError) Unwrap() error { return r.err }
