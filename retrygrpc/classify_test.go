package retrygrpc_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrygrpc"
)

// TestCodes checks the table of the package comment for every code a server can return. It counts
// the calls that reach the handler.
func TestCodes(t *testing.T) {
	t.Parallel()
	const tries = 3
	for _, n := range []network{bufconns, tcp} {
		for code := codes.Canceled; code <= codes.Unauthenticated; code++ {
			worth := code == codes.Unavailable || code == codes.ResourceExhausted
			plain := status.New(code, "no")
			withInfo, err := plain.WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(1)})
			require.NoError(t, err)
			for _, method := range []string{get, put, list, create, appends} {
				idempotent := method != create && method != appends
				for _, permitted := range []bool{false, true} {
					want, st := 1, plain
					if worth && (idempotent || permitted) {
						want = tries
					}
					if permitted {
						st = withInfo
					}
					t.Run(fmt.Sprintf("%s/%s%s/permitted=%v", n.name, code, method, permitted), func(t *testing.T) {
						t.Parallel()
						s := failing(st.Err())
						cc := n.connect(t, s, retry.WithMaxAttempts(tries))
						err := call(t.Context(), cc, method, "x")
						assert.Equal(t, code, status.Code(err))
						assert.EqualValues(t, want, s.calls.Load())
					})
				}
			}
		}
	}
}

// TestSizeLimits checks that a message above a size limit, of the client or the server, is sent
// once.
func TestSizeLimits(t *testing.T) {
	t.Parallel()
	big := string(make([]byte, 5000))
	echo := func() *shop {
		s := flaky(0, nil)
		s.unary = func(_ context.Context, _ int, in string) (string, error) { return in, nil }
		return s
	}
	rows := []struct {
		name   string
		server []grpc.ServerOption
		call   []grpc.CallOption
		calls  int
	}{
		{"request, client's limit", nil, []grpc.CallOption{grpc.MaxCallSendMsgSize(1000)}, 0},
		{"response, client's limit", nil, []grpc.CallOption{grpc.MaxCallRecvMsgSize(1000)}, 1},
		{"request, server's limit", []grpc.ServerOption{grpc.MaxRecvMsgSize(1000)}, nil, 0},
		{"response, server's limit", []grpc.ServerOption{grpc.MaxSendMsgSize(1000)}, nil, 1},
	}
	for _, row := range rows {
		for _, method := range []string{get, list} {
			t.Run(row.name+method, func(t *testing.T) {
				t.Parallel()
				s, n := echo(), &counter{}
				_, target, dial := tcp.serve(t, s, row.server...)
				cc := client(t, target, append(append(dial, retrygrpc.DialOptions(quick()...)...), n.options()...)...)
				err := call(t.Context(), cc, method, big, row.call...)
				assert.Equal(t, codes.ResourceExhausted, status.Code(err), err)
				assert.Equal(t, 1, n.total())
				if method == get {
					assert.EqualValues(t, row.calls, s.calls.Load())
				}
			})
		}
	}
}

// TestSizeLimitsOfOthers checks that Transient knows the texts of gRPC's other implementations.
func TestSizeLimitsOfOthers(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"gRPC message exceeds maximum size 4194304: 5000000",
		"Received message larger than max (5000000 vs. 4194304)",
		"SERVER: Sent message larger than max (5000000 vs. 4194304)",
		"Attempted to send message with a size larger than 4194304",
		"Received message exceeds the maximum configured message size.",
	} {
		assert.False(t, retrygrpc.Transient(retry.Attempt{Err: status.Error(codes.ResourceExhausted, text)}), text)
	}
	assert.True(t, retrygrpc.Transient(retry.Attempt{Err: status.Error(codes.ResourceExhausted, "quota")}))
}

// TestRetryable checks that Retryable replaces the table. It does not change what is safe or what
// is permanent.
func TestRetryable(t *testing.T) {
	t.Parallel()
	rows := []struct {
		method string
		err    error
		calls  int64
	}{
		{get, status.Error(codes.Internal, "flaky"), 3},
		{create, status.Error(codes.Internal, "flaky"), 1},
		{get, errDown, 1},
		{get, status.Error(codes.ResourceExhausted, "grpc: received message larger than max (9 vs. 8)"), 1},
	}
	for _, row := range rows {
		s := failing(row.err)
		_, target, dial := bufconns.serve(t, s)
		i := &retrygrpc.Interceptor{
			Policy:    retry.MustNew(quick()...),
			Retryable: func(st *status.Status) bool { return st.Code() != codes.Unavailable },
		}
		cc := client(t, target, append(dial, grpc.WithUnaryInterceptor(i.Unary()))...)
		_, err := invoke(t.Context(), cc, row.method, "x")
		assert.Equal(t, status.Code(row.err), status.Code(err))
		assert.Equal(t, row.calls, s.calls.Load(), row)
	}
}

// TestServersOwnDeadline checks that a server's DEADLINE_EXCEEDED is not retried while the attempt
// still has time.
func TestServersOwnDeadline(t *testing.T) {
	t.Parallel()
	for _, opts := range [][]retry.Option{nil, {retry.WithAttemptTimeout(time.Minute)}} {
		s := failing(status.Error(codes.DeadlineExceeded, "its own"))
		_, err := invoke(t.Context(), tcp.connect(t, s, opts...), get, "x")
		assert.Equal(t, codes.DeadlineExceeded, status.Code(err))
		assert.EqualValues(t, 1, s.calls.Load())
	}
}
