package retry_test

import (
	"context"
	"testing"
	"time"

	"github.com/benbjohnson/clock"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrytest"
)

// pointerBackoff is a strategy that panics if its pointer is nil.
type pointerBackoff struct{ d time.Duration }

func (b *pointerBackoff) Delay(retry.Attempt) time.Duration { return b.d }

// A typed nil is the same error as a nil, from New and from the call. Nothing panics.
func TestTypedNilOptions(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		option retry.Option
		want   string
	}{
		"limiter":                 {retry.WithGate(retry.RateLimit((*limiter)(nil))), "WithGate: nil Gate"},
		"limiter's function":      {retry.WithGate(retry.RateLimit(limiterFunc(nil))), "WithGate: nil Gate"},
		"limiter, first only":     {retry.WithGate(retry.OnlyFirst(retry.RateLimit((*limiter)(nil)))), "WithGate: nil Gate"},
		"no limiter":              {retry.WithGate(retry.RateLimit(nil)), "WithGate: nil Gate"},
		"semaphore":               {retry.WithGate(retry.Bulkhead((*semaphore)(nil), 1)), "WithGate: nil Gate"},
		"semaphore, retries only": {retry.WithGate(retry.OnlyRetries(retry.Bulkhead((*semaphore)(nil), 1))), "WithGate: nil Gate"},
		"backoff":                 {retry.WithBackoff((*pointerBackoff)(nil)), "WithBackoff: nil Backoff"},
		"backoff in a chain":      {retry.WithBackoff(retry.Chain(1, (*pointerBackoff)(nil), retry.Constant(1))), "WithBackoff: nil Backoff"},
		"last backoff in a chain": {retry.WithBackoff(retry.Chain(1, retry.Constant(1), (*pointerBackoff)(nil))), "WithBackoff: nil Backoff"},
		"function":                {retry.WithBackoff(retry.BackoffFunc(nil)), "WithBackoff: nil BackoffFunc"},
		"clock":                   {retry.WithClock((*retrytest.Clock)(nil)), "WithClock: nil Clock"},
		"another clock":           {retry.WithClock((*clock.Mock)(nil)), "WithClock: nil Clock"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := retry.New(tt.option)
			require.EqualError(t, err, "retry: "+tt.want)
			for way, err := range callEveryWay(t, tt.option) {
				require.EqualError(t, err, "retry: "+tt.want, way)
				require.ErrorIs(t, err, retry.ErrOption)
			}
		})
	}
	require.NoError(t, retry.Do(context.Background(), succeed, retry.WithBackoff(new(pointerBackoff)), retry.WithClock(new(retrytest.Clock))))
}
