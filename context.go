package retry

import (
	"context"
	"sync/atomic"
	"time"
)

type attemptTimeoutOption time.Duration

// WithAttemptTimeout ends each attempt's context d after the function began; the time at the
// gates does not count. An attempt that fails because of it may be retried. The context's cause
// then matches context.DeadlineExceeded and has Timeout() true.
//
// The context also ends when the function returns, see [KeepContext]. 0 sets no timeout. A
// negative d is an error.
// The default is 0.
func WithAttemptTimeout(d time.Duration) Option { return attemptTimeoutOption(d) }

func (o attemptTimeoutOption) apply(s *settings) {
	s.attemptTimeout = time.Duration(o)
	s.check("WithAttemptTimeout", negative(s.attemptTimeout))
}

// KeepContext lets the context of an attempt with a timeout outlive the function, for a value
// that still needs it: a response with a body to read, rows to scan. Without it reading fails
// with "context canceled". The function calls KeepContext with its context or one derived from
// it.
//
// Call release when you are done with the value, also if the attempt failed. It ends the context
// once the function has returned and every other release was called. The attempt's timeout still
// applies. If the call has no timeout of its own, release does nothing, even within an outer
// call that has one.
func KeepContext(ctx context.Context) (release context.CancelFunc) {
	a, _ := ctx.Value(attemptKey{}).(*attemptContext)
	if a == nil || !a.hold() {
		return func() {}
	}
	var released atomic.Bool
	return func() {
		if released.CompareAndSwap(false, true) {
			a.drop()
		}
	}
}

// attemptContext is the context of an attempt with a timeout. It ends when its last holder drops
// it.
type attemptContext struct {
	context.Context
	cancel  context.CancelFunc
	holders atomic.Int32 // the function while it runs, and everyone who keeps the context
}

// hold reports whether the context still has a holder, and then adds one.
func (a *attemptContext) hold() bool {
	for {
		n := a.holders.Load()
		if n == 0 {
			return false
		}
		if a.holders.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

func (a *attemptContext) drop() {
	if a.holders.Add(-1) == 0 {
		a.cancel()
	}
}

// attemptTimeouts says that the process has used an attempt timeout. Until then no call has to
// check whether it runs within an attempt that has one.
var attemptTimeouts atomic.Bool

// shieldContext hides an outer call's attempt from KeepContext.
type shieldContext struct{ context.Context }

func (s shieldContext) Value(key any) any {
	if key == (attemptKey{}) {
		return nil
	}
	return s.Context.Value(key)
}

// shield hides the attempt that the call was made in, if there is one.
func (c *call) shield() {
	if c.ctx.Value(attemptKey{}) != nil {
		c.fnCtx, c.shielded = shieldContext{c.ctx}, true
	}
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
	if !attemptTimeouts.Load() {
		attemptTimeouts.Store(true)
	}
	a := new(attemptContext)
	a.holders.Store(1)
	if c, ok := s.clock.(interface {
		WithTimeout(context.Context, time.Duration) (context.Context, context.CancelFunc)
	}); ok {
		a.Context, a.cancel = c.WithTimeout(ctx, s.attemptTimeout)
	} else {
		a.Context, a.cancel = context.WithTimeoutCause(ctx, s.attemptTimeout, timeoutError{})
	}
	return a
}

// timeoutError is the cause of an attempt's context that ended by the attempt's timeout. The
// standard library's clients return the cause, so it must match context.DeadlineExceeded.
type timeoutError struct{}

func (timeoutError) Error() string        { return "retry: attempt timed out" }
func (timeoutError) Timeout() bool        { return true }
func (timeoutError) Temporary() bool      { return true }
func (timeoutError) Is(target error) bool { return target == context.DeadlineExceeded }
