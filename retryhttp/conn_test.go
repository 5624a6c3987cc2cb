package retryhttp_test

import (
	"context"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retryhttp"
)

// silentProxy forwards connections to a server. Those that are open when it is told so carry
// nothing more, without a word: as when a machine between the two has lost its state.
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

// Read reads on, so that what is sent is taken, and passes nothing on.
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

// short is how long an attempt may take that gets no answer, and one that must succeed on a busy
// machine. Tests that wait for it run beside each other, see together.
const short = 2 * time.Second

// together runs a subtest for each name, all at once: they wait more than they work, and
// t.Parallel runs no more of them than there are processors.
func together(t *testing.T, names []string, test func(t *testing.T, name string)) {
	t.Helper()
	var wg sync.WaitGroup
	for _, name := range names {
		wg.Go(func() { t.Run(name, func(t *testing.T) { test(t, name) }) })
	}
	wg.Wait()
}

// pools are the transports whose connections may die: HTTP/1, HTTP/2 over TLS and without.
var pools = map[string]func(s *service, tr *http.Transport){
	"HTTP/1": func(s *service, _ *http.Transport) { s.Start() },
	"HTTP/1 over TLS": func(s *service, tr *http.Transport) {
		s.StartTLS()
		tr.TLSClientConfig = s.Client().Transport.(*http.Transport).TLSClientConfig
	},
	"HTTP/2": func(s *service, tr *http.Transport) {
		s.EnableHTTP2 = true
		s.StartTLS()
		tr.TLSClientConfig = s.Client().Transport.(*http.Transport).TLSClientConfig
		tr.ForceAttemptHTTP2 = true
	},
	"HTTP/2 without TLS": func(s *service, tr *http.Transport) {
		s.Config.Protocols = new(http.Protocols)
		s.Config.Protocols.SetUnencryptedHTTP2(true)
		tr.Protocols = new(http.Protocols)
		tr.Protocols.SetUnencryptedHTTP2(true)
		s.Start()
	},
}

// deadPool makes a service behind a proxy that can go silent.
func deadPool(t *testing.T, pool string, steps ...http.HandlerFunc) (*silentProxy, *http.Transport, string) {
	t.Helper()
	s := newService(t, steps...)
	tr := direct(t)
	pools[pool](s, tr)
	proxy := newSilentProxy(t, s.Listener.Addr().String())
	scheme, _, _ := strings.Cut(s.URL, ":")
	return proxy, tr, scheme + "://" + proxy.addr
}

// ask gets the URL through the base alone.
func ask(t *testing.T, base http.RoundTripper, url string) {
	t.Helper()
	resp, err := base.RoundTrip(newRequest(t, "GET", url, nil))
	require.NoError(t, err)
	_ = text(t, resp)
}

// TestDeadConnection holds that the attempt after one that timed out without an answer has a
// connection of its own, through each of the ways to have a time-out.
func TestDeadConnection(t *testing.T) {
	t.Parallel()
	limited := retry.WithAttemptTimeout(short)
	ways := map[string]func(t *testing.T, tr *http.Transport, req *http.Request, hooks retry.Option) error{
		"attempt timeout": func(t *testing.T, tr *http.Transport, req *http.Request, hooks retry.Option) error {
			t.Helper()
			resp, err := (&retryhttp.Transport{Base: tr, Policy: quick(limited, hooks)}).RoundTrip(req)
			if err == nil {
				_ = text(t, resp)
			}
			return err
		},
		"wrapped base": func(t *testing.T, tr *http.Transport, req *http.Request, hooks retry.Option) error {
			t.Helper()
			resp, err := (&retryhttp.Transport{Base: roundTripper(tr.RoundTrip), Policy: quick(limited, hooks)}).RoundTrip(req)
			if err == nil {
				_ = text(t, resp)
			}
			return err
		},
		"response header timeout": func(t *testing.T, tr *http.Transport, req *http.Request, hooks retry.Option) error {
			t.Helper()
			resp, err := (&retryhttp.Transport{Base: tr, Policy: quick(hooks, retry.WithBackoff(retry.Constant(20*time.Millisecond)))}).RoundTrip(req)
			if err == nil {
				_ = text(t, resp)
			}
			return err
		},
		"Do": func(t *testing.T, tr *http.Transport, req *http.Request, hooks retry.Option) error {
			t.Helper()
			_, err := retryhttp.Do(&http.Client{Transport: tr}, req, decodeText, quick(limited, hooks))
			return err
		},
		"Do, client's timeout": func(t *testing.T, tr *http.Transport, req *http.Request, hooks retry.Option) error {
			t.Helper()
			_, err := retryhttp.Do(&http.Client{Transport: tr, Timeout: short}, req, decodeText, quick(hooks))
			return err
		},
	}
	for pool := range pools {
		for _, method := range []string{"GET", "PUT"} {
			t.Run(pool+", "+method, func(t *testing.T) {
				t.Parallel()
				together(t, slices.Sorted(maps.Keys(ways)), func(t *testing.T, way string) {
					t.Helper()
					proxy, tr, url := deadPool(t, pool, status(200))
					ask(t, tr, url)
					if way == "response header timeout" {
						tr.ResponseHeaderTimeout = short
					}
					proxy.silence()
					attempts, count := counting()
					var body io.Reader
					if method == "PUT" {
						body = strings.NewReader("body")
					}
					require.NoError(t, ways[way](t, tr, newRequest(t, method, url, body), count))
					assert.EqualValues(t, 2, attempts.Load(), "attempts")
					assert.GreaterOrEqual(t, proxy.opened.Load(), int64(2), "connections")
					assert.LessOrEqual(t, proxy.opened.Load(), int64(3), "net/http may dial once more than it needs")
				})
			})
		}
	}
}

// counting returns an option that counts attempts.
func counting() (*atomic.Int64, retry.Option) {
	n := new(atomic.Int64)
	return n, retry.WithHooks(retry.Hooks{AfterAttempt: func(context.Context, retry.Attempt) { n.Add(1) }})
}

// TestDeadIdleConnections holds that idle connections of HTTP/1 are left as well, all at once:
// each of them would take an attempt.
func TestDeadIdleConnections(t *testing.T) {
	t.Parallel()
	const idle = 6
	var arrived sync.WaitGroup
	arrived.Add(idle)
	proxy, tr, url := deadPool(t, "HTTP/1", func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/together" {
			arrived.Done()
			arrived.Wait()
		}
	})
	tr.MaxIdleConnsPerHost = idle
	var wg sync.WaitGroup
	for range idle {
		wg.Go(func() { ask(t, tr, url+"/together") })
	}
	wg.Wait()
	require.EqualValues(t, idle, proxy.opened.Load())
	proxy.silence()
	attempts, count := counting()
	policy := quick(retry.WithAttemptTimeout(short), count)
	resp, err := (&retryhttp.Transport{Base: tr, Policy: policy}).RoundTrip(newRequest(t, "GET", url, nil))
	require.NoError(t, err)
	_ = text(t, resp)
	assert.EqualValues(t, 2, attempts.Load())
	assert.EqualValues(t, idle+1, proxy.opened.Load())
}

// TestLiveConnectionsStay holds that a connection that answered during the silent attempt is
// used for the next one.
func TestLiveConnectionsStay(t *testing.T) {
	t.Parallel()
	var slow atomic.Bool
	slow.Store(true)
	proxy, tr, url := deadPool(t, "HTTP/1", func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" && slow.CompareAndSwap(true, false) {
			<-r.Context().Done()
		}
	})
	ask(t, tr, url)
	policy := quick(retry.WithAttemptTimeout(3*short), retry.WithHooks(retry.Hooks{BeforeWait: func(context.Context, retry.Attempt) {}}))
	done := make(chan error, 1)
	go func() {
		resp, err := (&retryhttp.Transport{Base: tr, Policy: policy}).RoundTrip(newRequest(t, "GET", url+"/slow", nil))
		if err == nil {
			_ = resp.Body.Close()
		}
		done <- err
	}()
	time.Sleep(short)
	ask(t, tr, url) // by a second connection
	require.NoError(t, <-done)
	assert.EqualValues(t, 2, proxy.opened.Load())
}

// TestDeadBusyConnection holds that the other streams of an HTTP/2 connection get a chance: it
// is closed when a second attempt in a row timed out.
func TestDeadBusyConnection(t *testing.T) {
	t.Parallel()
	together(t, []string{"HTTP/2", "HTTP/2 without TLS"}, func(t *testing.T, pool string) {
		t.Helper()
		proxy, tr, url := deadPool(t, pool, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/stream" {
				_ = http.NewResponseController(w).Flush()
				<-r.Context().Done()
			}
		})
		stream, err := tr.RoundTrip(newRequest(t, "GET", url+"/stream", nil))
		require.NoError(t, err)
		defer func() { _ = stream.Body.Close() }()
		proxy.silence()
		attempts, count := counting()
		policy := quick(retry.WithAttemptTimeout(short), retry.WithMaxAttempts(4), count)
		resp, err := (&retryhttp.Transport{Base: tr, Policy: policy}).RoundTrip(newRequest(t, "GET", url, nil))
		require.NoError(t, err)
		_ = text(t, resp)
		assert.EqualValues(t, 3, attempts.Load(), "the third by a new connection")
		assert.GreaterOrEqual(t, proxy.opened.Load(), int64(2))
		_, err = stream.Body.Read(make([]byte, 1))
		require.Error(t, err, "the old one is closed")
	})
}

// TestSlowAnswerKeepsConnection holds that a time-out on a connection with another stream leaves
// that stream alone, and an answer in between begins the count anew.
func TestSlowAnswerKeepsConnection(t *testing.T) {
	t.Parallel()
	var n atomic.Int64
	proxy, tr, url := deadPool(t, "HTTP/2", func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/stream":
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		case n.Add(1)%2 == 1:
			<-r.Context().Done() // every other request hangs
		}
	})
	stream, err := tr.RoundTrip(newRequest(t, "GET", url+"/stream", nil))
	require.NoError(t, err)
	defer func() { _ = stream.Body.Close() }()
	ours := &retryhttp.Transport{Base: tr, Policy: quick(retry.WithAttemptTimeout(short))}
	for range 4 {
		resp, err := ours.RoundTrip(newRequest(t, "GET", url, nil))
		require.NoError(t, err)
		_ = text(t, resp)
	}
	assert.EqualValues(t, 8, n.Load())
	assert.EqualValues(t, 1, proxy.opened.Load())
}

// TestDeadConnectionOfAnotherCall holds that the next call does not get the connection either.
func TestDeadConnectionOfAnotherCall(t *testing.T) {
	t.Parallel()
	together(t, slices.Sorted(maps.Keys(pools)), func(t *testing.T, pool string) {
		t.Helper()
		proxy, tr, url := deadPool(t, pool, status(200))
		ask(t, tr, url)
		proxy.silence()
		ours := &retryhttp.Transport{Base: tr, Policy: quick(retry.WithAttemptTimeout(short), retry.WithMaxAttempts(1))}
		_, err := ours.RoundTrip(newRequest(t, "GET", url, nil))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		resp, err := ours.RoundTrip(newRequest(t, "GET", url, nil))
		require.NoError(t, err)
		_ = text(t, resp)
		assert.EqualValues(t, 2, proxy.opened.Load())
	})
}

// TestDeadConnectionUnsafe holds that leaving a connection sends no request twice that must not
// be, and none that can be sent is lost.
func TestDeadConnectionUnsafe(t *testing.T) {
	t.Parallel()
	var n atomic.Int64
	proxy, tr, url := deadPool(t, "HTTP/2", func(http.ResponseWriter, *http.Request) { n.Add(1) })
	ask(t, tr, url)
	proxy.silence()
	ours := &retryhttp.Transport{Base: tr, Policy: quick(retry.WithAttemptTimeout(short))}
	_, err := ours.RoundTrip(newRequest(t, "POST", url, strings.NewReader("body")))
	require.ErrorIs(t, err, retry.ErrPermanent)
	for range 3 {
		resp, err := ours.RoundTrip(newRequest(t, "POST", url, strings.NewReader("body")))
		require.NoError(t, err)
		_ = text(t, resp)
	}
	assert.EqualValues(t, 4, n.Load())
	assert.EqualValues(t, 2, proxy.opened.Load())
}
