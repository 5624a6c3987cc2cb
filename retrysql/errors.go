package retrysql

import "github.com/seed-205ff063/retry/internal/text"

// stepError says which step of a transaction an error comes from.
type stepError struct {
	step string
	err  error
}

func (s *stepError) Error() string { return text.Line(s.step + ": " + text.Error(s.err)) }
func (s *stepError) Unwrap() error { return s.err }

// timeoutError is the error of an attempt whose own time ran out, if err does not say so.
type timeoutError struct{ err, cause error }

func (t *timeoutError) Error() string {
	return text.Line(text.Error(t.err) + " (" + text.Error(t.cause) + ")")
}
func (t *timeoutError) Unwrap() []error { return []error{t.err, t.cause} }

// again marks an attempt's error as worth another attempt, whatever its text. It adds none.
type again struct{ err error }

func (a *again) Error() string { return text.Error(a.err) }
func (a *again) Unwrap() error { return a.err }
