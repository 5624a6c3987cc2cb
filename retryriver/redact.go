package retryriver

import (
	"errors"
	"fmt"

	"github.com/seed-205ff063/retry"
)

// shown is an error with the text that may be stored and logged.
type shown struct {
	text string
	err  error
}

func (s *shown) Error() string { return s.text }
func (s *shown) Unwrap() error { return s.err }

// stored returns err with the text of what, as River is to store it.
func stored(what, err error) error { return &shown{retry.ErrorText(what), err} }

// redacted is err as it may be shown.
func (r *Retrier) redacted(err error) error {
	if err == nil || r.redact == nil {
		return err
	}
	return stored(errors.New(r.redact(err)), err)
}

// redactPanic is what is passed on of the value of a panic.
func (r *Retrier) redactPanic(v any) error {
	err, ok := v.(error)
	if !ok {
		err = fmt.Errorf("%v", v)
	}
	return r.redacted(err)
}
