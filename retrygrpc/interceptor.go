package retrygrpc

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/status"

	"github.com/seed-205ff063/retry"
)

// Interceptor retries the calls of a ClientConn. Install both [Interceptor.Unary] and
// [Interceptor.Stream]. Most callers should use [DialOptions], which does that.
//
// The zero value is ready to use. Do not change the fields after first use. It is safe for
// concurrent use.
type Interceptor struct {
	// Policy says how often and for how long to retry. Its WithRetryIf and WithStopIf see the
	// error that gRPC returned. They can only narrow what is retried.
	// For a stream the attempt timeout is the time until the first message.
	// The default is the policy of package retry: 5 attempts, and waits of about 1.5s at most.
	Policy *retry.Policy

	// IsIdempotent reports whether a method may be processed twice. It gets the full name,
	// "/pkg.Service/Method". Calls of other methods are sent again only with proof that they
	// were not processed. The call options Idempotent and NotIdempotent win over IsIdempotent.
	// The default is the method's idempotency_level in the registered descriptors:
	// NO_SIDE_EFFECTS and IDEMPOTENT are idempotent. A method without a level or a descriptor
	// is not.
	IsIdempotent func(method string) bool

	// Retryable reports whether another attempt may end with a better status than this one. It
	// does not decide what is safe. A message above a size limit, a closed ClientConn and a
	// pushback that forbids a retry stay permanent.
	// The default is the table in the package comment.
	Retryable func(*status.Status) bool

	optionErr error // an error in the options of DialOptions
}

// Unary returns an interceptor for calls with one request and one response.
//
// A call that fails returns the last attempt's status in an error that wraps a [*retry.Error], see
// the package comment.
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
// A call with one request and a stream of responses is retried until its first message reaches the
// caller. Do not change the request before that. A call with a stream of requests is retried only
// while it is opened. Later on nothing is retried, because a repeated message is worse than an
// error. The stream's errors and io.EOF are then passed on unchanged.
//
// The attempt timeout is the time to the first message, or the time to open a stream of requests.
// The stream may outlive it.
//
// Header may return the header of an attempt that fails before its first message. In the end the
// header of the last attempt counts. A stream of responses holds one goroutine more until its first
// message.
func (i *Interceptor) Stream() grpc.StreamClientInterceptor {
	return func(ctx context.Context, desc *grpc.StreamDesc, cc *grpc.ClientConn, method string, streamer grpc.Streamer, opts ...grpc.CallOption) (grpc.ClientStream, error) {
		if desc.ClientStreams {
			c := &clientStreamCall{}
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

// DialOptions returns what grpc.NewClient needs to retry calls under a policy of the given options:
// both interceptors, and gRPC's own retries turned off. With those on, the attempts would multiply.
// gRPC's transparent retries of calls that never left the client stay on.
//
// If an option is wrong, each call returns an error that matches [retry.ErrOption].
//
// gRPC waits a second, then longer, before it tries a failed connection again. Until then each
// attempt fails at once. A policy whose waits add up to less gives up before the server had a
// chance. One of these helps:
//
//   - let attempts wait for the connection, with [retry.WithAttemptTimeout] and
//     grpc.WithDefaultCallOptions(grpc.WaitForReady(true));
//   - let the policy's waits add up to more;
//   - let gRPC wait less at first, with grpc.WithConnectParams.
func DialOptions(opts ...retry.Option) []grpc.DialOption {
	policy, err := retry.New(opts...)
	i := &Interceptor{Policy: policy, optionErr: err}
	return []grpc.DialOption{
		grpc.WithChainUnaryInterceptor(i.Unary()),
		grpc.WithChainStreamInterceptor(i.Stream()),
		grpc.WithDisableRetry(),
	}
}
