package retrygrpc_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrygrpc"
)

// TestEvidenceOfItsAttempt holds that the end of an attempt which gRPC reports late proves nothing for
// the next one.
func TestEvidenceOfItsAttempt(t *testing.T) {
	t.Parallel()
	// What is further in ends the first attempt at once, and in the second only the first once more.
	calls, first := 0, []func(error){}
	answer := func(opts []grpc.CallOption) error {
		calls++
		for _, o := range opts {
			if o, ok := o.(grpc.OnFinishCallOption); ok && calls == 1 {
				first = append(first, o.OnFinish)
			}
		}
		for _, f := range first {
			f(errDown)
		}
		return errDown
	}
	i := &retrygrpc.Interceptor{Policy: retry.MustNew(quick()...)}
	unary := i.Unary()
	err := unary(t.Context(), create, nil, nil, nil, func(_ context.Context, _ string, _, _ any, _ *grpc.ClientConn, opts ...grpc.CallOption) error {
		return answer(opts)
	})
	assert.Equal(t, codes.Unavailable, status.Code(err))
	assert.Equal(t, 2, calls)

	calls, first = 0, nil
	_, err = i.Stream()(t.Context(), both, nil, chat, func(_ context.Context, _ *grpc.StreamDesc, _ *grpc.ClientConn, _ string, opts ...grpc.CallOption) (grpc.ClientStream, error) {
		return nil, answer(opts)
	})
	assert.Equal(t, codes.Unavailable, status.Code(err))
	assert.Equal(t, 2, calls)

	calls, first = 0, nil
	_, err = i.Stream()(t.Context(), oneRequest, nil, appends, func(_ context.Context, _ *grpc.StreamDesc, _ *grpc.ClientConn, _ string, opts ...grpc.CallOption) (grpc.ClientStream, error) {
		return nil, answer(opts)
	})
	assert.Equal(t, codes.Unavailable, status.Code(err))
	assert.Equal(t, 2, calls)
}

// TestLateDescriptor holds that a method without a descriptor is looked up again.
func TestLateDescriptor(t *testing.T) {
	t.Parallel()
	const method = "/late.Shop/Get"
	i := &retrygrpc.Interceptor{Policy: retry.MustNew(quick()...)}
	unary := i.Unary()
	calls := 0
	try := func() int {
		calls = 0
		err := unary(t.Context(), method, nil, nil, nil, func(context.Context, string, any, any, *grpc.ClientConn, ...grpc.CallOption) error {
			calls++
			return errDown
		})
		assert.Equal(t, codes.Unavailable, status.Code(err))
		return calls
	}
	assert.Equal(t, 1, try())
	level := descriptorpb.MethodOptions_IDEMPOTENT
	file, err := protodesc.NewFile(&descriptorpb.FileDescriptorProto{
		Name: proto.String("late.proto"), Package: proto.String("late"), Syntax: proto.String("proto3"),
		Dependency: []string{"google/protobuf/wrappers.proto"},
		Service: []*descriptorpb.ServiceDescriptorProto{{Name: proto.String("Shop"), Method: []*descriptorpb.MethodDescriptorProto{{
			Name: proto.String("Get"), InputType: proto.String(".google.protobuf.StringValue"), OutputType: proto.String(".google.protobuf.StringValue"),
			Options: &descriptorpb.MethodOptions{IdempotencyLevel: &level},
		}}}},
	}, protoregistry.GlobalFiles)
	require.NoError(t, err)
	require.NoError(t, protoregistry.GlobalFiles.RegisterFile(file))
	assert.Equal(t, 3, try())
	assert.Equal(t, 3, try())
}
