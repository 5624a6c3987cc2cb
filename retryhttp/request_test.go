package retryhttp_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retryhttp"
)

// countingBody is a request's body that counts its closings, cannot be read after one, and
// hides what else Reader is.
type countingBody struct {
	io.Reader
	reads, closed atomic.Int64
}

func (b *countingBody) Read(p []byte) (int, error) {
	b.reads.Add(1)
	if b.closed.Load() > 0 {
		return 0, errors.New("read of a closed body")
	}
	return b.Reader.Read(p)
}

func (b *countingBody) Close() error {
	b.closed.Add(1)
	return nil
}

// requireClosedOnce waits for the body to be closed: net/http may do so after the answer.
func requireClosedOnce(t *testing.T, body *countingBody) {
	t.Helper()
	require.Eventually(t, func() bool { return body.closed.Load() > 0 }, time.Minute, 100*time.Microsecond)
	require.EqualValues(t, 1, body.closed.Load(), "the caller's body is closed once")
}

// refusedDial is what a dial to a closed port ends with.
var refusedDial = &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")}

// TestBodyClosedOnce holds that the caller's body is closed exactly once on every path, and
// whether it was sent again.
func TestBodyClosedOnce(t *testing.T) {
	t.Parallel()
	refuse := retry.WithGate(func(context.Context, retry.Attempt) (func(error), error) {
		return nil, retry.Permanent(errors.New("gate is shut"))
	})
	unread := func(err error) roundTripper {
		return func(req *http.Request) (*http.Response, error) {
			_ = req.Body.Close()
			return nil, err
		}
	}
	fails := func(err error) roundTripper {
		return func(req *http.Request) (*http.Response, error) {
			_, _ = io.Copy(io.Discard, req.Body)
			_ = req.Body.Close()
			_ = req.Body.Close() // one close too many is common
			return nil, err
		}
	}
	unreadReply := func(req *http.Request) (*http.Response, error) {
		_ = req.Body.Close()
		return reply(req, 503, ""), nil
	}
	dead, cancel := context.WithCancel(t.Context())
	cancel()
	tests := []struct {
		name     string
		base     http.RoundTripper
		statuses []int // in place of base
		method   string
		ctx      context.Context
		policy   *retry.Policy
		edit     func(*retryhttp.Transport)
		stream   int64 // attempts without GetBody
		getBody  int64 // attempts with
		buffered int64 // attempts without GetBody but with a buffer
	}{
		{name: "success", base: replies(200), stream: 1, getBody: 1, buffered: 1},
		{name: "success of the second", statuses: []int{503, 200}, stream: 1, getBody: 2, buffered: 2},
		{name: "exhausted", base: replies(503), stream: 1, getBody: 3, buffered: 3},
		{name: "final status", base: replies(404), stream: 1, getBody: 1, buffered: 1},
		{name: "refused status", base: replies(429), method: "POST", stream: 1, getBody: 3, buffered: 3},
		{name: "not idempotent", base: replies(503), method: "POST", stream: 1, getBody: 1, buffered: 1},
		{name: "dial error, unread", base: unread(refusedDial), method: "POST", stream: 3, getBody: 3, buffered: 3},
		{name: "status, unread", base: roundTripper(unreadReply), stream: 3, getBody: 3, buffered: 3},
		{name: "error after reading", base: fails(io.ErrUnexpectedEOF), stream: 1, getBody: 3, buffered: 3},
		{name: "dead context", base: replies(200), ctx: dead},
		{name: "gate refuses", base: replies(200), policy: quick(refuse)},
		{name: "budget refuses", base: replies(503), policy: quick(retry.WithBudget(retry.NewBudget(0, 0))), stream: 1, getBody: 1, buffered: 1},
		{
			name: "option fault", base: replies(200),
			policy: quick(retry.WithValidator(func(int, retry.Attempt) error { return nil })),
		},
		{name: "no context to end", base: replies(503), ctx: context.Background(), stream: 1, getBody: 3, buffered: 3},
		{name: "attempt timeout", base: replies(503), policy: quick(retry.WithAttemptTimeout(time.Hour)), stream: 1, getBody: 3, buffered: 3},
		{
			name: "headers added", base: replies(503), method: "POST", stream: 1, getBody: 3, buffered: 3,
			edit: func(tr *retryhttp.Transport) { tr.AddIdempotencyKey, tr.AttemptHeader = true, "X-Attempt" },
		},
	}
	for _, test := range tests {
		for kind, want := range map[string]int64{"stream": test.stream, "GetBody": test.getBody, "buffered": test.buffered} {
			t.Run(test.name+", "+kind, func(t *testing.T) {
				t.Parallel()
				var sent []string
				var mu sync.Mutex
				answer := test.base
				if answer == nil {
					answer = replies(test.statuses...)
				}
				base := &counter{base: roundTripper(func(req *http.Request) (*http.Response, error) {
					var read bytes.Buffer
					req.Body = readerCloser{io.TeeReader(req.Body, &read), req.Body}
					resp, err := answer.RoundTrip(req)
					mu.Lock()
					defer mu.Unlock()
					sent = append(sent, read.String())
					return resp, err
				})}
				tr := &retryhttp.Transport{Base: base, Policy: test.policy}
				if tr.Policy == nil {
					tr.Policy = quick()
				}
				if test.edit != nil {
					test.edit(tr)
				}
				method := test.method
				if method == "" {
					method = "PUT"
				}
				body := &countingBody{Reader: strings.NewReader("body")}
				req := newRequest(t, method, "http://host.example", body)
				var copies []*countingBody
				switch kind {
				case "GetBody":
					req.GetBody = func() (io.ReadCloser, error) {
						copies = append(copies, &countingBody{Reader: strings.NewReader("body")})
						return copies[len(copies)-1], nil
					}
				case "buffered":
					tr.MaxBodyBuffer = 4
				}
				if test.ctx != nil {
					req = req.WithContext(test.ctx)
				}

				resp, err := tr.RoundTrip(req)

				assert.True(t, (resp == nil) == (err != nil))
				assert.Equal(t, want, base.attempts.Load())
				assert.EqualValues(t, 1, body.closed.Load(), "the caller's body")
				for _, c := range copies {
					assert.EqualValues(t, 1, c.closed.Load(), "a copy of it")
				}
				if kind == "GetBody" && want > 0 {
					assert.Len(t, copies, int(want)-1)
				}
				for _, s := range sent {
					assert.Contains(t, []string{"", "body"}, s, "whole or unread")
				}
			})
		}
	}
}

type readerCloser struct {
	io.Reader
	io.Closer
}

// TestBodyWithdrawn holds that an attempt which ended has no more say about a stream that it
// did not read: its late Close does not close, its late Read does not take from what another
// attempt sends. A RoundTripper may do both after it returned.
func TestBodyWithdrawn(t *testing.T) {
	t.Parallel()
	body := &countingBody{Reader: strings.NewReader("body")}
	var first io.ReadCloser
	var sent string
	base := roundTripper(func(req *http.Request) (*http.Response, error) {
		if first == nil {
			first = req.Body
			return reply(req, 503, ""), nil // and will read the body afterwards, it thinks
		}
		half := make([]byte, 2)
		_, err := io.ReadFull(req.Body, half)
		assert.NoError(t, err)
		n, err := first.Read(make([]byte, 1))
		assert.Zero(t, n, "the first attempt is over")
		assert.Error(t, err)
		assert.NoError(t, first.Close())
		assert.Zero(t, body.closed.Load(), "not the first attempt's to close")
		rest, err := io.ReadAll(req.Body)
		assert.NoError(t, err)
		sent = string(half) + string(rest)
		assert.NoError(t, req.Body.Close())
		return reply(req, 200, ""), nil
	})
	resp, err := (&retryhttp.Transport{Base: base, Policy: quick()}).RoundTrip(newRequest(t, "PUT", "http://host.example", body))
	require.NoError(t, err)
	assert.Equal(t, 200, resp.StatusCode)
	assert.Equal(t, "body", sent)
	assert.EqualValues(t, 1, body.closed.Load())
}

// TestStreamReadLate has an attempt that is over begin to read the stream before the next one
// begins. In the wait the retry is certain: the read fails, and the next attempt sends the whole
// stream. Before it there may be no next one, but half a stream is never sent.
func TestStreamReadLate(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		hook func(read func()) retry.Hooks
		must bool // be sent again
	}{
		{"in the wait", func(read func()) retry.Hooks {
			return retry.Hooks{BeforeWait: func(context.Context, retry.Attempt) { time.AfterFunc(time.Second, read) }}
		}, true},
		{"before the wait", func(read func()) retry.Hooks {
			return retry.Hooks{AfterAttempt: func(_ context.Context, a retry.Attempt) {
				if a.Number == 1 {
					read()
				}
			}}
		}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				body := &countingBody{Reader: strings.NewReader("body")}
				var first io.ReadCloser
				var sent []string
				base := roundTripper(func(req *http.Request) (*http.Response, error) {
					if first == nil {
						first = req.Body
						return reply(req, 503, ""), nil // and goes on to send the body, it thinks
					}
					all, err := io.ReadAll(req.Body)
					assert.NoError(t, err)
					sent = append(sent, string(all))
					assert.NoError(t, req.Body.Close())
					return reply(req, 200, ""), nil
				})
				policy := quick(retry.WithBackoff(retry.Constant(2*time.Second)), retry.WithHooks(test.hook(func() {
					_, _ = first.Read(make([]byte, 2))
					_ = first.Close()
				})))
				_, err := (&retryhttp.Transport{Base: base, Policy: policy}).RoundTrip(newRequest(t, "PUT", "http://host.example", body))
				assert.True(t, err == nil || errors.Is(err, retry.ErrPermanent), "%v", err)
				if test.must || sent != nil {
					assert.Equal(t, []string{"body"}, sent)
				}
				assert.EqualValues(t, 1, body.closed.Load())
			})
		})
	}
}

// TestStreamUnread sends a stream that the first attempts do not get to read.
func TestStreamUnread(t *testing.T) {
	t.Parallel()
	for _, method := range []string{"PUT", "POST"} {
		t.Run("dial error, "+method, func(t *testing.T) {
			t.Parallel()
			s := serve(t, status(200))
			tr := direct(t)
			dials := 0
			tr.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
				if dials++; dials < 3 {
					return nil, refusedDial
				}
				return (&net.Dialer{}).DialContext(ctx, network, addr)
			}
			body := &countingBody{Reader: strings.NewReader("body")}
			resp, err := (&retryhttp.Transport{Base: tr, Policy: quick()}).RoundTrip(newRequest(t, method, s.URL, body))
			require.NoError(t, err)
			assert.Equal(t, "OK", text(t, resp))
			assert.Equal(t, "body", s.requests()[0].body)
			requireClosedOnce(t, body)
		})
	}
}

// TestExpectContinue holds that a stream which the server refused before it was sent is sent
// again. net/http itself sends the body of a refused request after all if the server keeps
// the connection: then the stream may count as read, but what arrives must be whole.
func TestExpectContinue(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, method, status, connection string
	}{
		{"503 and close", "PUT", "503 Service Unavailable", "close"},
		{"429 and close", "POST", "429 Too Many Requests", "close"},
		{"503 and keep", "PUT", "503 Service Unavailable", "keep-alive"},
		{"429 and keep", "POST", "429 Too Many Requests", "keep-alive"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			const want = "a body that is sent whole or not at all"
			for range 20 { // net/http decides in another goroutine
				var n atomic.Int64
				var got atomic.Value
				addr := listen(t, func(conn net.Conn) {
					reader := bufio.NewReader(conn)
					for {
						req, err := http.ReadRequest(reader)
						if err != nil {
							return
						}
						if n.Add(1) < 3 {
							_, _ = fmt.Fprintf(conn, "HTTP/1.1 %s\r\nConnection: %s\r\nContent-Length: 0\r\n\r\n", test.status, test.connection)
							if test.connection == "close" {
								return
							}
							_, _ = io.Copy(io.Discard, req.Body)
							continue
						}
						_, _ = io.WriteString(conn, "HTTP/1.1 100 Continue\r\n\r\n")
						all, _ := io.ReadAll(req.Body)
						got.Store(string(all))
						_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
					}
				})
				tr := direct(t)
				tr.ExpectContinueTimeout = time.Minute
				body := &countingBody{Reader: strings.NewReader(want)}
				req := newRequest(t, test.method, "http://"+addr, body)
				req.Header.Set("Expect", "100-continue")
				policy := quick(retry.WithBackoff(retry.Constant(time.Millisecond)))
				resp, err := (&retryhttp.Transport{Base: tr, Policy: policy}).RoundTrip(req)
				if test.connection == "keep-alive" && err != nil {
					require.ErrorIs(t, err, retry.ErrPermanent)
					requireClosedOnce(t, body)
					continue
				}
				require.NoError(t, err)
				_ = text(t, resp)
				if test.connection == "close" || resp.StatusCode == 200 {
					require.Equal(t, 200, resp.StatusCode)
					require.EqualValues(t, 3, n.Load())
					require.Equal(t, want, got.Load())
				}
				requireClosedOnce(t, body)
				tr.CloseIdleConnections()
			}
		})
	}
}

// TestRefusedAnswerIsReadable holds that the last answer to a stream that was not asked for is
// read to its end, though net/http goes on to send the stream on the same connection.
func TestRefusedAnswerIsReadable(t *testing.T) {
	t.Parallel()
	answer := strings.Repeat("busy", 64<<10)
	for range 10 {
		addr := listen(t, func(conn net.Conn) {
			req, err := http.ReadRequest(bufio.NewReader(conn))
			if err != nil {
				return
			}
			_, _ = fmt.Fprintf(conn, "HTTP/1.1 503 Service Unavailable\r\nContent-Length: %d\r\n\r\n", len(answer))
			_, _ = io.CopyN(io.Discard, req.Body, 1) // the stream arrives, or the client gives up
			_, _ = io.WriteString(conn, answer)
			waits(conn)
		})
		tr := direct(t)
		tr.ExpectContinueTimeout = time.Minute
		req := newRequest(t, "PUT", "http://"+addr, &countingBody{Reader: strings.NewReader("body")})
		req.Header.Set("Expect", "100-continue")
		resp, err := (&retryhttp.Transport{Base: tr, Policy: quick(retry.WithMaxAttempts(1))}).RoundTrip(req)
		require.NoError(t, err)
		require.Equal(t, answer, text(t, resp))
		tr.CloseIdleConnections()
	}
}

// TestStreamRead holds that a stream of which something was read is not sent again, and that
// the caller gets what happened.
func TestStreamRead(t *testing.T) {
	t.Parallel()
	t.Run("status", func(t *testing.T) {
		t.Parallel()
		s := serve(t, status(503))
		resp, err := (&retryhttp.Transport{Base: direct(t), Policy: quick()}).RoundTrip(
			newRequest(t, "PUT", s.URL, io.MultiReader(strings.NewReader("body"))))
		require.NoError(t, err)
		assert.Equal(t, 503, resp.StatusCode)
		assert.Equal(t, "Service Unavailable", text(t, resp))
		assert.Len(t, s.requests(), 1)
	})
	t.Run("error", func(t *testing.T) {
		t.Parallel()
		s := serve(t, hangUp)
		_, err := (&retryhttp.Transport{Base: direct(t), Policy: quick()}).RoundTrip(
			newRequest(t, "PUT", s.URL, io.MultiReader(strings.NewReader("body"))))
		require.ErrorIs(t, err, io.EOF)
		require.ErrorIs(t, err, retry.ErrPermanent)
		assert.Len(t, s.requests(), 1)
	})
}

// TestGetBody holds that every attempt after the first has a body of its own from GetBody.
func TestGetBody(t *testing.T) {
	t.Parallel()
	s := serve(t, status(503), status(503), status(200))
	req := newRequest(t, "PUT", s.URL, strings.NewReader("body"))
	get, calls := req.GetBody, 0
	req.GetBody = func() (io.ReadCloser, error) { calls++; return get() }
	resp, err := (&retryhttp.Transport{Base: direct(t), Policy: quick()}).RoundTrip(req)
	require.NoError(t, err)
	assert.Equal(t, "OK", text(t, resp))
	assert.Equal(t, 2, calls)
	for _, r := range s.requests() {
		assert.Equal(t, "body", r.body)
		assert.Equal(t, "4", r.header.Get("Content-Length"))
	}
}

func TestGetBodyFails(t *testing.T) {
	t.Parallel()
	fault := errors.New("file is gone")
	base := &counter{base: replies(503)}
	body := &countingBody{Reader: strings.NewReader("body")}
	req := newRequest(t, "PUT", "http://host.example", body)
	req.GetBody = func() (io.ReadCloser, error) { return nil, fault }
	_, err := (&retryhttp.Transport{Base: base, Policy: quick()}).RoundTrip(req)
	require.ErrorIs(t, err, fault)
	require.ErrorIs(t, err, retry.ErrPermanent)
	assert.EqualValues(t, 1, base.attempts.Load())
	assert.EqualValues(t, 1, body.closed.Load())
	assert.Zero(t, base.open.Load())
}

// TestRequestUnchanged holds that what the caller gave is as it was, whatever the transport
// adds to what it sends.
func TestRequestUnchanged(t *testing.T) {
	t.Parallel()
	for _, method := range []string{"GET", "POST", "PUT"} {
		for _, withHeader := range []bool{true, false} {
			for _, timeout := range []time.Duration{0, time.Hour} {
				var body io.Reader
				if method != "GET" {
					body = strings.NewReader("body")
				}
				req := newRequest(t, method, "http://user:password@host.example/path?query", body)
				if withHeader {
					req.Header = http.Header{"Accept": {"text/plain"}, "X-Attempt": {"mine"}}
				} else {
					req.Header = nil
				}
				before, header, address := *req, req.Header.Clone(), *req.URL
				seen := map[*http.Request]bool{}
				base := roundTripper(func(r *http.Request) (*http.Response, error) {
					seen[r] = true
					assert.NotNil(t, r.Header)
					return replies(503)(r)
				})
				tr := &retryhttp.Transport{
					Base: base, Policy: quick(retry.WithAttemptTimeout(timeout)),
					AddIdempotencyKey: true, AttemptHeader: "X-Attempt", MaxBodyBuffer: 1 << 10,
				}
				resp, err := tr.RoundTrip(req)
				require.NoError(t, err)
				assert.Same(t, req, resp.Request, "the response is to the caller's request")
				assert.Len(t, seen, 3, "a clone for each attempt")
				assert.False(t, seen[req])

				assert.Equal(t, header, req.Header)
				assert.Equal(t, address, *req.URL)
				before.GetBody, req.GetBody = nil, nil // functions do not compare
				assert.Equal(t, before, *req)
			}
		}
	}
}

// slowly returns a reader of a body of n bytes that comes in small parts.
func slowly(n int) io.Reader { return io.LimitReader(&letters{}, int64(n)) }

type letters struct{ at byte }

func (l *letters) Read(p []byte) (int, error) {
	p = p[:min(len(p), 7)]
	for i := range p {
		p[i] = 'a' + l.at%26
		l.at++
	}
	return len(p), nil
}

func TestMaxBodyBuffer(t *testing.T) {
	t.Parallel()
	const limit = 1000
	fault := errors.New("disk failed")
	for _, test := range []struct {
		name     string
		size     int
		length   int64 // as the request says; -1: unknown
		fails    bool
		limit    int64
		attempts int
	}{
		{name: "empty", size: 0, length: -1, limit: limit, attempts: 3},
		{name: "under", size: limit - 1, length: -1, limit: limit, attempts: 3},
		{name: "at", size: limit, length: -1, limit: limit, attempts: 3},
		{name: "over", size: limit + 1, length: -1, limit: limit, attempts: 1},
		{name: "far over", size: 100 * limit, length: -1, limit: limit, attempts: 1},
		{name: "at, length known", size: limit, length: limit, limit: limit, attempts: 3},
		{name: "over, length known", size: limit + 1, length: limit + 1, limit: limit, attempts: 1},
		{name: "none", size: 1, length: -1, limit: 0, attempts: 1},
		{name: "reader fails", size: limit / 2, length: -1, fails: true, limit: limit, attempts: 0},
		{name: "reader fails beyond the limit", size: 2 * limit, length: -1, fails: true, limit: limit, attempts: 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, status(503))
			want, _ := io.ReadAll(slowly(test.size))
			body := &countingBody{Reader: slowly(test.size)}
			if test.fails {
				body.Reader = io.MultiReader(body.Reader, failing{fault})
			}
			req := newRequest(t, "PUT", s.URL, body)
			req.ContentLength = test.length
			resp, err := (&retryhttp.Transport{Base: direct(t), Policy: quick(), MaxBodyBuffer: test.limit}).RoundTrip(req)
			requireClosedOnce(t, body)
			assert.Nil(t, req.GetBody)
			if test.fails {
				require.ErrorIs(t, err, fault)
				require.ErrorIs(t, err, retry.ErrPermanent, "the caller's reader is no matter of the network")
				return
			}
			require.NoError(t, err)
			assert.Equal(t, "Service Unavailable", text(t, resp))
			require.Len(t, s.requests(), test.attempts)
			for _, r := range s.requests() {
				assert.Equal(t, string(want), r.body)
			}
		})
	}
}

// TestTooLongForBuffer holds that a body which says that it is too long is not read first.
func TestTooLongForBuffer(t *testing.T) {
	t.Parallel()
	body := &countingBody{Reader: strings.NewReader("body")}
	base := roundTripper(func(req *http.Request) (*http.Response, error) {
		assert.Zero(t, body.reads.Load())
		_ = req.Body.Close()
		return reply(req, 200, ""), nil
	})
	req := newRequest(t, "PUT", "http://host.example", body)
	req.ContentLength = 4
	_, err := (&retryhttp.Transport{Base: base, Policy: quick(), MaxBodyBuffer: 3}).RoundTrip(req)
	require.NoError(t, err)
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// TestBufferingIsCancelled holds that a body which does not come does not hold the call when
// the caller's context ends.
func TestBufferingIsCancelled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, base := inMemory(t, status(200))
		reader, writer := io.Pipe()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		late := time.AfterFunc(time.Minute, func() { _ = writer.CloseWithError(errors.New("test gave up waiting")) })
		defer late.Stop()
		req := newRequest(t, "PUT", "http://host.example", reader).WithContext(ctx)
		start := time.Now()
		_, err := (&retryhttp.Transport{Base: base, Policy: quick(), MaxBodyBuffer: 100}).RoundTrip(req)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, time.Second, time.Since(start))
	})
}

// TestBufferingDeadContext holds that nothing is read of the body of a call that makes no
// attempt.
func TestBufferingDeadContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	body := &countingBody{Reader: strings.NewReader("body")}
	_, err := (&retryhttp.Transport{Base: replies(200), Policy: quick(), MaxBodyBuffer: 100}).RoundTrip(
		newRequest(t, "PUT", "http://host.example", body).WithContext(ctx))
	require.ErrorIs(t, err, context.Canceled)
	assert.Zero(t, body.reads.Load())
	assert.EqualValues(t, 1, body.closed.Load())
}

// interruptible is a body whose Read waits for Close, and then fails, as a file's or a
// socket's does.
type interruptible struct {
	once   sync.Once
	closed chan struct{}
}

func newInterruptible() *interruptible { return &interruptible{closed: make(chan struct{})} }

func (b *interruptible) Read([]byte) (int, error) {
	<-b.closed
	return 0, errors.New("file already closed")
}

func (b *interruptible) Close() error {
	b.once.Do(func() { close(b.closed) })
	return nil
}

// TestClosedReaderIsNoFault holds that a body's reader which fails because the transport
// closed it does not count as the caller's own reader failing.
func TestClosedReaderIsNoFault(t *testing.T) {
	t.Parallel()
	var n atomic.Int64
	base := roundTripper(func(req *http.Request) (*http.Response, error) {
		if n.Add(1) == 1 { // the connection is reset while the body is being read
			done := make(chan struct{})
			go func() {
				defer close(done)
				_, _ = req.Body.Read(make([]byte, 1))
			}()
			time.AfterFunc(time.Millisecond, func() { _ = req.Body.Close() })
			<-done
			return nil, io.ErrUnexpectedEOF
		}
		_ = req.Body.Close()
		return reply(req, 200, ""), nil
	})
	req := newRequest(t, "PUT", "http://host.example", newInterruptible())
	req.GetBody = func() (io.ReadCloser, error) { return newInterruptible(), nil }
	resp, err := (&retryhttp.Transport{Base: base, Policy: quick()}).RoundTrip(req)
	require.NoError(t, err)
	assert.Equal(t, 200, resp.StatusCode)
}

// TestCloseEndsRead holds that the transport can end a read of a stream that hangs.
func TestCloseEndsRead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		base := roundTripper(func(req *http.Request) (*http.Response, error) {
			time.AfterFunc(time.Second, func() { _ = req.Body.Close() })
			_, err := req.Body.Read(make([]byte, 1))
			return nil, err
		})
		body := newInterruptible()
		_, err := (&retryhttp.Transport{Base: base, Policy: quick()}).RoundTrip(newRequest(t, "PUT", "http://host.example", body))
		require.ErrorIs(t, err, retry.ErrPermanent, "it was read")
	})
}

// TestUploadGoesOn holds that a base may read and close the body after it has returned the
// answer: it is not closed behind its back.
func TestUploadGoesOn(t *testing.T) {
	t.Parallel()
	for _, first := range []string{"", "bo"} {
		for _, read := range []bool{true, false} {
			var sent io.ReadCloser
			base := roundTripper(func(req *http.Request) (*http.Response, error) {
				sent = req.Body
				_, err := io.ReadFull(sent, make([]byte, len(first)))
				return reply(req, 200, ""), err
			})
			body := &countingBody{Reader: strings.NewReader("body")}
			_, err := (&retryhttp.Transport{Base: base, Policy: quick()}).RoundTrip(newRequest(t, "PUT", "http://host.example", body))
			require.NoError(t, err)
			assert.Zero(t, body.closed.Load(), "the upload goes on")
			if read {
				rest, err := io.ReadAll(sent)
				require.NoError(t, err)
				assert.Equal(t, "body", first+string(rest))
			}
			require.NoError(t, sent.Close())
			require.NoError(t, sent.Close())
			assert.EqualValues(t, 1, body.closed.Load())
		}
	}
}

// TestEarlyAnswer has the server answer before it read a large upload.
func TestEarlyAnswer(t *testing.T) {
	t.Parallel()
	const size = 8 << 20
	for _, test := range []struct {
		name   string
		method string
		status int
		stream bool
		want   int
	}{
		{"idempotent", "PUT", 503, false, 200},
		{"refused", "POST", 429, false, 200},
		{"not idempotent", "POST", 503, false, 503},
		{"stream", "PUT", 503, true, 503},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var n atomic.Int64
			var got atomic.Int64
			s := newService(t)
			s.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if n.Add(1) == 1 {
					// Without this the server reads on for a while before it answers.
					_ = http.NewResponseController(w).EnableFullDuplex()
					_, _ = io.CopyN(io.Discard, r.Body, 1<<10)
					w.WriteHeader(test.status)
					_ = http.NewResponseController(w).Flush()
					return
				}
				size, _ := io.Copy(io.Discard, r.Body)
				got.Store(size)
			})
			s.Start()
			body := &countingBody{Reader: bytes.NewReader(make([]byte, size))}
			req := newRequest(t, test.method, s.URL, body)
			req.ContentLength = size
			if !test.stream {
				req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(make([]byte, size))), nil }
			}
			resp, err := (&retryhttp.Transport{Base: direct(t), Policy: quick()}).RoundTrip(req)
			if err != nil {
				// The server closed with data unread: its answer may be lost to a reset, which
				// allows no other attempt for these two.
				require.NotEqual(t, 200, test.want, err)
			} else {
				_ = resp.Body.Close()
				assert.Equal(t, test.want, resp.StatusCode)
			}
			if test.want == 200 {
				assert.EqualValues(t, size, got.Load())
			}
			requireClosedOnce(t, body)
		})
	}
}

func TestAddIdempotencyKey(t *testing.T) {
	t.Parallel()
	const key = "Idempotency-Key"
	for _, test := range []struct {
		name   string
		method string
		header http.Header
		added  bool
		sent   int // of three attempts against 503
	}{
		{name: "POST", method: "POST", added: true, sent: 3},
		{name: "PATCH", method: "PATCH", added: true, sent: 3},
		{name: "GET", method: "GET", sent: 3},
		{name: "PUT", method: "PUT", sent: 3},
		{name: "LOCK", method: "LOCK", sent: 1},
		{name: "own key", method: "POST", header: http.Header{key: {"mine"}}, sent: 3},
		{name: "own other key", method: "POST", header: http.Header{"X-Idempotency-Key": {"mine"}}, sent: 3},
		{name: "own key that is not sent", method: "POST", header: http.Header{key: {}}, sent: 3},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, status(503))
			tr := &retryhttp.Transport{Base: direct(t), Policy: quick(), AddIdempotencyKey: true}
			all := map[string]int{}
			for range 2 {
				req := newRequest(t, test.method, s.URL, nil)
				if test.header != nil {
					req.Header = test.header.Clone()
				}
				resp, err := tr.RoundTrip(req)
				require.NoError(t, err)
				_ = text(t, resp)
			}
			require.Len(t, s.requests(), 2*test.sent)
			for _, r := range s.requests() {
				assert.LessOrEqual(t, len(r.header.Values(key)), 1)
				all[r.header.Get(key)]++
			}
			switch {
			case test.added:
				assert.Len(t, all, 2, "one a call")
				assert.NotContains(t, all, "")
				for k, n := range all {
					assert.Equal(t, 3, n, "the same on every attempt")
					assert.GreaterOrEqual(t, len(k), 22, "128 bits")
				}
			default:
				assert.Equal(t, map[string]int{test.header.Get(key): 2 * test.sent}, all)
			}
		})
	}
}

// TestIdempotent holds which requests may be processed twice, by default and as told.
func TestIdempotent(t *testing.T) {
	t.Parallel()
	never := func(*http.Request) bool { return false }
	always := func(*http.Request) bool { return true }
	for _, test := range []struct {
		method string
		header http.Header
		ask    func(*http.Request) bool
		want   int64
	}{
		{method: "", want: 3},
		{method: "GET", want: 3},
		{method: "HEAD", want: 3},
		{method: "OPTIONS", want: 3},
		{method: "TRACE", want: 3},
		{method: "PUT", want: 3},
		{method: "DELETE", want: 3},
		{method: "POST", want: 1},
		{method: "PATCH", want: 1},
		{method: "CONNECT", want: 1},
		{method: "PROPFIND", want: 1},
		{method: "get", want: 1},
		{method: "POST", header: http.Header{"Idempotency-Key": {"k"}}, want: 3},
		{method: "POST", header: http.Header{"X-Idempotency-Key": {"k"}}, want: 3},
		{method: "POST", header: http.Header{"Idempotency-Key": nil}, want: 3}, // net/http's way not to send it
		{method: "PATCH", header: http.Header{"Idempotency-Key": {"k"}}, want: 3},
		{method: "POST", header: http.Header{"Accept": {"Idempotency-Key"}}, want: 1},
		{method: "GET", ask: never, want: 1},
		{method: "POST", ask: always, want: 3},
		{method: "POST", header: http.Header{"Idempotency-Key": {"k"}}, ask: never, want: 1},
	} {
		base := &counter{base: replies(503)}
		req := newRequest(t, "GET", "http://host.example", nil)
		req.Method, req.Header = test.method, test.header
		_, err := (&retryhttp.Transport{Base: base, Policy: quick(), IsIdempotent: test.ask}).RoundTrip(req)
		require.NoError(t, err)
		assert.Equal(t, test.want, base.attempts.Load(), "%q %v", test.method, test.header)
	}
}

func TestAttemptHeader(t *testing.T) {
	t.Parallel()
	s := serve(t, status(503), status(503), status(200))
	req := newRequest(t, "GET", s.URL, nil)
	req.Header.Set("X-Retry-Attempt", "forged")
	resp, err := (&retryhttp.Transport{Base: direct(t), Policy: quick(), AttemptHeader: "X-Retry-Attempt"}).RoundTrip(req)
	require.NoError(t, err)
	_ = text(t, resp)
	for i, r := range s.requests() {
		assert.Equal(t, []string{string(rune('1' + i))}, r.header.Values("X-Retry-Attempt"))
	}

	s = serve(t, status(200))
	resp, err = (&retryhttp.Transport{Base: direct(t), Policy: quick()}).RoundTrip(newRequest(t, "GET", s.URL, nil))
	require.NoError(t, err)
	_ = text(t, resp)
	assert.Equal(t, []string{"Accept-Encoding", "User-Agent"}, keys(s.requests()[0].header), "none by default")
}

func keys(h http.Header) []string {
	var names []string
	for _, name := range []string{"Accept-Encoding", "User-Agent", "X-Retry-Attempt", "Idempotency-Key"} {
		if h.Get(name) != "" {
			names = append(names, name)
		}
	}
	return names
}

// TestNoURL holds that requests which cannot be sent are reported and not a panic.
func TestNoURL(t *testing.T) {
	t.Parallel()
	for name, req := range map[string]*http.Request{
		"no URL":    {Method: "GET", Header: http.Header{}},
		"no header": {Method: "GET", URL: &url.URL{Scheme: "http", Host: "127.0.0.1:1"}},
	} {
		base := &counter{base: direct(t)}
		tr := &retryhttp.Transport{Base: base, Policy: quick(), HostBudget: retryhttp.HostBudgets(1, 1)}
		_, err := tr.RoundTrip(req)
		require.Error(t, err, name)
		assert.EqualValues(t, 1, base.attempts.Load(), name)
	}
}

// A body that fails, or has not the length that the request says, makes the transport close the connection,
// and which of the two it reports is a matter of chance: neither is retried, and the error says why.
func TestHiddenReason(t *testing.T) {
	t.Parallel()
	body := func(r io.Reader, length int64) func(*http.Request) {
		return func(req *http.Request) {
			req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(r), nil }
			req.Body, _ = req.GetBody()
			req.ContentLength = length
		}
	}
	for _, test := range []struct {
		name     string
		edit     func(*http.Request)
		attempts int
		text     string
	}{
		{"too short", withBody("body", 5), 1, "unexpected EOF (http: ContentLength=5 with Body length 4)"},
		{"too long", withBody("body", 3), 1, "unexpected EOF (http: ContentLength=3 with Body length 4)"},
		{"fails", body(failing{errDisk}, 5), 1, "unexpected EOF (disk failed)"},
		{"as it says", withBody("body", 4), 3, "unexpected EOF"},
		{"of unknown length", withBody("body", -1), 3, "unexpected EOF"},
		{"of no stated length", withBody("body", 0), 3, "unexpected EOF"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			attempts := 0
			transport := &retryhttp.Transport{Policy: quick(), Base: roundTripper(func(req *http.Request) (*http.Response, error) {
				attempts++
				_, _ = io.Copy(io.Discard, req.Body)
				return nil, io.ErrUnexpectedEOF
			})}
			req := newRequest(t, "PUT", "http://a.test", nil)
			test.edit(req)
			_, err := transport.RoundTrip(req)
			require.ErrorIs(t, err, io.ErrUnexpectedEOF)
			assert.Equal(t, test.attempts, attempts)
			var e *retry.Error
			require.ErrorAs(t, err, &e)
			assert.EqualError(t, e.Err, test.text)
		})
	}
}
