package retryhttp

import (
	"errors"

	"github.com/seed-205ff063/retry"
)

// errNoResponse is for a Base that breaks its contract.
var errNoResponse = retry.Permanent(errors.New("retryhttp: Base returned neither a response nor an error"))

// notSentAgainError is the error of an attempt that might end better another time, if another one
// were safe.
type notSentAgainError struct {
	err error
	why string
}

func (e *notSentAgainError) Error() string {
	return retry.ErrorText(e.err) + " (not sent again: " + e.why + ")"
}

func (e *notSentAgainError) Unwrap() error { return e.err }
