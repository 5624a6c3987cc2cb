package retryhttp_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retryhttp"
)

// echo switches to a protocol that sends back what it receives.
func echo(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Upgrade") != "echo" {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	conn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(err)
	}
	defer func() { _ = conn.Close() }()
	_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
	_, _ = io.Copy(conn, buffered)
}

// TestUpgrade checks that the body of a 101 is the connection, and that it outlives the
// attempt's timeout.
func TestUpgrade(t *testing.T) {
	t.Parallel()
	s := serve(t, status(503), echo)
	tr := &retryhttp.Transport{Base: newTransport(t), Policy: quickPolicy(retry.WithAttemptTimeout(200 * time.Millisecond))}
	req := newRequest(t, "GET", s.URL, nil)
	req.Header.Set("Connection", "Upgrade")
	req.Header.Set("Upgrade", "echo")
	resp, err := tr.RoundTrip(req)
	require.NoError(t, err)
	require.Equal(t, http.StatusSwitchingProtocols, resp.StatusCode)
	conn, ok := resp.Body.(io.ReadWriteCloser)
	require.True(t, ok, "%T", resp.Body)
	defer func() { _ = conn.Close() }()
	assert.Equal(t, "hello", exchange(t, conn, "hello"))
	<-time.After(250 * time.Millisecond) // the transport runs in real time
	assert.Equal(t, "again", exchange(t, conn, "again"))
}

func exchange(t *testing.T, conn io.ReadWriter, text string) string {
	t.Helper()
	_, err := io.WriteString(conn, text)
	require.NoError(t, err)
	got := make([]byte, len(text))
	_, err = io.ReadFull(conn, got)
	require.NoError(t, err)
	return string(got)
}

// TestReverseProxy checks a Transport in a reverse proxy, for clients that know nothing of it.
func TestReverseProxy(t *testing.T) {
	t.Parallel()
	backend := serve(t, status(503), status(200), hangUp, status(200), status(503), echo)
	target, err := url.Parse(backend.URL)
	require.NoError(t, err)
	proxy := &httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(target) },
		Transport: &retryhttp.Transport{Base: newTransport(t), Policy: quickPolicy(retry.WithAttemptTimeout(time.Minute)), MaxBodyBuffer: 100},
		ErrorLog:  noLog,
	}
	front := httptest.NewServer(proxy)
	t.Cleanup(front.Close)
	client := &http.Client{Transport: newTransport(t)}

	resp, err := client.Do(newRequest(t, "GET", front.URL+"/status", nil))
	require.NoError(t, err)
	assert.Equal(t, "OK", readBody(t, resp))

	resp, err = client.Do(newRequest(t, "PUT", front.URL+"/upload", io.MultiReader(strings.NewReader("upload"))))
	require.NoError(t, err)
	assert.Equal(t, "OK", readBody(t, resp))
	seen := backend.requests()
	require.Len(t, seen, 4)
	assert.Equal(t, []string{"upload", "upload"}, []string{seen[2].body, seen[3].body})

	conn, err := (&net.Dialer{}).DialContext(context.Background(), "tcp", strings.TrimPrefix(front.URL, "http://"))
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	_, err = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: front\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
	require.NoError(t, err)
	reader := bufio.NewReader(conn)
	upgraded, err := http.ReadResponse(reader, nil) //nolint:bodyclose // it is the connection
	require.NoError(t, err)
	require.Equal(t, http.StatusSwitchingProtocols, upgraded.StatusCode)
	assert.Equal(t, "hello", exchange(t, struct {
		io.Reader
		io.Writer
	}{reader, conn}, "hello"))
	assert.Len(t, backend.requests(), 6)
}
