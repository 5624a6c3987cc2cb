package retryhttp_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retryhttp"
)

// connectProxy is an HTTP proxy. It answers the first CONNECT requests with the given texts,
// and connects the others.
type connectProxy struct {
	url   *url.URL
	asked atomic.Int64
}

func newConnectProxy(t *testing.T, answers ...string) *connectProxy {
	t.Helper()
	p := &connectProxy{}
	addr := listen(t, func(conn net.Conn) {
		req, err := http.ReadRequest(bufio.NewReader(conn))
		if err != nil || req.Method != http.MethodConnect {
			return
		}
		if n := int(p.asked.Add(1)); n <= len(answers) {
			_, _ = io.WriteString(conn, answers[n-1])
			return
		}
		_, _ = io.WriteString(conn, "HTTP/1.1 200 Connection established\r\n\r\n")
		tunnel(conn, req.Host)
	})
	p.url = &url.URL{Scheme: "http", Host: addr}
	return p
}

// tunnel connects conn to the address.
func tunnel(conn net.Conn, addr string) {
	to, err := (&net.Dialer{}).DialContext(context.Background(), "tcp", addr)
	if err != nil {
		return
	}
	defer func() { _ = to.Close() }()
	go func() {
		_, _ = io.Copy(conn, to)
		_ = conn.Close()
	}()
	_, _ = io.Copy(to, conn)
}

// proxyTransport returns a transport that uses the proxy and trusts the server's certificate.
func proxyTransport(t *testing.T, s *testServer, proxy *url.URL) *http.Transport {
	t.Helper()
	tr := newTransport(t)
	tr.Proxy = http.ProxyURL(proxy)
	tr.TLSClientConfig = s.Client().Transport.(*http.Transport).TLSClientConfig
	return tr
}

func serveTLS(t *testing.T, steps ...http.HandlerFunc) *testServer {
	t.Helper()
	s := newTestServer(t, steps...)
	s.StartTLS()
	return s
}

// connectStatus returns a proxy's answer with the status and the phrase.
func connectStatus(code int, phrase string, headers string) string {
	return fmt.Sprintf("HTTP/1.1 %d %s\r\n%sContent-Length: 0\r\n\r\n", code, phrase, headers)
}

// TestConnectTable checks the table's rows for a proxy's answers to CONNECT: for each status,
// for idempotent requests and others, for the Transport and Do.
func TestConnectTable(t *testing.T) {
	t.Parallel()
	for _, code := range []int{300, 302, 400, 401, 403, 404, 405, 407, 408, 409, 410, 421, 425, 429, 451, 500, 501, 502, 503, 504, 505, 511} {
		passes := map[int]bool{408: true, 429: true, 500: true, 502: true, 503: true, 504: true}[code]
		for _, method := range []string{"GET", "POST"} {
			for _, way := range []string{"Transport", "Do", "wrapped base", "Check"} {
				t.Run(fmt.Sprintf("%d, %s, %s", code, method, way), func(t *testing.T) {
					t.Parallel()
					s := serveTLS(t, status(200))
					answer := connectStatus(code, http.StatusText(code), "")
					proxy := newConnectProxy(t, answer, answer)
					base := proxyTransport(t, s, proxy.url)
					if way == "Check" {
						base.OnProxyConnectResponse = checkConnect
					}
					err := sendThrough(t, way, base, newRequest(t, method, s.URL, nil))
					if passes {
						require.NoError(t, err)
						assert.EqualValues(t, 3, proxy.asked.Load())
						assert.Len(t, s.requests(), 1)
						return
					}
					require.ErrorIs(t, err, retry.ErrPermanent)
					assert.EqualValues(t, 1, proxy.asked.Load(), "%v", err)
					assert.Empty(t, s.requests())
				})
			}
		}
	}
}

// checkConnect is an OnProxyConnectResponse that returns the status and the hint.
func checkConnect(_ context.Context, _ *url.URL, _ *http.Request, resp *http.Response) error {
	return retryhttp.Check(resp)
}

func sendThrough(t *testing.T, way string, base *http.Transport, req *http.Request) error {
	t.Helper()
	policy := quickPolicy()
	if way == "Do" {
		_, err := retryhttp.Do(&http.Client{Transport: base}, req, decodeText, policy)
		return err
	}
	tr := &retryhttp.Transport{Base: base, Policy: policy}
	if way == "wrapped base" {
		tr.Base = roundTripper(base.RoundTrip)
	}
	resp, err := tr.RoundTrip(req)
	if err == nil {
		_ = readBody(t, resp)
	}
	return err
}

// TestConnectOwnPhrase checks that a request is not repeated if the proxy refuses it with a
// phrase of its own. The refusal may be one of credentials.
func TestConnectOwnPhrase(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]string{
		"words":      connectStatus(407, "Who are you?", ""),
		"no words":   "HTTP/1.1 407\r\nContent-Length: 0\r\n\r\n",
		"lower case": connectStatus(407, "proxy authentication required", ""),
	} {
		for _, way := range []string{"Transport", "Do"} {
			t.Run(name+", "+way, func(t *testing.T) {
				t.Parallel()
				s := serveTLS(t, status(200))
				proxy := newConnectProxy(t, answer, answer)
				err := sendThrough(t, way, proxyTransport(t, s, proxy.url), newRequest(t, "GET", s.URL, nil))
				require.ErrorIs(t, err, retry.ErrPermanent)
				assert.EqualValues(t, 1, proxy.asked.Load())
			})
		}
	}
}

// TestConnectBreaksOff checks that the request is repeated if the proxy hangs up.
func TestConnectBreaksOff(t *testing.T) {
	t.Parallel()
	s := serveTLS(t, status(200))
	proxy := newConnectProxy(t, "", "HTTP/1.1 200")
	err := sendThrough(t, "Transport", proxyTransport(t, s, proxy.url), newRequest(t, "POST", s.URL, nil))
	require.NoError(t, err)
	assert.EqualValues(t, 3, proxy.asked.Load())
}

// TestConnectHint checks that a proxy's hint is obeyed if net/http passes it on, and that the
// error names the CONNECT request.
func TestConnectHint(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		network := newMemoryNetwork()
		go func() {
			for {
				conn, err := network.Accept()
				if err != nil {
					return
				}
				_, _ = http.ReadRequest(bufio.NewReader(conn))
				_, _ = io.WriteString(conn, connectStatus(503, "Busy", "Retry-After: 9\r\n"))
				_ = conn.Close()
			}
		}()
		base := &http.Transport{
			DialContext: network.dial, OnProxyConnectResponse: checkConnect,
			Proxy: http.ProxyURL(&url.URL{Scheme: "http", Host: "proxy.example"}),
		}
		start := time.Now()
		_, err := (&retryhttp.Transport{Base: base, Policy: quickPolicy(retry.WithMaxAttempts(2), retry.WithJitter(retry.NoJitter))}).
			RoundTrip(newRequest(t, "POST", "https://host.example/path", nil))
		require.ErrorIs(t, err, retry.ErrExhausted)
		assert.Equal(t, 9*time.Second, time.Since(start))
		var status *retryhttp.StatusError
		require.ErrorAs(t, err, &status)
		assert.Equal(t, "CONNECT host.example:443: 503 Busy", status.Error())
		_ = network.Close()
		synctest.Wait()
	})
}

// TestDialErrorWithoutProxy checks that a dialer's error does not count as a proxy's refusal.
func TestDialErrorWithoutProxy(t *testing.T) {
	t.Parallel()
	base := newTransport(t)
	base.DialContext = func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("no tunnel") }
	counted, count := countAttempts()
	_, err := (&retryhttp.Transport{Base: base, Policy: quickPolicy(count)}).RoundTrip(newRequest(t, "GET", "https://host.example", nil))
	require.ErrorIs(t, err, retry.ErrExhausted)
	assert.EqualValues(t, 3, counted.Load())
}
