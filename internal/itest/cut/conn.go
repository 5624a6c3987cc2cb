package cut

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

// patience is how long a server may take to execute what is to be cut after.
const patience = 10 * time.Second

// pointsOf are those that a request passes, in order.
var pointsOf = map[requestKind][]Point{
	other:     nil,
	prepare:   {AfterPrepare},
	statement: {BeforeStatement, MidStatement, AfterStatement},
	commit:    {BeforeCommit, AfterCommit},
}

// conn is a connection of a client and the one to the server that it is passed on to.
type conn struct {
	proxy   *Proxy
	dialect dialect
	client  *net.TCPConn

	closed   chan struct{}
	answered chan struct{} // closed when the reply that is withheld has told enough
	gone     chan struct{} // closed when the server sends no more

	mu       sync.Mutex
	server   net.Conn // nil until there is one
	withheld bool     // the client gets no more replies
}

func newConn(p *Proxy, client *net.TCPConn) *conn {
	return &conn{
		proxy: p, dialect: p.protocol.dial(), client: client,
		closed: make(chan struct{}), answered: make(chan struct{}), gone: make(chan struct{}),
	}
}

// serve passes requests on until the connection ends or is cut.
func (c *conn) serve() {
	if _, how := c.proxy.plan.at(BeforeFirstByte); how != none {
		c.end(how)
		return
	}
	if !c.dial() {
		return
	}
	c.proxy.wg.Go(c.reply)
	r := bufio.NewReader(c.client)
	for {
		request, err := c.dialect.next(r)
		if err != nil {
			return
		}
		at, how := c.proxy.plan.at(pointsOf[request.kind]...)
		if how != none {
			c.cut(request.bytes, at)
			c.end(how)
			return
		}
		if _, err := c.server.Write(request.bytes); err != nil {
			return
		}
	}
}

// reply passes replies on until the server has ended, and with it the connection, unless that
// is being cut.
func (c *conn) reply() {
	defer close(c.gone)
	var withheld []byte
	var answered bool
	buf := make([]byte, 32<<10)
	for {
		n, err := c.server.Read(buf)
		c.mu.Lock()
		cutting := c.withheld
		c.mu.Unlock()
		switch {
		case !cutting && n > 0:
			if _, err := c.client.Write(buf[:n]); err != nil {
				c.close(false)
				return
			}
		case cutting && !answered:
			withheld = append(withheld, buf[:n]...)
			if answered = c.dialect.answered(withheld); answered {
				close(c.answered)
			}
		}
		if err != nil {
			if !cutting {
				c.close(!errors.Is(err, io.EOF))
			}
			return
		}
	}
}

// cut sends the server as much of the request as reaches it, and waits for the reply if the
// point is after that.
func (c *conn) cut(request []byte, at Point) {
	c.mu.Lock()
	c.withheld = true
	c.mu.Unlock()
	switch at {
	case MidStatement:
		_, _ = c.server.Write(request[:len(request)/2])
	case AfterPrepare, AfterStatement, AfterCommit:
		if _, err := c.server.Write(request); err != nil {
			return
		}
		select {
		case <-c.answered:
		case <-c.gone:
		case <-c.closed:
		case <-time.After(patience):
		}
	}
}

// end ends the connection as the plan says.
func (c *conn) end(how end) {
	if how == hold {
		<-c.closed
		return
	}
	c.closeServer()
	if how == reset {
		c.close(true)
		return
	}
	// Closed at once it would be reset if the client has sent more than was read.
	_ = c.client.CloseWrite()
	_, _ = io.Copy(io.Discard, c.client)
}

// close ends the connection now, by a reset or in order.
func (c *conn) close(reset bool) {
	c.mu.Lock()
	select {
	case <-c.closed:
	default:
		close(c.closed)
		if reset {
			_ = c.client.SetLinger(0)
		}
		_ = c.client.Close()
	}
	c.mu.Unlock()
	c.closeServer()
}

// dial connects to the server, unless there is none or the connection was closed meanwhile.
func (c *conn) dial() bool {
	server, err := (&net.Dialer{}).DialContext(context.Background(), "tcp", c.proxy.server())
	if err != nil {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	select {
	case <-c.closed:
		_ = server.Close()
		return false
	default:
		c.server = server
		return true
	}
}

func (c *conn) closeServer() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.server != nil {
		_ = c.server.Close()
	}
}
