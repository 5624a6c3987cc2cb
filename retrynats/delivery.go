package retrynats

import (
	"sync/atomic"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/seed-205ff063/retry"
)

// delivery is one delivery of a message, with the message's entry in State.
type delivery struct {
	msg  jetstream.Msg
	meta *jetstream.MsgMetadata

	entry    entry // zero if there is none
	known    bool  // entry is stored
	revision uint64

	running atomic.Bool // the handler was called
	claimed atomic.Bool
}

// claim reports whether the caller is the first to claim d. Only that one settles d.
func (d *delivery) claim() bool { return d.claimed.CompareAndSwap(false, true) }

// process makes an attempt, or does what the message needs instead.
func (c *consumption) process(d *delivery) {
	defer c.held.remove(d)
	last, wait, err := c.lastAttempt(d)
	switch {
	case err != nil: // Consume has ended before the entry was read
		_ = c.nak(d, 0)
	case wait > 0:
		c.settleWait(d, wait)
	case c.ctx.Err() != nil:
		c.returnMessage(d)
	case d.entry.End != "":
		c.settleEnd(d, &retry.Error{
			Reason: storedError(d.entry.End), Attempts: last.Number, Elapsed: last.Elapsed, Err: last.Err,
		})
	default:
		c.attempt(d, last)
	}
}
