package retrygrpc_test

import (
	"context"
	"io"
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
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrygrpc"
)

// TestStreamBeforeFirstMessage holds that a stream is retried until its first message, with its request.
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

// TestStreamAfterFirstMessage holds that nothing is repeated once a message was delivered: the error
// of the stream comes as it is.
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

// TestStreamServerStopped holds it for a server that is stopped in mid-stream.
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

// TestStreamOfRequests holds that streams of requests are retried only while they are opened.
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

// TestStreamWithoutMessages holds that an empty stream is a success.
func TestStreamWithoutMessages(t *testing.T) {
	t.Parallel()
	s := &shop{stream: func(call int, _ string, _ grpc.ServerStream) error {
		if call == 1 {
			return errDown
		}
		return nil
	}}
	j := &journal{}
	var heard atomic.Int64
	stream, err := start(t.Context(), tcp.connect(t, s, j.hooks()), list, "x",
		grpc.OnFinish(func(err error) { assert.NoError(t, err); heard.Add(1) }))
	require.NoError(t, err)
	for range 2 { // and stays one
		assert.Equal(t, io.EOF, stream.RecvMsg(new(wrapperspb.StringValue)))
		assert.EqualValues(t, 1, heard.Load())
	}
	assert.EqualValues(t, 2, s.calls.Load())
	require.Equal(t, 1, j.ends())
	assert.Nil(t, j.done[0].Err)
}

// TestStreamGivesUp holds the error of a stream of which no attempt came to a message.
func TestStreamGivesUp(t *testing.T) {
	t.Parallel()
	s := failing(errDown)
	j := &journal{}
	stream, err := start(t.Context(), tcp.connect(t, s, j.hooks()), list, "x")
	require.NoError(t, err)
	for range 2 { // the error is remembered
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

// TestStreamHeader holds that Header of a failing stream retries, and remembers the error.
func TestStreamHeader(t *testing.T) {
	t.Parallel()
	numbered := func(fails int) *shop {
		return &shop{stream: func(call int, in string, s grpc.ServerStream) error {
			if call <= fails {
				return errDown
			}
			s.SendHeader(metadata.Pairs("call", string(rune('0'+call))))
			return s.SendMsg(wrapperspb.String(in))
		}}
	}
	t.Run("retries", func(t *testing.T) {
		t.Parallel()
		s := numbered(2)
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
	})
	t.Run("remembers", func(t *testing.T) {
		t.Parallel()
		s := numbered(9)
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
	})
	t.Run("empty", func(t *testing.T) {
		t.Parallel()
		s := &shop{stream: func(int, string, grpc.ServerStream) error { return nil }}
		stream, err := start(t.Context(), tcp.connect(t, s), list, "x")
		require.NoError(t, err)
		_, err = stream.Header()
		require.NoError(t, err)
		all, err := read(stream)
		require.NoError(t, err)
		assert.Empty(t, all)
	})
	t.Run("fails after its header", func(t *testing.T) {
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
	})
	t.Run("beside RecvMsg", func(t *testing.T) {
		t.Parallel()
		go1 := make(chan struct{})
		s := &shop{stream: func(_ int, _ string, s grpc.ServerStream) error {
			s.SendHeader(metadata.Pairs("call", "1"))
			<-go1
			return s.SendMsg(wrapperspb.String("late"))
		}}
		stream, err := start(t.Context(), tcp.connect(t, s), list, "x")
		require.NoError(t, err)
		var got sync.WaitGroup
		got.Go(func() { assert.NoError(t, stream.RecvMsg(new(wrapperspb.StringValue))) })
		time.Sleep(shortly)        // for RecvMsg to wait
		md, err := stream.Header() // does not wait for the message
		require.NoError(t, err)
		assert.Equal(t, []string{"1"}, md.Get("call"))
		close(go1)
		got.Wait()
	})
}

// TestStreamAttemptTimeout holds that an attempt's timeout is the time to the first message, and no
// longer counts once it came. The server sees the caller's deadline alone.
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

// TestStreamTimedOut holds the code of a stream whose every attempt timed out, and that a method that
// is not idempotent is then not repeated.
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

// TestOpenedStreamOutlivesAttempt holds that a stream of requests lives on after the time to open it.
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

// TestStreamLeft holds that a stream which is left before its first message leaks nothing and runs
// Done once.
//
//nolint:paralleltest // it looks for goroutines
func TestStreamLeft(t *testing.T) {
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
		{"read in vain", func(cancel func(), _ *grpc.ClientConn, s grpc.ClientStream) {
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
			assert.Eventually(t, func() bool { return !strings.Contains(stacks(), "(*suspended)") }, 5*time.Second, time.Millisecond)
			time.Sleep(shortly)
			assert.LessOrEqual(t, j.ends(), 1)
		})
	}
}

// TestStreamLeftWithoutOptions holds the same where an interceptor further in drops the call options.
//
//nolint:paralleltest // it looks for goroutines
func TestStreamLeftWithoutOptions(t *testing.T) {
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
	assert.Eventually(t, func() bool { return !strings.Contains(stacks(), "(*suspended)") }, 5*time.Second, time.Millisecond)
}

// TestStreamSuccessCounts holds that a first message counts although the context ended meanwhile.
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

// cancelling ends the caller's context as soon as a message came.
type cancelling struct {
	grpc.ClientStream
	cancel func()
}

func (c cancelling) RecvMsg(m any) error {
	defer c.cancel()
	return c.ClientStream.RecvMsg(m)
}

// TestStreamOptions holds what the call options tell of a retried stream: the last attempt, once.
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

// TestStreamOnFinishOfLeft holds that OnFinish hears of a stream that is left after its first message.
func TestStreamOnFinishOfLeft(t *testing.T) {
	t.Parallel()
	s := &shop{stream: func(_ int, _ string, s grpc.ServerStream) error {
		s.SendMsg(wrapperspb.String("a"))
		<-s.Context().Done()
		return s.Context().Err()
	}}
	heard := make(chan error, 2)
	ctx, cancel := context.WithCancel(t.Context())
	stream, err := start(ctx, tcp.connect(t, s, retry.WithAttemptTimeout(time.Minute)), list, "x", grpc.OnFinish(func(err error) { heard <- err }))
	require.NoError(t, err)
	require.NoError(t, stream.RecvMsg(new(wrapperspb.StringValue)))
	cancel()
	assert.Equal(t, codes.Canceled, status.Code(<-heard))
	_, err = read(stream)
	assert.Equal(t, codes.Canceled, status.Code(err))
	assert.Empty(t, heard, "once")
}

// TestOpenedStreamEndsAtOnce holds that OnFinish hears of a stream that is over before it is returned.
func TestOpenedStreamEndsAtOnce(t *testing.T) {
	t.Parallel()
	heard := 0
	i := &retrygrpc.Interceptor{}
	_, err := i.Stream()(t.Context(), both, nil, chat, func(_ context.Context, _ *grpc.StreamDesc, _ *grpc.ClientConn, _ string, opts ...grpc.CallOption) (grpc.ClientStream, error) {
		for _, o := range opts {
			if o, ok := o.(grpc.OnFinishCallOption); ok {
				o.OnFinish(errDown)
			}
		}
		return cancelling{}, nil
	}, grpc.OnFinish(func(err error) { assert.Equal(t, errDown, err); heard++ }))
	require.NoError(t, err)
	assert.Equal(t, 1, heard)
}

// TestStreamHookContext holds that a stream under an attempt's timeout has what a hook put into the
// attempt's context, and ends with the caller's.
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

// TestStreamOnFinishOfFailure holds that OnFinish hears the call's error once.
func TestStreamOnFinishOfFailure(t *testing.T) {
	t.Parallel()
	var heard []error
	opt := grpc.OnFinish(func(err error) { heard = append(heard, err) })
	err := call(t.Context(), tcp.connect(t, failing(errDown)), list, "x", opt)
	require.Len(t, heard, 1)
	assert.Equal(t, err, heard[0])

	heard = nil
	_, err = dialed(t, &counter{}, refused(t), []grpc.DialOption{plain}).NewStream(t.Context(), both, chat, opt)
	require.Len(t, heard, 1)
	assert.Equal(t, err, heard[0])
}

// TestOpenedStreamOptions holds the same of streams of requests.
func TestOpenedStreamOptions(t *testing.T) {
	t.Parallel()
	s := &shop{stream: func(_ int, _ string, s grpc.ServerStream) error {
		s.SendHeader(metadata.Pairs("a", "b"))
		return status.Error(codes.NotFound, "no")
	}}
	var header metadata.MD
	var p peer.Peer
	heard := make(chan error, 2)
	stream, err := tcp.connect(t, s, retry.WithAttemptTimeout(time.Minute)).NewStream(t.Context(), both, chat,
		grpc.Header(&header), grpc.Peer(&p), grpc.OnFinish(func(err error) { heard <- err }))
	require.NoError(t, err)
	err = stream.RecvMsg(new(wrapperspb.StringValue))
	assert.Equal(t, codes.NotFound, status.Code(<-heard))
	assert.Equal(t, codes.NotFound, status.Code(err))
	assert.Equal(t, []string{"b"}, header.Get("a"))
	assert.NotNil(t, p.Addr)
	assert.Empty(t, heard)
}

// TestStreamSendBesideReceive holds that a request which is sent while another goroutine receives is
// sent by each attempt, once.
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

// TestStreamOnLockedThread holds that a stream may be passed between goroutines that are locked to
// threads, which kills a process that does it with a coroutine.
func TestStreamOnLockedThread(t *testing.T) {
	t.Parallel()
	stream, err := start(t.Context(), bufconns.connect(t, flaky(1, errDown)), list, "x")
	require.NoError(t, err)
	var read1 sync.WaitGroup
	read1.Go(func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		all, err := read(stream)
		assert.NoError(t, err)
		assert.Len(t, all, 1)
	})
	read1.Wait()
}

// TestStreamHookPanics holds that a panic of a hook comes out where the attempt began or ended.
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

// TestStreamGates holds that a stream's gates are passed before it is opened and left after its first
// message, and that one which refuses is an attempt.
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

// TestStreamCannotSend holds that a request that the client itself cannot send fails at once, in
// SendMsg, and ends the call.
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
