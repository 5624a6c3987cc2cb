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

// TestLateDescriptor checks that a method without a descriptor is looked up again.
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

// TestPermission checks who decides that a call is idempotent, and who wins.
func TestPermission(t *testing.T) {
	t.Parallel()
	yes := func(string) bool { return true }
	no := func(string) bool { return false }
	rows := []struct {
		name   string
		is     func(string) bool
		method string
		opts   []grpc.CallOption
		calls  int
	}{
		{"level", nil, put, nil, 3},
		{"no level", nil, create, nil, 1},
		{"no descriptor", nil, "/shop.Orders/Gone", nil, 1},
		{"no method", nil, "Gone", nil, 1},
		{"function says yes", yes, create, nil, 3},
		{"function says no", no, get, nil, 1},
		{"option says yes", no, create, []grpc.CallOption{retrygrpc.Idempotent()}, 3},
		{"option says no", yes, get, []grpc.CallOption{retrygrpc.NotIdempotent()}, 1},
		{"the last wins", nil, create, []grpc.CallOption{retrygrpc.NotIdempotent(), retrygrpc.Idempotent()}, 3},
		{"stream says yes", nil, appends, []grpc.CallOption{retrygrpc.Idempotent()}, 3},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			n := &counter{}
			i := &retrygrpc.Interceptor{Policy: retry.MustNew(quick()...), IsIdempotent: row.is}
			unknown := grpc.UnknownServiceHandler(func(any, grpc.ServerStream) error { return errDown })
			_, target, dial := bufconns.serve(t, failing(errDown), unknown)
			dial = append(dial, grpc.WithChainUnaryInterceptor(i.Unary()), grpc.WithChainStreamInterceptor(i.Stream()))
			cc := client(t, target, append(dial, n.options()...)...)
			assert.Error(t, call(t.Context(), cc, row.method, "x", row.opts...))
			assert.Equal(t, row.calls, n.total())
		})
	}
}
