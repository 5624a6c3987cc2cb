package retrygrpc_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrygrpc"
)

// TestUnaryOptions holds that the call options tell of the last attempt, and OnFinish once of the call.
func TestUnaryOptions(t *testing.T) {
	t.Parallel()
	s := &shop{unary: func(ctx context.Context, call int, in string) (string, error) {
		number := fmt.Sprint(call)
		grpc.SetTrailer(ctx, metadata.Pairs("call", number))
		if call == 1 {
			grpc.SendHeader(ctx, metadata.Pairs("failed", number))
			grpc.SetTrailer(ctx, metadata.Pairs("failed", number))
			return "", errDown
		}
		return in, nil
	}}
	var header, trailer metadata.MD
	var p peer.Peer
	var heard []error
	_, err := invoke(t.Context(), tcp.connect(t, s), get, "x", grpc.Header(&header), grpc.Trailer(&trailer), grpc.Peer(&p),
		grpc.OnFinish(func(err error) { heard = append(heard, err) }))
	require.NoError(t, err)
	assert.Equal(t, []error{nil}, heard)
	assert.Equal(t, []string{"2"}, trailer.Get("call"))
	assert.Empty(t, trailer.Get("failed"))
	assert.Empty(t, header.Get("failed"))
	assert.NotNil(t, p.Addr)
}

// TestUnaryOptionsReset holds that nothing of an earlier attempt is left when the last never got to a
// transport.
func TestUnaryOptionsReset(t *testing.T) {
	t.Parallel()
	s := failing(errDown)
	s.unary = func(ctx context.Context, _ int, _ string) (string, error) {
		grpc.SendHeader(ctx, metadata.Pairs("call", "1"))
		grpc.SetTrailer(ctx, metadata.Pairs("call", "1"))
		return "", errDown
	}
	server, target, dial := tcp.serve(t, s)
	stop := retry.WithHooks(retry.Hooks{BeforeWait: func(context.Context, retry.Attempt) { server.Stop() }})
	cc := client(t, target, append(dial, retrygrpc.DialOptions(quick(retry.WithBackoff(retry.Constant(shortly)), stop)...)...)...)
	var header, trailer metadata.MD
	var p peer.Peer
	var heard []error
	_, err := invoke(t.Context(), cc, get, "x", grpc.Header(&header), grpc.Trailer(&trailer), grpc.Peer(&p),
		grpc.OnFinish(func(err error) { heard = append(heard, err) }))
	assert.Equal(t, codes.Unavailable, status.Code(err))
	assert.EqualValues(t, 1, s.calls.Load())
	assert.Nil(t, header)
	assert.Nil(t, trailer)
	assert.Equal(t, peer.Peer{}, p)
	assert.Equal(t, []error{err}, heard)
}

// TestMetadata holds that attempts from the second on carry their number, and the time that is left.
func TestMetadata(t *testing.T) {
	t.Parallel()
	var numbers [][]string
	var left []time.Duration
	s := &shop{unary: func(ctx context.Context, _ int, _ string) (string, error) {
		md, _ := metadata.FromIncomingContext(ctx)
		numbers = append(numbers, md.Get("x-retry-attempt"))
		deadline, _ := ctx.Deadline()
		left = append(left, time.Until(deadline))
		return "", errDown
	}}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	_, err := invoke(ctx, tcp.connect(t, s, retry.WithBackoff(retry.Constant(shortly))), get, "x")
	assert.Error(t, err)
	assert.Equal(t, [][]string{nil, {"2"}, {"3"}}, numbers)
	for i, least := range []time.Duration{0, shortly, 2 * shortly} {
		assert.LessOrEqual(t, left[i], time.Minute-least)
		assert.Greater(t, left[i], 40*time.Second)
	}
}

// TestAttemptTimeoutInMetadata holds that an attempt of a unary call tells the server its own time.
func TestAttemptTimeoutInMetadata(t *testing.T) {
	t.Parallel()
	s := &shop{unary: func(ctx context.Context, _ int, in string) (string, error) {
		deadline, ok := ctx.Deadline()
		if !ok || time.Until(deadline) > 20*time.Second {
			return "", status.Error(codes.InvalidArgument, "no deadline of the attempt")
		}
		return in, nil
	}}
	_, err := invoke(t.Context(), tcp.connect(t, s, retry.WithAttemptTimeout(20*time.Second)), get, "x")
	require.NoError(t, err)
}

// TestStreamMetadata holds that the attempts of a stream carry their number.
func TestStreamMetadata(t *testing.T) {
	t.Parallel()
	var second atomic.Value
	s := &shop{stream: func(call int, _ string, s grpc.ServerStream) error {
		if call == 1 {
			return errDown
		}
		md, _ := metadata.FromIncomingContext(s.Context())
		second.Store(md.Get("x-retry-attempt"))
		return nil
	}}
	require.NoError(t, call(t.Context(), tcp.connect(t, s, retry.WithAttemptTimeout(time.Minute)), list, "x"))
	assert.Equal(t, []string{"2"}, second.Load())
}

// TestHints holds that the server's delays are waited for: the longest of several, and none that is
// negative or invalid.
func TestHints(t *testing.T) {
	t.Parallel()
	info := func(d *durationpb.Duration) protoadapt.MessageV1 { return &errdetails.RetryInfo{RetryDelay: d} }
	ms := func(n int) *durationpb.Duration { return durationpb.New(time.Duration(n) * time.Millisecond) }
	rows := []struct {
		name     string
		details  []protoadapt.MessageV1
		pushback []string
		least    time.Duration
		attempts int // of a call that is not idempotent
	}{
		{"none", nil, nil, 0, 1},
		{"RetryInfo", []protoadapt.MessageV1{info(ms(300))}, nil, 300 * time.Millisecond, 2},
		{"the longest of several", []protoadapt.MessageV1{info(ms(10)), info(ms(200)), info(ms(20))}, nil, 200 * time.Millisecond, 2},
		{"among others", []protoadapt.MessageV1{&errdetails.ErrorInfo{Reason: "x"}, info(ms(200))}, nil, 200 * time.Millisecond, 2},
		{"without a delay", []protoadapt.MessageV1{info(nil)}, nil, 0, 2},
		{"of nothing", []protoadapt.MessageV1{info(ms(0))}, nil, 0, 2},
		{"negative", []protoadapt.MessageV1{info(ms(-300))}, nil, 0, 1},
		{"invalid", []protoadapt.MessageV1{info(&durationpb.Duration{Seconds: 1, Nanos: -1})}, nil, 0, 1},
		{"negative and good", []protoadapt.MessageV1{info(ms(-300)), info(ms(100))}, nil, 100 * time.Millisecond, 2},
		{"pushback", nil, []string{"200"}, 200 * time.Millisecond, 2},
		{"the longer of both", []protoadapt.MessageV1{info(ms(200))}, []string{"10"}, 200 * time.Millisecond, 2},
		{"the longer of both, the other way", []protoadapt.MessageV1{info(ms(10))}, []string{"200"}, 200 * time.Millisecond, 2},
		{"pushback that stops", []protoadapt.MessageV1{info(ms(1))}, []string{"-1"}, 0, 1},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			st := status.New(codes.Unavailable, "no")
			if row.details != nil {
				var err error
				st, err = st.WithDetails(row.details...)
				require.NoError(t, err)
			}
			s := &shop{unary: func(ctx context.Context, _ int, _ string) (string, error) {
				grpc.SetTrailer(ctx, metadata.MD{"grpc-retry-pushback-ms": row.pushback})
				return "", st.Err()
			}}
			j := &journal{}
			_, err := invoke(t.Context(), tcp.connect(t, s, retry.WithMaxAttempts(2), j.hooks()), create, "x")
			assert.Equal(t, codes.Unavailable, status.Code(err))
			require.Len(t, j.attempts, row.attempts)
			if row.attempts > 1 {
				assert.GreaterOrEqual(t, j.attempts[1].Waited, row.least)
				assert.Less(t, j.attempts[1].Waited, row.least*12/10+2*time.Millisecond)
			}
		})
	}
}

// TestRetryInfo holds what RetryInfo reads of errors that come in other ways.
func TestRetryInfo(t *testing.T) {
	t.Parallel()
	st, err := status.New(codes.ResourceExhausted, "quota").WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(time.Second)})
	require.NoError(t, err)
	for name, err := range map[string]error{
		"bare": st.Err(), "wrapped": fmt.Errorf("get: %w", st.Err()), "marked": retry.Permanent(st.Err()),
	} {
		d, ok := retrygrpc.RetryInfo(err)
		assert.True(t, ok, name)
		assert.Equal(t, time.Second, d, name)
	}
	for name, err := range map[string]error{"nil": nil, "no status": errors.New("x"), "no details": errDown, "context": context.Canceled} {
		d, ok := retrygrpc.RetryInfo(err)
		assert.False(t, ok, name)
		assert.Zero(t, d, name)
	}
}

// TestOuterRetryObeys holds that a retry around calls, of a transaction that was aborted say, waits as
// long as the server asks, although the interceptor did not repeat the call.
func TestOuterRetryObeys(t *testing.T) {
	t.Parallel()
	st, err := status.New(codes.Aborted, "conflict").WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(shortly)})
	require.NoError(t, err)
	s := flaky(1, st.Err())
	cc := tcp.connect(t, s)
	j := &journal{}
	err = retry.Do(t.Context(), func(ctx context.Context) error {
		_, err := invoke(ctx, cc, get, "x")
		return err
	}, retry.WithRetryIf(retrygrpc.Codes(codes.Aborted)), retry.WithBackoff(retry.Constant(0)), j.hooks())
	require.NoError(t, err)
	require.Len(t, j.attempts, 2)
	assert.GreaterOrEqual(t, j.attempts[1].Waited, shortly)
}

// TestRetryable holds that it replaces the table, and neither safety nor what is permanent.
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

// TestRetryableOfClosedConnection holds that nothing is worth another attempt once the ClientConn is
// closed, whatever Retryable says.
func TestRetryableOfClosedConnection(t *testing.T) {
	t.Parallel()
	n := &counter{}
	i := &retrygrpc.Interceptor{Policy: retry.MustNew(quick()...), Retryable: func(*status.Status) bool { return true }}
	_, target, dial := bufconns.serve(t, flaky(0, nil))
	dial = append(dial, grpc.WithChainUnaryInterceptor(i.Unary()), grpc.WithChainStreamInterceptor(i.Stream()))
	cc := client(t, target, append(dial, n.options()...)...)
	cc.Close()
	for _, method := range []string{get, list} {
		before := n.total()
		assert.Equal(t, codes.Canceled, status.Code(call(t.Context(), cc, method, "x")))
		assert.Equal(t, 1, n.total()-before)
	}
}

// TestServersOwnDeadline holds that DEADLINE_EXCEEDED of a server, while the attempt has time, is not
// worth another attempt.
func TestServersOwnDeadline(t *testing.T) {
	t.Parallel()
	for _, opts := range [][]retry.Option{nil, {retry.WithAttemptTimeout(time.Minute)}} {
		s := failing(status.Error(codes.DeadlineExceeded, "its own"))
		_, err := invoke(t.Context(), tcp.connect(t, s, opts...), get, "x")
		assert.Equal(t, codes.DeadlineExceeded, status.Code(err))
		assert.EqualValues(t, 1, s.calls.Load())
	}
}

// TestZeroInterceptor holds that an Interceptor without a Policy has the defaults, and that a call may
// bring its own policy.
func TestZeroInterceptor(t *testing.T) {
	t.Parallel()
	i := &retrygrpc.Interceptor{}
	s := failing(errDown)
	_, target, dial := bufconns.serve(t, s)
	cc := client(t, target, append(dial, grpc.WithUnaryInterceptor(i.Unary()), grpc.WithStreamInterceptor(i.Stream()))...)
	for method, want := range map[string]int64{get: 5, list: 5} {
		before := s.calls.Load()
		err := call(t.Context(), cc, method, "x")
		var e *retry.Error
		require.ErrorAs(t, err, &e)
		assert.Equal(t, 5, e.Attempts)
		assert.Equal(t, want, s.calls.Load()-before)

		before = s.calls.Load()
		err = call(t.Context(), cc, method, "x", retrygrpc.WithPolicy(retry.MustNew(quick(retry.WithMaxAttempts(2))...)))
		require.Error(t, err)
		assert.EqualValues(t, 2, s.calls.Load()-before)
	}
}

// TestNoMultiplication holds that DialOptions turns off the retries of a service config, of which
// attempts would multiply otherwise.
func TestNoMultiplication(t *testing.T) {
	t.Parallel()
	const config = `{"methodConfig":[{"name":[{}],"retryPolicy":{"maxAttempts":4,"initialBackoff":"0.001s","maxBackoff":"0.001s","backoffMultiplier":1,"retryableStatusCodes":["UNAVAILABLE"]}}]}`
	own := append([]grpc.DialOption{grpc.WithDefaultServiceConfig(config)}, retrygrpc.DialOptions(quick()...)...)
	i := &retrygrpc.Interceptor{Policy: retry.MustNew(quick()...)}
	both := []grpc.DialOption{grpc.WithDefaultServiceConfig(config), grpc.WithUnaryInterceptor(i.Unary())}
	for want, opts := range map[int64][]grpc.DialOption{3: own, 12: both} {
		s := failing(errDown)
		_, target, dial := bufconns.serve(t, s)
		_, err := invoke(t.Context(), client(t, target, append(dial, opts...)...), get, "x")
		assert.Equal(t, codes.Unavailable, status.Code(err))
		assert.Equal(t, want, s.calls.Load())
	}
}
