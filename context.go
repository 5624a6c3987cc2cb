package retry

import (
	"context"
	"sync/atomic"
	"time"
)

// KeepContext lets the context of an attempt outlive it, for a function whose value still
// needs it: a response with a body to read, rows to scan. It is called by that function with
// the context that it was given, or one derived from it. The attempt's timeout goes on to
// count; release ends the context and must be called when the value is done with, also when
// the attempt failed.
//
// Without it the context ends with the function if there is a [WithAttemptTimeout], and the
// body is cut off: "context canceled". If there is none, there is nothing to keep and release
// does nothing.
func KeepContext(ctx context.Context) (release context.CancelFunc) {
	a, ok := ctx.Value(attemptKey{}).(*attemptContext)
	if !ok {
		return func() {}
	}
	a.kept.Store(true)
	return a.cancel
}

// attemptContext is the context of an attempt with a timeout.
type attemptContext struct {
	context.Context
	cancel context.CancelFunc
	kept   atomic.Bool
}

type attemptKey struct{}

func (a *attemptContext) Value(key any) any {
	if key == (attemptKey{}) {
		return a
	}
	return a.Context.Value(key)
}

// withTimeout derives the context of an attempt that may take attemptTimeout.
func (s *settings) withTimeout(ctx context.Context) *attemptContext {
	if c, ok := s.clock.(interface {
		WithTimeout(context.Context, time.Duration) (context.Context, context.CancelFunc)
	}); ok {
		timed, cancel := c.WithTimeout(ctx, s.attemptTimeout)
		return &attemptContext{Context: timed, cancel: cancel}
	}
	timed, cancel := context.WithTimeoutCause(ctx, s.attemptTimeout, timeoutError{})
	return &attemptContext{Context: timed, cancel: cancel}
}

// timeoutError is the cause of an attempt's context that ended by the attempt's timeout. The
// standard library's clients return the cause, so it must pass for a deadline.
type timeoutError struct{}

func (timeoutError) Error() string        { return "retry: attempt timed out" }
func (timeoutError) Timeout() bool        { return true }
func (timeoutError) Temporary() bool      { return true }
func (timeoutError) Is(target error) bool { return target == context.DeadlineExceeded }
