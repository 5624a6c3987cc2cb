package retrygrpc_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrygrpc"
)

// TestUnaryOptions checks that Header, Trailer and Peer describe the last attempt, and that
// OnFinish runs once.
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
	var finished []error
	_, err := invoke(t.Context(), tcp.connect(t, s), get, "x", grpc.Header(&header), grpc.Trailer(&trailer), grpc.Peer(&p),
		grpc.OnFinish(func(err error) { finished = append(finished, err) }))
	require.NoError(t, err)
	assert.Equal(t, []error{nil}, finished)
	assert.Equal(t, []string{"2"}, trailer.Get("call"))
	assert.Empty(t, trailer.Get("failed"))
	assert.Empty(t, header.Get("failed"))
	assert.NotNil(t, p.Addr)
}

// TestUnaryOptionsReset checks that nothing of an earlier attempt remains if the last one reached
// no transport.
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
	var finished []error
	_, err := invoke(t.Context(), cc, get, "x", grpc.Header(&header), grpc.Trailer(&trailer), grpc.Peer(&p),
		grpc.OnFinish(func(err error) { finished = append(finished, err) }))
	assert.Equal(t, codes.Unavailable, status.Code(err))
	assert.EqualValues(t, 1, s.calls.Load())
	assert.Nil(t, header)
	assert.Nil(t, trailer)
	assert.Equal(t, peer.Peer{}, p)
	assert.Equal(t, []error{err}, finished)
}

// TestMetadata checks that attempts send the remaining time, and their number from the second
// attempt on.
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

// TestAttemptTimeoutInMetadata checks that an attempt of a unary call sends its own timeout to the
// server.
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

// TestStreamMetadata checks that the attempts of a stream send their number.
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
