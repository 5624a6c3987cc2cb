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

// The reasons a call stops for, as [Error].Reason; each is matched by errors.Is.
//
// With nested retries errors.Is finds the inner loops' reasons too, so code that
// acts on why this call stopped should switch on Reason.
var (
	// ErrExhausted says that every attempt allowed by [WithMaxAttempts] failed.
	ErrExhausted error = reason("attempts exhausted")
	// ErrMaxElapsed says that the next wait would have ended at or past [WithMaxElapsed].
	ErrMaxElapsed error = reason("time limit reached")
	// ErrContext says that the caller's context ended, or that its deadline would have
	// passed before the next attempt; the error then matches context.DeadlineExceeded.
	ErrContext error = reason("context done")
	// ErrPermanent says that the last error was not worth another attempt: it was marked by
	// [Permanent], a [WithStopIf] classifier matched it, or none of [WithRetryIf]'s did.
	ErrPermanent error = reason("permanent error")
	// ErrRetryAfter says that the server asked for a longer wait than [WithMaxRetryAfter] allows.
	ErrRetryAfter error = reason("server asks for a longer wait than allowed")
	// ErrBudget says that the client's own [Budget] had no token left for a retry.
	ErrBudget error = reason("client's own retry budget is spent")
)

// Errors that are matched by errors.Is but are never a Reason.
var (
	// ErrRejected is matched by the error of an attempt whose value a [Validator] rejected.
	ErrRejected error = reason("value rejected")
	// ErrOption is matched by the error of a call or constructor that was given a bad option.
	ErrOption error = reason("invalid option")
)

// reason is the type of the sentinels: comparable, and its text knows its package.
type reason string

func (r reason) Error() string { return "retry: " + string(r) }

// Error says why a call stopped and what failed last. Every call that fails returns one, as
// a pointer; only faults in options, which match [ErrOption], are another error.
//
// Through errors.Is and errors.As it matches, all at once, its Reason, the last attempt's
// error, and when the context ended both its Err and its Cause. Its text is one line and
// its history is bounded.
type Error struct {
	// Name is the policy's name, empty if it has none.
	Name string
	// Attempts is how many attempts were made; 0 when the context was done before the first,
	// or before its gates let it in.
	Attempts int
	// Elapsed is the time from the start of the call to its end, waits included.
	Elapsed time.Duration
	// Reason is why this loop stopped: ErrExhausted, ErrMaxElapsed, ErrContext, ErrPermanent,
	// ErrRetryAfter, ErrBudget, or what a function of [WithStop] returned. Switch on it.
	Reason error
	// Err is the last attempt's error, without a [Permanent] or [After] around it. It is nil only
	// if there was no attempt, or [Policy.Resume] was not told of it.
	Err error
	// Delay is the wait that did not take place, when the call gave up instead of waiting:
	// the server's hint, or what the policy would have waited. Otherwise it is 0.
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

// Error returns one line: the name, why the call stopped, after how many attempts, in what
// time, and the last attempt's error.
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

// why is the reason in words, with the figure or the cause that explains it.
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

// label is the reason in words without figures, so that records group by it.
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

// Unwrap returns what the error matches: the reason, the last attempt's error, and if the
// context forbade more, its Err and its Cause. After a rejected value it includes the
// [ValidationError].
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

// Timeout reports whether time ran out: a limit or a deadline stopped the call, or the last
// attempt's error says so. It lets a url.Error that wraps this one answer Timeout.
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

// Temporary reports whether the last attempt's error calls itself temporary or is a timeout.
// It is there for callers that ask net.Error's deprecated method.
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

// RetryAfter returns Delay and true when the reason is ErrBudget or ErrRetryAfter, or when the
// wait that was not begun was a server's hint: an outer retry then waits at least so long. A Delay
// of 0 asks for no wait.
func (e *Error) RetryAfter() (time.Duration, bool) {
	if e == nil || e.Reason != ErrBudget && e.Reason != ErrRetryAfter && !e.hinted {
		return 0, false
	}
	return e.Delay, true
}

// canceled reports whether the caller cancelled the call, which is nobody's fault.
func (e *Error) canceled() bool {
	return e != nil && e.Reason == ErrContext && !e.alive && errtree.Is(e.ctxErr, context.Canceled)
}

// LogValue returns the group name, attempts, elapsed, reason, cause (the context's), error and
// delay, so that a structured log has the parts and not the line.
func (e *Error) LogValue() slog.Value {
	if e == nil {
		return slog.AnyValue(nil)
	}
	return slog.GroupValue(append([]slog.Attr{nameAttr(e.Name)}, e.attrs()...)...)
}

// attrs are the attributes of a log record but the name.
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

// GoString returns the line that Error does, quoted: %#v prints no fields of wrapped errors.
func (e *Error) GoString() string { return fmt.Sprintf("&retry.Error(%q)", e.Error()) }

// ErrorText returns the text of err as the texts of this package show it: one line of at most
// 1024 bytes. Line breaks become "; ", control and bidirectional characters are escaped, and a
// text that is longer loses its middle. Like package fmt it survives a typed nil and an Error
// method that panics; the text of nil is "<nil>". It is for logs, headers and labels that show
// an error from outside.
func ErrorText(err error) string { return text.Error(err) }

// short rounds d to three significant digits: nobody reads the nanoseconds of 1.104382911s.
func short(d time.Duration) time.Duration {
	unit := time.Duration(1)
	for unit <= math.MaxInt64/1000 && d/unit >= 1000 {
		unit *= 10
	}
	return d.Round(unit)
}
