package retrygrpc_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrygrpc"
)

// TestRetryableOfClosedConnection checks that nothing is retried once the ClientConn is closed,
// whatever Retryable returns.
func TestRetryableOfClosedConnection(t *testing.T) {
	t.Parallel()
	n := &counter{}
	i := &retrygrpc.Interceptor{Policy: retry.MustNew(quick()...), Retryable: func(*status.Status) bool { return true }}
	_, target, dial := bufconns.serve(t, flaky(0, nil))
	dial = append(dial, grpc.WithChainUnaryInterceptor(i.Unary()), grpc.WithChainStreamInterceptor(i.Stream()))
	cc := client(t, target, append(dial, n.options()...)...)
	cc.Close()
	for _, method := range []string{get, list} {
		before := n.total()
		assert.Equal(t, codes.Canceled, status.Code(call(t.Context(), cc, method, "x")))
		assert.Equal(t, 1, n.total()-before)
	}
}

// TestZeroInterceptor checks that an Interceptor without a Policy has the default one, and that a
// call may have its own.
func TestZeroInterceptor(t *testing.T) {
	t.Parallel()
	i := &retrygrpc.Interceptor{}
	s := failing(errDown)
	_, target, dial := bufconns.serve(t, s)
	cc := client(t, target, append(dial, grpc.WithUnaryInterceptor(i.Unary()), grpc.WithStreamInterceptor(i.Stream()))...)
	for method, want := range map[string]int64{get: 5, list: 5} {
		before := s.calls.Load()
		err := call(t.Context(), cc, method, "x")
		var e *retry.Error
		require.ErrorAs(t, err, &e)
		assert.Equal(t, 5, e.Attempts)
		assert.Equal(t, want, s.calls.Load()-before)

		before = s.calls.Load()
		err = call(t.Context(), cc, method, "x", retrygrpc.WithPolicy(retry.MustNew(quick(retry.WithMaxAttempts(2))...)))
		require.Error(t, err)
		assert.EqualValues(t, 2, s.calls.Load()-before)
	}
}

// TestNoMultiplication checks that DialOptions turns off the retries of a service config. With
// those on, the attempts multiply.
func TestNoMultiplication(t *testing.T) {
	t.Parallel()
	const config = `{"methodConfig":[{"name":[{}],"retryPolicy":{"maxAttempts":4,"initialBackoff":"0.001s","maxBackoff":"0.001s","backoffMultiplier":1,"retryableStatusCodes":["UNAVAILABLE"]}}]}`
	own := append([]grpc.DialOption{grpc.WithDefaultServiceConfig(config)}, retrygrpc.DialOptions(quick()...)...)
	i := &retrygrpc.Interceptor{Policy: retry.MustNew(quick()...)}
	both := []grpc.DialOption{grpc.WithDefaultServiceConfig(config), grpc.WithUnaryInterceptor(i.Unary())}
	for want, opts := range map[int64][]grpc.DialOption{3: own, 12: both} {
		s := failing(errDown)
		_, target, dial := bufconns.serve(t, s)
		_, err := invoke(t.Context(), client(t, target, append(dial, opts...)...), get, "x")
		assert.Equal(t, codes.Unavailable, status.Code(err))
		assert.Equal(t, want, s.calls.Load())
	}
}
