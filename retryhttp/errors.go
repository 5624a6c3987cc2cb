package retryhttp

import (
	"errors"

	"github.com/seed-205ff063/retry"
)

// errNoResponse is the error of a Base that breaks the contract of an http.RoundTripper.
var errNoResponse = retry.Permanent(errors.New("retryhttp: Base returned neither a response nor an error"))

// notSentAgainError is the error of an attempt after which another one might help, but would
// be unsafe or impossible.
type notSentAgainError struct {
	err error
	why string
}

func (e *notSentAgainError) Error() string {
	return retry.ErrorText(e.err) + " (not sent again: " + e.why + ")"
}

func (e *notSentAgainError) Unwrap() error { return e.err }
