package engines

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hibiken/asynq"

	"github.com/seed-205ff063/retry"
)

// RetryDelay returns an asynq.Config.RetryDelayFunc. Asynq passes the number of retries so far.
func RetryDelay(p *retry.Policy) asynq.RetryDelayFunc {
	return func(n int, err error, _ *asynq.Task) time.Duration {
		return p.Wait(retry.Attempt{Number: n + 1, Err: err})
	}
}

// Middleware makes one attempt of a task under the policy. Pass it to asynq.ServeMux.Use.
func Middleware(p *retry.Policy) asynq.MiddlewareFunc {
	return func(next asynq.Handler) asynq.Handler {
		return asynq.HandlerFunc(func(ctx context.Context, task *asynq.Task) error {
			n, _ := asynq.GetRetryCount(ctx)
			run := p.Resume(ctx, retry.Attempt{Number: n})
			_, again := run.Try(func(ctx context.Context) error { return next.ProcessTask(ctx, task) })
			if again {
				return run.Last().Err
			}
			if err := run.Err(); err != nil && !errors.Is(err, context.Canceled) {
				return fmt.Errorf("%w: %w", err, asynq.SkipRetry) // archived
			}
			return run.Err()
		})
	}
}
