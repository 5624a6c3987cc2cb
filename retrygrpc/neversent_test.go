package retrygrpc_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/resolver"
	"google.golang.org/grpc/resolver/manual"
	"google.golang.org/grpc/status"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrygrpc"
)

// situation is a way to fail.
type situation struct {
	name       string
	make       func(t *testing.T, n *counter) *grpc.ClientConn // n counts the attempts
	opts       []grpc.CallOption
	code       codes.Code
	attempts   int // of a call that is not idempotent
	idempotent int // of one that is
}

// silent returns an address that accepts connections and never answers.
func silent(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { conn.Close() })
		}
	}()
	return l.Addr().String()
}

// credentialsOf are credentials for a call. They fail with err.
type credentialsOf struct{ err error }

func (c credentialsOf) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	return nil, c.err
}

func (credentialsOf) RequireTransportSecurity() bool { return false }

const shortly = 200 * time.Millisecond

// neverSent returns the ways to fail before a call reaches a transport.
func neverSent() []situation {
	at := func(target func(t *testing.T) string, dial ...grpc.DialOption) func(*testing.T, *counter) *grpc.ClientConn {
		return func(t *testing.T, n *counter) *grpc.ClientConn {
			return dialed(t, n, target(t), append([]grpc.DialOption{plain}, dial...))
		}
	}
	within := func(target func(t *testing.T) string) func(*testing.T, *counter) *grpc.ClientConn {
		return func(t *testing.T, n *counter) *grpc.ClientConn {
			return dialed(t, n, target(t), []grpc.DialOption{plain}, retry.WithAttemptTimeout(shortly))
		}
	}
	creds := func(err error) []grpc.CallOption {
		return []grpc.CallOption{grpc.PerRPCCredentials(credentialsOf{err})}
	}
	wait := []grpc.CallOption{grpc.WaitForReady(true)}
	return []situation{
		{"dial refused", at(refused), nil, codes.Unavailable, 3, 3},
		{"name not found", at(func(*testing.T) string { return "dns:///no-such-host.invalid:1" }), nil, codes.Unavailable, 3, 3},
		{"no addresses", noAddresses, nil, codes.Unavailable, 3, 3},
		{"TLS to a server without TLS", tlsToPlain, nil, codes.Unavailable, 3, 3},
		{"certificate not known", unknownAuthority, nil, codes.Unavailable, 3, 3},
		{"no TLS to a server with TLS", plainToTLS, nil, codes.Unavailable, 3, 3},
		{"server never speaks", within(silent), nil, codes.DeadlineExceeded, 3, 3},
		{"wait for ready", within(refused), wait, codes.DeadlineExceeded, 3, 3},
		{"no free stream", noFreeStream, nil, codes.DeadlineExceeded, 3, 3},
		{"server stops while the call is queued", queuedThenStopped, nil, codes.Unavailable, 3, 3},
		{"server has stopped", serverStopped, nil, codes.Unavailable, 3, 3},
		{"credentials unavailable for now", working, creds(status.Error(codes.Unavailable, "no token yet")), codes.Unavailable, 3, 3},
		{"credentials refused", working, creds(errors.New("wrong password")), codes.Internal, 1, 1},
		{"credentials rejected", working, creds(status.Error(codes.Unauthenticated, "no")), codes.Unauthenticated, 1, 1},
		{"credentials fail", working, creds(status.Error(codes.Internal, "no")), codes.Internal, 1, 1},
		{"compressor missing", working, []grpc.CallOption{grpc.UseCompressor("none such")}, codes.Internal, 1, 1},
		{"metadata invalid", invalidMetadata, nil, codes.Internal, 1, 1},
		{"ClientConn closed", closedBefore, nil, codes.Canceled, 1, 1},
		{"headers above the limit", largeHeaders, nil, codes.Internal, 1, 1},
	}
}

// TestNeverSent checks that a call with proof that it reached no transport is repeated for any
// method, if the status is worth it.
func TestNeverSent(t *testing.T) {
	t.Parallel()
	for _, s := range neverSent() {
		for _, method := range []string{create, get, appends, list} {
			t.Run(s.name+method, func(t *testing.T) {
				t.Parallel()
				n := &counter{}
				cc := s.make(t, n)
				before := n.total()
				err := call(t.Context(), cc, method, "x", s.opts...)
				assert.Equal(t, s.code, status.Code(err), err)
				want := s.attempts
				if method == get || method == list {
					want = s.idempotent
				}
				assert.Equal(t, want, n.total()-before, err)
			})
		}
	}
}

func noAddresses(t *testing.T, n *counter) *grpc.ClientConn {
	r := manual.NewBuilderWithScheme("empty")
	r.InitialState(resolver.State{})
	return dialed(t, n, "empty:///shop", []grpc.DialOption{plain, grpc.WithResolvers(r)})
}

func tlsToPlain(t *testing.T, n *counter) *grpc.ClientConn {
	_, target, _ := tcp.serve(t, flaky(0, nil))
	return dialed(t, n, target, []grpc.DialOption{grpc.WithTransportCredentials(credentials.NewTLS(&tls.Config{MinVersion: tls.VersionTLS13}))})
}

// certified starts a server with a certificate that no client trusts.
func certified(t *testing.T) string {
	web := httptest.NewUnstartedServer(nil)
	web.StartTLS()
	defer web.Close()
	creds := credentials.NewServerTLSFromCert(&web.TLS.Certificates[0])
	_, target, _ := tcp.serve(t, flaky(0, nil), grpc.Creds(creds))
	return target
}

func unknownAuthority(t *testing.T, n *counter) *grpc.ClientConn {
	creds := credentials.NewTLS(&tls.Config{MinVersion: tls.VersionTLS13, RootCAs: x509.NewCertPool()})
	return dialed(t, n, certified(t), []grpc.DialOption{grpc.WithTransportCredentials(creds)})
}

func plainToTLS(t *testing.T, n *counter) *grpc.ClientConn {
	return dialed(t, n, certified(t), []grpc.DialOption{plain})
}

// working returns a client of a server that works.
func working(t *testing.T, n *counter) *grpc.ClientConn {
	_, target, dial := tcp.serve(t, flaky(0, nil))
	return dialed(t, n, target, dial)
}

// occupied returns a client whose connection has one stream and allows no other.
func occupied(t *testing.T, n *counter, opts ...retry.Option) (*grpc.Server, *grpc.ClientConn) {
	s := blocked(t)
	server, target, dial := tcp.serve(t, s, grpc.MaxConcurrentStreams(1))
	cc := dialed(t, n, target, dial, opts...)
	go invoke(t.Context(), cc, get, "x", retrygrpc.WithPolicy(retry.MustNew(retry.WithMaxAttempts(1))))
	require.Eventually(t, func() bool { return s.calls.Load() == 1 }, 5*time.Second, time.Millisecond)
	return server, cc
}

func noFreeStream(t *testing.T, n *counter) *grpc.ClientConn {
	_, cc := occupied(t, n, retry.WithAttemptTimeout(shortly))
	return cc
}

func queuedThenStopped(t *testing.T, n *counter) *grpc.ClientConn {
	server, cc := occupied(t, n)
	go func() {
		time.Sleep(shortly)
		server.Stop()
	}()
	return cc
}

func serverStopped(t *testing.T, n *counter) *grpc.ClientConn {
	server, target, dial := tcp.serve(t, flaky(0, nil))
	cc := dialed(t, n, target, dial)
	_, err := invoke(t.Context(), cc, get, "x")
	require.NoError(t, err)
	for state := cc.GetState(); state != connectivity.Ready; state = cc.GetState() {
		require.True(t, cc.WaitForStateChange(t.Context(), state)) // a call can be earlier than the state
	}
	server.Stop()
	for cc.GetState() == connectivity.Ready {
		require.True(t, cc.WaitForStateChange(t.Context(), connectivity.Ready))
	}
	return cc
}

func invalidMetadata(t *testing.T, n *counter) *grpc.ClientConn {
	_, target, dial := tcp.serve(t, flaky(0, nil))
	bad := func(ctx context.Context) context.Context {
		return metadata.AppendToOutgoingContext(ctx, "name", "\x00")
	}
	return dialed(t, n, target, dial, retry.WithHooks(retry.Hooks{Start: bad}))
}

func closedBefore(t *testing.T, n *counter) *grpc.ClientConn {
	_, target, dial := tcp.serve(t, flaky(0, nil))
	cc := dialed(t, n, target, dial)
	cc.Close()
	return cc
}

func largeHeaders(t *testing.T, n *counter) *grpc.ClientConn {
	_, target, dial := tcp.serve(t, flaky(0, nil), grpc.MaxHeaderListSize(1000))
	large := func(ctx context.Context) context.Context {
		return metadata.AppendToOutgoingContext(ctx, "name", strings.Repeat("a", 2000))
	}
	cc := dialed(t, n, target, dial, retry.WithHooks(retry.Hooks{Start: large}))
	_, err := invoke(t.Context(), cc, get, "x", retrygrpc.WithPolicy(nil)) // receives the server's settings
	require.NoError(t, err)
	return cc
}
