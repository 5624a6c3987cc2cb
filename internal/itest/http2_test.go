package itest_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retryhttp"
)

// connection is the server's end of an HTTP/2 connection, frame by frame.
type connection struct {
	net.Conn
	*http2.Framer
	body bytes.Buffer // of the current request
}

// answer writes a response. The stream stays open unless end is true.
func (c *connection) answer(stream uint32, status, text string, end bool) {
	var block bytes.Buffer
	_ = hpack.NewEncoder(&block).WriteField(hpack.HeaderField{Name: ":status", Value: status})
	_ = c.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: block.Bytes(), EndHeaders: true})
	_ = c.WriteData(stream, end, []byte(text))
}

// raw is an HTTP/2 server without TLS.
type raw struct {
	url      string
	requests atomic.Int64
	conns    atomic.Int64
}

// serve starts a server that calls react at the end of its n-th request.
func serve(t *testing.T, react func(c *connection, n int64, stream uint32)) *raw {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := &raw{url: "http://" + l.Addr().String()}
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
			s.conns.Add(1)
			conns = append(conns, conn)
			wg.Go(func() { s.handle(conn, react) })
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
	return s
}

func (s *raw) handle(conn net.Conn, react func(c *connection, n int64, stream uint32)) {
	defer func() { _ = conn.Close() }()
	if _, err := io.ReadFull(conn, make([]byte, len(http2.ClientPreface))); err != nil {
		return
	}
	c := &connection{Conn: conn, Framer: http2.NewFramer(conn, conn)}
	_ = c.WriteSettings()
	for {
		frame, err := c.ReadFrame()
		if err != nil {
			return
		}
		switch f := frame.(type) {
		case *http2.SettingsFrame:
			if !f.IsAck() {
				_ = c.WriteSettingsAck()
			}
		case *http2.DataFrame:
			c.body.Write(f.Data())
			if f.StreamEnded() {
				react(c, s.requests.Add(1), f.StreamID)
			}
		case *http2.HeadersFrame:
			if f.StreamEnded() {
				react(c, s.requests.Add(1), f.StreamID)
			}
		}
	}
}

// client returns a Transport that speaks HTTP/2 without TLS, and counts its attempts.
func client(t *testing.T, opts ...retry.Option) (*retryhttp.Transport, *atomic.Int64) {
	t.Helper()
	base := &http.Transport{Protocols: new(http.Protocols)}
	base.Protocols.SetUnencryptedHTTP2(true)
	t.Cleanup(base.CloseIdleConnections)
	attempts := new(atomic.Int64)
	count := retry.WithHooks(retry.Hooks{AfterAttempt: func(context.Context, retry.Attempt) { attempts.Add(1) }})
	policy := retry.MustNew(append([]retry.Option{retry.WithBackoff(retry.Constant(0)), retry.WithMaxAttempts(3), count}, opts...)...)
	return &retryhttp.Transport{Base: base, Policy: policy}, attempts
}

func TestHTTP2(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		method string
		fail   func(c *connection, stream uint32) // how the first two requests end
		want   int64                              // attempts
	}{
		// net/http itself repeats a refused request, within one attempt.
		{"refused", "GET", func(c *connection, stream uint32) { _ = c.WriteRSTStream(stream, http2.ErrCodeRefusedStream) }, 1},
		{"refused, POST", "POST", func(c *connection, stream uint32) { _ = c.WriteRSTStream(stream, http2.ErrCodeRefusedStream) }, 1},
		{"reset", "GET", func(c *connection, stream uint32) { _ = c.WriteRSTStream(stream, http2.ErrCodeInternal) }, 3},
		{"GOAWAY with an error", "GET", func(c *connection, stream uint32) {
			_ = c.WriteGoAway(stream, http2.ErrCodeInternal, nil)
			_ = c.Close()
		}, 3},
		{"GOAWAY before the stream", "POST", func(c *connection, _ uint32) { _ = c.WriteGoAway(0, http2.ErrCodeNo, nil) }, 1},
		{"503", "GET", func(c *connection, stream uint32) { c.answer(stream, "503", "busy", true) }, 3},
		{"429, POST", "POST", func(c *connection, stream uint32) { c.answer(stream, "429", "busy", true) }, 3},
		{"503 that does not end", "GET", func(c *connection, stream uint32) { c.answer(stream, "503", "busy", false) }, 3},
		{"503, then reset", "GET", func(c *connection, stream uint32) {
			c.answer(stream, "503", "busy", false)
			_ = c.WriteRSTStream(stream, http2.ErrCodeInternal)
		}, 3},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, func(c *connection, n int64, stream uint32) {
				if n < 3 {
					test.fail(c, stream)
					return
				}
				c.answer(stream, "200", "hello", true)
			})
			tr, attempts := client(t, retry.WithAttemptTimeout(5*time.Second))
			start := time.Now()
			resp, err := tr.RoundTrip(get(t, test.method, s.url))
			require.NoError(t, err)
			text, err := io.ReadAll(resp.Body)
			require.NoError(t, err)
			require.NoError(t, resp.Body.Close())
			assert.Equal(t, "hello", string(text))
			assert.Equal(t, test.want, attempts.Load())
			assert.EqualValues(t, 3, s.requests.Load())
			assert.Less(t, time.Since(start), 4*time.Second)
		})
	}
}

// TestHTTP2NotSafe checks that a POST is not sent again if it may have been processed.
func TestHTTP2NotSafe(t *testing.T) {
	t.Parallel()
	for name, fail := range map[string]func(c *connection, stream uint32){
		"reset": func(c *connection, stream uint32) { _ = c.WriteRSTStream(stream, http2.ErrCodeInternal) },
		"GOAWAY with an error": func(c *connection, stream uint32) {
			_ = c.WriteGoAway(stream, http2.ErrCodeInternal, nil)
			_ = c.Close()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, func(c *connection, _ int64, stream uint32) { fail(c, stream) })
			tr, _ := client(t)
			_, err := tr.RoundTrip(get(t, "POST", s.url))
			require.ErrorIs(t, err, retry.ErrPermanent)
			assert.EqualValues(t, 1, s.requests.Load())
		})
	}
}

// TestHTTP2Body checks that each attempt sends the whole body, on one connection.
func TestHTTP2Body(t *testing.T) {
	t.Parallel()
	var sizes []int
	s := serve(t, func(c *connection, n int64, stream uint32) {
		sizes = append(sizes, c.body.Len())
		c.body.Reset()
		if n < 3 {
			c.answer(stream, "503", "busy", true)
			return
		}
		c.answer(stream, "200", "hello", true)
	})
	tr, attempts := client(t)
	req, err := http.NewRequestWithContext(t.Context(), "PUT", s.url, strings.NewReader(strings.Repeat("x", 10_000)))
	require.NoError(t, err)
	resp, err := tr.RoundTrip(req)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	assert.Equal(t, http.StatusOK, resp.StatusCode)
	assert.EqualValues(t, 3, attempts.Load())
	assert.EqualValues(t, 1, s.conns.Load())
	assert.Equal(t, []int{10_000, 10_000, 10_000}, sizes)
}

// TestHTTP2BodyBreaksOff checks that Do makes another attempt after a response was reset half way.
func TestHTTP2BodyBreaksOff(t *testing.T) {
	t.Parallel()
	s := serve(t, func(c *connection, n int64, stream uint32) {
		c.answer(stream, "200", "hello", n == 3)
		if n < 3 {
			_ = c.WriteRSTStream(stream, http2.ErrCodeInternal)
		}
	})
	tr, attempts := client(t)
	got, err := retryhttp.Do(&http.Client{Transport: tr}, get(t, "GET", s.url), func(resp *http.Response) (string, error) {
		text, err := io.ReadAll(resp.Body)
		return string(text), err
	})
	require.NoError(t, err)
	assert.Equal(t, "hello", got)
	assert.EqualValues(t, 3, attempts.Load())
}
