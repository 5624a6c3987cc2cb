package retryriver_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retryriver"
)

// NextRetry reads what the middleware decided, a server's hint too.
func TestNextRetryReadsTheDecision(t *testing.T) {
	t.Parallel()
	c := installed(t, retryriver.Config{Policy: constant(3, retry.WithJitter(retry.NoJitter), retry.WithMaxRetryAfter(retry.Unlimited))})
	job := row(1)
	require.Error(t, work(c, job, fails(errBroken)))
	assert.InDelta(t, time.Hour, time.Until(c.RetryPolicy.NextRetry(job)), float64(time.Second))
	assert.Equal(t, 25, job.MaxAttempts)
	assert.Contains(t, string(job.Metadata), `"mine":1`)

	hinted := row(1)
	require.Error(t, work(c, hinted, fails(retry.After(3*time.Hour, errBroken))))
	assert.InDelta(t, 3*time.Hour, time.Until(c.RetryPolicy.NextRetry(hinted)), float64(time.Second))
}

// River takes a time that has passed for a fault and uses its own policy: no wait is not one.
func TestNextRetryIsNeverPast(t *testing.T) {
	t.Parallel()
	c := installed(t, retryriver.Config{Policy: retry.MustNew(retry.WithBackoff(retry.Constant(0)))})
	job := row(1)
	require.Error(t, work(c, job, fails(errBroken)))
	now := time.Now()
	assert.False(t, c.RetryPolicy.NextRetry(job).Before(now))
}

// For an attempt that nobody decided on the wait is the policy's for that attempt, and the rescuer
// does not end the job by itself.
func TestNextRetryOfALostAttempt(t *testing.T) {
	t.Parallel()
	c := installed(t, retryriver.Config{Policy: retry.MustNew(retry.WithMaxAttempts(9), retry.WithRetryIf(retry.Is(context.Canceled)),
		retry.WithBackoff(retry.Sequence(time.Hour, 2*time.Hour, 3*time.Hour, 4*time.Hour)))})
	rescued := func(n int) rivertype.AttemptError {
		return rivertype.AttemptError{At: time.Now(), Attempt: n, Error: "Stuck job rescued by JobRescuer"}
	}
	state := `{"retryriver": {"v": 1, "attempt": 2, "number": 2, "delay": 1, "began": "2026-01-01T00:00:00Z"}}`
	over := `{"retryriver": {"v": 1, "attempt": 2, "number": 2, "ended": true, "began": "2026-01-01T00:00:00Z"}}`
	rows := []struct {
		name     string
		attempt  int
		metadata string
		errors   []rivertype.AttemptError
		want     time.Duration
	}{
		{"the first", 1, `{}`, nil, time.Hour},
		{"the second in a row", 2, `{}`, []rivertype.AttemptError{rescued(1)}, 2 * time.Hour},
		{"after two that failed", 3, state, []rivertype.AttemptError{{Attempt: 1}, {Attempt: 2}}, 3 * time.Hour},
		{"after two that failed and one lost", 4, state, []rivertype.AttemptError{{Attempt: 1}, {Attempt: 2}, rescued(3)}, 4 * time.Hour},
		{"both of a failed attempt that was rescued too", 3, state, []rivertype.AttemptError{{Attempt: 1}, {Attempt: 2}, rescued(2)}, 3 * time.Hour},
		{"after an end", 3, over, []rivertype.AttemptError{{Attempt: 1}, {Attempt: 2}}, time.Hour},
		{"after an end that came when the rescuer had given up", 3, over, []rivertype.AttemptError{{Attempt: 1}, rescued(2)}, 3 * time.Hour},
		{"after an end that the rescuer overlooked", 3, over, []rivertype.AttemptError{{Attempt: 1}, {Attempt: 2}, rescued(2)}, time.Hour},
		{"after failures before there was a policy", 3, `{}`, []rivertype.AttemptError{{Attempt: 1}, {Attempt: 2}}, time.Hour},
		{"metadata that is no object", 1, `null`, nil, time.Hour},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			job := row(r.attempt)
			job.Metadata, job.Errors, job.MaxAttempts = []byte(r.metadata), r.errors, r.attempt
			assert.InDelta(t, r.want, time.Until(c.RetryPolicy.NextRetry(job)), float64(time.Second))
			assert.Greater(t, job.MaxAttempts, job.Attempt)
		})
	}
}

// What River is told at each end: an error that it cancels for, or a limit that it discards for, in
// the row in memory.
func TestWhatRiverIsTold(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name      string
		policy    *retry.Policy
		err       error
		cancelled bool
		limit     int
	}{
		{"again", constant(2), errBroken, false, 25},
		{"exhausted", constant(1), errBroken, false, 1},
		{"permanent", constant(2), retry.Permanent(errBroken), true, 25},
		{"JobCancel", constant(2), river.JobCancel(errBroken), true, 25},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			job := row(1)
			err := work(installed(t, retryriver.Config{Policy: r.policy}), job, fails(r.err))
			require.ErrorIs(t, err, errBroken)
			var cancel *river.JobCancelError
			assert.Equal(t, r.cancelled, errors.As(err, &cancel))
			assert.Equal(t, r.limit, job.MaxAttempts)
		})
	}
}

// The policy's waits grow from the waits it chose. What River was late by is time that passed.
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

	early := job.AttemptedAt.Add(-time.Hour) // a clock that was set back
	job.AttemptedAt = &early
	require.NoError(t, work(c, job, fails(nil)))
	assert.Equal(t, time.Second, seen.Elapsed.Round(time.Second))
}

// A panic goes on untouched, and what follows is the policy's.
func TestPanic(t *testing.T) {
	t.Parallel()
	c := installed(t, retryriver.Config{Policy: constant(2)})
	job := row(1)
	boom := func(context.Context) error { panic(errBroken) }
	assert.PanicsWithValue(t, errBroken, func() { _ = work(c, job, boom) })
	assert.InDelta(t, time.Hour, time.Until(c.RetryPolicy.NextRetry(job)), float64(time.Second))
	job.Attempt = 2
	assert.PanicsWithValue(t, errBroken, func() { _ = work(c, job, boom) })
	assert.Equal(t, 2, job.MaxAttempts, "discarded")
}
