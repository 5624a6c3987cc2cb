package retrygrpc_test

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrygrpc"
)

// The service of the tests. Get and List have no side effects, Put is idempotent, Create, Upload and
// Chat say nothing.
const (
	get     = "/shop.Orders/Get"
	put     = "/shop.Orders/Put"
	create  = "/shop.Orders/Create"
	list    = "/shop.Orders/List"
	appends = "/shop.Orders/Append"
	upload  = "/shop.Orders/Upload"
	chat    = "/shop.Orders/Chat"
)

func init() { //nolint:gochecknoinits // generated code does it so
	method := func(name string, level descriptorpb.MethodOptions_IdempotencyLevel, client, server bool) *descriptorpb.MethodDescriptorProto {
		return &descriptorpb.MethodDescriptorProto{
			Name: &name, InputType: proto.String(".google.protobuf.StringValue"), OutputType: proto.String(".google.protobuf.StringValue"),
			ClientStreaming: &client, ServerStreaming: &server,
			Options: &descriptorpb.MethodOptions{IdempotencyLevel: &level},
		}
	}
	const unknown = descriptorpb.MethodOptions_IDEMPOTENCY_UNKNOWN
	file, err := protodesc.NewFile(&descriptorpb.FileDescriptorProto{
		Name: proto.String("shop.proto"), Package: proto.String("shop"), Syntax: proto.String("proto3"),
		Dependency: []string{"google/protobuf/wrappers.proto"},
		Service: []*descriptorpb.ServiceDescriptorProto{{
			Name: proto.String("Orders"),
			Method: []*descriptorpb.MethodDescriptorProto{
				method("Get", descriptorpb.MethodOptions_NO_SIDE_EFFECTS, false, false),
				method("Put", descriptorpb.MethodOptions_IDEMPOTENT, false, false),
				method("Create", unknown, false, false),
				method("List", descriptorpb.MethodOptions_NO_SIDE_EFFECTS, false, true),
				method("Append", unknown, false, true),
				method("Upload", unknown, true, false),
				method("Chat", unknown, true, true),
			},
		}},
	}, protoregistry.GlobalFiles)
	if err != nil {
		panic(err)
	}
	if err := protoregistry.GlobalFiles.RegisterFile(file); err != nil {
		panic(err)
	}
}

// shop is a server of the service, of which each test says how it answers.
type shop struct {
	unary  func(ctx context.Context, call int, in string) (string, error)
	stream func(call int, in string, s grpc.ServerStream) error

	calls atomic.Int64 // that came to a handler
}

func (s *shop) handleUnary(_ any, ctx context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
	in := new(wrapperspb.StringValue)
	if err := decode(in); err != nil {
		return nil, err
	}
	out, err := s.unary(ctx, int(s.calls.Add(1)), in.GetValue())
	if err != nil {
		return nil, err
	}
	return wrapperspb.String(out), nil
}

func (s *shop) handleList(_ any, stream grpc.ServerStream) error {
	call := int(s.calls.Add(1))
	in := new(wrapperspb.StringValue)
	if err := stream.RecvMsg(in); err != nil {
		return err
	}
	return s.stream(call, in.GetValue(), stream)
}

func (s *shop) handleStream(_ any, stream grpc.ServerStream) error {
	return s.stream(int(s.calls.Add(1)), "", stream)
}

func (s *shop) desc() *grpc.ServiceDesc {
	return &grpc.ServiceDesc{
		ServiceName: "shop.Orders", HandlerType: (*any)(nil),
		Methods: []grpc.MethodDesc{
			{MethodName: "Get", Handler: s.handleUnary},
			{MethodName: "Put", Handler: s.handleUnary},
			{MethodName: "Create", Handler: s.handleUnary},
		},
		Streams: []grpc.StreamDesc{
			{StreamName: "List", Handler: s.handleList, ServerStreams: true},
			{StreamName: "Append", Handler: s.handleList, ServerStreams: true},
			{StreamName: "Upload", Handler: s.handleStream, ClientStreams: true},
			{StreamName: "Chat", Handler: s.handleStream, ClientStreams: true, ServerStreams: true},
		},
	}
}

// network is how a client and a server of a test meet.
type network struct {
	name   string
	listen func() (net.Listener, []grpc.DialOption)
}

var bufconns = network{"bufconn", func() (net.Listener, []grpc.DialOption) {
	l := bufconn.Listen(1 << 20)
	return l, []grpc.DialOption{grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return l.DialContext(ctx) })}
}}

var tcp = network{"tcp", func() (net.Listener, []grpc.DialOption) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	return l, nil
}}

// serve starts a server for the shop and returns the listener's address and how to dial it.
func (n network) serve(t testing.TB, s *shop, opts ...grpc.ServerOption) (server *grpc.Server, target string, dial []grpc.DialOption) {
	t.Helper()
	l, dial := n.listen()
	server = grpc.NewServer(opts...)
	server.RegisterService(s.desc(), struct{}{})
	go server.Serve(l)
	t.Cleanup(server.Stop)
	target = "passthrough:///shop"
	if n.name == "tcp" {
		target = l.Addr().String()
	}
	return server, target, append(dial, grpc.WithTransportCredentials(insecure.NewCredentials()))
}

// connect serves the shop and returns a client that retries by the options, almost without waits.
func (n network) connect(t testing.TB, s *shop, opts ...retry.Option) *grpc.ClientConn {
	t.Helper()
	_, target, dial := n.serve(t, s)
	return client(t, target, append(dial, retrygrpc.DialOptions(quick(opts...)...)...)...)
}

// quick are options with short waits, before the given ones.
func quick(opts ...retry.Option) []retry.Option {
	return append([]retry.Option{retry.WithMaxAttempts(3), retry.WithBackoff(retry.Constant(time.Millisecond))}, opts...)
}

func client(t testing.TB, target string, opts ...grpc.DialOption) *grpc.ClientConn {
	t.Helper()
	cc, err := grpc.NewClient(target, opts...)
	require.NoError(t, err)
	t.Cleanup(func() { cc.Close() })
	return cc
}

// invoke makes a unary call and returns the response.
func invoke(ctx context.Context, cc *grpc.ClientConn, method, in string, opts ...grpc.CallOption) (string, error) {
	out := new(wrapperspb.StringValue)
	err := cc.Invoke(ctx, method, wrapperspb.String(in), out, opts...)
	return out.GetValue(), err
}

var (
	oneRequest = &grpc.StreamDesc{StreamName: "List", ServerStreams: true}
	oneAnswer  = &grpc.StreamDesc{StreamName: "Upload", ClientStreams: true}
	both       = &grpc.StreamDesc{StreamName: "Chat", ClientStreams: true, ServerStreams: true}
)

// start opens a stream with one request, as generated code does.
func start(ctx context.Context, cc *grpc.ClientConn, method, in string, opts ...grpc.CallOption) (grpc.ClientStream, error) {
	s, err := cc.NewStream(ctx, oneRequest, method, opts...)
	if err != nil {
		return nil, err
	}
	if err := s.SendMsg(wrapperspb.String(in)); err != nil {
		return nil, err
	}
	return s, s.CloseSend()
}

// read returns all messages of a stream, and its error.
func read(s grpc.ClientStream) (all []string, err error) {
	for {
		m := new(wrapperspb.StringValue)
		if err := s.RecvMsg(m); err != nil {
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return all, err
		}
		all = append(all, m.GetValue())
	}
}

// call makes a unary call or reads a stream, by the method.
func call(ctx context.Context, cc *grpc.ClientConn, method, in string, opts ...grpc.CallOption) error {
	if method != list && method != appends {
		_, err := invoke(ctx, cc, method, in, opts...)
		return err
	}
	s, err := start(ctx, cc, method, in, opts...)
	if err != nil {
		return err
	}
	_, err = read(s)
	return err
}

// failing is a shop that answers each call with err, and counts.
func failing(err error) *shop {
	return &shop{
		unary:  func(context.Context, int, string) (string, error) { return "", err },
		stream: func(int, string, grpc.ServerStream) error { return err },
	}
}

// flaky is a shop that answers the first n calls with err.
func flaky(n int, err error) *shop {
	return &shop{
		unary: func(_ context.Context, call int, in string) (string, error) {
			if call <= n {
				return "", err
			}
			return "got " + in, nil
		},
		stream: func(call int, in string, s grpc.ServerStream) error {
			if call <= n {
				return err
			}
			return s.SendMsg(wrapperspb.String("got " + in))
		},
	}
}

var errDown = status.Error(codes.Unavailable, "down")

// counter counts the attempts that an Interceptor makes: it is to be the next one.
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

// journal records the hooks of a policy.
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
