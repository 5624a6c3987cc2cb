package retrygrpc_test

import (
	"context"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/seed-205ff063/retry"
)

// unreliable returns a shop that fails 30 % of the calls.
func unreliable() *shop {
	return &shop{
		unary: func(_ context.Context, _ int, in string) (string, error) {
			if rand.Float64() < 0.3 {
				return "", errDown
			}
			return in, nil
		},
		stream: func(_ int, in string, s grpc.ServerStream) error {
			if rand.Float64() < 0.3 {
				return errDown
			}
			return s.SendMsg(wrapperspb.String(in))
		},
	}
}

// TestLeak makes 10,000 unary and streaming calls. 30 % of the attempts fail, and some calls are
// cancelled early. No goroutine of an attempt may remain.
//
//nolint:paralleltest // it counts goroutines
func TestLeak(t *testing.T) {
	calls := 10_000
	if testing.Short() {
		calls = 1000
	}
	cc := tcp.connect(t, unreliable(), retry.WithMaxAttempts(50), retry.WithAttemptTimeout(10*time.Second), retry.WithBackoff(retry.Constant(0)))
	require.NoError(t, call(t.Context(), cc, get, "warm"))
	before := runtime.NumGoroutine()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var workers sync.WaitGroup
	for w := range 8 {
		workers.Go(func() {
			for n := range calls / 8 {
				switch (n + w) % 3 {
				case 0:
					assert.NoError(t, call(ctx, cc, get, "x"))
				case 1:
					assert.NoError(t, call(ctx, cc, list, "x"))
				case 2:
					left, leave := context.WithCancel(ctx)
					stream, err := start(left, cc, list, "x")
					if err == nil && n%2 == 0 {
						_, err = stream.Header()
					}
					assert.NoError(t, err)
					leave()
				}
			}
		})
	}
	workers.Wait()
	for end := time.Now().Add(10 * time.Second); runtime.NumGoroutine() > before && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	assert.LessOrEqual(t, runtime.NumGoroutine(), before, stacks())
	assert.NotContains(t, stacks(), "(*suspendedAttempt)")
}
