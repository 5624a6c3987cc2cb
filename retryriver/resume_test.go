package retryriver_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retryriver"
)

// TestLateness checks that waits grow from the policy's own waits. The time that River is late
// counts into Elapsed.
func TestLateness(t *testing.T) {
	t.Parallel()
	var seen retry.Attempt
	c := installed(t, retryriver.Config{Policy: retry.MustNew(
		retry.WithBackoff(retry.Constant(time.Second)),
		retry.WithHooks(retry.Hooks{BeforeAttempt: func(ctx context.Context, a retry.Attempt) context.Context {
			seen = a
			return ctx
		}}),
	)})
	job := row(1)
	require.Error(t, work(c, job, fails(errBroken)))
	late := job.AttemptedAt.Add(time.Minute)
	job.Attempt, job.AttemptedAt = 2, &late
	require.NoError(t, work(c, job, fails(nil)))
	assert.Equal(t, 2, seen.Number)
	assert.Equal(t, time.Second, seen.Waited)
	assert.InDelta(t, time.Minute, seen.Elapsed, float64(time.Second))

	early := job.AttemptedAt.Add(-time.Hour) // the clock was set back
	job.AttemptedAt = &early
	require.NoError(t, work(c, job, fails(nil)))
	assert.Equal(t, time.Second, seen.Elapsed.Round(time.Second))
}
