package retry

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"
)

// Cooldown returns a gate for calls that share a server: once an attempt's error carries the
// server's hint, see [After], no attempt passes the gate before the hint is over. Share one gate
// between all the calls; with hints alone each call has to be refused by itself.
//
// Attempts wait in the gate in real time, whatever [WithClock] says: use testing/synctest in
// tests. A hint counts for at most max. Attempts wait for up to a tenth of it more, so that they do
// not start together. An attempt whose own wait was as long is not held up again. An attempt whose
// wait would pass the context's deadline does not wait: the call gives up with [ErrContext], and
// [Error].Delay is the wait. The gate does not look at [WithMaxElapsed]. A negative max makes every attempt fail with an error that matches
// [ErrOption]. The gate is safe for concurrent use.
func Cooldown(max time.Duration) Gate {
	if max < 0 {
		return func(context.Context, Attempt) (func(error), error) {
			return nil, Permanent(fault{"Cooldown", fmt.Sprintf("max %v is negative", max)})
		}
	}
	c := &cooldown{max: max}
	return func(ctx context.Context, _ Attempt) (func(error), error) {
		if err := c.wait(ctx); err != nil {
			return nil, err
		}
		return c.hear, nil
	}
}

// cooldown is the state that the attempts at a gate share.
type cooldown struct {
	max  time.Duration
	last atomic.Pointer[coolingPeriod]
}

// coolingPeriod is a server's hint: how long it was, and the clock's reading at its end.
type coolingPeriod struct{ hint, end time.Duration }

// hear begins a period if err carries a hint that ends later than the period under way.
func (c *cooldown) hear(err error) {
	hint := min(marksOf(err).hint, c.max)
	if hint <= 0 {
		return
	}
	next := &coolingPeriod{hint: hint, end: time.Since(epoch) + hint}
	for {
		last := c.last.Load()
		if last != nil && last.end >= next.end || c.last.CompareAndSwap(last, next) {
			return
		}
	}
}

// wait returns once the period under way is over; another one may have begun meanwhile.
func (c *cooldown) wait(ctx context.Context) error {
	for {
		period := c.last.Load()
		if period == nil {
			return nil
		}
		left := period.end - time.Since(epoch)
		if left <= 0 {
			return nil
		}
		left += time.Duration(rand.Float64() * float64(period.hint/10))
		if deadline, ok := ctx.Deadline(); ok && left >= time.Until(deadline) {
			return &noTimeError{refusal: fmt.Errorf("the server asks for no calls for %v", short(left)), hint: left}
		}
		if err := sleepContext(ctx, left); err != nil {
			return err
		}
	}
}

// sleepContext waits for d, or returns the context's error once it ends.
func sleepContext(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
