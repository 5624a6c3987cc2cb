package retry

import (
	"context"
	"time"
)

// Run is one call, driven a step at a time. It is for code that waits in its own way, such as a
// worker pool or a queue:
//
//	run := policy.Start(ctx)
//	wait, again := run.Try(fn)
//	for again {
//		park(wait)
//		wait, again = run.Try(fn)
//	}
//	err := run.Err()
//
// [Policy.Resume] makes a Run too. A Run needs no cleanup. If you drop it while again is true,
// its Done hooks do not run. You may copy it if you then use only one of the two. It is for one
// goroutine at a time.
type Run struct {
	settings *settings
	ctx      context.Context
	last     error         // the last attempt's, and in the end how the call ended
	start    time.Duration // as the call's
	delay    time.Duration
	number   int
	extras   *runExtras // what most calls do not need; nil if this one does not either

	begun, rejected, done bool
}

// runExtras is the state that a Run with a plain policy does not need between two steps. It is a
// struct of its own because a queue may hold a million Runs.
type runExtras struct {
	fnCtx       context.Context // of a Start hook
	zero        time.Time       // of a Clock; the real clock is read again
	at          time.Duration   // this and totalWaited for the Done hooks
	totalWaited time.Duration
	before      time.Duration // of a resumed call
	attempts    ring          // of a history
	rejection   *rejection    // of the last value that was rejected
	validation  any           // the *validation of TryValue, once a value was validated
	last        error         // of a Run that has ended, where its Error has another
}

// Try makes one attempt, with the policy's gates, hooks, timeout and classification, and never
// sleeps. It returns how long to wait before the next attempt. If again is false there is none,
// Err says how the call ended, and from then on Try does nothing.
//
// Try makes no attempt if the context ended during the wait. The first Try runs the Start hooks.
// Validators need [TryValue].
func (r *Run) Try(fn func(ctx context.Context) error) (wait time.Duration, again bool) {
	if fn == nil || r.settings.validators.n > 0 {
		r.endMisused("Run.Try", validatorsWithoutValue(r.settings), fn == nil)
	}
	return r.try(fn, nil)
}

// TryValue is [Run.Try] for a function that returns a value. It returns the value of this
// attempt, or the zero value if fn did not run.
func TryValue[T any](r *Run, fn func(ctx context.Context) (T, error)) (v T, wait time.Duration, again bool) {
	if r.settings.validators.n > 0 {
		return tryValidated(r, fn)
	}
	if fn == nil {
		r.endMisused("TryValue", nil, true)
	}
	wait, again = r.try(func(ctx context.Context) (err error) {
		v, err = fn(ctx)
		return err
	}, nil)
	return v, wait, again
}

// tryValidated is TryValue with validators. Because of them v escapes, so it is not the v of
// TryValue.
func tryValidated[T any](r *Run, fn func(ctx context.Context) (T, error)) (v T, wait time.Duration, again bool) {
	if faults := validatorsOfWrongType[T](r.settings); fn == nil || faults != nil {
		r.endMisused("TryValue", faults, fn == nil)
	}
	if r.extras == nil {
		r.extras = &runExtras{}
	}
	j, ok := r.extras.validation.(*validation[T])
	if !ok {
		j = &validation[T]{size: r.settings.historySize}
		r.extras.validation = j
	}
	wait, again = r.try(func(ctx context.Context) (err error) {
		v, err = fn(ctx)
		return err
	}, func(a Attempt) error { return j.check(r.settings, v, a) })
	return v, wait, again
}

// try makes the step with a call that is filled from the Run.
func (r *Run) try(fn func(ctx context.Context) error, check func(Attempt) error) (wait time.Duration, again bool) {
	if r.done {
		return 0, false
	}
	c := call{
		ctx: r.ctx, fnCtx: r.ctx, last: r.last, start: r.start, delay: r.delay, number: r.number,
		begun: r.begun, rejected: r.rejected,
	}
	if m := r.extras; m != nil {
		c.zero, c.at, c.totalWaited, c.before = m.zero, m.at, m.totalWaited, m.before
		c.attempts, c.rejection = m.attempts, m.rejection
		if m.fnCtx != nil {
			c.fnCtx = m.fnCtx
		}
	}
	defer r.saveState(&c) // also when fn panics: the attempt was made
	return c.try(r.settings, fn, check)
}

// saveState stores what the next step needs of c.
func (r *Run) saveState(c *call) {
	r.last, r.start, r.delay, r.number = c.last, c.start, c.delay, c.number
	r.begun, r.rejected, r.done = c.begun, c.rejected, c.done
	if c.done {
		r.last, r.extras = c.err(), nil
		if c.before > 0 || r.settings.clock != nil || c.failure != nil && isMark(c.last) {
			r.extras = &runExtras{zero: c.zero, before: c.before, last: c.last} // for Last
		}
		return
	}
	if r.extras == nil && !c.shielded && c.before == 0 && c.attempts.buf == nil && c.rejection == nil &&
		!r.settings.hooked.start && !r.settings.hooked.done && r.settings.clock == nil {
		return
	}
	if r.extras == nil {
		r.extras = &runExtras{}
	}
	m := r.extras
	m.zero, m.at, m.totalWaited, m.before = c.zero, c.at, c.totalWaited, c.before
	m.attempts, m.rejection = c.attempts, c.rejection
	m.fnCtx = c.fnCtx
}

// Last returns what [Policy.Resume] reads of the last attempt: its Number and Err, the Delay
// that follows it, and Elapsed as of now. Call it right after Try, because Resume adds Delay to
// Elapsed. Number is 0 if there was no attempt, and Delay is 0 once the call has ended. The
// other fields are zero.
func (r *Run) Last() Attempt {
	c := call{start: r.start}
	if r.extras != nil {
		c.zero, c.before = r.extras.zero, r.extras.before
	}
	a := Attempt{Number: r.number, Delay: r.delay, Err: r.last}
	a.Elapsed = c.elapsed(c.now(r.settings))
	if !r.begun {
		a.Elapsed -= r.delay // Resume adds it once more
	}
	if r.done {
		a.Delay, a.Err = 0, r.lastError()
	}
	return a
}

// lastError is the last attempt's error of a Run that has ended.
func (r *Run) lastError() error {
	if r.extras != nil && r.extras.last != nil {
		return r.extras.last
	}
	if e, ok := r.last.(*Error); ok { // what saveState stores
		return e.Err
	}
	return nil
}

// endMisused ends a call whose function or validators are wrong. It does not change a call that
// has ended.
func (r *Run) endMisused(way string, faults []fault, noFunction bool) {
	if noFunction {
		faults = append(faults, nilFunction(way, r.settings.name))
	}
	if r.done || faults == nil {
		return
	}
	if r.extras == nil {
		r.extras = &runExtras{}
	}
	r.extras.last = r.last
	r.done, r.last = true, join(faults)
}

// Err returns nil after a success, and until Try returned again false. Otherwise it returns the
// *[Error], or what was wrong with the options.
func (r *Run) Err() error {
	if !r.done {
		return nil
	}
	return r.last
}
