package retrygrpc

import (
	"context"
	"time"

	"github.com/seed-205ff063/retry"
)

// now reads the policy's clock.
func now(p *retry.Policy) time.Time {
	if clock := p.Clock(); clock != nil {
		return clock.Now()
	}
	return time.Now()
}

// pause waits until due by the policy's clock, or until ctx ends.
func pause(ctx context.Context, p *retry.Policy, due time.Time) {
	wait := due.Sub(now(p))
	if wait <= 0 || ctx.Err() != nil { // a virtual clock would move on for a wait that does not take place
		return
	}
	over, stop := after(p, wait)
	defer stop()
	select {
	case <-over:
	case <-ctx.Done():
	}
}

// after returns a channel that tells when d is over by the policy's clock.
func after(p *retry.Policy, d time.Duration) (over <-chan time.Time, stop func() bool) {
	if clock := p.Clock(); clock != nil {
		return clock.After(d), func() bool { return false }
	}
	timer := time.NewTimer(d)
	return timer.C, timer.Stop
}
