package retryhttp_test

import (
	"context"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// listen starts a server that calls handle for each connection, and returns its address.
func listen(t *testing.T, handle func(net.Conn)) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var wg sync.WaitGroup
	var conns []net.Conn
	accepted := make(chan struct{})
	go func() {
		defer close(accepted)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			conns = append(conns, conn)
			wg.Go(func() {
				defer func() { _ = conn.Close() }()
				handle(conn)
			})
		}
	}()
	t.Cleanup(func() {
		_ = l.Close()
		<-accepted
		for _, conn := range conns {
			_ = conn.Close()
		}
		wg.Wait()
	})
	return l.Addr().String()
}

// memoryNetwork is a network in memory: a listener, and the dial function that reaches it. With
// it a client and a server can run in virtual time.
type memoryNetwork struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func newMemoryNetwork() *memoryNetwork {
	return &memoryNetwork{conns: make(chan net.Conn), done: make(chan struct{})}
}

func (p *memoryNetwork) Accept() (net.Conn, error) {
	select {
	case conn := <-p.conns:
		return conn, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *memoryNetwork) Close() error   { p.once.Do(func() { close(p.done) }); return nil }
func (p *memoryNetwork) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "pipe"} }

func (p *memoryNetwork) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case p.conns <- server:
		return client, nil
	case <-p.done:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// serveInMemory starts a server in memory, for use in virtual time. It returns the server and a
// transport that reaches it. Both end with the test.
func serveInMemory(t *testing.T, steps ...http.HandlerFunc) (*testServer, *http.Transport) {
	t.Helper()
	network := newMemoryNetwork()
	s := &testServer{steps: steps}
	server := &http.Server{Handler: s, ErrorLog: noLog, ReadHeaderTimeout: time.Hour}
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = server.Serve(network)
	}()
	tr := &http.Transport{DialContext: network.dial}
	t.Cleanup(func() {
		tr.CloseIdleConnections()
		_ = server.Close()
		<-served
	})
	return s, tr
}
