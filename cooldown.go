package retry

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"
)

// Cooldown returns a gate to share between all calls to a server. Once an attempt's error
// carries the server's hint, see [After], no attempt passes the gate before the hint is over. A
// hint counts for at most max. Attempts wait up to a tenth longer, so that they do not start
// together.
//
// They wait in real time, whatever [WithClock] says: test with testing/synctest. An attempt that
// has waited that long before its gates passes at once. If the wait would pass the context's
// deadline, the call gives up with [ErrContext], and [Error].Delay is the wait. [WithMaxElapsed]
// does not limit it. With a negative max every attempt fails with an error that matches
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
		return c.observe, nil
	}
}

// cooldown is the state that the attempts at a gate share.
type cooldown struct {
	max  time.Duration
	last atomic.Pointer[coolingPeriod]
}

// coolingPeriod is a server's hint: its length, and the clock's reading at its end.
type coolingPeriod struct{ hint, end time.Duration }

// observe begins a period if err carries a hint that ends later than the current period.
func (c *cooldown) observe(err error) {
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

// wait returns once the current period is over. It checks again, because another period may have
// begun meanwhile.
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
