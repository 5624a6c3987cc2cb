package main

import (
	"crypto/x509"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"

	"github.com/seed-205ff063/retry"
)

// server does what a scenario says and records that.
type server struct {
	scenario *scenario
	http     *httptest.Server

	mu          sync.Mutex
	met         []string
	requests    int
	connections int
	heldConns   []net.Conn // of silentConn

	err error // of the server itself
}

func newServer(scenario *scenario) (*server, error) {
	s := &server{scenario: scenario, http: httptest.NewUnstartedServer(nil)}
	s.http.Config.Handler = s
	s.http.Config.ErrorLog = log.New(io.Discard, "", 0) // handshakes fail on purpose
	if scenario.names != nil {
		if err := scenario.names.start(); err != nil {
			return nil, err
		}
	}
	if scenario.refuse > 0 {
		return s, s.http.Listener.Close() // afterAttempt listens at the same port again
	}
	s.start()
	return s, nil
}

func (s *server) start() {
	s.http.Listener = faultyListener{Listener: s.http.Listener, server: s}
	if s.scenario.tls == nil {
		s.http.Start()
		return
	}
	s.http.TLS = s.scenario.tls.Clone()
	s.http.StartTLS()
}

// afterAttempt notes what the attempt met, and starts what it did not find.
func (s *server) afterAttempt(a retry.Attempt) {
	switch {
	case s.scenario.names != nil:
		s.note(s.scenario.names.afterAttempt())
	case a.Number < s.scenario.refuse:
		s.note("refused")
	case a.Number == s.scenario.refuse:
		s.note("refused")
		l, err := net.Listen("tcp", s.http.Listener.Addr().String())
		if err != nil {
			s.err = err
			return
		}
		s.http.Listener = l
		s.start()
	}
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	a := s.scenario.answers[min(s.requests, len(s.scenario.answers)-1)]
	s.requests++
	s.mu.Unlock()
	if r.Header.Get("Expect") == "" {
		// Read the whole body: closing a connection with unread data would reset it.
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			return // the client is gone; it is not certain that this is seen at all
		}
	}
	s.note(a.name)
	a.serve(w, r)
}

// url returns the server's URL.
func (s *server) url() string {
	scheme := "http://"
	if s.scenario.tls != nil {
		scheme = "https://"
	}
	host := s.http.Listener.Addr().String()
	if s.scenario.names != nil {
		_, port, _ := net.SplitHostPort(host)
		host = net.JoinHostPort("shop.test", port)
	}
	return scheme + host + "/orders?token=secret"
}

// rootCAs returns the authority of the server's certificate, or nil for plain HTTP.
func (s *server) rootCAs() *x509.CertPool {
	if s.scenario.tls == nil {
		return nil
	}
	pool := x509.NewCertPool()
	pool.AddCert(s.http.Certificate())
	return pool
}

func (s *server) note(what string) {
	if what == "" {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.met = append(s.met, what)
}

// close stops the server and waits for its requests. Afterwards nothing else uses s.
func (s *server) close() {
	s.http.Close()
	for _, conn := range s.heldConns {
		_ = conn.Close()
	}
	if s.scenario.names != nil {
		_ = s.scenario.names.conn.Close()
	}
}
