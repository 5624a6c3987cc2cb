package retry

import (
	"context"
	"time"
)

// call is the state of one call. Its method try is the step that Do, DoValue, Func, Attempts and
// Run share. The settings, the function and DoValue's check are passed as arguments: what a call
// keeps escapes to the heap together with its context.
type call struct {
	ctx    context.Context // the caller's: limits and waits look at this one
	fnCtx  context.Context // what the Start hooks made of it
	tryCtx context.Context // what the BeforeAttempt hooks made of that; nil: nothing

	zero        time.Time     // the wall clock at reading 0
	start       time.Duration // reading when the call began
	at          time.Duration // reading when the attempt began, and after it when it ended
	before      time.Duration // what had elapsed before start, of a resumed call
	waited      time.Duration // the wait before the attempt
	delay       time.Duration // the wait after it
	totalWaited time.Duration

	marks     marks      // of the last attempt's error
	number    int        // of the attempt, from 1
	last      error      // the last attempt's
	rejection *rejection // the last value that was rejected
	failure   *Error
	attempts  ring
	timer     *time.Timer

	begun    bool // the first step has begun
	fresh    bool // at was read just now
	shielded bool // fnCtx hides an outer call's attempt, see shieldContext
	refused  bool // the last attempt did not pass its gates
	timedOut bool // the last attempt's own timeout ended its context
	rejected bool // the last attempt's value was rejected
	hinted   bool // delay is a server's hint
	left     bool // the loop over Attempts was left
	done     bool
}

// begin starts the call's time.
func (c *call) begin(s *settings) {
	if c.ctx == nil {
		panic("retry: nil context")
	}
	c.fnCtx = c.ctx
	if s.clock != nil {
		c.zero = s.clock.Now()
		return // at reading 0
	}
	c.start = c.now(s)
	c.at = c.start
}

// err returns how the call ended.
func (c *call) err() error {
	if c.failure == nil {
		return nil
	}
	return c.failure
}

// loop is the one loop of the package: try, wait, repeat.
func (c *call) loop(s *settings, fn func(context.Context) error, check func(Attempt) error) error {
	c.begin(s)
	c.fresh = true
	for {
		wait, again := c.try(s, fn, check)
		if !again {
			return c.err()
		}
		c.waitFor(s, wait)
	}
}

// try is the step: it makes one attempt and says how long to wait before the next, if there
// is one.
func (c *call) try(s *settings, fn func(context.Context) error, check func(Attempt) error) (wait time.Duration, again bool) {
	if c.done || !c.beginAttempt(s) {
		return 0, false
	}
	var err error
	switch {
	case s.gates.n > 0:
		var made bool
		if made, err = c.attemptThroughGates(s, fn); !made {
			return 0, false
		}
	case s.hooked.beforeAttempt || s.attemptTimeout > 0:
		c.depositBudget(s)
		err = c.invoke(s, fn)
	default:
		c.depositBudget(s)
		err = fn(c.fnCtx)
	}
	if err == nil && !s.observesSuccess() {
		c.done = true
		return 0, false
	}
	if err != nil {
		c.marks = marksOf(err) // before the rest of the step, where the stack is not yet deep
	}
	return c.endAttempt(s, err, check)
}

// observesSuccess reports whether anything has to be told of a successful attempt.
func (s *settings) observesSuccess() bool {
	return s.validators.n > 0 || s.hooked.afterAttempt || s.hooked.done || s.history != nil || s.logger != nil
}

// stop ends the call for the given reason.
func (c *call) stop(s *settings, reason error, elapsed time.Duration) {
	c.fail(s, &Error{Reason: reason, Elapsed: elapsed})
}

// fail fills in e and ends the call with it.
func (c *call) fail(s *settings, e *Error) {
	c.fill(s, e)
	c.failure = e
	c.reportEnd(s, e.Elapsed)
}

// fill fills in e with what the call knows about its end.
func (c *call) fill(s *settings, e *Error) {
	c.done = true
	e.Name, e.Attempts, e.Err = s.name, c.number, unmarked(c.last)
	e.Delay, e.hinted = c.delay, c.hinted && c.delay > 0
	e.attempts, e.rejection, e.rejected = c.attempts, c.rejection, c.rejected
	if e.Reason == ErrContext && e.ctxErr == nil {
		c.blameContext(e)
	}
}

// blameContext fills in e with how the context ended the call: it had ended, or its deadline
// would have passed.
func (c *call) blameContext(e *Error) {
	if e.ctxErr = c.ctx.Err(); e.ctxErr == nil {
		e.ctxErr, e.alive = context.DeadlineExceeded, true
		return
	}
	e.cause = context.Cause(c.ctx)
	e.Delay, e.hinted = 0, false // the call did not end because of the wait
}

// reportEnd runs the Done hooks and logs how the call ended.
func (c *call) reportEnd(s *settings, elapsed time.Duration) {
	if !s.hooked.done && s.logger == nil {
		return
	}
	o := Outcome{Name: s.name, Attempts: c.number, Elapsed: elapsed, Waited: c.totalWaited, Err: c.failure}
	if s.hooked.done {
		c.runDone(s, &o)
	}
	if s.logger != nil {
		logEnd(c.fnCtx, s.logger, &o)
	}
}
