package retry

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"strings"
	"time"

	"github.com/seed-205ff063/retry/internal/errtree"
	"github.com/seed-205ff063/retry/internal/text"
)

// The reasons why a call stops. Switch on [Error].Reason: with nested retries errors.Is finds
// the inner reasons too.
var (
	// ErrExhausted says that every attempt allowed by [WithMaxAttempts] failed.
	ErrExhausted error = reason("attempts exhausted")
	// ErrMaxElapsed says that the next wait would have ended at or past [WithMaxElapsed].
	ErrMaxElapsed error = reason("time limit reached")
	// ErrContext says that the caller's context ended, or that the next wait would have passed
	// its deadline. The error then matches context.DeadlineExceeded.
	ErrContext error = reason("context done")
	// ErrPermanent says that the last error is not worth a retry: [Permanent] marked it, a
	// [WithStopIf] classifier matched it, or no [WithRetryIf] classifier did.
	ErrPermanent error = reason("permanent error")
	// ErrRetryAfter says that the server asked for a longer wait than [WithMaxRetryAfter] allows.
	ErrRetryAfter error = reason("server asks for a longer wait than allowed")
	// ErrBudget says that the client's own [Budget] had no token left.
	ErrBudget error = reason("client's own retry budget is spent")
)

// Errors that errors.Is finds but that are never a Reason.
var (
	// ErrRejected is matched by the error of an attempt whose value a [Validator] rejected.
	ErrRejected error = reason("value rejected")
	// ErrOption is matched by the error of a call or constructor that was given a bad option.
	ErrOption error = reason("invalid option")
)

// reason is the type of the sentinels. It is comparable, and its text names the package.
type reason string

func (r reason) Error() string { return "retry: " + string(r) }

// Error says why a call stopped and what failed last. Every call that fails returns one, as a
// pointer, unless its options were wrong. Most callers should return it, or switch on Reason.
//
// errors.Is and errors.As find in it Reason, the last attempt's error, and if the context ended
// both its Err and its Cause.
type Error struct {
	Name string // the policy's name
	// Attempts is how many attempts were made. It is 0 if the context was done before the first,
	// or before its gates let it in.
	Attempts int
	Elapsed  time.Duration // from the start of the call to its end
	// Reason is why this call stopped: ErrExhausted, ErrMaxElapsed, ErrContext, ErrPermanent,
	// ErrRetryAfter, ErrBudget, or the error of a [WithStop] function.
	Reason error
	// Err is the last attempt's error without its outermost marks, see [Permanent]. It is nil
	// only if there was no attempt, or [Policy.Resume] was not given its error.
	Err error
	// Delay is the wait that the call gave up on: the server's hint, or what the policy would
	// have waited. Otherwise it is 0.
	Delay time.Duration

	ctxErr, cause error      // why the context forbids more, nil if it does not
	attempts      ring       // the newest attempts
	rejection     *rejection // of the last value that this call's validators rejected
	alive         bool       // the context had not ended: a wait that would pass its deadline was not begun
	rejected      bool       // Err is of a rejected value
	hinted        bool       // Delay is a server's hint
}

// nilText is the text of a nil pointer to one of the error types.
const nilText = "<nil>"

// Error returns one line: the name, why the call stopped, after how many attempts, in what time,
// and the last error.
func (e *Error) Error() string {
	if e == nil {
		return nilText
	}
	var b strings.Builder
	b.WriteString("retry: ")
	if e.Name != "" {
		b.WriteString(e.Name)
		b.WriteString(": ")
	}
	b.WriteString(e.why())
	plural := "s"
	if e.Attempts == 1 {
		plural = ""
	}
	fmt.Fprintf(&b, " after %d attempt%s in %v", e.Attempts, plural, short(e.Elapsed))
	if e.Err != nil {
		fmt.Fprintf(&b, ": %v", e.Err)
	}
	return text.Line(b.String())
}

// why is the reason in words, with the number or the cause that explains it.
func (e *Error) why() string {
	label := e.label()
	switch {
	case e.alive && e.Delay > 0:
		return fmt.Sprintf("next wait of %v would pass the deadline", short(e.Delay))
	case e.cause != nil:
		return fmt.Sprintf("%s (%v)", label, e.cause)
	case e.Delay > 0 && e.Reason == ErrRetryAfter:
		return fmt.Sprintf("%s (%v)", label, short(e.Delay))
	case e.Delay > 0:
		return fmt.Sprintf("%s (next wait %v)", label, short(e.Delay))
	}
	return label
}

// label is the reason in words without numbers, so that records group by it.
func (e *Error) label() string {
	switch {
	case e.alive && e.Delay > 0:
		return "next wait would pass the deadline"
	case e.alive && e.cause != nil:
		return "wait at a gate would pass the deadline"
	case e.alive:
		return "deadline reached"
	}
	if r, ok := e.Reason.(reason); ok { // this call's own
		return string(r)
	}
	return strings.TrimPrefix(text.Error(e.Reason), "retry: ")
}

// Unwrap returns what errors.Is and errors.As search, including the [ValidationError] after a
// rejected value.
func (e *Error) Unwrap() []error {
	if e == nil {
		return nil
	}
	all := make([]error, 0, 5)
	var report error
	if e.rejected {
		report = e.rejection.report // otherwise see Rejected
	}
	for _, err := range [...]error{e.Reason, report, e.Err, e.ctxErr, e.cause} {
		if err != nil {
			all = append(all, err)
		}
	}
	return all
}

// History returns a copy of the newest attempts, oldest first: at most [WithHistorySize].
func (e *Error) History() []Attempt {
	if e == nil {
		return nil
	}
	return e.attempts.slice()
}

// Timeout reports whether a limit or a deadline stopped the call, or the last error is a
// timeout.
func (e *Error) Timeout() bool {
	switch {
	case e == nil:
		return false
	case e.ctxErr != nil:
		return errtree.Is(e.ctxErr, context.DeadlineExceeded)
	case e.Reason == ErrMaxElapsed:
		return true
	}
	t, ok := errtree.As[interface{ Timeout() bool }](e.Err)
	return ok && errtree.Safe(t.Timeout)
}

// Temporary reports whether the last error is temporary or Timeout is true.
func (e *Error) Temporary() bool {
	if e == nil {
		return false
	}
	if e.Timeout() {
		return true
	}
	t, ok := errtree.As[interface{ Temporary() bool }](e.Err)
	return ok && errtree.Safe(t.Temporary)
}

// RetryAfter is a hint for an outer retry. It returns Delay and true if Reason is ErrBudget or
// ErrRetryAfter, or if Delay is a server's hint. A Delay of 0 asks for no wait.
func (e *Error) RetryAfter() (time.Duration, bool) {
	if e == nil || e.Reason != ErrBudget && e.Reason != ErrRetryAfter && !e.hinted {
		return 0, false
	}
	return e.Delay, true
}

// canceled reports whether the caller canceled the call. That is no failure.
func (e *Error) canceled() bool {
	return e != nil && e.Reason == ErrContext && !e.alive && errtree.Is(e.ctxErr, context.Canceled)
}

// LogValue returns a group of name, attempts, elapsed, reason, cause (the context's), error and
// delay.
func (e *Error) LogValue() slog.Value {
	if e == nil {
		return slog.AnyValue(nil)
	}
	return slog.GroupValue(append([]slog.Attr{nameAttr(e.Name)}, e.attrs()...)...)
}

// attrs are the attributes of a log record, except the name.
func (e *Error) attrs() []slog.Attr {
	attrs := []slog.Attr{
		slog.Int("attempts", e.Attempts),
		slog.Duration("elapsed", e.Elapsed),
		slog.String("reason", e.label()),
	}
	if e.cause != nil {
		attrs = append(attrs, slog.String("cause", text.Error(e.cause)))
	}
	if e.Err != nil {
		attrs = append(attrs, slog.String("error", text.Error(e.Err)))
	}
	if e.Delay > 0 {
		attrs = append(attrs, slog.Duration("delay", e.Delay))
	}
	return attrs
}

// GoString returns the line of Error, quoted.
func (e *Error) GoString() string { return fmt.Sprintf("&retry.Error(%q)", e.Error()) }

// ErrorText returns the text of err as this package logs it: one line of at most 1024 bytes. A
// longer text loses its middle. Line breaks become "; ", and control and bidirectional
// characters are escaped. A typed nil and an Error method that panics do no harm. The text of
// nil is "<nil>".
func ErrorText(err error) string { return text.Error(err) }

// short rounds d to three significant digits, which makes 1.1s of 1.104382911s.
func short(d time.Duration) time.Duration {
	unit := time.Duration(1)
	for unit <= math.MaxInt64/1000 && d/unit >= 1000 {
		unit *= 10
	}
	return d.Round(unit)
}
