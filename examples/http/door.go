package main

import "net"

// door is what happens to a connection before there is a request on it.
type door struct {
	name string
	meet func(s *server, conn net.Conn)
}

var (
	// shut closes the connection, which a TLS client notices in its handshake.
	shut = door{"closed in the TLS handshake", func(_ *server, conn net.Conn) { _ = conn.Close() }}
	// silent keeps the client waiting.
	silent = door{"silence in the TLS handshake", func(s *server, conn net.Conn) { s.held = append(s.held, conn) }}
)

// doorman is a listener that counts the connections and lets in those for which there is no
// door.
type doorman struct {
	net.Listener

	server *server
}

func (d doorman) Accept() (net.Conn, error) {
	for {
		conn, err := d.Listener.Accept()
		if err != nil || d.letIn(conn) {
			return conn, err
		}
	}
}

func (d doorman) letIn(conn net.Conn) bool {
	s := d.server
	s.mu.Lock()
	defer s.mu.Unlock()
	s.connections++
	if s.connections > len(s.script.doors) {
		return true
	}
	door := s.script.doors[s.connections-1]
	s.met = append(s.met, door.name)
	door.meet(s, conn)
	return false
}
