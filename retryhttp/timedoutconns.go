package retryhttp

import (
	"net"
	"reflect"
	"sync"
	"time"
)

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
