package retrynats

import (
	"errors"
	"time"

	"github.com/seed-205ff063/retry"
)

// settle tells the server how d ended. If that fails, the request's policy logs why, and the server
// delivers the message again after AckWait.
func (c *consumption) settle(d *delivery, o outcome) {
	claimed := d.claim()
	switch {
	case o.next == nil && o.err == nil:
		c.settleSuccess(d, claimed)
	case !claimed: // it was abandoned after Config.Grace
	case o.next != nil:
		d.entry = c.entryAfter(*o.next)
		c.settleWait(d, o.next.Delay)
	case c.stopped(o.err):
		c.returnMessage(d)
	default:
		c.settleEnd(d, o.err)
	}
}

// entryAfter returns the entry after the failed attempt a. Its wait starts now.
func (c *consumption) entryAfter(a retry.Attempt) entry {
	return entry{
		Attempts: a.Number, Error: c.cfg.text(a.Err), own: true,
		Elapsed: a.Elapsed, Delay: a.Delay, At: time.Now().UnixNano(),
	}
}

// settleSuccess acknowledges the message and then removes its entry. In the other order a message
// that is delivered again would seem to have lost attempts.
func (c *consumption) settleSuccess(d *delivery, claimed bool) {
	if c.ack(d) == nil && claimed {
		c.removeEntry(d)
	}
}

// settleWait stores d.entry and asks for the message again after the wait. If the entry cannot be
// stored, the server still knows the number of deliveries.
func (c *consumption) settleWait(d *delivery, wait time.Duration) {
	if c.cfg.State != nil {
		_ = c.writeEntry(d)
	}
	_ = c.nak(d, wait)
}

// settleEnd ends a message that failed for good. It publishes the dead letter first and terminates
// the message only after that.
func (c *consumption) settleEnd(d *delivery, err error) {
	var e *retry.Error
	if !errors.As(err, &e) {
		e = &retry.Error{Reason: retry.ErrPermanent, Err: err, Attempts: d.entry.Attempts + 1}
	}
	if c.cfg.DeadLetter == "" {
		c.log.Error("retrynats: a message failed for good and there is no Config.DeadLetter",
			"message", Key(d.msg), "attempts", e.Attempts, "reason", c.reason(e), "error", c.cfg.text(e.Err))
	} else if c.publish(c.deadLetter(d, e)) != nil {
		d.entry = c.entryAfter(retry.Attempt{Number: e.Attempts, Elapsed: e.Elapsed, Err: e.Err})
		d.entry.End = c.reason(e)
		c.returnMessage(d)
		return
	}
	if c.term(d, c.reason(e)+": "+c.cfg.text(e.Err)) == nil {
		c.removeEntry(d)
	}
}

// returnMessage gives the message back to the server at once. Only the attempts in d.entry count.
func (c *consumption) returnMessage(d *delivery) {
	c.settleWait(d, 0)
}
