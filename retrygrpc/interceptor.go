package retrygrpc

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/status"

	"github.com/seed-205ff063/retry"
)

// Interceptor retries the calls of a ClientConn: install both [Interceptor.Unary] and
// [Interceptor.Stream]. Most callers should use [DialOptions], which does that.
//
// The zero value works. Do not change its fields after first use. It is safe for concurrent use.
type Interceptor struct {
	// Policy says how often and how long to retry. Its own WithRetryIf and WithStopIf narrow
	// what is retried further, and see the error that gRPC returned. For a stream an attempt's
	// timeout is the time until its first message.
	// The default is the core's defaults: 5 attempts, about 1.5s of waits at most.
	Policy *retry.Policy

	// IsIdempotent reports whether the full method name "/pkg.Service/Method" may be processed
	// twice. Any other method is sent again only on proof that it was not processed. The call
	// options Idempotent and NotIdempotent win over it.
	// The default is the method's idempotency_level in the registered descriptors:
	// NO_SIDE_EFFECTS and IDEMPOTENT may; a method without one, or without a descriptor, may not.
	IsIdempotent func(method string) bool

	// Retryable reports whether another attempt may end better than with this status. It is not
	// asked whether that is safe. Messages above a size limit and a closed ClientConn stay
	// permanent, and so does a server's pushback that says stop.
	// The default is the table in the package comment.
	Retryable func(*status.Status) bool

	fault error // of the options that DialOptions was given
}

// Unary returns an interceptor for calls with one request and one response.
//
// A call that fails returns an error with the last attempt's status that wraps a *retry.Error;
// see the package comment.
func (i *Interceptor) Unary() grpc.UnaryClientInterceptor {
	return func(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
		c := &unaryCall{req: req, reply: reply, invoke: invoke}
		if err := c.prepare(i, ctx, cc, method, opts); err != nil {
			return err
		}
		return c.do()
	}
}

// Stream returns an interceptor for streaming calls.
//
// A call with one request and a stream of responses is retried until its first message reached
// the caller. The request must not be changed before that. A call with a stream of requests is
// retried only while it is opened. After that the errors of the stream are passed on untouched.
func (i *Interceptor) Stream() grpc.StreamClientInterceptor {
	return func(ctx context.Context, desc *grpc.StreamDesc, cc *grpc.ClientConn, method string, streamer grpc.Streamer, opts ...grpc.CallOption) (grpc.ClientStream, error) {
		if desc.ClientStreams {
			c := &openCall{}
			c.desc, c.streamer = desc, streamer
			if err := c.prepare(i, ctx, cc, method, opts); err != nil {
				return nil, err
			}
			return c.do()
		}
		s := &serverStream{}
		s.desc, s.streamer = desc, streamer
		if err := s.prepare(i, ctx, cc, method, opts); err != nil {
			return nil, err
		}
		return s.do()
	}
}

// DialOptions returns what grpc.NewClient needs to retry calls under a policy of the options:
// both interceptors, and gRPC's own retries off, because attempts would multiply otherwise.
// gRPC's transparent retries, of calls that never left the client, stay on.
//
// A fault in the options is returned by each call and matches [retry.ErrOption].
//
// gRPC waits a second or more before it tries a connection again that could not be made. Until
// then every attempt fails at once, so the waits of a policy should add up to more than that.
// Or let attempts wait for the connection: grpc.WithDefaultCallOptions(grpc.WaitForReady(true))
// together with [retry.WithAttemptTimeout]. Or begin with less: grpc.WithConnectParams.
func DialOptions(opts ...retry.Option) []grpc.DialOption {
	policy, err := retry.New(opts...)
	i := &Interceptor{Policy: policy, fault: err}
	return []grpc.DialOption{
		grpc.WithChainUnaryInterceptor(i.Unary()),
		grpc.WithChainStreamInterceptor(i.Stream()),
		grpc.WithDisableRetry(),
	}
}
