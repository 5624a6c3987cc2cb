package retryriver_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retryriver"
)

var errBroken = errors.New("broken")

// installed returns the configuration of a client with a Retrier for c.
func installed(t *testing.T, c retryriver.Config) *river.Config {
	t.Helper()
	retrier, err := retryriver.New(c)
	require.NoError(t, err)
	config := &river.Config{Logger: slog.New(slog.DiscardHandler)}
	retrier.Install(config)
	return config
}

// work makes the middleware run an attempt of the job, as River does.
func work(c *river.Config, job *rivertype.JobRow, fn func(context.Context) error) error {
	return c.Middleware[0].(rivertype.WorkerMiddleware).Work(context.Background(), job, fn)
}

// fails returns a worker that returns err.
func fails(err error) func(context.Context) error {
	return func(context.Context) error { return err }
}

// row returns a job that is in the given attempt.
func row(attempt int) *rivertype.JobRow {
	now := time.Now()
	return &rivertype.JobRow{
		ID: 1, Kind: "mail", Attempt: attempt, MaxAttempts: 25, Metadata: []byte(`{"mine": 1}`),
		CreatedAt: now, ScheduledAt: now, AttemptedAt: &now, State: rivertype.JobStateRunning,
	}
}

// constant returns a policy of n attempts with waits of an hour.
func constant(n int, opts ...retry.Option) *retry.Policy {
	return retry.MustNew(append([]retry.Option{
		retry.WithMaxAttempts(n), retry.WithBackoff(retry.Constant(time.Hour)),
	}, opts...)...)
}
