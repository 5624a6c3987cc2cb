package retryhttp_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
)

// What the tests of this package are made of: servers that misbehave, and bases that watch.

// quick returns a policy of three attempts without waits, unless the options say otherwise.
func quick(opts ...retry.Option) *retry.Policy {
	return retry.MustNew(append([]retry.Option{retry.WithBackoff(retry.Constant(0)), retry.WithMaxAttempts(3)}, opts...)...)
}

// roundTripper is a function used as a base.
type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// counter is a base that counts the attempts, and the bodies that are not closed.
type counter struct {
	base     http.RoundTripper
	attempts atomic.Int64
	open     atomic.Int64
}

func (c *counter) RoundTrip(req *http.Request) (*http.Response, error) {
	c.attempts.Add(1)
	resp, err := c.base.RoundTrip(req)
	if err == nil && resp.StatusCode != http.StatusSwitchingProtocols {
		c.open.Add(1)
		resp.Body = &watchedBody{ReadCloser: resp.Body, open: &c.open}
	}
	return resp, err
}

type watchedBody struct {
	io.ReadCloser
	once sync.Once
	open *atomic.Int64
}

func (b *watchedBody) Close() error {
	b.once.Do(func() { b.open.Add(-1) })
	return b.ReadCloser.Close()
}

// reply makes a response by hand, as a base may.
func reply(req *http.Request, status int, text string, header ...string) *http.Response {
	resp := &http.Response{
		Status: fmt.Sprintf("%d %s", status, http.StatusText(status)), StatusCode: status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{}, Body: io.NopCloser(bytes.NewBufferString(text)), ContentLength: int64(len(text)), Request: req,
	}
	for i := 0; i+1 < len(header); i += 2 {
		resp.Header.Set(header[i], header[i+1])
	}
	return resp
}

// replies is a base that consumes and closes the request's body, as every RoundTripper must,
// and answers with the statuses in turn, the last one repeating.
func replies(statuses ...int) roundTripper {
	var n atomic.Int64
	return func(req *http.Request) (*http.Response, error) {
		if req.Body != nil {
			_, _ = io.Copy(io.Discard, req.Body)
			_ = req.Body.Close()
		}
		i := min(int(n.Add(1)), len(statuses))
		return reply(req, statuses[i-1], fmt.Sprintf("answer %d", i)), nil
	}
}

// asked is a request as a server saw it.
type asked struct {
	method, path, body string
	header             http.Header
	at                 time.Time
}

// service is a server that answers request n as step n says, the last step repeating. It
// keeps what it was asked and counts its connections.
type service struct {
	*httptest.Server
	mu     sync.Mutex
	steps  []http.HandlerFunc
	asked  []asked
	opened atomic.Int64
	live   atomic.Int64
}

// newService makes a service that is not started.
func newService(t *testing.T, steps ...http.HandlerFunc) *service {
	t.Helper()
	s := &service{steps: steps}
	s.Server = httptest.NewUnstartedServer(s)
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			s.opened.Add(1)
			s.live.Add(1)
		case http.StateClosed, http.StateHijacked:
			s.live.Add(-1)
		case http.StateActive, http.StateIdle:
		}
	}
	s.Config.ErrorLog = quiet
	t.Cleanup(s.Close)
	return s
}

func serve(t *testing.T, steps ...http.HandlerFunc) *service {
	t.Helper()
	s := newService(t, steps...)
	s.Start()
	return s
}

func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	text, _ := io.ReadAll(r.Body)
	s.mu.Lock()
	s.asked = append(s.asked, asked{r.Method, r.URL.Path, string(text), r.Header.Clone(), time.Now()})
	step := s.steps[min(len(s.asked), len(s.steps))-1]
	s.mu.Unlock()
	r.Body = io.NopCloser(bytes.NewReader(text))
	step(w, r)
}

func (s *service) requests() []asked {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]asked(nil), s.asked...)
}

// status answers with it and a text that says it.
func status(code int, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(code)
		_, _ = io.WriteString(w, http.StatusText(code))
	}
}

// hangUp closes the connection without an answer; reset does so by a TCP reset.
func hangUp(w http.ResponseWriter, _ *http.Request) { _ = hijack(w).Close() }

func reset(w http.ResponseWriter, _ *http.Request) {
	conn := hijack(w)
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

// raw writes text in place of a response and closes the connection.
func raw(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		conn := hijack(w)
		_, _ = io.WriteString(conn, text)
		_ = conn.Close()
	}
}

func hijack(w http.ResponseWriter) net.Conn {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(err)
	}
	return conn
}

// direct returns a transport of the test's own.
func direct(t *testing.T) *http.Transport {
	t.Helper()
	tr := &http.Transport{}
	t.Cleanup(tr.CloseIdleConnections)
	return tr
}

// newRequest makes a request with the test's context.
func newRequest(t *testing.T, method, url string, body io.Reader) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, body)
	require.NoError(t, err)
	return req
}

// text reads and closes the response's body.
func text(t *testing.T, resp *http.Response) string {
	t.Helper()
	all, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	return string(all)
}

// listen returns the address of a server that is a function of the connection.
func listen(t *testing.T, handle func(net.Conn)) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var wg sync.WaitGroup
	var conns []net.Conn
	accepted := make(chan struct{})
	go func() {
		defer close(accepted)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			conns = append(conns, conn)
			wg.Go(func() {
				defer func() { _ = conn.Close() }()
				handle(conn)
			})
		}
	}()
	t.Cleanup(func() {
		_ = l.Close()
		<-accepted
		for _, conn := range conns {
			_ = conn.Close()
		}
		wg.Wait()
	})
	return l.Addr().String()
}

// pipes is a network in memory: a listener, and the dial function that reaches it. It lets a
// client and a server live in a bubble of virtual time.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func newPipes() *pipes { return &pipes{conns: make(chan net.Conn), done: make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.conns:
		return conn, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { p.once.Do(func() { close(p.done) }); return nil }
func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "pipe"} }

func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case p.conns <- server:
		return client, nil
	case <-p.done:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// inMemory starts a server of the steps within a bubble and returns it with a transport that
// reaches it. Both end with the test.
func inMemory(t *testing.T, steps ...http.HandlerFunc) (*service, *http.Transport) {
	t.Helper()
	network := newPipes()
	s := &service{steps: steps}
	server := &http.Server{Handler: s, ErrorLog: quiet, ReadHeaderTimeout: time.Hour}
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = server.Serve(network)
	}()
	tr := &http.Transport{DialContext: network.dial}
	t.Cleanup(func() {
		tr.CloseIdleConnections()
		_ = server.Close()
		<-served
	})
	return s, tr
}
