package retryhttp_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
)

// silentProxy forwards connections to a server. After a call of silence the open connections
// carry nothing more, as if a router between the two had lost its state.
type silentProxy struct {
	addr   string
	opened atomic.Int64

	mu    sync.Mutex
	conns []*silentConn
}

type silentConn struct {
	net.Conn
	silent atomic.Bool
}

// Read discards what arrives while the connection is silent.
func (c *silentConn) Read(p []byte) (int, error) {
	for {
		n, err := c.Conn.Read(p)
		if err != nil || !c.silent.Load() {
			return n, err
		}
	}
}

func newSilentProxy(t *testing.T, to string) *silentProxy {
	t.Helper()
	p := &silentProxy{}
	p.addr = listen(t, func(client net.Conn) {
		server, err := (&net.Dialer{}).DialContext(context.Background(), "tcp", to)
		if err != nil {
			return
		}
		defer func() { _ = server.Close() }()
		p.opened.Add(1)
		conn := &silentConn{Conn: client}
		p.mu.Lock()
		p.conns = append(p.conns, conn)
		p.mu.Unlock()
		go func() {
			_, _ = io.Copy(onlyWriter{client}, server)
			_ = client.Close()
		}()
		_, _ = io.Copy(server, conn)
	})
	return p
}

// onlyWriter hides methods that would splice past silentConn's Read.
type onlyWriter struct{ io.Writer }

// silence silences the connections that are open now.
func (p *silentProxy) silence() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, conn := range p.conns {
		conn.silent.Store(true)
	}
}

// attemptLimit is the timeout of an attempt that gets no answer. It must suffice for an attempt
// that succeeds on a busy machine. Tests that wait for it run at once, see runAtOnce.
const attemptLimit = 2 * time.Second

// runAtOnce runs a subtest for each name, all at once. The subtests mostly wait, and t.Parallel
// runs no more of them than there are processors.
func runAtOnce(t *testing.T, names []string, test func(t *testing.T, name string)) {
	t.Helper()
	var wg sync.WaitGroup
	for _, name := range names {
		wg.Go(func() { t.Run(name, func(t *testing.T) { test(t, name) }) })
	}
	wg.Wait()
}

// protocols set up servers and transports whose connections may die.
var protocols = map[string]func(s *testServer, tr *http.Transport){
	"HTTP/1": func(s *testServer, _ *http.Transport) { s.Start() },
	"HTTP/1 over TLS": func(s *testServer, tr *http.Transport) {
		s.StartTLS()
		tr.TLSClientConfig = s.Client().Transport.(*http.Transport).TLSClientConfig
	},
	"HTTP/2": func(s *testServer, tr *http.Transport) {
		s.EnableHTTP2 = true
		s.StartTLS()
		tr.TLSClientConfig = s.Client().Transport.(*http.Transport).TLSClientConfig
		tr.ForceAttemptHTTP2 = true
	},
	"HTTP/2 without TLS": func(s *testServer, tr *http.Transport) {
		s.Config.Protocols = new(http.Protocols)
		s.Config.Protocols.SetUnencryptedHTTP2(true)
		tr.Protocols = new(http.Protocols)
		tr.Protocols.SetUnencryptedHTTP2(true)
		s.Start()
	},
}

// serveBehindProxy starts a server behind a proxy that can go silent.
func serveBehindProxy(t *testing.T, protocol string, steps ...http.HandlerFunc) (*silentProxy, *http.Transport, string) {
	t.Helper()
	s := newTestServer(t, steps...)
	tr := newTransport(t)
	protocols[protocol](s, tr)
	proxy := newSilentProxy(t, s.Listener.Addr().String())
	scheme, _, _ := strings.Cut(s.URL, ":")
	return proxy, tr, scheme + "://" + proxy.addr
}

// get requests the URL through the base alone.
func get(t *testing.T, base http.RoundTripper, url string) {
	t.Helper()
	resp, err := base.RoundTrip(newRequest(t, "GET", url, nil))
	require.NoError(t, err)
	_ = readBody(t, resp)
}

// countAttempts returns an option that counts attempts.
func countAttempts() (*atomic.Int64, retry.Option) {
	n := new(atomic.Int64)
	return n, retry.WithHooks(retry.Hooks{AfterAttempt: func(context.Context, retry.Attempt) { n.Add(1) }})
}
