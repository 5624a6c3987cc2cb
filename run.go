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
// just ends: its Done hooks do not run. It is for one goroutine at a time.
type Run struct {
	call    call
	set     *settings
	options []Option
	fault   error // what is wrong with the options or fn
	judge   any   // the *judge of TryValue, once a value is validated
}

// Try makes one attempt, with everything the policy has for it: gates, hooks, timeout,
// classification. It returns how long to wait before the next attempt, or again false when
// there is none to make; Err then says how the call ended. Try never sleeps.
//
// The context is looked at first, so Try makes no attempt after a wait that the context cut
// short. The first Try runs the Start hooks. After again was false Try does nothing.
// Validators are a fault, for there is no value; see [TryValue].
func (r *Run) Try(fn func(ctx context.Context) error) (wait time.Duration, again bool) {
	if fn == nil || r.set.has(hasValidator) {
		r.misused(homeless(r.options), fn == nil)
	}
	return r.try(fn, nil)
}

// TryValue is [Run.Try] for a function that returns a value, which validators may look at, as
// in [DoValue]. It returns what this attempt's run of fn returned, the zero value if fn did not run.
func TryValue[T any](r *Run, fn func(ctx context.Context) (T, error)) (v T, wait time.Duration, again bool) {
	if r.set.has(hasValidator) {
		return tryValidated(r, fn)
	}
	if fn == nil {
		r.misused(nil, true)
	}
	wait, again = r.try(func(ctx context.Context) (err error) {
		v, err = fn(ctx)
		return err
	}, nil)
	return v, wait, again
}

// tryValidated is TryValue with validators. They are what makes v escape, so v is not TryValue's.
func tryValidated[T any](r *Run, fn func(ctx context.Context) (T, error)) (v T, wait time.Duration, again bool) {
	if faults := misfits[T](r.options); fn == nil || faults != nil {
		r.misused(faults, fn == nil)
	}
	j, ok := r.judge.(*judge[T])
	if !ok {
		j = &judge[T]{size: r.set.historySize}
		r.judge = j
	}
	wait, again = r.try(func(ctx context.Context) (err error) {
		v, err = fn(ctx)
		return err
	}, func(a Attempt) error { return j.check(r.options, v, a) })
	return v, wait, again
}

func (r *Run) try(fn func(ctx context.Context) error, check func(Attempt) error) (wait time.Duration, again bool) {
	if r.call.done {
		return 0, false
	}
	return r.call.try(r.set, r.options, fn, check)
}

// misused ends a call that is driven with the wrong function; one that is over stays as it is.
func (r *Run) misused(faults []error, noFunction bool) {
	if noFunction {
		faults = append(faults, errNilFunction)
	}
	if r.call.done || faults == nil {
		return
	}
	r.call.done = true
	r.fault = join(faults)
}

// Err returns nil after a success and otherwise the *[Error] that says why the call stopped,
// or what was wrong with its options. It is nil until Try returned again false.
func (r *Run) Err() error {
	if r.fault != nil {
		return r.fault
	}
	return r.call.err()
}
