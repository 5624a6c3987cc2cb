package retry

import (
	"context"
	"time"
)

// Run is one call, driven a step at a time: what [Do] does is Try, wait, Try, …, and code
// that waits in another way, such as a worker pool that parks the item or a queue that
// reschedules it, does the same with its own wait:
//
//	run := policy.Start(ctx)
//	wait, again := run.Try(fn)
//	for again {
//		park(wait)
//		wait, again = run.Try(fn)
//	}
//	err := run.Err()
//
// Make a Run with [Policy.Start] or [Policy.Resume]. One that is left while again is true
// just ends: its Done hooks do not run. It may be copied, to be part of another value, if
// one of the two is not used again. It is for one goroutine at a time.
type Run struct {
	plan   *plan
	ctx    context.Context
	last   error         // the last attempt's, and in the end how the call ended
	start  time.Duration // as the call's
	delay  time.Duration
	number int
	more   *more // what most calls have no use for, nil if this one has none either

	begun, rejected, done bool
}

// more is the state of a Run that a plain policy does not need between two steps. It is apart
// because a queue may hold a million of them.
type more struct {
	fnCtx     context.Context // of a Start hook
	zero      time.Time       // of a Clock; the real one is as soon asked again
	at        time.Duration   // this and waitedAll for the Done hooks
	waitedAll time.Duration
	before    time.Duration // of a resumed call
	attempts  ring          // of a history
	rejection *rejection    // of the last value that was rejected
	judge     any           // the *judge of TryValue, once a value is validated
	last      error         // of a Run that has ended, where its Error has another
}

// Try makes one attempt, with everything the policy has for it: gates, hooks, timeout,
// classification. It returns how long to wait before the next attempt, or again false when
// there is none to make; Err then says how the call ended. Try never sleeps.
//
// The context is looked at first, so Try makes no attempt after a wait that the context cut
// short. The first Try runs the Start hooks. After again was false Try does nothing.
// Validators are a fault, for there is no value; see [TryValue].
func (r *Run) Try(fn func(ctx context.Context) error) (wait time.Duration, again bool) {
	if fn == nil || r.plan.settings.has(hasValidator) {
		r.misused("Run.Try", homeless(r.plan.options), fn == nil)
	}
	return r.try(fn, nil)
}

// TryValue is [Run.Try] for a function that returns a value, which validators may look at, as
// in [DoValue]. It returns what this attempt's run of fn returned, the zero value if fn did not run.
func TryValue[T any](r *Run, fn func(ctx context.Context) (T, error)) (v T, wait time.Duration, again bool) {
	if r.plan.settings.has(hasValidator) {
		return tryValidated(r, fn)
	}
	if fn == nil {
		r.misused("TryValue", nil, true)
	}
	wait, again = r.try(func(ctx context.Context) (err error) {
		v, err = fn(ctx)
		return err
	}, nil)
	return v, wait, again
}

// tryValidated is TryValue with validators. They are what makes v escape, so v is not TryValue's.
func tryValidated[T any](r *Run, fn func(ctx context.Context) (T, error)) (v T, wait time.Duration, again bool) {
	if faults := misfits[T](r.plan.options); fn == nil || faults != nil {
		r.misused("TryValue", faults, fn == nil)
	}
	if r.more == nil {
		r.more = &more{}
	}
	j, ok := r.more.judge.(*judge[T])
	if !ok {
		j = &judge[T]{size: r.plan.settings.historySize}
		r.more.judge = j
	}
	wait, again = r.try(func(ctx context.Context) (err error) {
		v, err = fn(ctx)
		return err
	}, func(a Attempt) error { return j.check(r.plan.options, v, a) })
	return v, wait, again
}

// try makes the step with the call that the Run is the compact form of.
func (r *Run) try(fn func(ctx context.Context) error, check func(Attempt) error) (wait time.Duration, again bool) {
	if r.done {
		return 0, false
	}
	c := call{
		ctx: r.ctx, fnCtx: r.ctx, last: r.last, start: r.start, delay: r.delay, number: r.number,
		begun: r.begun, rejected: r.rejected,
	}
	if m := r.more; m != nil {
		c.zero, c.at, c.waitedAll, c.before = m.zero, m.at, m.waitedAll, m.before
		c.attempts, c.rejection = m.attempts, m.rejection
		if m.fnCtx != nil {
			c.fnCtx = m.fnCtx
		}
	}
	defer r.keep(&c) // also when fn panics: the attempt was made
	return c.try(&r.plan.settings, r.plan.options, fn, check)
}

// keep stores what the next step needs of c.
func (r *Run) keep(c *call) {
	r.last, r.start, r.delay, r.number = c.last, c.start, c.delay, c.number
	r.begun, r.rejected, r.done = c.begun, c.rejected, c.done
	if c.done {
		r.last, r.more = c.err(), nil
		if c.before > 0 || r.plan.settings.has(hasClock) || c.failure != nil && isMark(c.last) {
			r.more = &more{zero: c.zero, before: c.before, last: c.last} // for Last
		}
		return
	}
	if r.more == nil && !c.shielded && c.before == 0 && c.attempts.buf == nil && c.rejection == nil &&
		!r.plan.settings.has(hasStart|hasDone|hasClock) {
		return
	}
	if r.more == nil {
		r.more = &more{}
	}
	m := r.more
	m.zero, m.at, m.waitedAll, m.before = c.zero, c.at, c.waitedAll, c.before
	m.attempts, m.rejection = c.attempts, c.rejection
	m.fnCtx = c.fnCtx
}

// Last returns what [Policy.Resume] reads of the last attempt: its Number, Err and Delay, the
// wait that follows it, and Elapsed as of now. Call it right after Try: Resume adds Delay to
// Elapsed. The other fields are zero. A Run that has made
// no attempt returns Number 0. Once the call has ended Delay is 0.
func (r *Run) Last() Attempt {
	c := call{start: r.start}
	if r.more != nil {
		c.zero, c.before = r.more.zero, r.more.before
	}
	a := Attempt{Number: r.number, Delay: r.delay, Err: r.last}
	a.Elapsed = c.elapsed(c.now(&r.plan.settings))
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
	if r.more != nil && r.more.last != nil {
		return r.more.last
	}
	if e, ok := r.last.(*Error); ok { // what keep stores
		return e.Err
	}
	return nil
}

// misused ends a call that is driven with the wrong function; one that is over stays as it is.
func (r *Run) misused(way string, faults []error, noFunction bool) {
	if noFunction {
		faults = append(faults, nilFunction(way, r.plan.settings.name))
	}
	if r.done || faults == nil {
		return
	}
	if r.more == nil {
		r.more = &more{}
	}
	r.more.last = r.last
	r.done, r.last = true, join(faults)
}

// Err returns nil after a success and otherwise the *[Error] that says why the call stopped,
// or what was wrong with its options. It is nil until Try returned again false.
func (r *Run) Err() error {
	if !r.done {
		return nil
	}
	return r.last
}
