package retrygrpc

import (
	"google.golang.org/grpc"

	"github.com/seed-205ff063/retry"
)

// idempotency is the call option that says whether a call may be processed twice.
type idempotency struct {
	grpc.EmptyCallOption

	may bool
}

// policyOption is the call option that replaces the policy.
type policyOption struct {
	grpc.EmptyCallOption

	policy *retry.Policy
}

// Idempotent returns a call option that says that this call may be processed twice, whatever its
// method says. Of several options of this kind the last wins. It does nothing without an
// [Interceptor].
func Idempotent() grpc.CallOption { return idempotency{may: true} }

// NotIdempotent returns a call option that says that this call must not be processed twice,
// whatever its method says. It is sent again only on proof that it was not processed. Of several
// options of this kind the last wins.
func NotIdempotent() grpc.CallOption { return idempotency{may: false} }

// WithPolicy returns a call option that retries this call under p in place of the interceptor's
// policy. A nil p is the core's defaults. Of several the last wins.
func WithPolicy(p *retry.Policy) grpc.CallOption { return policyOption{policy: p} }
