package retrynats

import (
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/seed-205ff063/retry"
)

// lastAttempt returns the last attempt of the message, for Policy.Resume. If wait is positive, the
// next attempt is not due yet.
func (c *consumption) lastAttempt(d *delivery) (last retry.Attempt, wait time.Duration, err error) {
	now := time.Now()
	if c.cfg.State == nil {
		return attemptFromServer(d.meta, now), 0, nil
	}
	if d.meta.NumDelivered > 1 || c.reconnect.isAfter(d.meta.Timestamp) {
		if err := c.readEntry(d); err != nil {
			return last, 0, err
		}
	}
	if n := d.entry.lostBefore(d.meta.NumDelivered); n > 0 && d.entry.End == "" {
		last = c.countLost(d, n, now)
		return last, last.Delay, nil
	}
	return d.entry.attempt(now), d.remainingWait(now), nil
}

// attemptFromServer returns the last attempt as the server knows it.
func attemptFromServer(m *jetstream.MsgMetadata, now time.Time) retry.Attempt {
	a := retry.Attempt{Elapsed: max(now.Sub(m.Timestamp), 0)}
	if m.NumDelivered > 1 {
		a.Number, a.Err = int(min(m.NumDelivered-1, 1<<30)), ErrLost
	}
	return a
}

// remainingWait returns what is left of the policy's wait. The server delivers early if it did not
// learn of the wait. After a restart it delivers up to a second early.
func (d *delivery) remainingWait(now time.Time) time.Duration {
	if !d.known || d.entry.End != "" {
		return 0
	}
	return min(d.entry.due().Sub(now), d.entry.Delay) // another machine's clock may be ahead
}

// attempt returns the last attempt that is stored, for Policy.Resume. Its Elapsed includes the time
// that the message is late.
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

// countLost counts n lost attempts in d.entry. It returns the last of them, with the wait that
// follows it. If the policy allows no other attempt, there is no wait.
func (c *consumption) countLost(d *delivery, n int, now time.Time) retry.Attempt {
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
