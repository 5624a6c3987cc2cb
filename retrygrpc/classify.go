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

// Transient is a [retry.Classifier] that matches the statuses that are worth another attempt:
// UNAVAILABLE, RESOURCE_EXHAUSTED but for a message above a size limit, and DEADLINE_EXCEEDED if
// the attempt's own timeout ended it.
//
// It is for code that calls a client itself, as WithRetryIf(retrygrpc.Transient). It does not know
// whether the server processed the call, so the function must be safe to run again. Calls
// through an [Interceptor] need no such option.
func Transient(a retry.Attempt) bool {
	st := statusOf(a.Err)
	if st.Code() == codes.DeadlineExceeded {
		return a.TimedOut
	}
	return transient(st.Code()) && !tooLarge(st)
}

// Codes returns a [retry.Classifier] that matches errors with one of the codes, as status.Code
// tells it: an error without a status has the code UNKNOWN. Without codes it matches none.
func Codes(list ...codes.Code) retry.Classifier {
	own := slices.Clone(list)
	return func(a retry.Attempt) bool { return slices.Contains(own, status.Code(a.Err)) }
}

// judge marks err, which ended an attempt with the context ctx: as permanent unless another attempt
// is safe and may end better, else with the server's hint. The policy decides the rest.
func (c *call) judge(ctx context.Context, err error, trailer metadata.MD, e *evidence) error {
	c.ended = c.ctx.Err() != nil
	st := statusOf(err)
	said := read(trailer, st)
	worth := !said.stops && c.worth(ctx, st) && !tooLarge(st) && !c.closed()
	if !worth || !c.idempotent && !said.permits && !e.unsent() {
		return retry.Permanent(err)
	}
	return retry.After(said.hint, err)
}

// worth reports whether another attempt may end better.
func (c *call) worth(ctx context.Context, st *status.Status) bool {
	if c.interceptor.Retryable != nil {
		return c.interceptor.Retryable(st)
	}
	return transient(st.Code()) || st.Code() == codes.DeadlineExceeded && c.timedOut(ctx)
}

// transient reports whether code says that the call failed for a reason that passes.
func transient(code codes.Code) bool {
	return code == codes.Unavailable || code == codes.ResourceExhausted
}

// timedOut reports whether the attempt's own time was up, and not the caller's.
func (c *call) timedOut(ctx context.Context) bool {
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

// closed reports whether the ClientConn was closed: no attempt will get anywhere.
func (c *call) closed() bool { return c.cc != nil && c.cc.GetState() == connectivity.Shutdown }

// sizeLimits are in the messages of RESOURCE_EXHAUSTED with which gRPC's implementations (Go, C++
// and Node, Java, .NET) refuse a message for its size. Its size will not change.
var sizeLimits = []string{"larger than max", "with a size larger than", "exceeds maximum size", "exceeds the maximum configured message size"}

// tooLarge reports whether a message was larger than a limit of the client's or the server's. There is
// no other sign of it than the text; a text that is not known costs attempts and no safety.
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
