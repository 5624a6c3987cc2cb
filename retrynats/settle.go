package retrynats

import (
	"errors"
	"time"

	"github.com/seed-205ff063/retry"
)

// settle tells the server what became of d. Where that fails, the server delivers the message
// again when AckWait is over: the request's policy has logged why.
func (c *consumption) settle(d *delivery, o outcome) {
	mine := d.claim()
	switch {
	case o.next == nil && o.err == nil:
		c.settleSuccess(d, mine)
	case !mine: // it was left at the end of Config.Grace
	case o.next != nil:
		d.entry = c.failed(*o.next)
		c.settleWait(d, o.next.Delay)
	case c.stopped(o.err):
		c.giveBack(d)
	default:
		c.settleEnd(d, o.err)
	}
}

// failed is the entry after the failed attempt a, which is followed by a wait from now on.
func (c *consumption) failed(a retry.Attempt) entry {
	return entry{
		Attempts: a.Number, Error: c.cfg.text(a.Err), own: true,
		Elapsed: a.Elapsed, Delay: a.Delay, At: time.Now().UnixNano(),
	}
}

// settleSuccess acknowledges the message, and then removes its entry: without it, a message
// that is delivered again would seem to have lost its attempts.
func (c *consumption) settleSuccess(d *delivery, mine bool) {
	if c.ack(d) == nil && mine {
		c.forget(d)
	}
}

// settleWait stores d.entry and asks for the message again after the wait. If it cannot be
// stored, the server still knows how often the message was delivered.
func (c *consumption) settleWait(d *delivery, wait time.Duration) {
	if c.cfg.State != nil {
		_ = c.write(d)
	}
	_ = c.nak(d, wait)
}

// settleEnd gives the message up: it is a dead letter first, and only then terminated.
func (c *consumption) settleEnd(d *delivery, err error) {
	var e *retry.Error
	if !errors.As(err, &e) {
		e = &retry.Error{Reason: retry.ErrPermanent, Err: err, Attempts: d.entry.Attempts + 1}
	}
	if c.cfg.DeadLetter == "" {
		c.log.Error("retrynats: a message failed for good and there is no Config.DeadLetter",
			"message", Key(d.msg), "attempts", e.Attempts, "reason", c.reason(e), "error", c.cfg.text(e.Err))
	} else if c.publish(c.deadLetter(d, e)) != nil {
		d.entry = c.failed(retry.Attempt{Number: e.Attempts, Elapsed: e.Elapsed, Err: e.Err})
		d.entry.End = c.reason(e)
		c.giveBack(d)
		return
	}
	if c.term(d, c.reason(e)+": "+c.cfg.text(e.Err)) == nil {
		c.forget(d)
	}
}

// giveBack returns a message to the server at once. What d.entry does not count yet is not
// counted.
func (c *consumption) giveBack(d *delivery) {
	c.settleWait(d, 0)
}
