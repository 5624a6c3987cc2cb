package retrygrpc_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrygrpc"
)

// TestErrorOfOneAttempt checks that the status of a call's only attempt is returned unchanged.
func TestErrorOfOneAttempt(t *testing.T) {
	t.Parallel()
	st, err := status.New(codes.NotFound, "no order 7").WithDetails(&errdetails.ErrorInfo{Reason: "GONE"})
	require.NoError(t, err)
	for _, method := range []string{get, list} {
		err := call(t.Context(), tcp.connect(t, failing(st.Err())), method, "x")
		assert.EqualError(t, err, "rpc error: code = NotFound desc = no order 7")
		got, ok := status.FromError(err)
		assert.True(t, ok)
		assert.Equal(t, "no order 7", got.Message())
		require.Len(t, got.Details(), 1)
		require.ErrorIs(t, err, st.Err())
		var e *retry.Error
		require.ErrorAs(t, err, &e)
		assert.Equal(t, retry.ErrPermanent, e.Reason)
	}
}

// TestErrorOfSeveralAttempts checks that the message tells of the retries and the details stay.
func TestErrorOfSeveralAttempts(t *testing.T) {
	t.Parallel()
	st, err := status.New(codes.Unavailable, "down").WithDetails(&errdetails.ErrorInfo{Reason: "RESTART"})
	require.NoError(t, err)
	for _, method := range []string{get, list} {
		err := call(t.Context(), tcp.connect(t, failing(st.Err()), retry.WithName("orders")), method, "x")
		got, ok := status.FromError(err)
		assert.True(t, ok)
		assert.Equal(t, codes.Unavailable, got.Code())
		assert.Regexp(t, `^down \(retry: orders: attempts exhausted after 3 attempts in \S+\)$`, got.Message())
		assert.Equal(t, "rpc error: code = Unavailable desc = "+got.Message(), err.Error())
		require.Len(t, got.Details(), 1)
		assert.Equal(t, "RESTART", got.Details()[0].(*errdetails.ErrorInfo).GetReason())
		require.ErrorIs(t, err, retry.ErrExhausted)
		require.ErrorIs(t, err, st.Err())
		assert.Equal(t, codes.Unavailable, status.Code(fmt.Errorf("wrapped: %w", err)))
		assert.Equal(t, got.Message(), status.Convert(err).Message())
	}
}

// TestErrorWithoutAttempt checks the codes of calls whose context allows no attempt.
func TestErrorWithoutAttempt(t *testing.T) {
	t.Parallel()
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	late, cancel := context.WithDeadline(t.Context(), time.Unix(0, 0))
	defer cancel()
	for _, method := range []string{get, list, chat} {
		s := flaky(0, nil)
		cc := tcp.connect(t, s)
		for _, ctx := range []context.Context{cancelled, late} {
			want := status.FromContextError(ctx.Err()).Code()
			var err error
			if method == chat {
				_, err = cc.NewStream(ctx, both, chat)
			} else {
				err = call(ctx, cc, method, "x")
			}
			assert.Equal(t, want, status.Code(err), method)
			require.ErrorIs(t, err, ctx.Err())
			require.ErrorIs(t, err, retry.ErrContext)
			assert.Contains(t, err.Error(), "after 0 attempts")
			assert.Zero(t, s.calls.Load())
		}
	}
}

// TestErrorOfWait checks two codes. A call cancelled in a wait returns CANCELED. A call whose
// deadline forbids the next wait returns the last attempt's code.
func TestErrorOfWait(t *testing.T) {
	t.Parallel()
	for _, method := range []string{get, list} {
		ctx, cancel := context.WithCancel(t.Context())
		waits := retry.WithHooks(retry.Hooks{BeforeWait: func(context.Context, retry.Attempt) { time.AfterFunc(10*time.Millisecond, cancel) }})
		long := retry.WithBackoff(retry.Constant(time.Hour))
		err := call(ctx, tcp.connect(t, failing(errDown), waits, long), method, "x")
		assert.Equal(t, codes.Canceled, status.Code(err), method)
		require.ErrorIs(t, err, context.Canceled)
		require.ErrorIs(t, err, errDown)
		assert.Contains(t, err.Error(), "down")

		ctx, cancel = context.WithTimeout(t.Context(), time.Minute)
		err = call(ctx, tcp.connect(t, failing(errDown), long), method, "x")
		cancel()
		assert.Equal(t, codes.Unavailable, status.Code(err), method)
		assert.Equal(t, "down", status.Convert(err).Message(), "one attempt")
		require.ErrorIs(t, err, context.DeadlineExceeded)
	}
}

// TestErrorOfEndedContext checks the code of a call whose context ends during an attempt.
func TestErrorOfEndedContext(t *testing.T) {
	t.Parallel()
	for _, method := range []string{get, list} {
		s := blocked(t)
		s.stream = func(_ int, _ string, s grpc.ServerStream) error {
			<-s.Context().Done()
			return s.Context().Err()
		}
		cc := tcp.connect(t, s)
		ctx, cancel := context.WithTimeout(t.Context(), shortly)
		assert.Equal(t, codes.DeadlineExceeded, status.Code(call(ctx, cc, method, "x")))
		cancel()
		ctx, cancel = context.WithCancel(t.Context())
		time.AfterFunc(shortly, cancel)
		err := call(ctx, cc, method, "x")
		assert.Equal(t, codes.Canceled, status.Code(err))
		assert.Equal(t, "context canceled", status.Convert(err).Message())
		assert.EqualValues(t, 2, s.calls.Load())
	}
}

// TestErrorTextIsSafe checks that a server's text becomes one short line in the error's text. The
// status has it unchanged.
func TestErrorTextIsSafe(t *testing.T) {
	t.Parallel()
	evil := "line\nbreak \x1b[31m red \u202e" + strings.Repeat("x", 5000)
	_, err := invoke(t.Context(), tcp.connect(t, failing(status.Error(codes.NotFound, evil))), get, "x")
	assert.Equal(t, evil, status.Convert(err).Message())
	assert.NotContains(t, err.Error(), "\n")
	assert.NotContains(t, err.Error(), "\x1b")
	assert.NotContains(t, err.Error(), "\u202e")
	assert.Less(t, len(err.Error()), 2000)
}

// TestOptionErrors checks that a wrong option is one clear error of the first call, and that
// nothing is sent.
func TestOptionErrors(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name string
		opts []retry.Option
		call []grpc.CallOption
		text string
	}{
		{"option", []retry.Option{retry.WithMaxDelay(-5 * time.Second)}, nil, "WithMaxDelay"},
		{"several options", []retry.Option{retry.WithMaxDelay(-5 * time.Second), retry.WithMaxAttempts(0)}, nil, "WithMaxAttempts"},
		{"nil option", []retry.Option{nil}, nil, "nil"},
		{"nil call option", nil, []grpc.CallOption{grpc.WaitForReady(true), nil}, "retrygrpc: call option 2 of 2 is nil: leave it out"},
		{"OnFinish without a function", nil, []grpc.CallOption{grpc.OnFinish(nil)}, "has a nil function"},
		{"validator", []retry.Option{retry.WithValidator(func(int, retry.Attempt) error { return nil })}, nil, "WithValidator"},
	}
	for _, row := range rows {
		for _, method := range []string{get, list, chat} {
			t.Run(row.name+method, func(t *testing.T) {
				t.Parallel()
				s := flaky(0, nil)
				_, target, dial := bufconns.serve(t, s)
				cc := client(t, target, append(dial, retrygrpc.DialOptions(row.opts...)...)...)
				var err error
				if method == chat {
					_, err = cc.NewStream(t.Context(), both, chat, row.call...)
				} else {
					err = call(t.Context(), cc, method, "x", row.call...)
				}
				require.ErrorIs(t, err, retry.ErrOption)
				assert.Equal(t, codes.Internal, status.Code(err))
				assert.Contains(t, err.Error(), row.text)
				assert.NotContains(t, err.Error(), "\n")
				assert.Zero(t, s.calls.Load())
			})
		}
	}
}

// TestGateError checks that an error without a status gets the code UNKNOWN and keeps its text.
func TestGateError(t *testing.T) {
	t.Parallel()
	errFull := errors.New("breaker open")
	gate := func(context.Context, retry.Attempt) (func(error), error) { return nil, errFull }
	for _, method := range []string{get, list} {
		err := call(t.Context(), tcp.connect(t, flaky(0, nil), retry.WithGate(gate)), method, "x")
		assert.Equal(t, codes.Unknown, status.Code(err))
		require.ErrorIs(t, err, errFull)
		assert.Contains(t, err.Error(), "breaker open (retry: ")
	}
}

// TestNested checks that an outer interceptor can tell that an inner one has retried the call.
func TestNested(t *testing.T) {
	t.Parallel()
	s := failing(errDown)
	outer := &retrygrpc.Interceptor{Policy: retry.MustNew(quick(retry.WithStopIf(retry.AlreadyRetried))...)}
	_, target, dial := bufconns.serve(t, s)
	dial = append(dial, grpc.WithChainUnaryInterceptor(outer.Unary()), grpc.WithChainStreamInterceptor(outer.Stream()))
	cc := client(t, target, append(dial, retrygrpc.DialOptions(quick()...)...)...)
	for _, method := range []string{get, list} {
		before := s.calls.Load()
		assert.Equal(t, codes.Unavailable, status.Code(call(t.Context(), cc, method, "x")))
		assert.EqualValues(t, 3, s.calls.Load()-before, method)
	}
}
