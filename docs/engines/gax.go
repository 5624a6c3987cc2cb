package engines

import (
	"context"
	"time"

	"github.com/googleapis/gax-go/v2"

	"github.com/seed-205ff063/retry"
)

// GAX returns an option for one call of a Google client.
func GAX(ctx context.Context, p *retry.Policy) gax.CallOption {
	return gax.WithRetry(func() gax.Retryer { return &gaxRetryer{ctx: ctx, policy: p, start: time.Now()} })
}

type gaxRetryer struct {
	ctx    context.Context
	policy *retry.Policy
	start  time.Time
	last   retry.Attempt
}

func (r *gaxRetryer) Retry(err error) (pause time.Duration, again bool) {
	r.last = retry.Attempt{Number: r.last.Number + 1, Waited: r.last.Delay, Elapsed: time.Since(r.start), Err: err}
	wait, giveUp := r.policy.Next(r.ctx, r.last)
	r.last.Delay = wait
	return wait, giveUp == nil
}
