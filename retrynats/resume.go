package retrynats

import (
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/seed-205ff063/retry"
)

// recall returns the attempt that d goes on from, or a wait that comes first.
func (c *consumption) recall(d *delivery) (last retry.Attempt, wait time.Duration, err error) {
	now := time.Now()
	if c.cfg.State == nil {
		return fromServer(d.meta, now), 0, nil
	}
	if d.meta.NumDelivered > 1 || c.reconnect.since(d.meta.Timestamp) {
		if err := c.read(d); err != nil {
			return last, 0, err
		}
	}
	if n := d.entry.lost(d.meta.NumDelivered); n > 0 && d.entry.End == "" {
		last = c.lost(d, n, now)
		return last, last.Delay, nil
	}
	return d.entry.attempt(now), d.early(now), nil
}

// fromServer returns the last attempt as far as the server knows it.
func fromServer(m *jetstream.MsgMetadata, now time.Time) retry.Attempt {
	a := retry.Attempt{Elapsed: max(now.Sub(m.Timestamp), 0)}
	if m.NumDelivered > 1 {
		a.Number, a.Err = int(min(m.NumDelivered-1, 1<<30)), ErrLost
	}
	return a
}

// early returns what is left of the policy's wait. The server delivers sooner where it did not
// hear how long to wait, and after a restart by up to a second.
func (d *delivery) early(now time.Time) time.Duration {
	if !d.known || d.entry.End != "" {
		return 0
	}
	return min(d.entry.due().Sub(now), d.entry.Delay) // another machine's clock may be ahead
}

// attempt returns the last attempt that is stored, as Policy.Resume wants it: the time that the
// message was late is part of Elapsed.
func (e *entry) attempt(now time.Time) retry.Attempt {
	a := retry.Attempt{Number: e.Attempts, Delay: e.Delay}
	if e.At > 0 {
		a.Elapsed = e.Elapsed + e.late(now)
	}
	switch {
	case e.Lost:
		a.Err = ErrLost
	case e.Error != "":
		a.Err = storedError(e.Error)
	}
	return a
}

// lost counts n attempts that were lost and returns the last of them, with the wait that follows
// it. There is none where the policy allows no other attempt.
func (c *consumption) lost(d *delivery, n int, now time.Time) retry.Attempt {
	before := d.entry.attempt(now)
	a := retry.Attempt{
		Number: before.Number + n, Waited: before.Delay,
		Elapsed: before.Elapsed + before.Delay, Err: ErrLost,
	}
	if limit := c.cfg.Policy.MaxAttempts(); limit == retry.Unlimited || a.Number < limit {
		a.Delay = c.cfg.Policy.Wait(a)
	}
	c.log.Warn("retrynats: an attempt was lost", "message", Key(d.msg), "attempt", a.Number, "wait", a.Delay)
	d.entry = entry{
		Attempts: a.Number, Lost: true, Error: c.cfg.text(ErrLost),
		Elapsed: a.Elapsed, Delay: a.Delay, At: now.UnixNano(),
	}
	return a
}
