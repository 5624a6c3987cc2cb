package retrygrpc_test

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrygrpc"
)

// network connects the client and the server of a test.
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

// serve starts a server for the shop. It returns the target and the options to dial it.
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

// connect serves the shop and returns a client that retries with short waits and the given options.
func (n network) connect(t testing.TB, s *shop, opts ...retry.Option) *grpc.ClientConn {
	t.Helper()
	_, target, dial := n.serve(t, s)
	return client(t, target, append(dial, retrygrpc.DialOptions(quick(opts...)...)...)...)
}

// quick returns options with short waits, followed by the given ones.
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

// dialed returns a client that retries under quick options. The counter counts its attempts.
func dialed(t *testing.T, n *counter, target string, dial []grpc.DialOption, opts ...retry.Option) *grpc.ClientConn {
	t.Helper()
	dial = append(dial, retrygrpc.DialOptions(quick(opts...)...)...)
	return client(t, target, append(dial, n.options()...)...)
}

var plain = grpc.WithTransportCredentials(insecure.NewCredentials())

// refused returns an address that refuses connections.
func refused(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return l.Addr().String()
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

// start opens a stream and sends its one request, as generated code does.
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

// call makes a unary call or reads a whole stream, depending on the method.
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
