package retrygrpc_test

import (
	"context"
	"strings"
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
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/seed-205ff063/retry"
)

// TestStreamAttemptTimeout checks that the attempt timeout ends with the first message. The server
// sees only the caller's deadline.
func TestStreamAttemptTimeout(t *testing.T) {
	t.Parallel()
	var deadlines atomic.Int64
	s := &shop{stream: func(call int, _ string, s grpc.ServerStream) error {
		if _, ok := s.Context().Deadline(); ok {
			deadlines.Add(1)
		}
		if call < 3 {
			<-s.Context().Done()
			return s.Context().Err()
		}
		s.SendMsg(wrapperspb.String("first"))
		select {
		case <-s.Context().Done():
			return s.Context().Err()
		case <-time.After(3 * shortly):
		}
		return s.SendMsg(wrapperspb.String("second"))
	}}
	j := &journal{}
	stream, err := start(t.Context(), tcp.connect(t, s, retry.WithAttemptTimeout(shortly), j.hooks()), list, "x")
	require.NoError(t, err)
	all, err := read(stream)
	require.NoError(t, err)
	assert.Equal(t, []string{"first", "second"}, all)
	assert.Zero(t, deadlines.Load())
	require.Len(t, j.attempts, 3)
	assert.True(t, j.attempts[0].TimedOut)
	assert.Equal(t, codes.DeadlineExceeded, status.Code(j.attempts[0].Err))
}

// TestStreamTimedOut checks the code of a stream whose attempts all time out. A method that is not
// idempotent is not repeated.
func TestStreamTimedOut(t *testing.T) {
	t.Parallel()
	for method, calls := range map[string]int64{list: 3, appends: 1} {
		s := &shop{stream: func(_ int, _ string, s grpc.ServerStream) error {
			<-s.Context().Done()
			return s.Context().Err()
		}}
		err := call(t.Context(), tcp.connect(t, s, retry.WithAttemptTimeout(shortly)), method, "x")
		assert.Equal(t, codes.DeadlineExceeded, status.Code(err), method)
		assert.Equal(t, calls, s.calls.Load(), method)
	}
}

// TestStreamHookContext checks that a stream with an attempt timeout has the values that a hook
// added to the attempt's context.
func TestStreamHookContext(t *testing.T) {
	t.Parallel()
	add := retry.WithHooks(retry.Hooks{BeforeAttempt: func(ctx context.Context, _ retry.Attempt) context.Context {
		return metadata.AppendToOutgoingContext(ctx, "span", "7")
	}})
	s := &shop{stream: func(_ int, _ string, s grpc.ServerStream) error {
		md, _ := metadata.FromIncomingContext(s.Context())
		return status.Error(codes.NotFound, strings.Join(md.Get("span"), ","))
	}}
	err := call(t.Context(), tcp.connect(t, s, retry.WithAttemptTimeout(time.Minute), add), list, "x")
	assert.Equal(t, "7", status.Convert(err).Message())
}

// TestStreamOptions checks that Header, Trailer and Peer describe the last attempt of a stream, and
// that OnFinish runs once.
func TestStreamOptions(t *testing.T) {
	t.Parallel()
	s := &shop{stream: func(call int, _ string, s grpc.ServerStream) error {
		number := string(rune('0' + call))
		s.SetTrailer(metadata.Pairs("call", number))
		if call < 3 {
			s.SetTrailer(metadata.Pairs("failed", number))
			return errDown
		}
		s.SendHeader(metadata.Pairs("call", number))
		return s.SendMsg(wrapperspb.String("ok"))
	}}
	var header, trailer metadata.MD
	var p peer.Peer
	var ends atomic.Int64
	stream, err := start(t.Context(), tcp.connect(t, s), list, "x",
		grpc.OnFinish(func(err error) { assert.NoError(t, err); ends.Add(1) }),
		grpc.Header(&header), grpc.Trailer(&trailer), grpc.Peer(&p))
	require.NoError(t, err)
	require.NoError(t, stream.RecvMsg(new(wrapperspb.StringValue)))
	assert.Zero(t, ends.Load())
	_, err = read(stream)
	require.NoError(t, err)
	assert.EqualValues(t, 1, ends.Load())
	assert.Equal(t, []string{"3"}, header.Get("call"))
	assert.Equal(t, []string{"3"}, trailer.Get("call"))
	assert.Equal(t, []string{"3"}, stream.Trailer().Get("call"))
	assert.Empty(t, trailer.Get("failed"))
	assert.NotNil(t, p.Addr)
}

// TestStreamOnFinishOfCancelled checks that OnFinish runs once if the caller cancels a stream after
// its first message.
func TestStreamOnFinishOfCancelled(t *testing.T) {
	t.Parallel()
	s := &shop{stream: func(_ int, _ string, s grpc.ServerStream) error {
		s.SendMsg(wrapperspb.String("a"))
		<-s.Context().Done()
		return s.Context().Err()
	}}
	finished := make(chan error, 2)
	ctx, cancel := context.WithCancel(t.Context())
	stream, err := start(ctx, tcp.connect(t, s, retry.WithAttemptTimeout(time.Minute)), list, "x", grpc.OnFinish(func(err error) { finished <- err }))
	require.NoError(t, err)
	require.NoError(t, stream.RecvMsg(new(wrapperspb.StringValue)))
	cancel()
	assert.Equal(t, codes.Canceled, status.Code(<-finished))
	_, err = read(stream)
	assert.Equal(t, codes.Canceled, status.Code(err))
	assert.Empty(t, finished, "once")
}

// TestStreamOnFinishOfFailure checks that OnFinish gets the call's error once.
func TestStreamOnFinishOfFailure(t *testing.T) {
	t.Parallel()
	var finished []error
	opt := grpc.OnFinish(func(err error) { finished = append(finished, err) })
	err := call(t.Context(), tcp.connect(t, failing(errDown)), list, "x", opt)
	require.Len(t, finished, 1)
	assert.Equal(t, err, finished[0])

	finished = nil
	_, err = dialed(t, &counter{}, refused(t), []grpc.DialOption{plain}).NewStream(t.Context(), both, chat, opt)
	require.Len(t, finished, 1)
	assert.Equal(t, err, finished[0])
}
