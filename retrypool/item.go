package retrypool

import (
	"context"
	"time"

	"github.com/seed-205ff063/retry"
)

// item is a submitted value and its call.
//
// The worker that works on the item owns in, run, ctx and the task's out. The pool's lock guards
// the other fields. A million items may be parked, so the size matters.
type item[In, Out any] struct {
	Task[Out] // what the caller gets

	pool     *Pool[In, Out]
	in       In
	run      retry.Run
	ctx      *itemContext           // the context of its call; nil once it is settled
	keyQueue *keyQueue[In, Out]     // nil without a key
	watch    *contextWatch[In, Out] // watches ctx.parent; nil if that cannot end
	start    time.Duration          // when it was taken in

	position   uint32 // in the queue or heap that holds it
	watchIndex uint32 // in watch.items
	attempts   uint32
	epoch      uint32 // for Join
	state      state
	started    bool // run has been started
	ending     bool // its context has ended or is about to: do not park it
}

// state is where an item is.
type state uint8

const (
	queued        state = iota // in Pool.firstQueue, for its first attempt
	waitingForKey              // in its keyQueue, behind another item of its key
	retryQueued                // in Pool.retryQueue, for a retry
	parked                     // in Pool.parked
	running                    // a worker works on it
	settled
)

func (s state) String() string {
	switch s {
	case parked:
		return "parked"
	case running:
		return "running"
	case settled:
		return "settled"
	case queued, waitingForKey, retryQueued:
	}
	return "queued"
}

// newItem makes an item whose context has the parent. It calls Config.Key.
func (p *Pool[In, Out]) newItem(parent context.Context, in In) (it *item[In, Out], key string) {
	it = &item[In, Out]{pool: p, in: in, ctx: &itemContext{parent: parent}}
	it.owner = it
	if p.config.Key != nil {
		key = p.config.Key(in)
	}
	return it, key
}

// dropReferences drops what a settled item no longer needs, since the caller may keep its task.
func (it *item[In, Out]) dropReferences() {
	var zero In
	it.in, it.run = zero, retry.Run{}
	it.ctx, it.keyQueue, it.watch = nil, nil, nil
}
