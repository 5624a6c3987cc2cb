package retrygrpc

import (
	"google.golang.org/grpc"

	"github.com/seed-205ff063/retry"
)

// idempotencyOption is the call option of Idempotent and NotIdempotent.
type idempotencyOption struct {
	grpc.EmptyCallOption

	idempotent bool
}

// policyOption is the call option of WithPolicy.
type policyOption struct {
	grpc.EmptyCallOption

	policy *retry.Policy
}

// Idempotent returns a call option for a call that may be processed twice, whatever its method says.
// Of several such options the last one counts. Without an [Interceptor] the option does nothing.
func Idempotent() grpc.CallOption { return idempotencyOption{idempotent: true} }

// NotIdempotent returns a call option for a call that must not be processed twice, whatever its
// method says. The call is sent again only with proof that it was not processed. Of several such
// options the last one counts.
func NotIdempotent() grpc.CallOption { return idempotencyOption{idempotent: false} }

// WithPolicy returns a call option that retries this call under p, in place of the interceptor's
// policy. A nil p has the defaults of package retry. Of several such options the last one counts.
func WithPolicy(p *retry.Policy) grpc.CallOption { return policyOption{policy: p} }
