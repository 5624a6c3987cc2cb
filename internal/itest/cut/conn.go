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

// replyTimeout is how long the proxy waits for a reply that it is to lose.
const replyTimeout = 10 * time.Second

// pointsOf are the points that a request passes, in order.
var pointsOf = map[requestKind][]Point{
	other:     nil,
	prepare:   {AfterPrepare},
	statement: {BeforeStatement, MidStatement, AfterStatement},
	commit:    {BeforeCommit, AfterCommit},
}

// conn is a client's connection and the proxy's connection to the server for it.
type conn struct {
	proxy   *Proxy
	dialect dialect
	client  *net.TCPConn

	closed   chan struct{}
	answered chan struct{} // closed when the lost reply shows that the request was executed
	gone     chan struct{} // closed when the server sends no more

	mu      sync.Mutex
	server  net.Conn // nil until the proxy has dialed
	cutting bool     // the client gets no more replies
}

func newConn(p *Proxy, client *net.TCPConn) *conn {
	return &conn{
		proxy: p, dialect: p.protocol.dial(), client: client,
		closed: make(chan struct{}), answered: make(chan struct{}), gone: make(chan struct{}),
	}
}

// serve passes requests on until the connection ends or is cut.
func (c *conn) serve() {
	if _, how := c.proxy.schedule.at(BeforeFirstByte); how != none {
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
		at, how := c.proxy.schedule.at(pointsOf[request.kind]...)
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

// reply passes replies on until the server closes its connection. Then it closes the client's, unless
// that one is being cut.
func (c *conn) reply() {
	defer close(c.gone)
	var lost []byte
	var answered bool
	buf := make([]byte, 32<<10)
	for {
		n, err := c.server.Read(buf)
		c.mu.Lock()
		cutting := c.cutting
		c.mu.Unlock()
		switch {
		case !cutting && n > 0:
			if _, err := c.client.Write(buf[:n]); err != nil {
				c.close(false)
				return
			}
		case cutting && !answered:
			lost = append(lost, buf[:n]...)
			if answered = c.dialect.answered(lost); answered {
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

// cut sends the server the part of the request that comes before the point. If the point is after the
// request, it waits for the reply.
func (c *conn) cut(request []byte, at Point) {
	c.mu.Lock()
	c.cutting = true
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
		case <-time.After(replyTimeout):
		}
	}
}

// end ends the client's connection in the given way.
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
	// Close would reset the connection if the client has sent more than the proxy has read.
	_ = c.client.CloseWrite()
	_, _ = io.Copy(io.Discard, c.client)
}

// close ends both connections now. It resets the client's connection if reset is true.
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

// dial connects to the server. It returns false if it cannot, or if the client's connection was closed
// meanwhile.
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
