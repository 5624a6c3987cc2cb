package retryhttp_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retryhttp"
)

// continueServer refuses two requests before their body is sent, and asks for the body of the
// third.
type continueServer struct {
	addr     string
	requests atomic.Int64
	got      atomic.Value // the body of the third
}

func newContinueServer(t *testing.T, status, connection string) *continueServer {
	t.Helper()
	s := &continueServer{}
	s.addr = listen(t, func(conn net.Conn) {
		reader := bufio.NewReader(conn)
		for {
			req, err := http.ReadRequest(reader)
			if err != nil {
				return
			}
			if s.requests.Add(1) < 3 {
				_, _ = fmt.Fprintf(conn, "HTTP/1.1 %s\r\nConnection: %s\r\nContent-Length: 0\r\n\r\n", status, connection)
				if connection == "close" {
					return
				}
				_, _ = io.Copy(io.Discard, req.Body)
				continue
			}
			_, _ = io.WriteString(conn, "HTTP/1.1 100 Continue\r\n\r\n")
			all, _ := io.ReadAll(req.Body)
			s.got.Store(string(all))
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
		}
	})
	return s
}

// TestExpectContinue checks that a stream which the server refused before it was sent is sent
// again. If the server keeps the connection, net/http sends the body of the refused request
// after all. Then the stream may count as read, but what arrives must be whole.
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
				server := newContinueServer(t, test.status, test.connection)
				tr := newTransport(t)
				tr.ExpectContinueTimeout = time.Minute
				body := &countingBody{Reader: strings.NewReader(want)}
				req := newRequest(t, test.method, "http://"+server.addr, body)
				req.Header.Set("Expect", "100-continue")
				policy := quickPolicy(retry.WithBackoff(retry.Constant(time.Millisecond)))
				resp, err := (&retryhttp.Transport{Base: tr, Policy: policy}).RoundTrip(req)
				if test.connection == "keep-alive" && err != nil {
					require.ErrorIs(t, err, retry.ErrPermanent)
					requireClosedOnce(t, body)
					continue
				}
				require.NoError(t, err)
				_ = readBody(t, resp)
				if test.connection == "close" || resp.StatusCode == 200 {
					require.Equal(t, 200, resp.StatusCode)
					require.EqualValues(t, 3, server.requests.Load())
					require.Equal(t, want, server.got.Load())
				}
				requireClosedOnce(t, body)
				tr.CloseIdleConnections()
			}
		})
	}
}

// TestRefusedAnswerIsReadable checks that the caller can read the last response to its end if
// the server did not ask for the stream. net/http still sends the stream on the same
// connection.
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
			holdOpen(conn)
		})
		tr := newTransport(t)
		tr.ExpectContinueTimeout = time.Minute
		req := newRequest(t, "PUT", "http://"+addr, &countingBody{Reader: strings.NewReader("body")})
		req.Header.Set("Expect", "100-continue")
		resp, err := (&retryhttp.Transport{Base: tr, Policy: quickPolicy(retry.WithMaxAttempts(1))}).RoundTrip(req)
		require.NoError(t, err)
		require.Equal(t, answer, readBody(t, resp))
		tr.CloseIdleConnections()
	}
}

type earlyAnswerTest struct {
	name   string
	method string
	status int
	stream bool
	want   int
}

// earlyAnswerTests are the answers of a server that has not read the whole upload.
var earlyAnswerTests = []earlyAnswerTest{
	{"idempotent", "PUT", 503, false, 200},
	{"refused", "POST", 429, false, 200},
	{"not idempotent", "POST", 503, false, 503},
	{"stream", "PUT", 503, true, 503},
}

// TestEarlyAnswer checks an answer that comes before the server has read a large upload.
func TestEarlyAnswer(t *testing.T) {
	t.Parallel()
	const size = 8 << 20
	for _, test := range earlyAnswerTests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var n atomic.Int64
			var got atomic.Int64
			s := newTestServer(t)
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
			resp, err := (&retryhttp.Transport{Base: newTransport(t), Policy: quickPolicy()}).RoundTrip(req)
			if err != nil {
				// The server closed the connection with data unread, so a reset may have replaced
				// its answer. Then there is no other attempt for these two.
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
