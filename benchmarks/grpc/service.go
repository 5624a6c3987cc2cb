package main

import (
	"context"
	"errors"
	"io"
	"net"
	"sync/atomic"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// The methods of the service. Get and List are declared to have no side effects; Create is not.
const (
	get    = "/bench.Shop/Get"
	create = "/bench.Shop/Create"
	list   = "/bench.Shop/List"
)

func init() { //nolint:gochecknoinits // descriptors are registered at start, as generated code does
	file, err := protodesc.NewFile(&descriptorpb.FileDescriptorProto{
		Name: proto.String("bench/shop.proto"), Package: proto.String("bench"), Syntax: proto.String("proto3"),
		Dependency: []string{"google/protobuf/wrappers.proto"},
		Service: []*descriptorpb.ServiceDescriptorProto{{
			Name: proto.String("Shop"),
			Method: []*descriptorpb.MethodDescriptorProto{
				method("Get", false, descriptorpb.MethodOptions_NO_SIDE_EFFECTS),
				method("Create", false, descriptorpb.MethodOptions_IDEMPOTENCY_UNKNOWN),
				method("List", true, descriptorpb.MethodOptions_NO_SIDE_EFFECTS),
			},
		}},
	}, protoregistry.GlobalFiles)
	if err == nil {
		err = protoregistry.GlobalFiles.RegisterFile(file)
	}
	if err != nil {
		panic(err)
	}
}

func method(name string, stream bool, level descriptorpb.MethodOptions_IdempotencyLevel) *descriptorpb.MethodDescriptorProto {
	const text = ".google.protobuf.StringValue"
	return &descriptorpb.MethodDescriptorProto{
		Name: &name, InputType: proto.String(text), OutputType: proto.String(text), ServerStreaming: &stream,
		Options: &descriptorpb.MethodOptions{IdempotencyLevel: &level},
	}
}

// shop is a server of the service.
type shop struct {
	unary  func(ctx context.Context, call int) (string, error)
	stream func(call int, s grpc.ServerStream) error
	calls  atomic.Int64 // calls that came to a handler
}

func (s *shop) handle(_ any, ctx context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
	if err := decode(new(wrapperspb.StringValue)); err != nil {
		return nil, err
	}
	out, err := s.unary(ctx, int(s.calls.Add(1)))
	if err != nil {
		return nil, err
	}
	return wrapperspb.String(out), nil
}

func (s *shop) handleStream(_ any, stream grpc.ServerStream) error {
	if err := stream.RecvMsg(new(wrapperspb.StringValue)); err != nil {
		return err
	}
	return s.stream(int(s.calls.Add(1)), stream)
}

// serve starts the server on the loopback interface.
func (s *shop) serve() (address string, stop func(), err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	server := grpc.NewServer()
	server.RegisterService(&grpc.ServiceDesc{
		ServiceName: "bench.Shop", HandlerType: (*any)(nil),
		Methods: []grpc.MethodDesc{{MethodName: "Get", Handler: s.handle}, {MethodName: "Create", Handler: s.handle}},
		Streams: []grpc.StreamDesc{{StreamName: "List", Handler: s.handleStream, ServerStreams: true}},
	}, struct{}{})
	go func() { _ = server.Serve(l) }()
	return l.Addr().String(), server.Stop, nil
}

// dial returns a client with the contender's options.
func dial(c contender, address string, more ...grpc.DialOption) (*grpc.ClientConn, error) {
	opts := append([]grpc.DialOption{grpc.WithTransportCredentials(insecure.NewCredentials())}, c.options...)
	return grpc.NewClient(address, append(opts, more...)...)
}

var request = wrapperspb.String("order")

// unary makes a unary call.
func unary(ctx context.Context, cc *grpc.ClientConn, method string, opts ...grpc.CallOption) error {
	return cc.Invoke(ctx, method, request, new(wrapperspb.StringValue), opts...)
}

var streamDesc = &grpc.StreamDesc{StreamName: "List", ServerStreams: true}

// receive opens a stream and receives at most the given number of messages.
func receive(ctx context.Context, cc *grpc.ClientConn, most int) (n int, err error) {
	s, err := cc.NewStream(ctx, streamDesc, list)
	if err != nil {
		return 0, err
	}
	if err := errors.Join(s.SendMsg(request), s.CloseSend()); err != nil {
		return 0, err
	}
	for ; n < most; n++ {
		if err := s.RecvMsg(new(wrapperspb.StringValue)); err != nil {
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return n, err
		}
	}
	return n, nil
}
