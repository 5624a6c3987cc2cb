package cookbook

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/time/rate"

	"github.com/seed-205ff063/retry"
)

var errQuota = errors.New("no quota left for another attempt")

// withQuota makes retries pay from a quota that all calls share: 5 for a timeout, which kept the
// server busy for long, and 1 for anything else.
func withQuota(quota *rate.Limiter) retry.Option {
	return retry.WithStop(func(a retry.Attempt) error {
		cost := 1
		if errors.Is(a.Err, errTimeout) {
			cost = 5
		}
		if quota.AllowN(time.Now(), cost) {
			return nil
		}
		return errQuota
	})
}

func TestQuota(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		fail  error
		calls int
	}{
		"timeouts": {errTimeout, 3}, // two retries at 5
		"others":   {errConflict, 11},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				quota := rate.NewLimiter(0, 10)
				calls := 0
				err := retry.Do(t.Context(), func(context.Context) error { calls++; return row.fail },
					retry.WithMaxAttempts(retry.Unlimited), withQuota(quota))
				require.ErrorIs(t, err, errQuota)
				require.ErrorIs(t, err, row.fail)
				assert.Equal(t, row.calls, calls)
			})
		})
	}
}
