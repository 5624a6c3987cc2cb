package retryriver_test

import (
	"context"
	"errors"
	"fmt"
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

var (
	errBroken = errors.New("broken")
	errClosed = errors.New("closed for today")
)

// quick is a policy of n attempts with waits of a millisecond.
func quick(n int, opts ...retry.Option) *retry.Policy {
	return retry.MustNew(append([]retry.Option{
		retry.WithMaxAttempts(n), retry.WithBackoff(retry.Constant(time.Millisecond)),
	}, opts...)...)
}

// ends are the ways in which a job can end.
var ends = []struct {
	name     string
	policy   *retry.Policy
	fail     func(attempt int) error
	opts     *river.InsertOpts
	state    rivertype.JobState
	attempts int
	text     string // of the last stored error
}{
	{"success", quick(4), func(int) error { return nil }, nil, rivertype.JobStateCompleted, 1, ""},
	{"success at the third", quick(4), func(n int) error {
		if n < 3 {
			return errBroken
		}
		return nil
	}, nil, rivertype.JobStateCompleted, 3, "broken"},
	{
		"exhausted below River's limit", quick(3), func(int) error { return errBroken }, nil,
		rivertype.JobStateDiscarded, 3, "retry: attempts exhausted after 3 attempts in *: broken",
	},
	{
		"River's limit is lower", quick(9), func(int) error { return errBroken }, &river.InsertOpts{MaxAttempts: 2},
		rivertype.JobStateDiscarded, 2, "retry: attempts exhausted after 2 attempts in *: broken",
	},
	{
		"one attempt", quick(1), func(int) error { return errBroken }, nil,
		rivertype.JobStateDiscarded, 1, "retry: attempts exhausted after 1 attempt in *: broken",
	},
	{
		"permanent", quick(4), func(int) error { return retry.Permanent(errBroken) }, nil,
		rivertype.JobStateCancelled, 1, "retry: permanent error after 1 attempt in *: broken",
	},
	{
		"no classifier matches", quick(4, retry.WithRetryIf(retry.Is(context.Canceled))), func(int) error { return errBroken }, nil,
		rivertype.JobStateCancelled, 1, "retry: permanent error after 1 attempt in *: broken",
	},
	{
		"River's JobCancel", quick(4), func(int) error { return river.JobCancel(errBroken) }, nil,
		rivertype.JobStateCancelled, 1, "retry: permanent error after 1 attempt in *: JobCancelError: broken",
	},
	{
		"budget", quick(4, retry.WithBudget(retry.NewBudget(0, 0))), func(int) error { return errBroken }, nil,
		rivertype.JobStateDiscarded, 1, "retry: client's own retry budget is spent (next wait 1ms) after 1 attempt in *: broken",
	},
	{
		"a server's hint too long", quick(4), func(int) error { return retry.After(time.Hour, errBroken) }, nil,
		rivertype.JobStateDiscarded, 1, "retry: server asks for a longer wait than allowed (1h0m0s) after 1 attempt in *: broken",
	},
	{
		"time limit", quick(4, retry.WithMaxElapsed(time.Microsecond)), func(int) error { return errBroken }, nil,
		rivertype.JobStateDiscarded, 1, "retry: time limit reached (next wait 1ms) after 1 attempt in *: broken",
	},
	{
		"stop", quick(4, retry.WithStop(func(retry.Attempt) error { return errClosed })), func(int) error { return errBroken }, nil,
		rivertype.JobStateDiscarded, 1, "retry: closed for today (next wait 1ms) after 1 attempt in *: broken",
	},
	{"panic", quick(2), func(int) error { panic("ouch") }, nil, rivertype.JobStateDiscarded, 2, "ouch"},
	{
		"long text", quick(1), func(int) error { return fmt.Errorf("a\x1b[31m\nb") }, nil,
		rivertype.JobStateDiscarded, 1, `retry: attempts exhausted after 1 attempt in *: a\x1b[31m; b`,
	},
}

// Each job ends in the documented state and with the documented text.
func TestEnds(t *testing.T) {
	t.Parallel()
	q := newQueue(t)
	for _, row := range ends {
		t.Run(row.name, func(t *testing.T) {
			var runs atomic.Int32
			client := q.start(t, retryriver.Config{Policy: row.policy}, func(_ context.Context, job *river.Job[task]) error {
				assert.Equal(t, int(runs.Add(1)), job.Attempt)
				return row.fail(job.Attempt)
			})
			job := q.await(t, client, q.insert(t, client, row.opts).ID, row.state)
			assert.EqualValues(t, row.attempts, runs.Load(), "runs of the worker")
			assert.Equal(t, row.attempts, job.Attempt)
			if row.text == "" {
				assert.Empty(t, job.Errors)
				assert.JSONEq(t, `{}`, metadata(job), "a job that did not fail needs no state")
				return
			}
			require.NotEmpty(t, job.Errors)
			assert.Regexp(t, pattern(row.text), job.Errors[len(job.Errors)-1].Error)
		})
	}
}
