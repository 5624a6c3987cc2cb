package retry

import (
	"context"
	"math"
	"time"
)

// decide says how long to wait after the failed attempt a, or why no other attempt follows. It
// is the only place that does: a call's step and [Policy.Next] share it.
func (c *call) decide(s *settings, options []Option, a *Attempt) (wait time.Duration, reason error) {
	hint, reason := c.classify(s, options, a)
	c.hinted = hint > 0
	if reason != nil {
		return hint, reason
	}
	if wait, reason = c.nextWait(s, a, hint); reason != nil {
		return wait, reason
	}
	if s.has(hasStop) {
		if reason = stopReason(options, a, wait); reason != nil {
			return wait, reason
		}
	}
	if s.budget != nil && !s.budget.withdraw() {
		return wait, ErrBudget
	}
	return wait, nil
}

// classify returns the server's hint for another attempt, or why none may follow whatever the
// wait.
func (c *call) classify(s *settings, options []Option, a *Attempt) (hint time.Duration, reason error) {
	if c.left {
		return 0, ErrPermanent
	}
	if c.ctx.Err() != nil {
		return 0, ErrContext
	}
	hint = c.marks.hint
	switch {
	case c.marks.permanent,
		s.has(hasStopIf) && stops(options, a),
		// A rejected value is retried whatever they say: the call did work.
		s.has(hasRetryIf) && !c.rejected && !retries(options, a):
		return 0, ErrPermanent
	case s.maxAttempts != Unlimited && c.number >= s.maxAttempts:
		return 0, ErrExhausted
	case hint > s.maxRetryAfter && s.maxRetryAfter != Unlimited:
		return hint, ErrRetryAfter
	}
	return hint, nil
}

// nextWait says how long to wait after a, no less than hint, or which limit that would pass.
func (c *call) nextWait(s *settings, a *Attempt, hint time.Duration) (wait time.Duration, limit error) {
	nominal, lo, hi := s.bounds(a)
	wait = hint
	if hint <= 0 {
		wait = s.draw(lo, hi)
	}
	room := time.Duration(math.MaxInt64)
	if s.maxElapsed > 0 {
		// Read again: hooks, classifiers and the backoff have had their time since a ended.
		if room = s.maxElapsed - c.elapsed(c.now(s)); wait >= room {
			return wait, ErrMaxElapsed
		}
	}
	if deadline, ok := c.ctx.Deadline(); ok {
		left := s.until(deadline)
		if wait >= left {
			return wait, ErrContext
		}
		room = min(room, left)
	}
	if hint > 0 {
		wait += s.spread(nominal, hint, room-hint)
	}
	return wait, nil
}

// spread returns what to add to a server's hint, at most room: clients that were told the same
// hint start apart.
func (s *settings) spread(nominal, hint, room time.Duration) time.Duration {
	if s.has(hasJitter) && s.jitter == (Jitter{1, 1}) {
		return 0
	}
	width := min(max(nominal, hint/10), room)
	return min(time.Duration(s.uniform()*float64(width)), max(width-1, 0))
}

// stopReason asks the functions of [WithStop] about the retry that would follow a after wait.
//
//go:noinline
func stopReason(options []Option, a *Attempt, wait time.Duration) error {
	next := *a
	next.Delay = wait
	stops := list[stopOption, func(Attempt) error]{options: options}
	for stop, ok := stops.next(); ok; stop, ok = stops.next() {
		if err := stop(next); err != nil {
			return err
		}
	}
	return nil
}

// Next decides what follows the failed attempt a, exactly as a call does: by marks,
// classifiers, limits, hints, backoff and jitter, the context's deadline, [WithStop] and the
// budget. It is for engines that make the attempts themselves, such as a driver with a retry
// hook. A nil error means that the next attempt may follow after wait. Otherwise the error is an
// *[Error] whose Attempts is a.Number.
//
// Next reads a.Number, Waited, Elapsed, Duration, TimedOut and Err. A Number below 1 counts as
// 1, and attempt 1 pays into the budget. An attempt that ran for [WithResetAfter] counts as attempt
// 1: go on with Number 2 after it. Next runs no gate, hook, validator, log or history,
// and never sleeps. A nil a.Err returns an error that matches [ErrOption]. A nil context panics.
func (p *Policy) Next(ctx context.Context, a Attempt) (wait time.Duration, err error) {
	s, options := p.parts()
	if a.Err == nil {
		return 0, fault{"Next", "nil Attempt.Err; ask only after an attempt that failed"}
	}
	c := nextCall(ctx, s, &a)
	c.pay(s)
	if s.startsAnew(&a) {
		c.restart(s, &a)
		c.before = a.Elapsed // it began before Next was asked
	}
	wait, reason := c.decide(s, options, &a)
	if reason == nil {
		return wait, nil
	}
	c.delay = wait
	e := &Error{Reason: reason, Elapsed: a.Elapsed}
	c.fill(s, e)
	return 0, e
}

// nextCall returns the call that has just made the attempt a, and completes a.
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

// Wait returns the wait after the attempt a, drawn anew: backoff, jitter, cap and a server's
// hint in a.Err. It looks at no limit, [WithMaxRetryAfter] included, and does not classify a.Err,
// which may be nil. It is for engines that decide the rest, and for attempts that were lost: a
// process that was killed leaves no error. It reads a.Number, Waited and Err. A Number below 1
// counts as 1.
func (p *Policy) Wait(a Attempt) time.Duration {
	s, _ := p.parts()
	a.Number = max(a.Number, 1)
	nominal, lo, hi := s.bounds(&a)
	hint := marksOf(a.Err).hint
	if hint <= 0 {
		return s.draw(lo, hi)
	}
	return hint + s.spread(nominal, hint, math.MaxInt64-hint)
}
