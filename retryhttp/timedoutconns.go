package retryhttp

import (
	"net"
	"reflect"
	"sync"
	"time"
)

const (
	// maxTimedOut is how many connections a Transport remembers that timed out.
	maxTimedOut = 64
	// streamCleanup is the time that net/http gets to end a stream that timed out, so that its
	// connection counts as idle.
	streamCleanup = 5 * time.Millisecond
)

// timedOutConns are the HTTP/2 connections of a Transport on which an attempt timed out without
// a byte of an answer. net/http closes such a connection of HTTP/1, but goes on using one of
// HTTP/2.
type timedOutConns struct {
	mu    sync.Mutex
	conns map[net.Conn]connTimeouts
}

// connTimeouts describes the timeouts of one connection.
type connTimeouts struct {
	count int       // in a row
	last  time.Time // when the last one ended
}

// add records that an attempt which started at start timed out on conn. After the first timeout
// the connection is skipped as soon as it is idle, so that its other streams may still finish.
// A second timeout in a row closes it.
func (t *timedOutConns) add(conn net.Conn, start time.Time) {
	if !reflect.ValueOf(conn).Comparable() {
		return // the map cannot hold a connection of such a type
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	known := t.conns[conn]
	switch {
	case start.Before(known.last): // it overlapped the last timeout, so it is not a second in a row
	case known.count > 0:
		delete(t.conns, conn)
		closeConn(conn)
	default:
		t.remember(conn)
	}
}

// remember adds conn. If there are too many connections, it forgets another one.
func (t *timedOutConns) remember(conn net.Conn) {
	if t.conns == nil {
		t.conns = map[net.Conn]connTimeouts{}
	}
	for other := range t.conns {
		if len(t.conns) < maxTimedOut {
			break
		}
		delete(t.conns, other)
	}
	t.conns[conn] = connTimeouts{count: 1, last: time.Now()}
}

func (t *timedOutConns) contains(conn net.Conn) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.conns) == 0 || !reflect.ValueOf(conn).Comparable() {
		return false
	}
	_, ok := t.conns[conn]
	return ok
}

// forget removes a connection that answered or was closed.
func (t *timedOutConns) forget(conn net.Conn) {
	if !t.contains(conn) {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.conns, conn)
}

// noteTimeout records whether an attempt that started at start timed out without a byte of an
// answer. If so, the next attempt skips its connection, and the connections that were idle
// meanwhile: they may be dead too.
func (c *call) noteTimeout(err error, start time.Time) {
	c.idleSince = time.Time{}
	if c.ctx.Err() != nil || !isTimeout(err) {
		return
	}
	if c.trace == nil { // the attempt's connection is not known
		time.Sleep(streamCleanup)
		c.idleSince = time.Now()
		return
	}
	conn := c.trace.current()
	if conn == nil || c.trace.answered.Load() {
		return
	}
	c.idleSince = start
	if c.trace.http2.Load() {
		c.transport.timedOut.add(conn, start)
		time.Sleep(streamCleanup)
	}
}
