package retrygrpc_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrygrpc"
)

// TestCodes holds the table of the package comment: the calls that come to the server's handler, for
// every code that it can answer with, over both networks.
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

// TestPushback holds what grpc-retry-pushback-ms does to a call that is not idempotent: 3 attempts if
// the server permits it.
func TestPushback(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name   string
		values []string
		method string
		code   codes.Code
		calls  int
	}{
		{"none", nil, create, codes.Unavailable, 1},
		{"none, idempotent", nil, get, codes.Unavailable, 3},
		{"0 permits", []string{"0"}, create, codes.Unavailable, 3},
		{"1 ms", []string{"1"}, create, codes.Unavailable, 3},
		{"1 ms, server stream", []string{"1"}, appends, codes.Unavailable, 3},
		{"negative stops", []string{"-1"}, get, codes.Unavailable, 1},
		{"negative stops a server stream", []string{"-1"}, list, codes.Unavailable, 1},
		{"garbage stops", []string{"soon"}, get, codes.Unavailable, 1},
		{"empty stops", []string{""}, get, codes.Unavailable, 1},
		{"blanks stop", []string{" 5 "}, get, codes.Unavailable, 1},
		{"a fraction stops", []string{"1.5"}, get, codes.Unavailable, 1},
		{"overflow stops", []string{"9223372036854775808"}, get, codes.Unavailable, 1},
		{"too long, saturated", []string{"9223372036854775807"}, get, codes.Unavailable, 1},
		{"several stop", []string{"1", "1"}, get, codes.Unavailable, 1},
		{"permitted, not worth it", []string{"0"}, get, codes.Aborted, 1},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			err := status.Error(row.code, "no")
			s := &shop{
				unary: func(ctx context.Context, _ int, _ string) (string, error) {
					grpc.SetTrailer(ctx, metadata.MD{"grpc-retry-pushback-ms": row.values})
					return "", err
				},
				stream: func(_ int, _ string, st grpc.ServerStream) error {
					st.SetTrailer(metadata.MD{"grpc-retry-pushback-ms": row.values})
					return err
				},
			}
			cc := tcp.connect(t, s)
			assert.Equal(t, row.code, status.Code(call(t.Context(), cc, row.method, "x")))
			assert.EqualValues(t, row.calls, s.calls.Load())
		})
	}
}

// TestPushbackTooLong holds that a pushback beyond the policy's limit is told, not waited for.
func TestPushbackTooLong(t *testing.T) {
	t.Parallel()
	s := &shop{unary: func(ctx context.Context, _ int, _ string) (string, error) {
		grpc.SetTrailer(ctx, metadata.Pairs("grpc-retry-pushback-ms", "9223372036854775807"))
		return "", errDown
	}}
	_, err := invoke(t.Context(), bufconns.connect(t, s), get, "x")
	var e *retry.Error
	require.ErrorAs(t, err, &e)
	assert.Equal(t, retry.ErrRetryAfter, e.Reason)
	assert.Greater(t, e.Delay.Hours(), 24.*365)
}

// TestSizeLimits holds that a message above a limit, of the client or the server, is sent once.
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

// TestSizeLimitsOfOthers holds that the texts of gRPC's other implementations are known.
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

// TestPermission holds who may say that a call is safe to repeat, and who wins.
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
		{"call says yes", no, create, []grpc.CallOption{retrygrpc.Idempotent()}, 3},
		{"call says no", yes, get, []grpc.CallOption{retrygrpc.NotIdempotent()}, 1},
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
