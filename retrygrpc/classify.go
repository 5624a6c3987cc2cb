package retrygrpc

import (
	"context"
	"slices"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/seed-205ff063/retry"
)

// Transient is a [retry.Classifier] for code that calls a client itself:
// retry.WithRetryIf(retrygrpc.Transient). Calls through an [Interceptor] do not need it.
//
// It matches UNAVAILABLE, RESOURCE_EXHAUSTED, and DEADLINE_EXCEEDED if the attempt's own timeout
// ended the attempt. It does not match RESOURCE_EXHAUSTED for a message above a size limit.
//
// It does not know whether the server processed the call. The function must be safe to run again.
func Transient(a retry.Attempt) bool {
	st := statusOf(a.Err)
	if st.Code() == codes.DeadlineExceeded {
		return a.TimedOut
	}
	return transient(st.Code()) && !tooLarge(st)
}

// Codes returns a [retry.Classifier] that matches errors with one of the codes, as status.Code
// returns them. An error without a status has the code UNKNOWN. Without codes it matches nothing.
func Codes(list ...codes.Code) retry.Classifier {
	own := slices.Clone(list)
	return func(a retry.Attempt) bool { return slices.Contains(own, status.Code(a.Err)) }
}

// classify marks err, the error of an attempt with the context ctx. The mark is Permanent unless
// another attempt is safe and may help, else it is the server's hint. The policy decides the rest.
func (c *call) classify(ctx context.Context, err error, trailer metadata.MD, p *sendProof) error {
	c.callerEnded = c.ctx.Err() != nil
	st := statusOf(err)
	hint := readHint(trailer, st)
	worth := !hint.forbids && c.retryable(ctx, st) && !tooLarge(st) && !c.connClosed()
	if !worth || !c.idempotent && !hint.permits && !p.neverSent() {
		return retry.Permanent(err)
	}
	return retry.After(hint.wait, err)
}

// retryable reports whether another attempt may end with a better status.
func (c *call) retryable(ctx context.Context, st *status.Status) bool {
	if c.interceptor.Retryable != nil {
		return c.interceptor.Retryable(st)
	}
	return transient(st.Code()) || st.Code() == codes.DeadlineExceeded && c.attemptTimedOut(ctx)
}

// transient reports whether the code stands for a failure that passes.
func transient(code codes.Code) bool {
	return code == codes.Unavailable || code == codes.ResourceExhausted
}

// attemptTimedOut reports whether the attempt's own timeout has passed, and not the caller's
// deadline.
func (c *call) attemptTimedOut(ctx context.Context) bool {
	if c.ctx.Err() != nil {
		return false
	}
	if ctx.Err() != nil {
		return true
	}
	// A server that knows the deadline may answer before the context's timer has fired.
	own, ok := ctx.Deadline()
	callers, bounded := c.ctx.Deadline()
	if !ok || bounded && callers.Equal(own) {
		return false
	}
	return !now(c.policy).Before(own)
}

// connClosed reports whether the ClientConn was closed. No attempt can succeed then.
func (c *call) connClosed() bool { return c.cc != nil && c.cc.GetState() == connectivity.Shutdown }

// sizeLimits are parts of the messages with which gRPC's implementations (Go, C++ and Node, Java,
// .NET) refuse a message for its size. Their code is RESOURCE_EXHAUSTED.
var sizeLimits = []string{"larger than max", "with a size larger than", "exceeds maximum size", "exceeds the maximum configured message size"}

// tooLarge reports whether a message was above a size limit of the client or the server. Only the
// text says so. An unknown text costs useless attempts, but no safety.
func tooLarge(st *status.Status) bool {
	if st.Code() != codes.ResourceExhausted {
		return false
	}
	message := strings.ToLower(st.Message())
	for _, limit := range sizeLimits {
		if strings.Contains(message, limit) {
			return true
		}
	}
	return false
}
