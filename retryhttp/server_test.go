package retryhttp_test

import (
	"bytes"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// receivedRequest is a request as a server received it.
type receivedRequest struct {
	method, path, body string
	header             http.Header
	at                 time.Time
}

// testServer is a server that answers its nth request with the nth step, and repeats the last
// step. It records the requests and counts its connections.
type testServer struct {
	*httptest.Server
	mu       sync.Mutex
	steps    []http.HandlerFunc
	received []receivedRequest
	opened   atomic.Int64
	live     atomic.Int64
}

// newTestServer returns a server that is not started.
func newTestServer(t *testing.T, steps ...http.HandlerFunc) *testServer {
	t.Helper()
	s := &testServer{steps: steps}
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
	s.Config.ErrorLog = noLog
	t.Cleanup(s.Close)
	return s
}

func serve(t *testing.T, steps ...http.HandlerFunc) *testServer {
	t.Helper()
	s := newTestServer(t, steps...)
	s.Start()
	return s
}

func (s *testServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	text, _ := io.ReadAll(r.Body)
	s.mu.Lock()
	s.received = append(s.received, receivedRequest{r.Method, r.URL.Path, string(text), r.Header.Clone(), time.Now()})
	step := s.steps[min(len(s.received), len(s.steps))-1]
	s.mu.Unlock()
	r.Body = io.NopCloser(bytes.NewReader(text))
	step(w, r)
}

func (s *testServer) requests() []receivedRequest {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]receivedRequest(nil), s.received...)
}

// status answers with the status and its text.
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

// raw writes text instead of a response and closes the connection.
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

var noLog = log.New(io.Discard, "", 0)
