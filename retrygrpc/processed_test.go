package retrygrpc_test

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"golang.org/x/net/http2"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/resolver"
	"google.golang.org/grpc/resolver/manual"
	"google.golang.org/grpc/status"

	"github.com/seed-205ff063/retry"
)

// TestMayHaveBeenProcessed checks that a call that reached a transport is repeated only if it is
// idempotent and its code is worth it.
func TestMayHaveBeenProcessed(t *testing.T) {
	t.Parallel()
	raw := func(reply answer) func(*testing.T, *counter) *grpc.ClientConn {
		return func(t *testing.T, n *counter) *grpc.ClientConn {
			return dialed(t, n, serveRaw(t, reply).addr, []grpc.DialOption{plain})
		}
	}
	rows := []situation{
		{"connection cut after the request", raw(cut), nil, codes.Unavailable, 1, 3},
		{"GOAWAY with a stream id above", raw(goAwayAbove), nil, codes.Unavailable, 1, 3},
		// grpc repeats these two once by itself, transparently. After that nothing is proved.
		{"GOAWAY with a stream id below", raw(goAway), nil, codes.Unavailable, 1, 3},
		{"RST_STREAM REFUSED_STREAM", raw(reset(http2.ErrCodeRefusedStream)), nil, codes.Unavailable, 1, 3},
		{"RST_STREAM CANCEL", raw(reset(http2.ErrCodeCancel)), nil, codes.Canceled, 1, 1},
		{"RST_STREAM INTERNAL_ERROR", raw(reset(http2.ErrCodeInternal)), nil, codes.Internal, 1, 1},
		{"RST_STREAM ENHANCE_YOUR_CALM", raw(reset(http2.ErrCodeEnhanceYourCalm)), nil, codes.ResourceExhausted, 1, 3},
		{"a proxy's 429", raw(proxyStatus(429)), nil, codes.Unavailable, 1, 3},
		{"a proxy's 502", raw(proxyStatus(502)), nil, codes.Unavailable, 1, 3},
		{"a proxy's 503", raw(proxyStatus(503)), nil, codes.Unavailable, 1, 3},
		{"a proxy's 504", raw(proxyStatus(504)), nil, codes.Unavailable, 1, 3},
		{"a proxy's 500", raw(proxyStatus(500)), nil, codes.Unknown, 1, 1},
		{"server stopped in the handler", stoppedInHandler, nil, codes.Unavailable, 1, 3},
		{"connection too old", maxAge, nil, codes.Unavailable, 1, 3},
		{"attempt timed out in the handler", timedOutInHandler, nil, codes.DeadlineExceeded, 1, 3},
		{"ClientConn closed in the handler", closedInHandler, nil, codes.Canceled, 1, 1},
	}
	for _, s := range rows {
		for _, method := range []string{create, get} {
			t.Run(s.name+method, func(t *testing.T) {
				t.Parallel()
				n := &counter{}
				cc := s.make(t, n)
				_, err := invoke(t.Context(), cc, method, "x")
				assert.Equal(t, s.code, status.Code(err), err)
				want := s.attempts
				if method == get {
					want = s.idempotent
				}
				assert.Equal(t, want, n.total(), err)
			})
		}
	}
}

// stoppedInHandler has a server that stops while a handler runs, and another server takes its
// place.
func stoppedInHandler(t *testing.T, n *counter) *grpc.ClientConn {
	r := manual.NewBuilderWithScheme("restart")
	var servers func() resolver.State
	servers = func() resolver.State {
		var server *grpc.Server
		var target string
		running := make(chan struct{})
		s := &shop{unary: func(ctx context.Context, _ int, _ string) (string, error) {
			<-running
			go func() {
				state := servers()
				server.Stop()
				r.UpdateState(state)
			}()
			<-ctx.Done()
			return "", ctx.Err()
		}}
		server, target, _ = tcp.serve(t, s)
		close(running)
		return resolver.State{Addresses: []resolver.Address{{Addr: target}}}
	}
	r.InitialState(servers())
	return dialed(t, n, "restart:///shop", []grpc.DialOption{plain, grpc.WithResolvers(r)}, retry.WithBackoff(retry.Constant(200*time.Millisecond)))
}

func maxAge(t *testing.T, n *counter) *grpc.ClientConn {
	s := blocked(t)
	age := keepalive.ServerParameters{MaxConnectionAge: shortly, MaxConnectionAgeGrace: time.Millisecond}
	_, target, dial := tcp.serve(t, s, grpc.KeepaliveParams(age))
	return dialed(t, n, target, dial)
}

func timedOutInHandler(t *testing.T, n *counter) *grpc.ClientConn {
	_, target, dial := tcp.serve(t, blocked(t))
	return dialed(t, n, target, dial, retry.WithAttemptTimeout(shortly))
}

func closedInHandler(t *testing.T, n *counter) *grpc.ClientConn {
	s := blocked(t)
	_, target, dial := tcp.serve(t, s)
	cc := dialed(t, n, target, dial)
	go func() {
		for s.calls.Load() == 0 {
			time.Sleep(time.Millisecond)
		}
		cc.Close()
	}()
	return cc
}

// TestTransparentRetries checks that grpc's own transparent retry stays on. It repeats a call once
// if the server provably did not process it, for any method.
func TestTransparentRetries(t *testing.T) {
	t.Parallel()
	for name, reply := range map[string]answer{"GOAWAY": goAway, "REFUSED_STREAM": reset(http2.ErrCodeRefusedStream)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serveRaw(t, func(n int, f *http2.Framer, conn net.Conn, stream uint32) {
				if n == 1 {
					reply(n, f, conn, stream)
					return
				}
				headers(f, stream, ":status", "200", "content-type", "application/grpc", "grpc-status", "5", "grpc-message", "done")
			})
			n := &counter{}
			_, err := invoke(t.Context(), dialed(t, n, s.addr, []grpc.DialOption{plain}), create, "x")
			assert.Equal(t, codes.NotFound, status.Code(err), err)
			assert.Equal(t, 1, n.total())
			assert.EqualValues(t, 2, s.requests.Load())
		})
	}
}
