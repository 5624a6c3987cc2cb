package retrygrpc_test

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// numberedHeaders returns a shop that fails the first calls and sends the number of a later one as a
// header.
func numberedHeaders(fails int) *shop {
	return &shop{stream: func(call int, in string, s grpc.ServerStream) error {
		if call <= fails {
			return errDown
		}
		s.SendHeader(metadata.Pairs("call", string(rune('0'+call))))
		return s.SendMsg(wrapperspb.String(in))
	}}
}

// TestStreamHeaderRetries checks that Header of a failing stream makes further attempts.
func TestStreamHeaderRetries(t *testing.T) {
	t.Parallel()
	s := numberedHeaders(2)
	stream, err := start(t.Context(), tcp.connect(t, s), list, "x")
	require.NoError(t, err)
	md, err := stream.Header()
	require.NoError(t, err)
	assert.Equal(t, []string{"3"}, md.Get("call"))
	all, err := read(stream)
	require.NoError(t, err)
	assert.Equal(t, []string{"x"}, all)
	md, err = stream.Header()
	require.NoError(t, err)
	assert.Equal(t, []string{"3"}, md.Get("call"))
}

// TestStreamHeaderKeepsError checks that Header without success leaves the error to RecvMsg.
func TestStreamHeaderKeepsError(t *testing.T) {
	t.Parallel()
	s := numberedHeaders(9)
	stream, err := start(t.Context(), tcp.connect(t, s), list, "x")
	require.NoError(t, err)
	for range 2 {
		md, err := stream.Header()
		require.NoError(t, err)
		assert.Nil(t, md)
	}
	assert.EqualValues(t, 3, s.calls.Load())
	_, err = read(stream)
	assert.Equal(t, codes.Unavailable, status.Code(err))
	assert.EqualValues(t, 3, s.calls.Load())
}

// TestStreamHeaderOfEmptyStream checks that a stream without header and messages is a success.
func TestStreamHeaderOfEmptyStream(t *testing.T) {
	t.Parallel()
	s := &shop{stream: func(int, string, grpc.ServerStream) error { return nil }}
	stream, err := start(t.Context(), tcp.connect(t, s), list, "x")
	require.NoError(t, err)
	_, err = stream.Header()
	require.NoError(t, err)
	all, err := read(stream)
	require.NoError(t, err)
	assert.Empty(t, all)
}

// TestStreamHeaderOfFailedAttempt checks that Header returns the header of the last attempt in the end.
func TestStreamHeaderOfFailedAttempt(t *testing.T) {
	t.Parallel()
	s := &shop{stream: func(call int, _ string, s grpc.ServerStream) error {
		s.SendHeader(metadata.Pairs("call", string(rune('0'+call))))
		if call < 3 {
			return errDown
		}
		return s.SendMsg(wrapperspb.String("third"))
	}}
	stream, err := start(t.Context(), tcp.connect(t, s), list, "x")
	require.NoError(t, err)
	md, err := stream.Header()
	require.NoError(t, err)
	assert.Equal(t, []string{"1"}, md.Get("call"))
	all, err := read(stream)
	require.NoError(t, err)
	assert.Equal(t, []string{"third"}, all)
	md, _ = stream.Header()
	assert.Equal(t, []string{"3"}, md.Get("call"), "of the last attempt")
}

// TestStreamHeaderBesideRecvMsg checks that Header does not wait for a message while another
// goroutine does.
func TestStreamHeaderBesideRecvMsg(t *testing.T) {
	t.Parallel()
	proceed := make(chan struct{})
	s := &shop{stream: func(_ int, _ string, s grpc.ServerStream) error {
		s.SendHeader(metadata.Pairs("call", "1"))
		<-proceed
		return s.SendMsg(wrapperspb.String("late"))
	}}
	stream, err := start(t.Context(), tcp.connect(t, s), list, "x")
	require.NoError(t, err)
	var got sync.WaitGroup
	got.Go(func() { assert.NoError(t, stream.RecvMsg(new(wrapperspb.StringValue))) })
	time.Sleep(shortly)        // until RecvMsg waits
	md, err := stream.Header() // does not wait for the message
	require.NoError(t, err)
	assert.Equal(t, []string{"1"}, md.Get("call"))
	close(proceed)
	got.Wait()
}
