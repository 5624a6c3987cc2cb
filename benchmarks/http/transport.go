package main

import (
	"context"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
)

// countedTransport counts the client's open connections.
type countedTransport struct {
	*http.Transport

	open atomic.Int64
}

// newTransport returns a transport for a number of workers. A maxConns of 0 means no limit.
func newTransport(workers, maxConns int) *countedTransport {
	t := &countedTransport{Transport: http.DefaultTransport.(*http.Transport).Clone()}
	t.Proxy = nil
	t.MaxIdleConnsPerHost = workers
	t.MaxConnsPerHost = maxConns
	dial := t.DialContext
	t.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := dial(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		t.open.Add(1)
		return &countedConn{Conn: conn, open: &t.open}, nil
	}
	return t
}

type countedConn struct {
	net.Conn

	open *atomic.Int64
	once sync.Once
}

func (c *countedConn) Close() error {
	c.once.Do(func() { c.open.Add(-1) })
	return c.Conn.Close()
}
