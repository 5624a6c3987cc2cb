package retry

import (
	"context"
	"math"
	"time"

	"github.com/seed-205ff063/retry/internal/errtree"
)

// call is the state of one call, and its methods are the step that every way in drives. The
// settings, the options that hold their lists, the function and DoValue's check are not
// kept in it but passed: what a call keeps escapes to the heap, with its context.
type call struct {
	ctx    context.Context // the caller's: limits and waits look at this one
	fnCtx  context.Context // what the Start hooks made of it
	tryCtx context.Context // what the BeforeAttempt hooks made of that; nil: nothing

	zero      time.Time     // the wall clock at reading 0
	start     time.Duration // reading when the call began
	at        time.Duration // reading when the attempt began, and after it when it ended
	before    time.Duration // what had elapsed before start, of a resumed call
	waited    time.Duration // the wait before the attempt
	delay     time.Duration // the wait after it
	waitedAll time.Duration

	marks     marks      // of the last attempt's error
	number    int        // of the attempt, from 1
	last      error      // the last attempt's
	rejection *rejection // the last value that was rejected
	failure   *Error
	attempts  ring
	timer     *time.Timer

	begun    bool // the first step has begun
	fresh    bool // at is a reading of just now
	shielded bool // fnCtx hides an outer call's attempt, see shieldContext
	refused  bool // the last attempt did not pass its gates
	timedOut bool // the last attempt's own timeout ended its context
	rejected bool // the last attempt's value was rejected
	hinted   bool // delay is a server's hint
	left     bool // the loop over Attempts was left
	done     bool
}

// epoch is reading 0 of the real clock. time.Since of a fixed time reads the monotonic clock
// alone, at half the price of time.Now.
var epoch = time.Now()

// now reads the clock. Only differences of readings mean anything.
func (c *call) now(s *settings) time.Duration {
	if s.clock != nil {
		return s.clock.Now().Sub(c.zero)
	}
	return time.Since(epoch)
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

// err is how the call ended.
func (c *call) err() error {
	if c.failure == nil {
		return nil
	}
	return c.failure
}

// loop is the one loop of the package: try, wait, repeat.
func (c *call) loop(s *settings, options []Option, fn func(context.Context) error, check func(Attempt) error) error {
	c.begin(s)
	c.fresh = true
	for {
		wait, again := c.try(s, options, fn, check)
		if !again {
			return c.err()
		}
		if wait > 0 {
			c.sleep(s, wait)
		}
	}
}

// sleep waits for d or until the context ends; the next try looks which it was. Its frame is
// small because many goroutines may be waiting in it.
func (c *call) sleep(s *settings, d time.Duration) {
	done := c.ctx.Done()
	if s.clock == nil && done == nil {
		time.Sleep(d) // nothing can cut it short
		return
	}
	if s.clock != nil && c.ctx.Err() != nil {
		return // a virtual clock would move on for a wait that does not take place
	}
	due := c.due(s, d)
	select {
	case <-due:
	case <-done:
		if c.timer != nil {
			c.timer.Stop()
		}
	}
}

// due returns a channel that tells when d is over: the clock's, or that of the call's one
// timer.
func (c *call) due(s *settings, d time.Duration) <-chan time.Time {
	switch {
	case s.clock != nil:
		return s.clock.After(d)
	case c.timer == nil:
		c.timer = time.NewTimer(d)
	default:
		c.timer.Reset(d)
	}
	return c.timer.C
}

const (
	guards   = hasGate | hasBeforeAttempt | hasAttemptTimeout                    // what surrounds an attempt
	watchers = hasValidator | hasAfterAttempt | hasDone | hasHistory | hasLogger // what a success has to be told
)

// try is the step: it makes one attempt and says how long to wait before the next, if there
// is one.
func (c *call) try(s *settings, options []Option, fn func(context.Context) error, check func(Attempt) error) (wait time.Duration, again bool) {
	if c.done || !c.open(s, options) {
		return 0, false
	}
	var err error
	if s.given&guards == 0 {
		c.pay(s)
		err = fn(c.fnCtx)
	} else {
		var made bool
		if made, err = c.guarded(s, options, fn); !made {
			return 0, false
		}
	}
	if err == nil && s.given&watchers == 0 {
		c.done = true // nobody will ask how long it took
		return 0, false
	}
	if err != nil {
		c.readMarks(err)
	}
	return c.close(s, options, err, check)
}

// readMarks reads the marks of err before the rest of the step, where the stack is not yet deep.
//
//go:noinline
func (c *call) readMarks(err error) { c.marks = marksOf(err) }

// open begins the next attempt and reports whether there is one.
func (c *call) open(s *settings, options []Option) bool {
	if !c.begun {
		c.begun = true
		if s.attemptTimeout <= 0 && attemptTimeouts.Load() {
			c.shield()
		}
		if s.has(hasStart) {
			c.began(options)
			c.fresh = false
		}
	}
	if c.ctx.Err() != nil {
		c.cutShort(s, options)
		return false
	}
	if !c.fresh {
		c.at = c.now(s)
	}
	c.fresh = false
	c.waited, c.delay = c.delay, 0
	c.waitedAll = add(c.waitedAll, c.waited)
	if c.number > 0 && !c.allowed(s, options) {
		return false
	}
	c.tryCtx, c.timedOut, c.refused = nil, false, false
	c.number += min(1, math.MaxInt-c.number) // a resumed call may be that old
	return true
}

// cutShort ends the call because its context did, before the first attempt or in a wait.
func (c *call) cutShort(s *settings, options []Option) {
	now := c.now(s)
	if c.number > 0 {
		c.waitedAll = add(c.waitedAll, min(c.delay, max(now-c.at, 0)))
	}
	c.delay = 0
	c.stop(s, options, ErrContext, c.elapsed(now))
}

// allowed looks again at the limits that decide looked at before the wait: it may have been
// longer than was asked for, a resumed call may be under a stricter policy, and an attempt
// that panicked may not have been decided on.
func (c *call) allowed(s *settings, options []Option) bool {
	elapsed := c.elapsed(c.at)
	switch {
	case s.maxAttempts != Unlimited && c.number >= s.maxAttempts:
		c.stop(s, options, ErrExhausted, elapsed)
	case s.maxElapsed > 0 && elapsed >= s.maxElapsed:
		c.stop(s, options, ErrMaxElapsed, elapsed)
	case s.clock != nil && c.pastDeadline(s):
		c.stop(s, options, ErrContext, elapsed)
	default:
		return true
	}
	return false
}

// pastDeadline asks the policy's clock, by which the context may be late to end.
func (c *call) pastDeadline(s *settings) bool {
	deadline, ok := c.ctx.Deadline()
	return ok && s.until(deadline) <= 0
}

// guarded makes the attempt through gates, hooks and timeout. It is not made when the
// caller's time ran out at the gates.
func (c *call) guarded(s *settings, options []Option, fn func(context.Context) error) (made bool, err error) {
	if !s.has(hasGate) {
		c.pay(s)
		return true, c.invoke(s, options, fn)
	}
	var a Attempt
	c.describe(s, &a)
	var room [2]func(error) // most policies have no more gates
	held, refusal := pass(c.ctx, options, &a, room[:0])
	late := c.late(refusal)
	switch {
	case c.ctx.Err() != nil:
		held.release(c.ctx.Err())
		c.turnedAway(s, options, nil)
		return false, nil
	case late != nil:
		c.turnedAway(s, options, late)
		return false, nil
	}
	c.pay(s)
	if refusal != nil {
		c.refused = true
		return true, refusal
	}
	heard := errAbandoned
	defer func() { held.release(heard) }() // also when fn panics or calls Goexit
	c.at = c.now(s)
	err = c.invoke(s, options, fn)
	heard = err
	return true, err
}

// late returns the refusal of a limiter for want of time: of the caller's time, and not of
// what a gate of its own making allowed it.
func (c *call) late(refusal error) *noTimeError {
	if _, bounded := c.ctx.Deadline(); refusal == nil || !bounded {
		return nil
	}
	late, _ := errtree.As[*noTimeError](refusal)
	return late
}

// pay puts into the budget what the call brings, once it makes its first attempt.
func (c *call) pay(s *settings) {
	if s.budget != nil && c.number == 1 {
		s.budget.deposit()
	}
}

// turnedAway ends the call at a gate, where its context ended or would in late's wait.
func (c *call) turnedAway(s *settings, options []Option, late *noTimeError) {
	c.number--
	e := &Error{Reason: ErrContext, Elapsed: c.elapsed(c.now(s))}
	if late != nil {
		e.ctxErr, e.cause, e.alive = context.DeadlineExceeded, late.refusal, true
		c.delay, c.hinted = late.hint, late.hint > 0
	}
	c.fail(s, options, e)
}

// invoke calls fn, between the BeforeAttempt hooks and the end of the attempt's timeout.
func (c *call) invoke(s *settings, options []Option, fn func(context.Context) error) error {
	ctx := c.fnCtx
	if s.has(hasBeforeAttempt) {
		var a Attempt
		c.describe(s, &a)
		c.beforeAttempt(options, &a)
		ctx = c.tryCtx
	}
	if s.attemptTimeout <= 0 {
		return fn(ctx)
	}
	timed := s.withTimeout(ctx)
	returned := false
	defer func() {
		if !returned {
			timed.cancel() // fn panicked or called Goexit
		}
	}()
	err := fn(timed)
	returned = true
	c.timedOut = timed.Err() != nil && ctx.Err() == nil && c.ctx.Err() == nil
	timed.drop()
	return err
}

// describe makes a the record of the attempt as it begins.
func (c *call) describe(s *settings, a *Attempt) {
	if s.clock == nil && c.zero.IsZero() {
		now := time.Now()
		c.zero = now.Add(-now.Sub(epoch))
	}
	a.Name, a.Number, a.Start = s.name, c.number, c.zero.Add(c.at)
	a.Waited, a.Elapsed = c.waited, c.elapsed(c.at)
}

// running is the record of the attempt while its function runs.
func (c *call) running(s *settings) (a Attempt) {
	c.describe(s, &a)
	now := c.now(s)
	a.Duration, a.Elapsed = max(now-c.at, 0), c.elapsed(now)
	return a
}

// elapsed is the time from the start of the call to the reading now.
func (c *call) elapsed(now time.Duration) time.Duration {
	return add(c.before, max(now-c.start, 0)) // a clock that was set back has not gone on
}

// close ends the attempt: it is validated, shown to the hooks, decided on and recorded.
func (c *call) close(s *settings, options []Option, err error, check func(Attempt) error) (time.Duration, bool) {
	now := c.now(s)
	var a Attempt
	c.describe(s, &a)
	a.Duration, a.Elapsed, a.Err, a.TimedOut = max(now-c.at, 0), c.elapsed(now), err, c.timedOut
	c.rejected = false
	if err == nil && check != nil {
		c.examine(check, &a)
	}
	if a.Err != nil && !c.refused && s.startsAnew(&a) {
		c.restart(s, &a)
	}
	c.at = now
	if s.has(hasAfterAttempt) {
		c.afterAttempt(options, &a)
	}
	if a.Err == nil {
		c.done = true
		if s.history != nil {
			s.history.add(&a)
		}
		c.finish(s, options, a.Elapsed)
		return 0, false
	}
	c.last = a.Err
	wait, reason := c.decide(s, options, &a)
	c.delay = wait
	if reason != nil {
		c.record(s, &a, 1)
		c.stop(s, options, reason, a.Elapsed)
		return 0, false
	}
	a.Delay = wait
	c.record(s, &a, s.maxAttempts)
	if s.has(hasBeforeWait) {
		c.beforeWait(options, &a)
	}
	if s.logger != nil {
		logRetry(c.fnCtx, s.logger, &a)
	}
	return wait, true
}

// startsAnew reports whether the failed attempt a ran for so long that it counts as the first
// of a new series, see [WithResetAfter].
func (s *settings) startsAnew(a *Attempt) bool {
	return s.resetAfter > 0 && a.Duration >= s.resetAfter
}

// restart makes the attempt a, which began at c.at, the first of a new series.
func (c *call) restart(s *settings, a *Attempt) {
	if c.number > 1 {
		c.number = 1
		c.pay(s)
	}
	c.start, c.before, c.waited, c.waitedAll, c.attempts = c.at, 0, 0, 0, ring{}
	a.Number, a.Waited, a.Elapsed = 1, 0, a.Duration
}

// examine has the value of the attempt a validated. It is apart because of the copy of a.
//
//go:noinline
func (c *call) examine(check func(Attempt) error, a *Attempt) {
	a.Err = check(*a)
	if a.Err == nil {
		return
	}
	c.rejected = true
	c.rejection, _ = a.Err.(*rejection) // it is what check returns
	c.marks = marksOf(a.Err)
}

// record keeps the failed attempt a for the error, and for the shared history. For the first
// one it takes memory for as many as may follow, few at a time.
func (c *call) record(s *settings, a *Attempt, atMost int) {
	if c.attempts.buf == nil && s.historySize > 0 {
		room := min(s.historySize, 16)
		if atMost != Unlimited {
			room = min(room, atMost)
		}
		c.attempts.buf = make([]Attempt, 0, room)
	}
	c.attempts.add(a, s.historySize)
	if s.history != nil {
		s.history.add(a)
	}
}

// stop ends the call for the given reason.
func (c *call) stop(s *settings, options []Option, reason error, elapsed time.Duration) {
	c.fail(s, options, &Error{Reason: reason, Elapsed: elapsed})
}

// fail fills in e and ends the call with it.
func (c *call) fail(s *settings, options []Option, e *Error) {
	c.fill(s, e)
	c.failure = e
	c.finish(s, options, e.Elapsed)
}

// fill says in e what the call knows of its end.
func (c *call) fill(s *settings, e *Error) {
	c.done = true
	e.Name, e.Attempts, e.Err = s.name, c.number, unmarked(c.last)
	e.Delay, e.hinted = c.delay, c.hinted && c.delay > 0
	e.attempts, e.rejection, e.rejected = c.attempts, c.rejection, c.rejected
	if e.Reason == ErrContext && e.ctxErr == nil {
		c.blameContext(e)
	}
}

// blameContext says in e how the context forbade more: it ended, or its deadline would have
// passed.
func (c *call) blameContext(e *Error) {
	if e.ctxErr = c.ctx.Err(); e.ctxErr == nil {
		e.ctxErr, e.alive = context.DeadlineExceeded, true
		return
	}
	e.cause = context.Cause(c.ctx)
	e.Delay, e.hinted = 0, false // it is not for the wait that the call ended
}

// finish tells how the call ended, elapsed after its start.
func (c *call) finish(s *settings, options []Option, elapsed time.Duration) {
	if s.given&(hasDone|hasLogger) == 0 {
		return
	}
	o := Outcome{Name: s.name, Attempts: c.number, Elapsed: elapsed, Waited: c.waitedAll, Err: c.failure}
	if s.has(hasDone) {
		c.ended(options, &o)
	}
	if s.logger != nil {
		logEnd(c.fnCtx, s.logger, &o)
	}
}
