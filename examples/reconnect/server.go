package main

import (
	"fmt"
	"net"
	"sync"
	"time"
)

// server sends messages and drops connections.
type server struct {
	listener net.Listener
	outage   bool
	done     sync.WaitGroup

	mu     sync.Mutex
	conns  map[net.Conn]bool
	dialed int
}

func newServer(outage bool) (*server, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &server{listener: l, outage: outage, conns: map[net.Conn]bool{}}
	s.done.Go(s.accept)
	return s, nil
}

func (s *server) address() string { return s.listener.Addr().String() }

func (s *server) accept() {
	for {
		conn, err := s.listener.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		s.dialed++
		n := s.dialed
		s.conns[conn] = true
		s.mu.Unlock()
		s.done.Go(func() { s.serve(conn, n) })
	}
}

// serve sends messages over every third connection for 80 ms, and drops the others at once. In an outage
// it drops all connections after the third.
func (s *server) serve(conn net.Conn, n int) {
	defer s.drop(conn)
	if n%3 != 0 || s.outage && n > 3 {
		return
	}
	for i := range 8 {
		if _, err := fmt.Fprintf(conn, "message %d of connection %d\n", i+1, n); err != nil {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func (s *server) drop(conn net.Conn) {
	s.mu.Lock()
	delete(s.conns, conn)
	s.mu.Unlock()
	conn.Close()
}

// close stops the server and closes all connections.
func (s *server) close() {
	s.listener.Close()
	s.mu.Lock()
	for conn := range s.conns {
		conn.Close()
	}
	s.mu.Unlock()
	s.done.Wait()
}
