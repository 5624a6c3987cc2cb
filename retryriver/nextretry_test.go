package retryriver_test

import (
	"context"
	"testing"
	"time"

	"github.com/riverqueue/river/rivertype"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retryriver"
)

// TestNextRetryReadsTheDecision checks that NextRetry returns the wait that Work chose, also for a
// server's hint.
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

// TestNextRetryIsNeverPast checks a policy without waits. River ignores a time in the past and uses
// its own policy.
func TestNextRetryIsNeverPast(t *testing.T) {
	t.Parallel()
	c := installed(t, retryriver.Config{Policy: retry.MustNew(retry.WithBackoff(retry.Constant(0)))})
	job := row(1)
	require.Error(t, work(c, job, fails(errBroken)))
	now := time.Now()
	assert.False(t, c.RetryPolicy.NextRetry(job).Before(now))
}

// TestNextRetryOfALostAttempt checks the wait after an attempt without a decision, and that the
// rescuer does not end the job itself.
func TestNextRetryOfALostAttempt(t *testing.T) {
	t.Parallel()
	c := installed(t, retryriver.Config{Policy: retry.MustNew(retry.WithMaxAttempts(9), retry.WithRetryIf(retry.Is(context.Canceled)),
		retry.WithBackoff(retry.Sequence(time.Hour, 2*time.Hour, 3*time.Hour, 4*time.Hour)))})
	rescued := func(n int) rivertype.AttemptError {
		return rivertype.AttemptError{At: time.Now(), Attempt: n, Error: "Stuck job rescued by JobRescuer"}
	}
	state := `{"retryriver": {"v": 1, "attempt": 2, "number": 2, "delay": 1, "began": "2026-01-01T00:00:00Z"}}`
	ended := `{"retryriver": {"v": 1, "attempt": 2, "number": 2, "ended": true, "began": "2026-01-01T00:00:00Z"}}`
	rows := []struct {
		name     string
		attempt  int
		metadata string
		errors   []rivertype.AttemptError
		want     time.Duration
	}{
		{"the first", 1, `{}`, nil, time.Hour},
		{"the second in a row", 2, `{}`, []rivertype.AttemptError{rescued(1)}, 2 * time.Hour},
		{"after two failures", 3, state, []rivertype.AttemptError{{Attempt: 1}, {Attempt: 2}}, 3 * time.Hour},
		{"after two failures and a lost attempt", 4, state, []rivertype.AttemptError{{Attempt: 1}, {Attempt: 2}, rescued(3)}, 4 * time.Hour},
		{"after a failure that was rescued too", 3, state, []rivertype.AttemptError{{Attempt: 1}, {Attempt: 2}, rescued(2)}, 3 * time.Hour},
		{"after an end", 3, ended, []rivertype.AttemptError{{Attempt: 1}, {Attempt: 2}}, time.Hour},
		{"after an end that came after the rescue", 3, ended, []rivertype.AttemptError{{Attempt: 1}, rescued(2)}, 3 * time.Hour},
		{"after an end and a late rescue", 3, ended, []rivertype.AttemptError{{Attempt: 1}, {Attempt: 2}, rescued(2)}, time.Hour},
		{"after failures before the policy was installed", 3, `{}`, []rivertype.AttemptError{{Attempt: 1}, {Attempt: 2}}, time.Hour},
		{"metadata that is not an object", 1, `null`, nil, time.Hour},
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
