package retryhttp

import (
	"net"
	"net/http/httptrace"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// connTrace records whether one attempt got a connection and a byte of an answer. It also skips
// connections that seem dead.
type connTrace struct {
	timedOut  *timedOutConns
	idleSince time.Time // skip a connection that is idle since then; zero: skip none

	wanted    atomic.Bool // the transport looked for a connection, so it calls the hooks
	connected atomic.Bool
	http2     atomic.Bool
	answered  atomic.Bool
	skipped   atomic.Bool // the last connection seemed dead

	mu   sync.Mutex
	conn net.Conn // the last one that the attempt got

	hooks httptrace.ClientTrace
}

// client returns the hooks that net/http calls. Whether the transport looked for a connection
// matters only if the request is unsafe to repeat.
func (t *connTrace) client(unsafe bool) *httptrace.ClientTrace {
	if unsafe {
		t.hooks.GetConn = func(string) { t.wanted.Store(true) }
	}
	t.hooks.GotConn = t.gotConn
	t.hooks.WroteHeaderField = func(key string, _ []string) {
		if strings.HasPrefix(key, ":") { // only HTTP/2 has such fields
			t.http2.Store(true)
		}
	}
	t.hooks.GotFirstResponseByte = func() {
		t.answered.Store(true)
		t.timedOut.forget(t.current())
	}
	return &t.hooks
}

// gotConn records the connection, or closes it if it seems dead. Nothing was written to it, so
// net/http takes another one or the attempt starts again.
func (t *connTrace) gotConn(info httptrace.GotConnInfo) {
	dead := info.Reused && info.WasIdle && (t.timedOut.contains(info.Conn) ||
		!t.idleSince.IsZero() && time.Now().Add(-info.IdleTime).Before(t.idleSince))
	t.skipped.Store(dead)
	if dead {
		t.timedOut.forget(info.Conn)
		closeConn(info.Conn)
		return
	}
	t.connected.Store(true)
	t.mu.Lock()
	t.conn = info.Conn
	t.mu.Unlock()
}

func (t *connTrace) current() net.Conn {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.conn
}

// unprocessed reports whether there is proof that the server did not process the request of an
// attempt that failed with err.
func (t *connTrace) unprocessed(err error) bool {
	if t == nil || t.connected.Load() {
		return refusedStream(err)
	}
	return t.wanted.Load() || unconnected(err) || refusedStream(err)
}

// closeConn closes the connection below TLS. Closing the TLS connection would first write to
// the peer, which may be gone.
func closeConn(conn net.Conn) {
	if c, ok := conn.(interface{ NetConn() net.Conn }); ok {
		conn = c.NetConn()
	}
	_ = conn.Close()
}
