package retrygrpc_test

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"

	"google.golang.org/grpc"

	"github.com/seed-205ff063/retry"
)

// counter counts the attempts of an Interceptor. Install it right behind that.
type counter struct{ unary, streams atomic.Int64 }

func (c *counter) options() []grpc.DialOption {
	return []grpc.DialOption{
		grpc.WithChainUnaryInterceptor(func(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoker grpc.UnaryInvoker, opts ...grpc.CallOption) error {
			c.unary.Add(1)
			return invoker(ctx, method, req, reply, cc, opts...)
		}),
		grpc.WithChainStreamInterceptor(func(ctx context.Context, desc *grpc.StreamDesc, cc *grpc.ClientConn, method string, streamer grpc.Streamer, opts ...grpc.CallOption) (grpc.ClientStream, error) {
			c.streams.Add(1)
			return streamer(ctx, desc, cc, method, opts...)
		}),
	}
}

func (c *counter) total() int { return int(c.unary.Load() + c.streams.Load()) }

// journal records what the hooks of a policy see.
type journal struct {
	mu       sync.Mutex
	attempts []retry.Attempt
	starts   int
	done     []retry.Outcome
}

func (j *journal) hooks() retry.Option {
	return retry.WithHooks(retry.Hooks{
		Start: func(ctx context.Context) context.Context {
			j.mu.Lock()
			defer j.mu.Unlock()
			j.starts++
			return ctx
		},
		AfterAttempt: func(_ context.Context, a retry.Attempt) {
			j.mu.Lock()
			defer j.mu.Unlock()
			j.attempts = append(j.attempts, a)
		},
		Done: func(_ context.Context, o retry.Outcome) {
			j.mu.Lock()
			defer j.mu.Unlock()
			j.done = append(j.done, o)
		},
	})
}

func (j *journal) ends() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return len(j.done)
}

// stacks returns the stacks of all goroutines.
func stacks() string {
	buf := make([]byte, 1<<22)
	return string(buf[:runtime.Stack(buf, true)])
}
