package main

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
)

// requestID is the header by which the server recognizes a request that is sent again.
const requestID = "X-Request-ID"

// flakyServer answers each request with 503 and a body first, and with 200 when it is sent again.
type flakyServer struct {
	*httptest.Server

	body string // the body of a 503
	seen sync.Map

	mu    sync.Mutex
	conns map[net.Conn]http.ConnState
	total int
}

func newFlakyServer(errorBody int) *flakyServer {
	s := &flakyServer{
		body:  strings.Repeat(".", errorBody),
		conns: make(map[net.Conn]http.ConnState),
	}
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(s.serve))
	s.Config.ConnState = s.track
	s.Start()
	return s
}

func (s *flakyServer) serve(w http.ResponseWriter, r *http.Request) {
	if _, again := s.seen.LoadOrStore(r.Header.Get(requestID), true); again {
		_, _ = io.WriteString(w, "done\n")
		return
	}
	w.WriteHeader(http.StatusServiceUnavailable)
	_, _ = io.WriteString(w, s.body)
}

func (s *flakyServer) track(conn net.Conn, state http.ConnState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch state {
	case http.StateNew:
		s.total++
		s.conns[conn] = state
	case http.StateClosed, http.StateHijacked:
		delete(s.conns, conn)
	default:
		s.conns[conn] = state
	}
}

// open returns how many connections are open.
func (s *flakyServer) open() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.conns)
}

// opened returns how many connections were opened so far.
func (s *flakyServer) opened() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.total
}

func (s *flakyServer) close() {
	s.CloseClientConnections()
	s.Close()
}
