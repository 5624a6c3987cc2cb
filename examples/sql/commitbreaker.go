package main

import (
	"bytes"
	"io"
	"net"
	"sync/atomic"
)

// commitBreaker breaks connections at COMMIT. Of ten COMMITs in a row it breaks the fourth after the
// server has answered, and the ninth before it arrives. Both look the same to the client.
type commitBreaker struct{ commits atomic.Int64 }

func (b *commitBreaker) wrap(conn net.Conn) net.Conn { return &breakableConn{Conn: conn, breaker: b} }

// commitMessage is a simple query in PostgreSQL's protocol: its type, length and text.
var commitMessage = []byte("Q\x00\x00\x00\x0bcommit\x00")

// breakableConn is a connection that a commitBreaker may break.
type breakableConn struct {
	net.Conn

	breaker *commitBreaker
	broken  atomic.Bool // pgx may read and write in different goroutines
}

func (f *breakableConn) Write(b []byte) (int, error) {
	if !bytes.Equal(b, commitMessage) {
		return f.Conn.Write(b)
	}
	switch f.breaker.commits.Add(1) % 10 {
	case 4: // sent, but the reply is dropped
		f.broken.Store(true)
	case 9: // reported as sent, as a kernel does, but dropped
		f.broken.Store(true)
		_ = f.Close()
		return len(b), nil
	}
	return f.Conn.Write(b)
}

func (f *breakableConn) Read(b []byte) (int, error) {
	n, err := f.Conn.Read(b)
	if !f.broken.Load() {
		return n, err
	}
	_ = f.Close() // the server has answered, if it received the COMMIT
	return 0, io.EOF
}
