package retry_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrytest"
)

// A queue that was late adds that to Elapsed: the next wait is as if it had been in time, while
// MaxElapsed counts the lateness.
func TestResumeLate(t *testing.T) {
	t.Parallel()
	for _, lateness := range []time.Duration{0, time.Second, time.Hour} {
		clk := new(retrytest.Clock)
		p := retry.MustNew(retry.WithBackoff(retry.Decorrelated(time.Second, 3)), sampling(almost1), retry.WithClock(clk), retry.WithMaxElapsed(time.Minute))
		stored := retry.Attempt{Number: 1, Delay: 3 * time.Second, Err: errDown}
		stored.Elapsed += lateness
		run := p.Resume(context.Background(), stored)
		var a retry.Attempt
		wait, again := retry.MustNew(p, retry.WithMaxElapsed(0), retry.WithStop(func(at retry.Attempt) error { a = at; return nil })).
			Resume(context.Background(), stored).Try(always(errDown))
		require.True(t, again)
		assert.Equal(t, 9*time.Second, wait, "three times the wait that was chosen")
		assert.Equal(t, 2, a.Number)
		assert.Equal(t, 3*time.Second, a.Waited, "lateness is no wait")
		assert.Equal(t, 3*time.Second+lateness, a.Elapsed)

		_, again = run.Try(always(errDown))
		assert.Equal(t, lateness < time.Minute, again)
		if !again {
			assert.Equal(t, retry.ErrMaxElapsed, stopped(t, run.Err()).Reason)
		}
	}
}
