package retryriver_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/riverqueue/river"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retryriver"
)

// TestWhatRiverIsTold checks what ends a job in River: an error that cancels it, or a limit in the
// row in memory that discards it.
func TestWhatRiverIsTold(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name      string
		policy    *retry.Policy
		err       error
		cancelled bool
		limit     int
	}{
		{"retried", constant(2), errBroken, false, 25},
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

// TestPanic checks that a panic reaches River unchanged and that the policy decides what follows.
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

// TestOutsideRiver checks that a worker may run without River's context, as in a unit test. The log
// then says that the state is not stored.
func TestOutsideRiver(t *testing.T) {
	t.Parallel()
	c := installed(t, retryriver.Config{Policy: constant(2)})
	c.Logger = slog.New(slog.DiscardHandler)
	assert.EqualError(t, work(c, row(1), fails(errBroken)), "broken")
}
