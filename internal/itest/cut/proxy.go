package cut

import (
	"net"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// A Proxy passes connections on until a plan says to cut them. It is safe for concurrent use.
type Proxy struct {
	Addr string // host:port

	plan     plan
	protocol Protocol
	listener *net.TCPListener

	mu       sync.Mutex
	upstream string
	conns    map[*conn]struct{} // nil once the proxy is closed
	wg       sync.WaitGroup
}

// New returns a proxy to the server at the address upstream. It is closed when t ends, with all
// of its connections.
func New(t testing.TB, upstream string, protocol Protocol) *Proxy {
	t.Helper()
	l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	require.NoError(t, err)
	p := &Proxy{
		plan: newPlan(), Addr: l.Addr().String(), upstream: upstream, protocol: protocol,
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

// SwitchTo has new connections passed on to another server, as a failover does. Those that are
// open stay where they are.
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

// CloseAll cuts every open connection now, held ones as well, by a reset.
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
