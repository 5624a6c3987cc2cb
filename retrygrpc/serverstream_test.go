package retrygrpc_test

import (
	"context"
	"io"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrygrpc"
)

// TestStreamBeforeFirstMessage checks that a stream is retried, with its request, until its first
// message.
func TestStreamBeforeFirstMessage(t *testing.T) {
	t.Parallel()
	for _, n := range []network{bufconns, tcp} {
		t.Run(n.name, func(t *testing.T) {
			t.Parallel()
			s := flaky(2, errDown)
			j := &journal{}
			cc := n.connect(t, s, j.hooks())
			stream, err := start(t.Context(), cc, list, "x")
			require.NoError(t, err)
			all, err := read(stream)
			require.NoError(t, err)
			assert.Equal(t, []string{"got x"}, all)
			assert.EqualValues(t, 3, s.calls.Load())
			assert.Equal(t, 1, j.ends())
			assert.Len(t, j.attempts, 3)
		})
	}
}

// TestStreamAfterFirstMessage checks that nothing is repeated after the first message. The stream's
// error is returned unchanged.
func TestStreamAfterFirstMessage(t *testing.T) {
	t.Parallel()
	for _, n := range []network{bufconns, tcp} {
		t.Run(n.name, func(t *testing.T) {
			t.Parallel()
			s := &shop{stream: func(_ int, _ string, s grpc.ServerStream) error {
				s.SendMsg(wrapperspb.String("a"))
				s.SendMsg(wrapperspb.String("b"))
				return errDown
			}}
			stream, err := start(t.Context(), n.connect(t, s), list, "x")
			require.NoError(t, err)
			all, err := read(stream)
			assert.Equal(t, []string{"a", "b"}, all)
			assert.EqualError(t, err, errDown.Error())
			var e *retry.Error
			assert.NotErrorAs(t, err, &e)
			assert.EqualValues(t, 1, s.calls.Load())
		})
	}
}

// TestStreamServerStopped checks that nothing is repeated if the server stops in mid-stream.
func TestStreamServerStopped(t *testing.T) {
	t.Parallel()
	s := &shop{stream: func(_ int, _ string, s grpc.ServerStream) error {
		s.SendMsg(wrapperspb.String("a"))
		<-s.Context().Done()
		return s.Context().Err()
	}}
	server, target, dial := tcp.serve(t, s)
	cc := client(t, target, append(dial, retrygrpc.DialOptions(quick()...)...)...)
	stream, err := start(t.Context(), cc, list, "x")
	require.NoError(t, err)
	require.NoError(t, stream.RecvMsg(new(wrapperspb.StringValue)))
	server.Stop()
	_, err = read(stream)
	assert.Equal(t, codes.Unavailable, status.Code(err))
	assert.EqualValues(t, 1, s.calls.Load())
}

// TestStreamWithoutMessages checks that an empty stream is a success.
func TestStreamWithoutMessages(t *testing.T) {
	t.Parallel()
	s := &shop{stream: func(call int, _ string, _ grpc.ServerStream) error {
		if call == 1 {
			return errDown
		}
		return nil
	}}
	j := &journal{}
	var finished atomic.Int64
	stream, err := start(t.Context(), tcp.connect(t, s, j.hooks()), list, "x",
		grpc.OnFinish(func(err error) { assert.NoError(t, err); finished.Add(1) }))
	require.NoError(t, err)
	for range 2 { // also when it is read again
		assert.Equal(t, io.EOF, stream.RecvMsg(new(wrapperspb.StringValue)))
		assert.EqualValues(t, 1, finished.Load())
	}
	assert.EqualValues(t, 2, s.calls.Load())
	require.Equal(t, 1, j.ends())
	assert.Nil(t, j.done[0].Err)
}

// TestStreamGivesUp checks the error of a stream if no attempt received a message.
func TestStreamGivesUp(t *testing.T) {
	t.Parallel()
	s := failing(errDown)
	j := &journal{}
	stream, err := start(t.Context(), tcp.connect(t, s, j.hooks()), list, "x")
	require.NoError(t, err)
	for range 2 { // the same error when it is read again
		err = stream.RecvMsg(new(wrapperspb.StringValue))
		assert.Equal(t, codes.Unavailable, status.Code(err))
		var e *retry.Error
		require.ErrorAs(t, err, &e)
		assert.Equal(t, retry.ErrExhausted, e.Reason)
		assert.Equal(t, 3, e.Attempts)
	}
	assert.EqualValues(t, 3, s.calls.Load())
	assert.Equal(t, 1, j.ends())
	assert.NoError(t, stream.CloseSend())
	assert.NotNil(t, stream.Context())
}

// TestStreamSuccessCounts checks that a first message counts even if the context has ended.
func TestStreamSuccessCounts(t *testing.T) {
	t.Parallel()
	for range 50 {
		j := &journal{}
		ctx, cancel := context.WithCancel(t.Context())
		endless := grpc.WithChainStreamInterceptor(
			func(ctx context.Context, desc *grpc.StreamDesc, cc *grpc.ClientConn, method string, streamer grpc.Streamer, opts ...grpc.CallOption) (grpc.ClientStream, error) {
				s, err := streamer(ctx, desc, cc, method, opts...)
				return cancelling{s, cancel}, err
			})
		_, target, dial := bufconns.serve(t, flaky(0, nil))
		dial = append(dial, retrygrpc.DialOptions(quick(j.hooks())...)...)
		stream, err := start(ctx, client(t, target, append(dial, endless)...), list, "x")
		require.NoError(t, err)
		require.NoError(t, stream.RecvMsg(new(wrapperspb.StringValue)))
		require.Equal(t, 1, j.ends())
		assert.Nil(t, j.done[0].Err)
	}
}

// cancelling cancels the context once a message was received.
type cancelling struct {
	grpc.ClientStream
	cancel func()
}

func (c cancelling) RecvMsg(m any) error {
	defer c.cancel()
	return c.ClientStream.RecvMsg(m)
}

// TestStreamSendBesideReceive checks that each attempt sends the request once, also while another
// goroutine receives.
func TestStreamSendBesideReceive(t *testing.T) {
	t.Parallel()
	for range 20 {
		s := flaky(1, errDown)
		cc := bufconns.connect(t, s)
		stream, err := cc.NewStream(t.Context(), oneRequest, list)
		require.NoError(t, err)
		var sent sync.WaitGroup
		sent.Go(func() { assert.NoError(t, stream.SendMsg(wrapperspb.String("x"))) })
		all, err := read(stream)
		sent.Wait()
		require.NoError(t, err)
		assert.Equal(t, []string{"got x"}, all)
		cc.Close()
	}
}

// TestStreamCannotSend checks that SendMsg fails if the client cannot send the request, and that
// this ends the call.
func TestStreamCannotSend(t *testing.T) {
	t.Parallel()
	j := &journal{}
	cc := bufconns.connect(t, flaky(0, nil), j.hooks())
	stream, err := cc.NewStream(t.Context(), oneRequest, list)
	require.NoError(t, err)
	err = stream.SendMsg("no message")
	assert.Equal(t, codes.Internal, status.Code(err))
	assert.Equal(t, 1, j.ends())
	assert.Equal(t, err, stream.RecvMsg(new(wrapperspb.StringValue)))
}
