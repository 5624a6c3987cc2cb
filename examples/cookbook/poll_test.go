package cookbook

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
)

var errPending = errors.New("still pending")

func waitForJob(ctx context.Context, status func(context.Context) (string, error)) (string, error) {
	return retry.DoValue(ctx, status,
		retry.WithName("wait for job"),
		retry.WithMaxAttempts(retry.Unlimited),
		retry.WithMaxElapsed(10*time.Minute),
		retry.WithBackoff(retry.Constant(2*time.Second)),
		retry.WithRetryIf(retry.Transient),
		retry.WithValidator(func(status string, _ retry.Attempt) error {
			switch status {
			case "done":
				return nil
			case "failed":
				return retry.Permanent(errors.New("the job failed"))
			default:
				return errPending
			}
		}),
	)
}

func TestPoll(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		statuses []string
		took     time.Duration
		err      error
	}{
		"ready":      {statuses: []string{"queued", "running", "done"}, took: 4 * time.Second},
		"failed":     {statuses: []string{"queued", "failed"}, took: 2 * time.Second, err: retry.ErrPermanent},
		"never done": {statuses: []string{"running"}, took: 10*time.Minute - 2*time.Second, err: retry.ErrMaxElapsed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				began, n := time.Now(), 0
				_, err := waitForJob(t.Context(), func(context.Context) (string, error) {
					n++
					return row.statuses[min(n, len(row.statuses))-1], nil
				})
				require.ErrorIs(t, err, row.err)
				require.Equal(t, row.took, time.Since(began))
			})
		})
	}
}

func Example_poll() {
	fmt.Println(waitForJob(context.Background(), func(context.Context) (string, error) { return "done", nil }))
	// Output: done <nil>
}
