package retrynats

import (
	"sync/atomic"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/seed-205ff063/retry"
)

// delivery is a message in the hands of a worker, and what is known of it.
type delivery struct {
	msg  jetstream.Msg
	meta *jetstream.MsgMetadata

	entry    entry // of State; the zero one if there is none
	known    bool  // entry is stored
	revision uint64

	running atomic.Bool // the handler was called
	claimed atomic.Bool
}

// claim reports whether the caller is the one to settle d.
func (d *delivery) claim() bool { return d.claimed.CompareAndSwap(false, true) }

// deliver makes the step that d calls for: one attempt, or what has to be done instead of it.
func (c *consumption) deliver(d *delivery) {
	defer c.held.remove(d)
	last, wait, err := c.recall(d)
	switch {
	case err != nil: // Consume has ended before it could be known
		_ = c.nak(d, 0)
	case wait > 0:
		c.settleWait(d, wait)
	case c.ctx.Err() != nil:
		c.giveBack(d)
	case d.entry.End != "":
		c.settleEnd(d, &retry.Error{
			Reason: storedError(d.entry.End), Attempts: last.Number, Elapsed: last.Elapsed, Err: last.Err,
		})
	default:
		c.attempt(d, last)
	}
}
