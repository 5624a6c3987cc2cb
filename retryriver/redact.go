package retryriver

import (
	"errors"
	"fmt"

	"github.com/seed-205ff063/retry"
)

// redactedError is an error with a text that may be stored and logged.
type redactedError struct {
	text string
	err  error
}

func (e *redactedError) Error() string { return e.text }
func (e *redactedError) Unwrap() error { return e.err }

// withText returns err with the text of shown, for River to store.
func withText(shown, err error) error { return &redactedError{retry.ErrorText(shown), err} }

// redactError returns err with the text of Config.Redact, if that is set.
func (r *Retrier) redactError(err error) error {
	if err == nil || r.redact == nil {
		return err
	}
	return withText(errors.New(r.redact(err)), err)
}

// redactPanic returns the value of a panic as a redacted error.
func (r *Retrier) redactPanic(v any) error {
	err, ok := v.(error)
	if !ok {
		err = fmt.Errorf("%v", v)
	}
	return r.redactError(err)
}
