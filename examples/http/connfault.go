package main

import "net"

// connFault is what happens to a connection before there is a request on it.
type connFault struct {
	name  string
	apply func(s *server, conn net.Conn)
}

var (
	// closedConn closes the connection. A TLS client sees that in its handshake.
	closedConn = connFault{"closed in the TLS handshake", func(_ *server, conn net.Conn) { _ = conn.Close() }}
	// silentConn keeps the client waiting.
	silentConn = connFault{"silence in the TLS handshake", func(s *server, conn net.Conn) {
		s.heldConns = append(s.heldConns, conn)
	}}
)

// faultyListener counts the connections and applies the scenario's faults to the first ones.
type faultyListener struct {
	net.Listener

	server *server
}

// Accept returns the next connection that has no fault.
func (l faultyListener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil || !l.server.applyFault(conn) {
			return conn, err
		}
	}
}

// applyFault reports whether the scenario has a fault for the connection.
func (s *server) applyFault(conn net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.connections++
	if s.connections > len(s.scenario.connFaults) {
		return false
	}
	fault := s.scenario.connFaults[s.connections-1]
	s.met = append(s.met, fault.name)
	fault.apply(s, conn)
	return true
}
