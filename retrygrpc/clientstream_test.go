package retrygrpc_test

import (
	"context"
	"io"
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
	"github.com/seed-205ff063/retry/retrygrpc"
)

// TestStreamOfRequests checks that a stream of requests is retried only while it is opened.
func TestStreamOfRequests(t *testing.T) {
	t.Parallel()
	for method, desc := range map[string]*grpc.StreamDesc{upload: oneAnswer, chat: both} {
		s := failing(errDown)
		stream, err := tcp.connect(t, s).NewStream(t.Context(), desc, method, retrygrpc.Idempotent())
		require.NoError(t, err)
		err = stream.RecvMsg(new(wrapperspb.StringValue))
		assert.EqualError(t, err, errDown.Error())
		assert.EqualValues(t, 1, s.calls.Load(), method)
	}
}

// TestOpenNeverSent checks that a stream of requests is opened again if it never reached a
// transport.
func TestOpenNeverSent(t *testing.T) {
	t.Parallel()
	for _, method := range []string{upload, chat} {
		n := &counter{}
		cc := dialed(t, n, refused(t), []grpc.DialOption{plain})
		_, err := cc.NewStream(t.Context(), both, method)
		assert.Equal(t, codes.Unavailable, status.Code(err))
		assert.Equal(t, 3, n.total(), method)
	}
}

// TestOpenedStreamOutlivesAttempt checks that a stream of requests may run longer than the attempt
// timeout.
func TestOpenedStreamOutlivesAttempt(t *testing.T) {
	t.Parallel()
	s := &shop{stream: func(_ int, _ string, s grpc.ServerStream) error {
		in := new(wrapperspb.StringValue)
		for s.RecvMsg(in) == nil {
			s.SendMsg(in)
		}
		return nil
	}}
	stream, err := tcp.connect(t, s, retry.WithAttemptTimeout(shortly)).NewStream(t.Context(), both, chat)
	require.NoError(t, err)
	for range 3 {
		require.NoError(t, stream.SendMsg(wrapperspb.String("hello")))
		require.NoError(t, stream.RecvMsg(new(wrapperspb.StringValue)))
		time.Sleep(shortly)
	}
	require.NoError(t, stream.CloseSend())
	assert.Equal(t, io.EOF, stream.RecvMsg(new(wrapperspb.StringValue)))
}

// TestOpenedStreamEndsAtOnce checks that OnFinish runs if a stream ends before the caller gets it.
func TestOpenedStreamEndsAtOnce(t *testing.T) {
	t.Parallel()
	finished := 0
	i := &retrygrpc.Interceptor{}
	_, err := i.Stream()(t.Context(), both, nil, chat, func(_ context.Context, _ *grpc.StreamDesc, _ *grpc.ClientConn, _ string, opts ...grpc.CallOption) (grpc.ClientStream, error) {
		for _, o := range opts {
			if o, ok := o.(grpc.OnFinishCallOption); ok {
				o.OnFinish(errDown)
			}
		}
		return cancelling{}, nil
	}, grpc.OnFinish(func(err error) { assert.Equal(t, errDown, err); finished++ }))
	require.NoError(t, err)
	assert.Equal(t, 1, finished)
}

// TestOpenedStreamOptions checks that Header, Peer and OnFinish work for a stream of requests.
func TestOpenedStreamOptions(t *testing.T) {
	t.Parallel()
	s := &shop{stream: func(_ int, _ string, s grpc.ServerStream) error {
		s.SendHeader(metadata.Pairs("a", "b"))
		return status.Error(codes.NotFound, "no")
	}}
	var header metadata.MD
	var p peer.Peer
	finished := make(chan error, 2)
	stream, err := tcp.connect(t, s, retry.WithAttemptTimeout(time.Minute)).NewStream(t.Context(), both, chat,
		grpc.Header(&header), grpc.Peer(&p), grpc.OnFinish(func(err error) { finished <- err }))
	require.NoError(t, err)
	err = stream.RecvMsg(new(wrapperspb.StringValue))
	assert.Equal(t, codes.NotFound, status.Code(<-finished))
	assert.Equal(t, codes.NotFound, status.Code(err))
	assert.Equal(t, []string{"b"}, header.Get("a"))
	assert.NotNil(t, p.Addr)
	assert.Empty(t, finished)
}
