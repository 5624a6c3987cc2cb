package retrygrpc_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrygrpc"
)

// dial starts the server of a shop in this process and returns a client. In shop.proto the methods
// Get and List have idempotency_level = NO_SIDE_EFFECTS. Create has no level.
func dial(s *shop, opts ...grpc.DialOption) *grpc.ClientConn {
	l := bufconn.Listen(1 << 16)
	server := grpc.NewServer()
	server.RegisterService(s.desc(), struct{}{})
	go server.Serve(l)
	cc, err := grpc.NewClient("passthrough:///shop", append(opts,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return l.DialContext(ctx) }))...)
	if err != nil {
		panic(err)
	}
	return cc
}

// policy has short waits, so that the examples run fast.
func policy() *retry.Policy {
	return retry.MustNew(retry.WithMaxAttempts(4), retry.WithBackoff(retry.Constant(time.Millisecond)))
}

// An idempotent method is called until it succeeds.
func Example() {
	s := flaky(2, status.Error(codes.Unavailable, "restarting"))
	cc := dial(s, retrygrpc.DialOptions(retry.WithBackoff(retry.Constant(time.Millisecond)))...)

	out := new(wrapperspb.StringValue)
	err := cc.Invoke(context.Background(), "/shop.Orders/Get", wrapperspb.String("order 7"), out)
	fmt.Println(out.GetValue(), err, "after", s.calls.Load(), "calls")
	// Output: got order 7 <nil> after 3 calls
}

// A call that may have been processed is not repeated.
func Example_notIdempotent() {
	s := flaky(2, status.Error(codes.Unavailable, "restarting"))
	cc := dial(s, retrygrpc.DialOptions()...)

	err := cc.Invoke(context.Background(), "/shop.Orders/Create", wrapperspb.String("order 7"), new(wrapperspb.StringValue))
	fmt.Println(err, "after", s.calls.Load(), "call")
	// Output: rpc error: code = Unavailable desc = restarting after 1 call
}

func ExampleDialOptions() {
	s := failing(status.Error(codes.Unavailable, "restarting"))
	cc := dial(s, retrygrpc.DialOptions(
		retry.WithName("orders"),
		retry.WithMaxAttempts(3),
		retry.WithBackoff(retry.Constant(time.Millisecond)))...)

	_, err := invoke(context.Background(), cc, "/shop.Orders/Get", "order 7")
	var e *retry.Error
	fmt.Println(status.Code(err), errors.As(err, &e), e.Reason, e.Attempts)
	// Output: Unavailable true retry: attempts exhausted 3
}

func ExampleInterceptor() {
	i := &retrygrpc.Interceptor{
		Policy:       policy(),
		IsIdempotent: func(method string) bool { return method == "/shop.Orders/Create" }, // the server detects duplicates
		Retryable:    func(st *status.Status) bool { return st.Code() == codes.Unavailable || st.Code() == codes.Aborted },
	}
	s := flaky(1, status.Error(codes.Aborted, "conflict"))
	cc := dial(s, grpc.WithChainUnaryInterceptor(i.Unary()), grpc.WithChainStreamInterceptor(i.Stream()), grpc.WithDisableRetry())

	fmt.Println(invoke(context.Background(), cc, "/shop.Orders/Create", "order 7"))
	// Output: got order 7 <nil>
}

func ExampleInterceptor_Unary() {
	i := &retrygrpc.Interceptor{Policy: policy()}
	s := flaky(1, status.Error(codes.Unavailable, "restarting"))
	cc := dial(s, grpc.WithUnaryInterceptor(i.Unary()))

	fmt.Println(invoke(context.Background(), cc, "/shop.Orders/Get", "order 7"))
	// Output: got order 7 <nil>
}

// The first attempt of a stream fails before its first message, so it is repeated. The second
// attempt fails after a message, so it is not.
func ExampleInterceptor_Stream() {
	i := &retrygrpc.Interceptor{Policy: policy()}
	s := &shop{stream: func(call int, in string, stream grpc.ServerStream) error {
		if call > 1 {
			stream.SendMsg(wrapperspb.String("first of " + in))
		}
		return status.Error(codes.Unavailable, "restarting")
	}}
	cc := dial(s, grpc.WithStreamInterceptor(i.Stream()))

	stream, err := cc.NewStream(context.Background(), &grpc.StreamDesc{ServerStreams: true}, "/shop.Orders/List")
	if err != nil {
		panic(err)
	}
	stream.SendMsg(wrapperspb.String("orders"))
	stream.CloseSend()
	for {
		m := new(wrapperspb.StringValue)
		err := stream.RecvMsg(m)
		if err == io.EOF {
			break
		}
		if err != nil {
			fmt.Println(err)
			break
		}
		fmt.Println(m.GetValue())
	}
	// Output:
	// first of orders
	// rpc error: code = Unavailable desc = restarting
}

func ExampleIdempotent() {
	s := flaky(1, status.Error(codes.Unavailable, "restarting"))
	cc := dial(s, retrygrpc.DialOptions(policy())...)

	// The request has a key, so the server detects duplicates.
	fmt.Println(invoke(context.Background(), cc, "/shop.Orders/Create", "key 1", retrygrpc.Idempotent()))
	// Output: got key 1 <nil>
}

func ExampleNotIdempotent() {
	s := flaky(1, status.Error(codes.Unavailable, "restarting"))
	cc := dial(s, retrygrpc.DialOptions(policy())...)

	_, err := invoke(context.Background(), cc, "/shop.Orders/Get", "the next number", retrygrpc.NotIdempotent())
	fmt.Println(err)
	// Output: rpc error: code = Unavailable desc = restarting
}

func ExampleWithPolicy() {
	s := flaky(1, status.Error(codes.Unavailable, "restarting"))
	cc := dial(s, retrygrpc.DialOptions(policy())...)

	once := retry.MustNew(retry.WithMaxAttempts(1)) // a user is waiting for the answer
	_, err := invoke(context.Background(), cc, "/shop.Orders/Get", "order 7", retrygrpc.WithPolicy(once))
	fmt.Println(err)
	// Output: rpc error: code = Unavailable desc = restarting
}

func ExampleRetryInfo() {
	st, err := status.New(codes.ResourceExhausted, "quota").WithDetails(
		&errdetails.RetryInfo{RetryDelay: durationpb.New(30 * time.Second)})
	if err != nil {
		panic(err)
	}
	fmt.Println(retrygrpc.RetryInfo(st.Err()))
	fmt.Println(retrygrpc.RetryInfo(status.Error(codes.NotFound, "no such order")))
	// Output:
	// 30s true
	// 0s false
}

// Transient is for code that calls a client itself, without an interceptor.
func ExampleTransient() {
	s := flaky(1, status.Error(codes.Unavailable, "restarting"))
	cc := dial(s)

	out, err := retry.DoValue(context.Background(), func(ctx context.Context) (string, error) {
		out, err := invoke(ctx, cc, "/shop.Orders/Get", "order 7")
		if d, ok := retrygrpc.RetryInfo(err); ok {
			err = retry.After(d, err)
		}
		return out, err
	}, policy(), retry.WithRetryIf(retrygrpc.Transient))
	fmt.Println(out, err)
	// Output: got order 7 <nil>
}

// ABORTED asks for a whole transaction to be repeated, here two calls.
func ExampleCodes() {
	s := flaky(1, status.Error(codes.Aborted, "conflict"))
	cc := dial(s, retrygrpc.DialOptions(policy())...)

	err := retry.Do(context.Background(), func(ctx context.Context) error {
		if _, err := invoke(ctx, cc, "/shop.Orders/Get", "order 7"); err != nil {
			return err
		}
		_, err := invoke(ctx, cc, "/shop.Orders/Create", "order 8")
		return err
	}, policy(), retry.WithRetryIf(retrygrpc.Codes(codes.Aborted)))
	fmt.Println(err, s.calls.Load())
	// Output: <nil> 3
}
