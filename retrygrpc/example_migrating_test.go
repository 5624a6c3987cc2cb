package retrygrpc_test

import (
	"fmt"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrygrpc"
)

// likeMiddleware makes as many attempts as the interceptors of go-grpc-middleware with WithMax(3),
// WithPerRetryTimeout(time.Second) and the default backoff and codes, of the calls that are safe.
func likeMiddleware() []grpc.DialOption {
	return retrygrpc.DialOptions(
		retry.WithMaxAttempts(3), // WithMax counts attempts too
		retry.WithAttemptTimeout(time.Second),
		retry.WithBackoff(retry.Constant(50*time.Millisecond)), // BackoffLinear is constant
		retry.WithJitter(retry.SpreadJitter(0.1)),
		retry.WithRetryIf(retrygrpc.Codes(codes.Unavailable, codes.ResourceExhausted, codes.DeadlineExceeded)),
	)
}

func Example_migrating() {
	fmt.Println(len(likeMiddleware()) > 0)
	// Output: true
}
