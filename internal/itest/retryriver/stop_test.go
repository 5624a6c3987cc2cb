package retryriver_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retryriver"
)

// When a process stops, its jobs do not fail, however it stops and whatever error the worker returns.
func TestShutdownIsNoFailure(t *testing.T) {
	t.Parallel()
	errStop := errors.New("stopping")
	rows := []struct {
		name string
		stop func(t *testing.T, client interface{ StopAndCancel(context.Context) error }, cancel context.CancelCauseFunc)
		fail func(ctx context.Context) error
	}{
		{"StopAndCancel", stopAndCancel, context.Cause},
		{"StopAndCancel, another error", stopAndCancel, func(context.Context) error { return errBroken }},
		{"Start's context", cancelStart, func(ctx context.Context) error { return ctx.Err() }},
		{"Start's context, another error", cancelStart, func(context.Context) error { return errBroken }},
	}
	q := newQueue(t)
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			config := retryriver.Config{Policy: quick(2)}
			started := make(chan int, 3)
			client := q.client(t, config, func(ctx context.Context, job *river.Job[task]) error {
				started <- job.Attempt
				if job.Attempt == 1 {
					return errBroken
				}
				<-ctx.Done()
				return row.fail(ctx)
			})
			ctx, cancel := context.WithCancelCause(context.Background())
			defer cancel(nil)
			require.NoError(t, client.Start(ctx))
			id := q.insert(t, client, nil).ID
			assert.Equal(t, 1, <-started)
			assert.Equal(t, 2, <-started)
			row.stop(t, client, func(error) { cancel(errStop) })
			<-client.Stopped()
			job, err := client.JobGet(t.Context(), id)
			require.NoError(t, err)
			assert.Equal(t, rivertype.JobStateAvailable, job.State)
			assert.Equal(t, 1, job.Attempt, "the attempt does not count")
			assert.Len(t, job.Errors, 1)

			var seen atomic.Int32
			hooks := retry.WithHooks(retry.Hooks{AfterAttempt: func(_ context.Context, a retry.Attempt) { seen.Store(int32(a.Number)) }})
			q.whileRunning(t, retryriver.Config{Policy: quick(2, hooks)}, func(context.Context, *river.Job[task]) error { return nil },
				func() { q.await(t, client, id, rivertype.JobStateCompleted) })
			assert.EqualValues(t, 2, seen.Load())
		})
	}
}

func stopAndCancel(t *testing.T, client interface{ StopAndCancel(context.Context) error }, _ context.CancelCauseFunc) {
	t.Helper()
	require.NoError(t, client.StopAndCancel(t.Context()))
}

func cancelStart(_ *testing.T, _ interface{ StopAndCancel(context.Context) error }, cancel context.CancelCauseFunc) {
	cancel(nil)
}

// A wait may be longer than the process runs: the deadline of Start's context does not limit the policy.
func TestProcessDeadline(t *testing.T) {
	t.Parallel()
	q := newQueue(t)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	deadlines := make(chan bool, 1)
	client := q.client(t, retryriver.Config{Policy: retry.MustNew(retry.WithBackoff(retry.Constant(time.Hour)))},
		func(ctx context.Context, _ *river.Job[task]) error {
			_, has := ctx.Deadline()
			deadlines <- has
			return errBroken
		}, func(c *river.Config) { c.JobTimeout = -1 })
	require.NoError(t, client.Start(ctx))
	defer func() { require.NoError(t, client.StopAndCancel(context.Background())) }()
	job := q.await(t, client, q.insert(t, client, nil).ID, rivertype.JobStateRetryable)
	assert.InDelta(t, time.Hour, time.Until(job.ScheduledAt), float64(10*time.Second))
	assert.False(t, <-deadlines, "the worker's context has only the deadline of the job's timeout")
}

// A job can be cancelled by another process while it runs.
func TestCancelledRemotely(t *testing.T) {
	t.Parallel()
	q := newQueue(t)
	running := make(chan struct{})
	client := q.start(t, retryriver.Config{Policy: quick(3)}, func(ctx context.Context, _ *river.Job[task]) error {
		close(running)
		<-ctx.Done()
		return ctx.Err()
	})
	id := q.insert(t, client, nil).ID
	<-running
	_, err := client.JobCancel(t.Context(), id)
	require.NoError(t, err)
	q.await(t, client, id, rivertype.JobStateCancelled)
}

// River's timeout of a job and the policy's timeout of an attempt are failures like any other.
func TestTimeouts(t *testing.T) {
	t.Parallel()
	q := newQueue(t)
	rows := []struct {
		name   string
		policy *retry.Policy
		change func(*river.Config)
		want   string
	}{
		{"JobTimeout", quick(2), func(c *river.Config) { c.JobTimeout = 20 * time.Millisecond }, "context deadline exceeded"},
		{"AttemptTimeout", quick(2, retry.WithAttemptTimeout(20*time.Millisecond)), func(*river.Config) {}, "context deadline exceeded"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			client := q.start(t, retryriver.Config{Policy: row.policy}, func(ctx context.Context, _ *river.Job[task]) error {
				<-ctx.Done()
				return ctx.Err()
			}, row.change)
			job := q.await(t, client, q.insert(t, client, nil).ID, rivertype.JobStateDiscarded)
			require.Len(t, job.Errors, 2)
			assert.Equal(t, row.want, job.Errors[0].Error)
		})
	}
}
