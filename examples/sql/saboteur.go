package main

import (
	"bytes"
	"io"
	"net"
	"sync/atomic"
)

// saboteur breaks connections at some of the COMMITs that are sent on them, of ten in a row at
// the fourth after the server has answered, and at the ninth before it has heard of it. To the
// client both look the same.
type saboteur struct{ commits atomic.Int64 }

func (s *saboteur) wrap(conn net.Conn) net.Conn { return &fragile{Conn: conn, saboteur: s} }

// commitMessage is a simple query in PostgreSQL's protocol: its type, length and text.
var commitMessage = []byte("Q\x00\x00\x00\x0bcommit\x00")

// fragile is a connection that the saboteur has got at.
type fragile struct {
	net.Conn

	saboteur *saboteur
	broken   atomic.Bool // pgx may read in another goroutine than it writes
}

func (f *fragile) Write(b []byte) (int, error) {
	if !bytes.Equal(b, commitMessage) {
		return f.Conn.Write(b)
	}
	switch f.saboteur.commits.Add(1) % 10 {
	case 4: // sent, and the reply is not delivered
		f.broken.Store(true)
	case 9: // not sent, though it looks so, as with what a kernel has accepted
		f.broken.Store(true)
		_ = f.Close()
		return len(b), nil
	}
	return f.Conn.Write(b)
}

func (f *fragile) Read(b []byte) (int, error) {
	n, err := f.Conn.Read(b)
	if !f.broken.Load() {
		return n, err
	}
	_ = f.Close() // the server has answered, if it was asked
	return 0, io.EOF
}
