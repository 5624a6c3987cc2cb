package retrygrpc_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrygrpc"
)

// TestProofOfItsAttempt checks that an OnFinish that grpc calls late proves nothing about the next
// attempt.
func TestProofOfItsAttempt(t *testing.T) {
	t.Parallel()
	// The inner layer calls the first attempt's OnFinish in both attempts, and the second's in none.
	calls, first := 0, []func(error){}
	answer := func(opts []grpc.CallOption) error {
		calls++
		for _, o := range opts {
			if o, ok := o.(grpc.OnFinishCallOption); ok && calls == 1 {
				first = append(first, o.OnFinish)
			}
		}
		for _, f := range first {
			f(errDown)
		}
		return errDown
	}
	i := &retrygrpc.Interceptor{Policy: retry.MustNew(quick()...)}
	unary := i.Unary()
	err := unary(t.Context(), create, nil, nil, nil, func(_ context.Context, _ string, _, _ any, _ *grpc.ClientConn, opts ...grpc.CallOption) error {
		return answer(opts)
	})
	assert.Equal(t, codes.Unavailable, status.Code(err))
	assert.Equal(t, 2, calls)

	calls, first = 0, nil
	_, err = i.Stream()(t.Context(), both, nil, chat, func(_ context.Context, _ *grpc.StreamDesc, _ *grpc.ClientConn, _ string, opts ...grpc.CallOption) (grpc.ClientStream, error) {
		return nil, answer(opts)
	})
	assert.Equal(t, codes.Unavailable, status.Code(err))
	assert.Equal(t, 2, calls)

	calls, first = 0, nil
	_, err = i.Stream()(t.Context(), oneRequest, nil, appends, func(_ context.Context, _ *grpc.StreamDesc, _ *grpc.ClientConn, _ string, opts ...grpc.CallOption) (grpc.ClientStream, error) {
		return nil, answer(opts)
	})
	assert.Equal(t, codes.Unavailable, status.Code(err))
	assert.Equal(t, 2, calls)
}

// TestOptionsDropped checks that an inner interceptor that drops call options leaves no proof. A
// call that is not idempotent is then made once.
func TestOptionsDropped(t *testing.T) {
	t.Parallel()
	n := &counter{}
	dial := append([]grpc.DialOption{plain}, retrygrpc.DialOptions(quick()...)...)
	dial = append(dial, n.options()...)
	dial = append(dial,
		grpc.WithChainUnaryInterceptor(func(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoker grpc.UnaryInvoker, _ ...grpc.CallOption) error {
			return invoker(ctx, method, req, reply, cc)
		}),
		grpc.WithChainStreamInterceptor(func(ctx context.Context, desc *grpc.StreamDesc, cc *grpc.ClientConn, method string, streamer grpc.Streamer, _ ...grpc.CallOption) (grpc.ClientStream, error) {
			return streamer(ctx, desc, cc, method)
		}))
	cc := client(t, refused(t), dial...)
	for _, method := range []string{create, appends} {
		before := n.total()
		assert.Equal(t, codes.Unavailable, status.Code(call(t.Context(), cc, method, "x")))
		assert.Equal(t, 1, n.total()-before, method)
	}
}
