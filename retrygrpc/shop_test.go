package retrygrpc_test

import (
	"context"
	"sync/atomic"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// The methods of the tests' service. Get and List have no side effects, and Put is idempotent. The
// others have no idempotency_level.
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

// shop is a server of the service. Each test sets how it answers.
type shop struct {
	unary  func(ctx context.Context, call int, in string) (string, error)
	stream func(call int, in string, s grpc.ServerStream) error

	calls atomic.Int64 // that reached a handler
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

// failing returns a shop that answers each call with err.
func failing(err error) *shop {
	return &shop{
		unary:  func(context.Context, int, string) (string, error) { return "", err },
		stream: func(int, string, grpc.ServerStream) error { return err },
	}
}

// flaky returns a shop that answers the first n calls with err.
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

// blocked returns a shop whose handler blocks until the test ends.
func blocked(t *testing.T) *shop {
	over := make(chan struct{})
	t.Cleanup(func() { close(over) })
	return &shop{unary: func(ctx context.Context, _ int, _ string) (string, error) {
		select {
		case <-ctx.Done():
			return "", ctx.Err()
		case <-over:
			return "", errDown
		}
	}}
}
