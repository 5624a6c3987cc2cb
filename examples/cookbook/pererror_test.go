package cookbook

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
)

var (
	errTimeout  = errors.New("timed out")
	errConflict = errors.New("conflict")
)

// atMost returns a stop function for one call: after n errors that match, the call ends.
func atMost(n int, match retry.Classifier) func(retry.Attempt) error {
	seen := 0
	return func(a retry.Attempt) error {
		if !match(a) {
			return nil
		}
		if seen++; seen < n {
			return nil
		}
		return errTooMany
	}
}

var errTooMany = errors.New("too many errors of one kind")

func update(ctx context.Context, fn func(context.Context) error) error {
	return retry.Do(ctx, fn,
		retry.WithMaxAttempts(20),
		retry.WithStop(
			atMost(2, retry.Is(errTimeout)),
			atMost(10, retry.Is(errConflict)),
		),
	)
}

func TestPerError(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		fails []error // the last one is repeated
		calls int
		limit error
	}{
		"timeouts":             {[]error{errTimeout}, 2, errTooMany},
		"conflicts":            {[]error{errConflict}, 10, errTooMany},
		"a timeout among them": {[]error{errTimeout, errConflict}, 11, errTooMany},
		"others":               {[]error{errors.New("other")}, 20, retry.ErrExhausted},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				calls := 0
				err := update(t.Context(), func(context.Context) error {
					calls++
					return row.fails[min(calls, len(row.fails))-1]
				})
				var e *retry.Error
				require.ErrorAs(t, err, &e)
				require.Equal(t, row.limit, e.Reason)
				require.Equal(t, row.calls, calls)
			})
		})
	}
}
