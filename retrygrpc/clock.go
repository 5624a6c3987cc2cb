package retrygrpc

import (
	"context"
	"time"

	"github.com/seed-205ff063/retry"
)

// now returns the time of the policy's clock.
func now(p *retry.Policy) time.Time {
	if clock := p.Clock(); clock != nil {
		return clock.Now()
	}
	return time.Now()
}

// waitUntil waits until due by the policy's clock, or until ctx ends.
func waitUntil(ctx context.Context, p *retry.Policy, due time.Time) {
	wait := due.Sub(now(p))
	if wait <= 0 || ctx.Err() != nil { // a virtual clock must not advance for a wait that is not made
		return
	}
	over, stop := newTimer(p, wait)
	defer stop()
	select {
	case <-over:
	case <-ctx.Done():
	}
}

// newTimer returns a channel that is ready after d, by the policy's clock.
func newTimer(p *retry.Policy, d time.Duration) (over <-chan time.Time, stop func() bool) {
	if clock := p.Clock(); clock != nil {
		return clock.After(d), func() bool { return false }
	}
	timer := time.NewTimer(d)
	return timer.C, timer.Stop
}
