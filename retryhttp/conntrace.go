package retryhttp

import (
	"net"
	"net/http/httptrace"
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
