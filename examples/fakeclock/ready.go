package main

import (
	"context"
	"time"

	"github.com/seed-205ff063/retry"
)

// readyPolicy waits for a service that was just started.
var readyPolicy = retry.MustNew(
	retry.WithName("wait until ready"),
	retry.WithMaxAttempts(retry.Unlimited),
	retry.WithMaxElapsed(time.Minute),
	retry.WithAttemptTimeout(3*time.Second),
	retry.WithBackoff(retry.Exponential(time.Second, 2)),
	retry.WithMaxDelay(10*time.Second),
	retry.WithJitter(retry.NoJitter), // one caller and one service need not be spread out
)

// WaitReady probes a service until it is ready, for up to a minute. The given options replace those
// of its policy: a test passes a clock that way.
func WaitReady(ctx context.Context, probe func(context.Context) error, opts ...retry.Option) error {
	return retry.Do(ctx, probe, append([]retry.Option{readyPolicy}, opts...)...)
}
