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

// server follows a scenario's script and records what it did.
type server struct {
	script *scenario
	http   *httptest.Server

	mu          sync.Mutex
	met         []string
	requests    int
	connections int
	held        []net.Conn // behind a door that does not open

	err error // of the server itself
}

func newServer(script *scenario) (*server, error) {
	s := &server{script: script, http: httptest.NewUnstartedServer(nil)}
	s.http.Config.Handler = s
	s.http.Config.ErrorLog = log.New(io.Discard, "", 0) // that handshakes fail is intended
	if script.names != nil {
		if err := script.names.start(); err != nil {
			return nil, err
		}
	}
	if script.refuse > 0 {
		return s, s.http.Listener.Close() // its port is known and will be used
	}
	s.start()
	return s, nil
}

func (s *server) start() {
	s.http.Listener = doorman{s.http.Listener, s}
	if s.script.tls == nil {
		s.http.Start()
		return
	}
	s.http.TLS = s.script.tls.Clone()
	s.http.StartTLS()
}

// afterAttempt brings up what the client has missed often enough.
func (s *server) afterAttempt(a retry.Attempt) {
	switch {
	case s.script.names != nil:
		s.note(s.script.names.afterAttempt())
	case a.Number < s.script.refuse:
		s.note("refused")
	case a.Number == s.script.refuse:
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
	a := s.script.answers[min(s.requests, len(s.script.answers)-1)]
	s.requests++
	s.mu.Unlock()
	if r.Header.Get("Expect") == "" {
		// Read all: to close a connection with something unread would reset it.
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			return // the client broke off; it may be gone before half a request is seen at all
		}
	}
	s.note(a.name)
	a.serve(w, r)
}

// url returns where a client finds the server.
func (s *server) url() string {
	scheme := "http://"
	if s.script.tls != nil {
		scheme = "https://"
	}
	host := s.http.Listener.Addr().String()
	if s.script.names != nil {
		_, port, _ := net.SplitHostPort(host)
		host = net.JoinHostPort("shop.test", port)
	}
	return scheme + host + "/orders?token=secret"
}

// authority returns who signed the server's certificate, nil if it has none.
func (s *server) authority() *x509.CertPool {
	if s.script.tls == nil {
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

// close waits for the requests that are still with the server. After it s belongs to the
// caller alone.
func (s *server) close() {
	s.http.Close()
	for _, conn := range s.held {
		_ = conn.Close()
	}
	if s.script.names != nil {
		_ = s.script.names.conn.Close()
	}
}
