package retrypool

import (
	"context"
	"time"
)

// Events are callbacks for what happens to items. Any of them may be nil.
//
// They run without a lock, in the goroutine that does the work, so a slow callback slows its
// worker. The callbacks for one item run one after the other: Queued, then Started and Parked
// for its attempts, then one of the others. All of them have returned before the item is
// settled and Task.Wait returns.
//
// A panic of a callback ends the program, like any panic of a goroutine. A panic of Started
// counts as a panic of the function.
type Events[In any] struct {
	// Queued: the pool has taken the item in. It runs in the submitter's goroutine.
	Queued func(Event[In])
	// Started: an attempt begins. Its gates have let it through.
	Started func(Event[In])
	// Parked: an attempt failed, and the next one follows after Event.Wait.
	Parked func(Event[In])
	// Succeeded: the item succeeded.
	Succeeded func(Event[In])
	// DeadLettered: the item failed for good, and [Config].DeadLetter accepted it.
	DeadLettered func(Event[In])
	// Failed: the item failed for good, and DeadLetter is nil or failed too.
	Failed func(Event[In])
	// Canceled: the item's context or task was canceled, or the pool was closed and has no
	// DeadLetter.
	Canceled func(Event[In])
}

// Event is the argument of an [Events] callback.
type Event[In any] struct {
	// Item is the value that was submitted.
	Item In
	// Context is the item's context. It has the values of the context that the item was
	// submitted with, such as the caller's span. It may have ended if the item has.
	Context context.Context
	// Worker is the number of the worker, from 1. It is 0 in other goroutines, such as those of
	// submitters and of cancellations.
	Worker int
	// Attempt is the number of the attempt that begins or failed. After the end it is the
	// number of attempts made. It is 0 before the first attempt.
	Attempt int
	// Wait is how long a parked item waits. It is 0 in other events.
	Wait time.Duration
	// Elapsed is the time since the pool took the item in, the time in the queue included.
	Elapsed time.Duration
	// Queued is how many items wait for a worker at this moment. In Events.Queued it includes
	// this item.
	Queued int
	// Err is the item's error after the end, nil if the item succeeded. For a parked item it
	// is the error that the function returned, nil if a gate or a validator rejected the
	// attempt.
	Err error
}

// forOutcome returns the callback for how an item ended.
func (e *Events[In]) forOutcome(end outcome) func(Event[In]) {
	switch end {
	case succeeded:
		return e.Succeeded
	case deadLettered:
		return e.DeadLettered
	case failed:
		return e.Failed
	case canceled:
		return e.Canceled
	}
	return nil
}
