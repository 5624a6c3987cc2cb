package retrypool

import (
	"context"
	"time"
)

// Events are called as things happen to items; any may be nil. They run in the goroutine that
// does the thing, without a lock: a slow one slows its worker. Of one item they are called
// one after the other, in order: Queued, then Started and Parked for its attempts, then one
// of the others, before the item counts as settled and its task's Wait returns. One that panics
// ends the program, as any panic of a goroutine does, but Started's is taken for the function's.
type Events[In any] struct {
	// Queued: the item has been taken in, by the goroutine that submits it.
	Queued func(Event[In])
	// Started: an attempt begins; its gates have let it in.
	Started func(Event[In])
	// Parked: an attempt failed, and the next one follows after Wait.
	Parked func(Event[In])
	// Succeeded: the item is done.
	Succeeded func(Event[In])
	// DeadLettered: the item failed for good and [Config].DeadLetter took it.
	DeadLettered func(Event[In])
	// Failed: the item failed for good, and nobody took it.
	Failed func(Event[In])
	// Canceled: the item's context or task was canceled, or the pool was closed without a
	// DeadLetter.
	Canceled func(Event[In])
}

// Event is what an [Events] callback is told.
type Event[In any] struct {
	// Item is what was submitted.
	Item In
	// Context is the item's context: it has the values of the one that the item was submitted with,
	// such as the caller's span. After the end of the item it may have ended too.
	Context context.Context
	// Worker is which of the workers does it, from 1; 0 if it is none of them but who submits
	// or cancels the item.
	Worker int
	// Attempt is the attempt that begins or failed, and after the end how many were made. It
	// is 0 before the first.
	Attempt int
	// Wait is how long a parked item waits, otherwise 0.
	Wait time.Duration
	// Elapsed is the time since the item was taken in, that in the queue included.
	Elapsed time.Duration
	// Queued is how many items waited for a worker at that moment, this one included if it was
	// queued.
	Queued int
	// Err is the item's error after the end, nil if it succeeded. Of a parked item it is what
	// the function returned, nil if a gate or a validator rejected the attempt.
	Err error
}

// of returns the callback for how an item ended.
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
