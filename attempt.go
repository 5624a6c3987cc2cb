package retry

import (
	"context"
	"math"
	"time"

	"github.com/seed-205ff063/retry/internal/errtree"
)

// beginAttempt begins the next attempt and reports whether there is one.
func (c *call) beginAttempt(s *settings) bool {
	if !c.begun {
		c.begun = true
		if s.attemptTimeout <= 0 && attemptTimeouts.Load() {
			c.shield()
		}
		if s.hooked.start {
			c.runStart(s)
			c.fresh = false
		}
	}
	if c.ctx.Err() != nil {
		c.endByContext(s)
		return false
	}
	if !c.fresh {
		c.at = c.now(s)
	}
	c.fresh = false
	c.waited, c.delay = c.delay, 0
	c.totalWaited = add(c.totalWaited, c.waited)
	if c.number > 0 && !c.recheckLimits(s) {
		return false
	}
	c.tryCtx, c.timedOut, c.refused = nil, false, false
	c.number += min(1, math.MaxInt-c.number) // a resumed call may have made as many
	return true
}

// endByContext ends the call because its context ended, before the first attempt or in a wait.
func (c *call) endByContext(s *settings) {
	now := c.now(s)
	if c.number > 0 {
		c.totalWaited = add(c.totalWaited, min(c.delay, max(now-c.at, 0)))
	}
	c.delay = 0
	c.stop(s, ErrContext, c.elapsed(now))
}

// recheckLimits checks the limits once more after the wait. The wait may have been longer than
// asked for, and a resumed call may have a stricter policy. An attempt that panicked was not
// decided on.
func (c *call) recheckLimits(s *settings) bool {
	elapsed := c.elapsed(c.at)
	switch {
	case s.exhausted(c.number):
		c.stop(s, ErrExhausted, elapsed)
	case s.maxElapsed > 0 && elapsed >= s.maxElapsed:
		c.stop(s, ErrMaxElapsed, elapsed)
	case s.clock != nil && c.pastDeadline(s):
		c.stop(s, ErrContext, elapsed)
	default:
		return true
	}
	return false
}

// pastDeadline asks the policy's clock: the context may end late by it.
func (c *call) pastDeadline(s *settings) bool {
	deadline, ok := c.ctx.Deadline()
	return ok && s.until(deadline) <= 0
}

// attemptThroughGates makes the attempt once its gates let it in. It makes none if the caller's
// time ran out at the gates.
func (c *call) attemptThroughGates(s *settings, fn func(context.Context) error) (made bool, err error) {
	var a Attempt
	c.describe(s, &a)
	var room [2]func(error) // most policies have no more gates
	held, refusal := s.passGates(c.ctx, &a, room[:0])
	late := c.refusedForTime(refusal)
	switch {
	case c.ctx.Err() != nil:
		held.release(c.ctx.Err())
		c.endAtGate(s, nil)
		return false, nil
	case late != nil:
		c.endAtGate(s, late)
		return false, nil
	}
	c.depositBudget(s)
	if refusal != nil {
		c.refused = true
		return true, refusal
	}
	outcome := errAbandoned
	defer func() { held.release(outcome) }() // also when fn panics or calls Goexit
	c.at = c.now(s)
	err = c.invoke(s, fn)
	outcome = err
	return true, err
}

// refusedForTime returns the refusal of a limiter that would have waited past the caller's
// deadline. A deadline that a gate set for itself does not count.
func (c *call) refusedForTime(refusal error) *noTimeError {
	if _, bounded := c.ctx.Deadline(); refusal == nil || !bounded {
		return nil
	}
	late, _ := errtree.As[*noTimeError](refusal)
	return late
}

// endAtGate ends the call at a gate: its context ended there, or would end in the wait of late.
func (c *call) endAtGate(s *settings, late *noTimeError) {
	c.number--
	e := &Error{Reason: ErrContext, Elapsed: c.elapsed(c.now(s))}
	if late != nil {
		e.ctxErr, e.cause, e.alive = context.DeadlineExceeded, late.refusal, true
		c.delay, c.hinted = late.hint, late.hint > 0
	}
	c.fail(s, e)
}

// invoke runs the BeforeAttempt hooks and then fn, under the attempt's timeout.
func (c *call) invoke(s *settings, fn func(context.Context) error) error {
	ctx := c.fnCtx
	if s.hooked.beforeAttempt {
		var a Attempt
		c.describe(s, &a)
		c.runBeforeAttempt(s, &a)
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

// describe fills in a as the attempt begins.
func (c *call) describe(s *settings, a *Attempt) {
	if s.clock == nil && c.zero.IsZero() {
		now := time.Now()
		c.zero = now.Add(-now.Sub(epoch))
	}
	a.Name, a.Number, a.Start = s.name, c.number, c.zero.Add(c.at)
	a.Waited, a.Elapsed = c.waited, c.elapsed(c.at)
}

// running returns the record of the attempt while its function runs.
func (c *call) running(s *settings) (a Attempt) {
	c.describe(s, &a)
	now := c.now(s)
	a.Duration, a.Elapsed = max(now-c.at, 0), c.elapsed(now)
	return a
}

// endAttempt validates the value, runs the hooks, decides what follows and records the attempt.
func (c *call) endAttempt(s *settings, err error, check func(Attempt) error) (time.Duration, bool) {
	now := c.now(s)
	var a Attempt
	c.describe(s, &a)
	a.Duration, a.Elapsed, a.Err, a.TimedOut = max(now-c.at, 0), c.elapsed(now), err, c.timedOut
	c.rejected = false
	if err == nil && check != nil {
		c.validate(check, &a)
	}
	if a.Err != nil && !c.refused && s.startsSeries(&a) {
		c.resetSeries(s, &a)
	}
	c.at = now
	if s.hooked.afterAttempt {
		c.runAfterAttempt(s, &a)
	}
	if a.Err == nil {
		c.done = true
		if s.history != nil {
			s.history.add(&a)
		}
		c.reportEnd(s, a.Elapsed)
		return 0, false
	}
	c.last = a.Err
	wait, reason := c.decide(s, &a)
	c.delay = wait
	a.Delay = wait
	atMost := s.maxAttempts
	if reason != nil {
		a.Delay, atMost = 0, 1
	}
	if c.attempts.buf == nil && s.historySize > 0 { // here, where the stack is not yet deep
		c.attempts.buf = make([]Attempt, 0, s.attemptsKept(atMost))
	}
	c.record(s, &a)
	if reason != nil {
		c.stop(s, reason, a.Elapsed)
		return 0, false
	}
	if s.hooked.beforeWait {
		c.runBeforeWait(s, &a)
	}
	if s.logger != nil {
		logRetry(c.fnCtx, s.logger, &a)
	}
	return wait, true
}

// validate runs the validators on the value of the attempt a. It has a frame of its own for the
// copy of a.
//
//go:noinline
func (c *call) validate(check func(Attempt) error, a *Attempt) {
	a.Err = check(*a)
	if a.Err == nil {
		return
	}
	c.rejected = true
	c.rejection, _ = a.Err.(*rejection) // it is what check returns
	c.marks = marksOf(a.Err)
}

// resetSeries makes the attempt a, which began at c.at, the first of a new series.
func (c *call) resetSeries(s *settings, a *Attempt) {
	if c.number > 1 {
		c.number = 1
		c.depositBudget(s)
	}
	c.start, c.before, c.waited, c.totalWaited, c.attempts = c.at, 0, 0, 0, ring{}
	a.Number, a.Waited, a.Elapsed = 1, 0, a.Duration
}

// record keeps the failed attempt a for the error and for the shared history.
func (c *call) record(s *settings, a *Attempt) {
	c.attempts.add(a, s.historySize)
	if s.history != nil {
		s.history.add(a)
	}
}

// attemptsKept is how many attempts the call makes room for at its first failure, if at most n
// may be made.
func (s *settings) attemptsKept(n int) int {
	if n == Unlimited {
		n = math.MaxInt
	}
	return min(n, s.historySize, 16)
}
