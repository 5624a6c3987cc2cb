package retry

import (
	"context"
	"log/slog"
	"time"

	"github.com/seed-205ff063/retry/internal/text"
)

// Hooks are called as a call goes on, in the goroutine that makes it; any may be nil.
// Several [WithHooks] add up and run in the order given. They must be safe for concurrent
// use if the policy is shared. A panic in one goes on to the caller.
type Hooks struct {
	// Start runs once a call, before anything else. The function and the other hooks get
	// the context it returns; limits and waits look at the caller's. A nil context, here and
	// in BeforeAttempt, changes nothing.
	Start func(ctx context.Context) context.Context
	// BeforeAttempt runs before each attempt, once the gates let it in. The function and
	// AfterAttempt get the context it returns, a span's for example.
	BeforeAttempt func(ctx context.Context, a Attempt) context.Context
	// AfterAttempt runs after every attempt, the successful one too, and after one that a
	// gate refused. It is not yet known whether a retry follows: a.Delay is 0.
	AfterAttempt func(ctx context.Context, a Attempt)
	// BeforeWait runs only when a retry will follow; a.Delay is the wait. What a queue
	// needs to go on later with [Policy.Resume] is a.
	BeforeWait func(ctx context.Context, a Attempt)
	// Done runs exactly once a call, also when there was no attempt. It does not run when
	// an option was at fault, nor when the function or a hook panicked.
	Done func(ctx context.Context, o Outcome)
}

// Outcome is how a call ended.
type Outcome struct {
	// Name is the policy's name.
	Name string
	// Attempts is how many attempts were made.
	Attempts int
	// Elapsed is the time from the start of the call to its end.
	Elapsed time.Duration
	// Waited is the part of it that was spent waiting between attempts; of a [Run], what it was
	// told to wait.
	Waited time.Duration
	// Err is nil if the call succeeded. Being a pointer it must be compared with nil before it
	// is passed on as an error.
	Err *Error
}

// The call's side of the hooks and the log.

// began runs the Start hooks.
func (c *call) began(options []Option) {
	hooks := list[hooksOption, Hooks]{options: options}
	for h, ok := hooks.next(); ok; h, ok = hooks.next() {
		if h.Start != nil {
			c.fnCtx = orElse(h.Start(c.fnCtx), c.fnCtx)
		}
	}
}

// beforeAttempt runs the BeforeAttempt hooks.
func (c *call) beforeAttempt(options []Option, a *Attempt) {
	c.tryCtx = c.fnCtx
	hooks := list[hooksOption, Hooks]{options: options}
	for h, ok := hooks.next(); ok; h, ok = hooks.next() {
		if h.BeforeAttempt != nil {
			c.tryCtx = orElse(h.BeforeAttempt(c.tryCtx, *a), c.tryCtx)
		}
	}
}

// afterAttempt runs the AfterAttempt hooks.
func (c *call) afterAttempt(options []Option, a *Attempt) {
	ctx := orElse(c.tryCtx, c.fnCtx)
	hooks := list[hooksOption, Hooks]{options: options}
	for h, ok := hooks.next(); ok; h, ok = hooks.next() {
		if h.AfterAttempt != nil {
			h.AfterAttempt(ctx, *a)
		}
	}
	c.tryCtx = nil
}

// beforeWait runs the BeforeWait hooks.
func (c *call) beforeWait(options []Option, a *Attempt) {
	hooks := list[hooksOption, Hooks]{options: options}
	for h, ok := hooks.next(); ok; h, ok = hooks.next() {
		if h.BeforeWait != nil {
			h.BeforeWait(c.fnCtx, *a)
		}
	}
}

// ended runs the Done hooks.
func (c *call) ended(options []Option, o *Outcome) {
	hooks := list[hooksOption, Hooks]{options: options}
	for h, ok := hooks.next(); ok; h, ok = hooks.next() {
		if h.Done != nil {
			h.Done(c.fnCtx, *o)
		}
	}
}

func orElse(ctx, other context.Context) context.Context {
	if ctx == nil {
		return other
	}
	return ctx
}

func logRetry(ctx context.Context, l *slog.Logger, a *Attempt) {
	l.LogAttrs(ctx, slog.LevelWarn, "attempt failed, will retry",
		nameAttr(a.Name),
		slog.Int("attempt", a.Number),
		slog.String("error", text.Error(a.Err)),
		slog.Duration("wait", a.Delay),
		slog.Duration("duration", a.Duration),
		slog.Duration("elapsed", a.Elapsed))
}

func logEnd(ctx context.Context, l *slog.Logger, o *Outcome) {
	name := nameAttr(o.Name)
	switch {
	case o.Err.canceled():
		l.LogAttrs(ctx, slog.LevelInfo, "canceled", append([]slog.Attr{name}, o.Err.attrs()...)...)
	case o.Err != nil:
		l.LogAttrs(ctx, slog.LevelError, "gave up", append([]slog.Attr{name}, o.Err.attrs()...)...)
	case o.Attempts > 1:
		l.LogAttrs(ctx, slog.LevelDebug, "succeeded after retries", name,
			slog.Int("attempts", o.Attempts),
			slog.Duration("elapsed", o.Elapsed))
	}
}

// nameAttr is the attribute of a name; handlers leave an empty attribute out.
func nameAttr(name string) slog.Attr {
	if name == "" {
		return slog.Attr{}
	}
	return slog.String("name", name)
}
