package retrygrpc_test

import (
	"context"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrygrpc"
)

// TestStreamAbandoned checks that a stream that is abandoned before its first message leaks nothing
// and runs Done once.
//
//nolint:paralleltest // it looks for goroutines
func TestStreamAbandoned(t *testing.T) {
	rows := []struct {
		name  string
		leave func(cancel func(), cc *grpc.ClientConn, s grpc.ClientStream)
		opts  []retry.Option
		done  bool
	}{
		{"cancelled", func(cancel func(), _ *grpc.ClientConn, _ grpc.ClientStream) { cancel() }, nil, true},
		{"connection closed", func(_ func(), cc *grpc.ClientConn, _ grpc.ClientStream) { cc.Close() }, nil, true},
		{"header read, cancelled", func(cancel func(), _ *grpc.ClientConn, s grpc.ClientStream) {
			s.Header()
			cancel()
		}, nil, true},
		{"attempt timed out, cancelled", func(cancel func(), _ *grpc.ClientConn, _ grpc.ClientStream) {
			time.Sleep(3 * shortly)
			cancel()
		}, []retry.Option{retry.WithAttemptTimeout(shortly)}, true},
		{"attempt timed out, connection closed", func(_ func(), cc *grpc.ClientConn, _ grpc.ClientStream) {
			time.Sleep(3 * shortly)
			cc.Close()
		}, []retry.Option{retry.WithAttemptTimeout(shortly)}, false},
		{"cancelled while it is read", func(cancel func(), _ *grpc.ClientConn, s grpc.ClientStream) {
			time.AfterFunc(shortly, cancel)
			s.RecvMsg(new(wrapperspb.StringValue))
		}, nil, true},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			s := &shop{stream: func(_ int, _ string, s grpc.ServerStream) error {
				s.SendHeader(metadata.Pairs("a", "b"))
				<-s.Context().Done()
				return s.Context().Err()
			}}
			j := &journal{}
			cc := tcp.connect(t, s, append(row.opts, j.hooks())...)
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			stream, err := start(ctx, cc, list, "x")
			require.NoError(t, err)
			row.leave(cancel, cc, stream)
			if row.done {
				require.Eventually(t, func() bool { return j.ends() == 1 }, 5*time.Second, time.Millisecond)
			}
			assert.Eventually(t, func() bool { return !strings.Contains(stacks(), "(*suspendedAttempt)") }, 5*time.Second, time.Millisecond)
			time.Sleep(shortly)
			assert.LessOrEqual(t, j.ends(), 1)
		})
	}
}

// TestStreamAbandonedWithoutOptions checks the same if an inner interceptor drops the call options.
//
//nolint:paralleltest // it looks for goroutines
func TestStreamAbandonedWithoutOptions(t *testing.T) {
	s := &shop{stream: func(_ int, _ string, s grpc.ServerStream) error {
		<-s.Context().Done()
		return s.Context().Err()
	}}
	j := &journal{}
	_, target, dial := tcp.serve(t, s)
	dial = append(dial, retrygrpc.DialOptions(quick(j.hooks())...)...)
	cc := client(t, target, append(dial, grpc.WithChainStreamInterceptor(
		func(ctx context.Context, desc *grpc.StreamDesc, cc *grpc.ClientConn, method string, streamer grpc.Streamer, _ ...grpc.CallOption) (grpc.ClientStream, error) {
			return streamer(ctx, desc, cc, method)
		}))...)
	ctx, cancel := context.WithCancel(context.Background())
	_, err := start(ctx, cc, list, "x")
	require.NoError(t, err)
	cancel()
	require.Eventually(t, func() bool { return j.ends() == 1 }, 10*time.Second, time.Millisecond)
	assert.Eventually(t, func() bool { return !strings.Contains(stacks(), "(*suspendedAttempt)") }, 5*time.Second, time.Millisecond)
}

// TestStreamOnLockedThread checks that goroutines that are locked to threads may share a stream.
// With a coroutine this would kill the process.
func TestStreamOnLockedThread(t *testing.T) {
	t.Parallel()
	stream, err := start(t.Context(), bufconns.connect(t, flaky(1, errDown)), list, "x")
	require.NoError(t, err)
	var reader sync.WaitGroup
	reader.Go(func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		all, err := read(stream)
		assert.NoError(t, err)
		assert.Len(t, all, 1)
	})
	reader.Wait()
}

// TestStreamHookPanics checks that a panic of a hook reaches the caller of the method that began or
// ended the attempt.
func TestStreamHookPanics(t *testing.T) {
	t.Parallel()
	before := retry.WithHooks(retry.Hooks{BeforeAttempt: func(context.Context, retry.Attempt) context.Context { panic("before") }})
	assert.PanicsWithValue(t, "before", func() { start(t.Context(), bufconns.connect(t, flaky(0, nil), before), list, "x") })

	after := retry.WithHooks(retry.Hooks{AfterAttempt: func(context.Context, retry.Attempt) { panic("after") }})
	stream, err := start(t.Context(), bufconns.connect(t, flaky(0, nil), after), list, "x")
	require.NoError(t, err)
	assert.PanicsWithValue(t, "after", func() { read(stream) })

	exit := retry.WithHooks(retry.Hooks{AfterAttempt: func(context.Context, retry.Attempt) { runtime.Goexit() }})
	stream, err = start(t.Context(), bufconns.connect(t, flaky(0, nil), exit), list, "x")
	require.NoError(t, err)
	ended := make(chan bool)
	go func() {
		defer func() { ended <- true }()
		read(stream)
		t.Error("the goroutine went on")
	}()
	<-ended
}

// TestStreamGates checks that a stream passes its gates before it is opened and releases them at
// its first message. A refusal counts as an attempt.
func TestStreamGates(t *testing.T) {
	t.Parallel()
	var inside, passed atomic.Int64
	gate := func(context.Context, retry.Attempt) (func(error), error) {
		if passed.Add(1) == 1 {
			return nil, status.Error(codes.Unavailable, "full")
		}
		inside.Add(1)
		return func(error) { inside.Add(-1) }, nil
	}
	s := flaky(0, nil)
	stream, err := start(t.Context(), bufconns.connect(t, s, retry.WithGate(gate)), list, "x")
	require.NoError(t, err)
	assert.EqualValues(t, 1, inside.Load())
	require.NoError(t, stream.RecvMsg(new(wrapperspb.StringValue)))
	assert.Zero(t, inside.Load())
	assert.EqualValues(t, 2, passed.Load())
}
