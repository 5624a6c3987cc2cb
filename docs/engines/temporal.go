package engines

import (
	"context"
	"errors"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"

	"github.com/seed-205ff063/retry"
)

// Activity makes one attempt of an activity under the policy. Temporal counts, waits and repeats.
func Activity(ctx context.Context, p *retry.Policy, fn func(context.Context) error) error {
	n := int(activity.GetInfo(ctx).Attempt)
	run := p.Resume(ctx, retry.Attempt{Number: n - 1})
	wait, again := run.Try(fn)
	if !again && run.Err() == nil {
		return nil
	}
	options := temporal.ApplicationErrorOptions{NextRetryDelay: wait, NonRetryable: !again, Cause: run.Last().Err}
	if !again {
		options.Cause = run.Err()
	}
	return temporal.NewApplicationErrorWithOptions(retry.ErrorText(options.Cause), "retry", options)
}

// CauseOf returns the error of the attempt from the error that Temporal reports to the workflow.
func CauseOf(err error) error {
	var app *temporal.ApplicationError
	if errors.As(err, &app) {
		return app.Unwrap()
	}
	return err
}
