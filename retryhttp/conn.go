package retryhttp

import (
	"net"
	"net/http/httptrace"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// connTrace watches one attempt: whether it got a connection and a byte of an answer. It also
// keeps the attempt off connections that seem dead. That it was asked for a connection shows
// that the transport tells.
type connTrace struct {
	silent    *silentConns
	idleSince time.Time // a connection that was idle all the time since then is left; zero: none

	asked, got, http2, answered, refused atomic.Bool

	mu   sync.Mutex
	conn net.Conn // the last one that it got

	hooks httptrace.ClientTrace
}

// client returns what net/http tells the trace by. Only for a request that is unsafe to repeat it
// matters that the transport was asked for a connection.
func (t *connTrace) client(unsafe bool) *httptrace.ClientTrace {
	if unsafe {
		t.hooks.GetConn = func(string) { t.asked.Store(true) }
	}
	t.hooks.GotConn = t.gotConn
	t.hooks.WroteHeaderField = func(key string, _ []string) {
		if strings.HasPrefix(key, ":") { // only HTTP/2 has such
			t.http2.Store(true)
		}
	}
	t.hooks.GotFirstResponseByte = func() {
		t.answered.Store(true)
		t.silent.forget(t.current())
	}
	return &t.hooks
}

// gotConn takes the connection, or closes it because it seems dead. Nothing was written to it,
// so net/http takes another one, or the attempt asks again.
func (t *connTrace) gotConn(info httptrace.GotConnInfo) {
	dead := info.Reused && info.WasIdle && (t.silent.has(info.Conn) ||
		!t.idleSince.IsZero() && time.Now().Add(-info.IdleTime).Before(t.idleSince))
	t.refused.Store(dead)
	if dead {
		t.silent.forget(info.Conn)
		closeConn(info.Conn)
		return
	}
	t.got.Store(true)
	t.mu.Lock()
	t.conn = info.Conn
	t.mu.Unlock()
}

func (t *connTrace) current() net.Conn {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.conn
}

// unprocessed reports whether err proves that the server did not process the request.
func (t *connTrace) unprocessed(err error) bool {
	if t == nil || t.got.Load() {
		return refusedStream(err)
	}
	return t.asked.Load() || unconnected(err) || refusedStream(err)
}

// closeConn closes the connection below TLS: a close of TLS itself would first write to the
// peer, which may be gone.
func closeConn(conn net.Conn) {
	if c, ok := conn.(interface{ NetConn() net.Conn }); ok {
		conn = c.NetConn()
	}
	_ = conn.Close()
}

const (
	// maxSilent is how many silent connections a Transport remembers.
	maxSilent = 64
	// streamTime is what net/http gets to be done with a stream that timed out, so that its
	// connection counts as idle.
	streamTime = 5 * time.Millisecond
)

// silentConns are the HTTP/2 connections of a Transport on which an attempt timed out without
// a byte of an answer. net/http goes on using them; a connection of HTTP/1 it closes.
type silentConns struct {
	mu    sync.Mutex
	conns map[net.Conn]silence
}

// silence is what is known of a silent connection.
type silence struct {
	timeouts int       // in a row
	until    time.Time // when the last one ended
}

// add notes that an attempt which began at start timed out on conn. The first time its other
// streams get a chance: it is left as soon as it is idle. A second time-out in a row closes it.
func (s *silentConns) add(conn net.Conn, start time.Time) {
	if !reflect.ValueOf(conn).Comparable() {
		return // a type of somebody's own that cannot be remembered
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	known := s.conns[conn]
	switch {
	case start.Before(known.until): // it ran beside the one before: not a second in a row
	case known.timeouts > 0:
		delete(s.conns, conn)
		closeConn(conn)
	default:
		s.keep(conn)
	}
}

// keep remembers conn in place of any other if there are too many.
func (s *silentConns) keep(conn net.Conn) {
	if s.conns == nil {
		s.conns = map[net.Conn]silence{}
	}
	for other := range s.conns {
		if len(s.conns) < maxSilent {
			break
		}
		delete(s.conns, other)
	}
	s.conns[conn] = silence{timeouts: 1, until: time.Now()}
}

func (s *silentConns) has(conn net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.conns) == 0 || !reflect.ValueOf(conn).Comparable() {
		return false
	}
	_, has := s.conns[conn]
	return has
}

// forget is for a connection that answered or was closed.
func (s *silentConns) forget(conn net.Conn) {
	if !s.has(conn) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, conn)
}

// noteSilence looks how an attempt that began at start failed. After a time-out without a byte
// of an answer the next attempt leaves the connection, and those that were idle meanwhile: they
// may be as dead.
func (c *call) noteSilence(err error, start time.Time) {
	c.idleSince = time.Time{}
	if c.ctx.Err() != nil || !timedOut(err) {
		return
	}
	if c.trace == nil { // which connection it had is not known
		time.Sleep(streamTime)
		c.idleSince = time.Now()
		return
	}
	conn := c.trace.current()
	if conn == nil || c.trace.answered.Load() {
		return
	}
	c.idleSince = start
	if c.trace.http2.Load() {
		c.transport.silent.add(conn, start)
		time.Sleep(streamTime)
	}
}
