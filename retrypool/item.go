package retrypool

import (
	"context"
	"time"

	"github.com/seed-205ff063/retry"
)

// item is what was submitted, and its call. The pool's lock guards all but what the hand that
// works on it needs: in, run, ctx and the task's out. A million of them may be parked, so
// their size counts.
type item[In, Out any] struct {
	Task[Out] // what the caller gets of it

	pool     *Pool[In, Out]
	in       In
	run      retry.Run
	ctx      *itemContext           // which its call goes by; nil once it is settled
	keyQueue *keyQueue[In, Out]     // of its key, nil without one
	watch    *contextWatch[In, Out] // over ctx.parent, nil if that cannot end
	start    time.Duration          // when it was taken in

	position   uint32 // in the queue or heap that it is in
	watchIndex uint32 // its place in watch
	attempts   uint32
	epoch      uint32 // of joining, see Join
	state      state
	started    bool // run has been started
	ending     bool // its context has ended, or is about to: it is not to be parked
}

// state is where an item is.
type state uint8

const (
	queued        state = iota // in Pool.fresh, for its first attempt
	waitingForKey              // in its lane, behind another item of its key
	retryQueued                // in Pool.due, for a retry
	parked                     // in Pool.parked
	running                    // in a hand
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

// newItem makes an item of what was submitted, which lives with ctx. It calls the Key.
func (p *Pool[In, Out]) newItem(parent context.Context, in In) (it *item[In, Out], key string) {
	it = &item[In, Out]{pool: p, in: in, ctx: &itemContext{parent: parent}}
	it.owner = it
	if p.config.Key != nil {
		key = p.config.Key(in)
	}
	return it, key
}

// forget drops what a settled item does not need, for its task may be kept.
func (it *item[In, Out]) dropReferences() {
	var zero In
	it.in, it.run = zero, retry.Run{}
	it.ctx, it.keyQueue, it.watch = nil, nil, nil
}
