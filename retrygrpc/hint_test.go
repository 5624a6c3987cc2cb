package retrygrpc_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrygrpc"
)

// TestPushback checks what grpc-retry-pushback-ms does. A call that is not idempotent makes 3
// attempts if the server permits it.
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
		{"too long", []string{"9223372036854775807"}, get, codes.Unavailable, 1},
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

// TestPushbackTooLong checks that a pushback above the policy's limit ends the call.
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

// TestHints checks that the policy waits as long as the server asks. The longest of several waits
// counts; negative and invalid ones are ignored.
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

// TestRetryInfo checks RetryInfo for wrapped, marked and other errors.
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

// TestOuterRetryObeys checks that a retry around a call waits as long as the server asks. The
// interceptor itself did not repeat the call.
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
