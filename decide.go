package retry

import (
	"context"
	"math"
	"time"
)

// decide returns how long to wait after the failed attempt a, or why no other attempt follows.
// A call's step and [Policy.Next] share it: nothing else decides after a failed attempt. Before an
// attempt beginAttempt checks the limits again, and the gates can end the call.
func (c *call) decide(s *settings, a *Attempt) (wait time.Duration, reason error) {
	hint, reason := c.classify(s, a)
	c.hinted = hint > 0
	if reason != nil {
		return hint, reason
	}
	member, delay := s.delayAfter(a)
	nominal, lo, hi := s.memberRange(member, delay)
	wait = hint
	if hint <= 0 {
		wait = s.draw(lo, hi)
	}
	left, reason := c.timeLeft(s, wait)
	if reason != nil {
		return wait, reason
	}
	if hint > 0 {
		wait += s.spread(nominal, hint, left-hint)
	}
	if s.stops.n > 0 {
		if reason = s.stopReason(a, wait); reason != nil {
			return wait, reason
		}
	}
	if s.budget != nil && !s.budget.withdraw() {
		return wait, ErrBudget
	}
	return wait, nil
}

// classify returns the server's hint, or why no attempt may follow whatever the wait.
func (c *call) classify(s *settings, a *Attempt) (hint time.Duration, reason error) {
	if c.left {
		return 0, ErrPermanent
	}
	if c.ctx.Err() != nil {
		return 0, ErrContext
	}
	hint = c.marks.hint
	switch {
	case c.marks.permanent,
		s.stopIf.n > 0 && anyMatches(&s.stopIf, a),
		// A rejected value is retried whatever they say: the call itself worked.
		s.retryIf.n > 0 && !c.rejected && !anyMatches(&s.retryIf, a):
		return 0, ErrPermanent
	case s.exhausted(c.number):
		return 0, ErrExhausted
	case hint > orForever(s.maxRetryAfter):
		return hint, ErrRetryAfter
	}
	return hint, nil
}

// timeLeft returns how much time the limits leave for the next wait, or which limit the wait
// would pass.
func (c *call) timeLeft(s *settings, wait time.Duration) (left time.Duration, limit error) {
	left = math.MaxInt64
	if s.maxElapsed > 0 {
		// Read the clock again: hooks, classifiers and the backoff took time since the attempt ended.
		if left = s.maxElapsed - c.elapsed(c.now(s)); wait >= left {
			return left, ErrMaxElapsed
		}
	}
	if deadline, ok := c.ctx.Deadline(); ok {
		if left = min(left, s.until(deadline)); wait >= left {
			return left, ErrContext
		}
	}
	return left, nil
}

// spread returns what to add to a server's hint, less than left, so that clients which were told
// the same hint spread out.
func (s *settings) spread(nominal, hint, left time.Duration) time.Duration {
	if s.jitterGiven && s.jitter == (Jitter{1, 1}) {
		return 0
	}
	width := min(max(nominal, hint/10), left)
	return min(time.Duration(s.uniform()*float64(width)), max(width-1, 0))
}

// Next decides what follows the failed attempt a, exactly as a call does, for engines that make
// the attempts themselves. If err is nil the next attempt may follow after wait. Otherwise err
// is an *[Error] whose Attempts is a.Number.
//
// Next reads a.Number, Waited, Elapsed, Duration, TimedOut and Err. A Number below 1 counts as
// 1, and attempt 1 pays into the budget. After an attempt that ran for [WithResetAfter],
// continue with Number 2. Next runs no gates, hooks or validators, writes no log or history, and
// never sleeps. A nil a.Err is an error that matches [ErrOption].
func (p *Policy) Next(ctx context.Context, a Attempt) (wait time.Duration, err error) {
	s := p.inForce()
	if a.Err == nil {
		return 0, fault{"Next", "nil Attempt.Err; ask only after an attempt that failed"}
	}
	c := nextCall(ctx, s, &a)
	c.depositBudget(s)
	if s.startsSeries(&a) {
		c.resetSeries(s, &a)
		c.before = a.Elapsed // the series began before Next was called
	}
	wait, reason := c.decide(s, &a)
	if reason == nil {
		return wait, nil
	}
	c.delay = wait
	e := &Error{Reason: reason, Elapsed: a.Elapsed}
	c.fill(s, e)
	return 0, e
}

// nextCall returns a call that has just made the attempt a, and fills in what a lacks.
func nextCall(ctx context.Context, s *settings, a *Attempt) call {
	c := call{ctx: ctx}
	c.begin(s)
	a.Number, a.Elapsed = max(a.Number, 1), max(a.Elapsed, 0)
	if a.Name == "" {
		a.Name = s.name
	}
	c.number, c.before, c.last, c.marks = a.Number, a.Elapsed, a.Err, marksOf(a.Err)
	c.rejection, c.rejected = a.Err.(*rejection) // an inner call's does not count
	return c
}

// Wait draws the wait after the attempt a: backoff, jitter, cap, and a server's hint in a.Err.
// It checks no limit, not even [WithMaxRetryAfter], and does not classify. It is for engines
// that decide the rest, and for attempts that a killed process lost. Wait reads a.Number, Waited
// and Err, which may be nil. A Number below 1 counts as 1.
func (p *Policy) Wait(a Attempt) time.Duration {
	s := p.inForce()
	a.Number = max(a.Number, 1)
	nominal, lo, hi := s.waitRange(&a)
	hint := marksOf(a.Err).hint
	if hint <= 0 {
		return s.draw(lo, hi)
	}
	return hint + s.spread(nominal, hint, math.MaxInt64-hint)
}
