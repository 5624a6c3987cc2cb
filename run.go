package retry

import (
	"context"
	"errors"
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
}

// Try makes one attempt, with everything the policy has for it: gates, hooks, timeout,
// classification. It returns how long to wait before the next attempt, or again false when
// there is none to make; Err then says how the call ended. Try never sleeps.
//
// The context is looked at first, so Try makes no attempt after a wait that the context cut
// short. The first Try runs the Start hooks. After again was false Try does nothing.
func (r *Run) Try(fn func(ctx context.Context) error) (wait time.Duration, again bool) {
	if fn == nil && !r.call.done {
		r.fault = errors.Join(r.fault, errNilFunction)
	}
	if r.fault != nil {
		r.call.done = true
		return 0, false
	}
	return r.call.try(r.set, r.options, fn, nil)
}

// Err returns nil after a success and otherwise the *[Error] that says why the call stopped,
// or what was wrong with its options. It is nil until Try returned again false.
func (r *Run) Err() error {
	if r.fault != nil {
		return r.fault
	}
	return r.call.err()
}
