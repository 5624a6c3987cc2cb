package cut

import (
	"net"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// A Proxy passes connections on to a database server, and cuts them as CutNext, HoldNext and Random
// say. It is safe for concurrent use.
type Proxy struct {
	Addr string // host:port

	schedule schedule
	protocol Protocol
	listener *net.TCPListener

	mu       sync.Mutex
	upstream string
	conns    map[*conn]struct{} // nil once the proxy is closed
	wg       sync.WaitGroup
}

// New starts a proxy to the server at the address upstream. The proxy and all of its connections are
// closed when t ends.
func New(t testing.TB, upstream string, protocol Protocol) *Proxy {
	t.Helper()
	l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	require.NoError(t, err)
	p := &Proxy{
		schedule: newSchedule(), Addr: l.Addr().String(), upstream: upstream, protocol: protocol,
		listener: l, conns: map[*conn]struct{}{},
	}
	p.wg.Go(p.accept)
	t.Cleanup(func() {
		_ = l.Close()
		p.closeAll(true)
		p.wg.Wait()
	})
	return p
}

// SwitchTo passes new connections on to another server, as a failover does. Open connections stay with
// their server.
func (p *Proxy) SwitchTo(upstream string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.upstream = upstream
}

func (p *Proxy) server() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.upstream
}

// CloseAll resets all open connections now, including held ones.
func (p *Proxy) CloseAll() { p.closeAll(false) }

func (p *Proxy) closeAll(last bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.conns {
		c.close(true)
	}
	if last {
		p.conns = nil
	}
}

func (p *Proxy) accept() {
	for {
		client, err := p.listener.AcceptTCP()
		if err != nil {
			return
		}
		c := newConn(p, client)
		if p.add(c) {
			p.wg.Go(func() {
				defer p.remove(c)
				c.serve()
			})
		}
	}
}

func (p *Proxy) add(c *conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.conns == nil {
		c.close(true)
		return false
	}
	p.conns[c] = struct{}{}
	return true
}

func (p *Proxy) remove(c *conn) {
	c.close(false)
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, c)
}
