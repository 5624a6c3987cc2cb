package retry

import (
	"context"
	"time"
)

// Hooks are functions that a call runs at its steps, in its own goroutine. Any may be nil. Those
// of several [WithHooks] run in the order given. A panic in one reaches the caller. If the
// policy is shared they must be safe for concurrent use.
type Hooks struct {
	// Start runs once a call, before anything else. The function and the other hooks get the
	// context it returns; limits and waits use the caller's. Nil, here and in BeforeAttempt,
	// changes nothing.
	Start func(ctx context.Context) context.Context
	// BeforeAttempt runs before each attempt, after its gates. The function and AfterAttempt get
	// the context it returns.
	BeforeAttempt func(ctx context.Context, a Attempt) context.Context
	// AfterAttempt runs after every attempt, also after a success and a gate's refusal. a.Delay
	// is 0, because a retry is not yet decided.
	AfterAttempt func(ctx context.Context, a Attempt)
	// BeforeWait runs only when a retry will follow; a.Delay is the wait.
	BeforeWait func(ctx context.Context, a Attempt)
	// Done runs exactly once a call, also without an attempt, but not if an option was wrong, or
	// if the function or a hook panicked.
	Done func(ctx context.Context, o Outcome)
}

// Outcome is how a call ended.
type Outcome struct {
	Name     string        // the policy's name
	Attempts int           // how many attempts were made
	Elapsed  time.Duration // from the start of the call to its end

	// Waited is the part of Elapsed spent waiting between attempts. For a [Run] it counts the
	// waits that Try returned.
	Waited time.Duration
	// Err is nil after a success. It is a pointer: compare it with nil before you use it as an
	// error.
	Err *Error
}

type hooksOption struct{ hooks Hooks }

// WithHooks runs the functions of h at the steps of the call.
// The default is none.
func WithHooks(h Hooks) Option { return hooksOption{h} }

func (o hooksOption) apply(s *settings) {
	s.hooks.add(&list[Hooks]{few: [2]Hooks{o.hooks}, n: 1})
	s.hooked.start = s.hooked.start || o.hooks.Start != nil
	s.hooked.beforeAttempt = s.hooked.beforeAttempt || o.hooks.BeforeAttempt != nil
	s.hooked.afterAttempt = s.hooked.afterAttempt || o.hooks.AfterAttempt != nil
	s.hooked.beforeWait = s.hooked.beforeWait || o.hooks.BeforeWait != nil
	s.hooked.done = s.hooked.done || o.hooks.Done != nil
}

// hookSet says which hooks there are.
type hookSet struct{ start, beforeAttempt, afterAttempt, beforeWait, done bool }

// runStart runs the Start hooks.
func (c *call) runStart(s *settings) {
	for i := range s.hooks.n {
		if start := s.hooks.at(i).Start; start != nil {
			c.fnCtx = orElse(start(c.fnCtx), c.fnCtx)
		}
	}
}

// runBeforeAttempt runs the BeforeAttempt hooks.
func (c *call) runBeforeAttempt(s *settings, a *Attempt) {
	c.tryCtx = c.fnCtx
	for i := range s.hooks.n {
		if before := s.hooks.at(i).BeforeAttempt; before != nil {
			c.tryCtx = orElse(before(c.tryCtx, *a), c.tryCtx)
		}
	}
}

// runAfterAttempt runs the AfterAttempt hooks.
func (c *call) runAfterAttempt(s *settings, a *Attempt) {
	ctx := orElse(c.tryCtx, c.fnCtx)
	for i := range s.hooks.n {
		if after := s.hooks.at(i).AfterAttempt; after != nil {
			after(ctx, *a)
		}
	}
	c.tryCtx = nil
}

// runBeforeWait runs the BeforeWait hooks.
func (c *call) runBeforeWait(s *settings, a *Attempt) {
	for i := range s.hooks.n {
		if before := s.hooks.at(i).BeforeWait; before != nil {
			before(c.fnCtx, *a)
		}
	}
}

// runDone runs the Done hooks.
func (c *call) runDone(s *settings, o *Outcome) {
	for i := range s.hooks.n {
		if done := s.hooks.at(i).Done; done != nil {
			done(c.fnCtx, *o)
		}
	}
}

func orElse(ctx, other context.Context) context.Context {
	if ctx == nil {
		return other
	}
	return ctx
}
