package retryriver_test

import (
	"context"
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

// rescuing makes River rescue stuck jobs after a minute.
func rescuing(c *river.Config) {
	c.JobTimeout, c.RescueStuckJobsAfter = 30*time.Second, time.Minute
}

// loseAttempt changes the job's row as if a process was killed during the job's next attempt.
func (q *queue) loseAttempt(t *testing.T, id int64, ago time.Duration) {
	t.Helper()
	tag, err := q.pool.Exec(t.Context(), `UPDATE river_job SET state = 'running', attempt = attempt + 1,
		attempted_at = now() - $2::interval, created_at = least(created_at, now() - $2::interval), attempted_by = array_append(attempted_by, 'killed')
		WHERE id = $1 AND state <> 'running'`, id, ago)
	require.NoError(t, err)
	require.EqualValues(t, 1, tag.RowsAffected())
}

// A lost attempt counts, and the policy's wait follows. It is retried whatever the classifiers say.
func TestLost(t *testing.T) {
	t.Parallel()
	q := newQueue(t)
	wait := 300 * time.Millisecond
	policy := retry.MustNew(retry.WithMaxAttempts(3), retry.WithBackoff(retry.Constant(wait)),
		retry.WithRetryIf(retry.Is(context.Canceled)))
	inserter := q.client(t, retryriver.Config{}, nil)
	job := q.insert(t, inserter, nil)
	q.loseAttempt(t, job.ID, 2*time.Minute)

	var seen atomic.Value
	hooks := retry.Hooks{BeforeAttempt: func(ctx context.Context, a retry.Attempt) context.Context {
		seen.Store(a)
		return ctx
	}}
	client := q.start(t, retryriver.Config{Policy: retry.MustNew(policy, retry.WithHooks(hooks))},
		func(context.Context, *river.Job[task]) error { return nil }, rescuing)
	done := q.await(t, client, job.ID, rivertype.JobStateCompleted)
	assert.Equal(t, 2, done.Attempt)
	require.Len(t, done.Errors, 1)
	assert.GreaterOrEqual(t, done.AttemptedAt.Sub(done.Errors[0].At), wait)
	a := seen.Load().(retry.Attempt)
	assert.Equal(t, 2, a.Number, "the lost attempt counts")
	assert.InDelta(t, wait, a.Waited, float64(50*time.Millisecond))
	assert.GreaterOrEqual(t, a.Elapsed, time.Minute, "the time of the lost attempt counts")
}

var lostAtTheLimit = []struct {
	name          string
	policy, river int
	failed, lost  int
	text          string
}{
	{"one attempt", 1, 25, 0, 1, "after 1 attempt in *"},
	{"the policy's limit", 2, 25, 1, 1, "after 2 attempts in *"},
	{"River's limit", 9, 2, 1, 1, "after 2 attempts in *"},
	{"both, all lost", 2, 2, 0, 2, "after 2 attempts in *"},
}

// A job whose last attempt was lost ends without another run of the worker. The limit is the policy's
// or River's, whichever is lower.
func TestLostAtTheLimit(t *testing.T) {
	t.Parallel()
	q := newQueue(t)
	for _, row := range lostAtTheLimit {
		t.Run(row.name, func(t *testing.T) {
			var runs, ends atomic.Int32
			policy := retry.MustNew(retry.WithMaxAttempts(row.policy), retry.WithBackoff(retry.Constant(time.Hour)),
				retry.WithHooks(retry.Hooks{Done: func(_ context.Context, o retry.Outcome) {
					ends.Add(1)
					assert.ErrorIs(t, o.Err, retryriver.ErrLost)
					assert.Equal(t, retry.ErrExhausted, o.Err.Reason)
					assert.Equal(t, row.failed+row.lost, o.Attempts)
				}}))
			config := retryriver.Config{Policy: policy}
			work := func(context.Context, *river.Job[task]) error { runs.Add(1); return errBroken }
			client := q.client(t, config, work, rescuing)
			id := q.insert(t, client, &river.InsertOpts{MaxAttempts: row.river}).ID
			if row.failed > 0 {
				q.whileRunning(t, config, work, func() { q.await(t, client, id, rivertype.JobStateRetryable) }, rescuing)
			}
			for range row.lost {
				q.loseAttempt(t, id, 2*time.Minute)
				q.whileRunning(t, config, work, func() { q.await(t, client, id, rivertype.JobStateRetryable) }, rescuing, idle)
			}
			q.makeDue(t, id)
			var job *rivertype.JobRow
			q.whileRunning(t, config, work, func() { job = q.await(t, client, id, rivertype.JobStateDiscarded) }, rescuing)
			assert.EqualValues(t, row.failed, runs.Load(), "runs of the worker")
			assert.EqualValues(t, 1, ends.Load(), "Done hooks")
			assert.Regexp(t, pattern("retry: attempts exhausted "+row.text+": "+retryriver.ErrLost.Error()),
				job.Errors[len(job.Errors)-1].Error)

			// JobRetry starts a new call.
			before := runs.Load()
			_, err := client.JobRetry(t.Context(), id)
			require.NoError(t, err)
			q.whileRunning(t, retryriver.Config{Policy: quick(1)}, work, func() {
				require.Eventually(t, func() bool { return runs.Load() == before+1 }, 10*time.Second, time.Millisecond)
			}, rescuing)
		})
	}
}
