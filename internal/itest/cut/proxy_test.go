package cut_test

import (
	"io"
	"net"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry/internal/itest/cut"
)

// listen starts a server that calls serve with each connection. It returns the server's address.
func listen(t *testing.T, serve func(conn net.Conn)) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			serve(conn)
		}
	}()
	return l.Addr().String()
}

func dial(t *testing.T, p *cut.Proxy) net.Conn {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", p.Addr)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	require.NoError(t, conn.SetDeadline(time.Now().Add(10*time.Second)))
	return conn
}

// TestClosed has servers that close a connection at once, or do not listen. The proxy passes on what
// came and closes the client's connection.
func TestClosed(t *testing.T) {
	t.Parallel()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, l.Close())
	for _, test := range []struct {
		name, upstream, want string
	}{
		{"nobody listens", l.Addr().String(), ""},
		{"closed", listen(t, func(conn net.Conn) { _ = conn.Close() }), ""},
		{"closed after some words", listen(t, func(conn net.Conn) {
			_, _ = io.WriteString(conn, "bye")
			_ = conn.Close()
		}), "bye"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			text, err := io.ReadAll(dial(t, cut.New(t, test.upstream, cut.MySQL)))
			require.NoError(t, err)
			assert.Equal(t, test.want, string(text))
		})
	}
}

// TestClientLeaves checks that the server sees it when the client closes its connection.
func TestClientLeaves(t *testing.T) {
	t.Parallel()
	left := make(chan error, 1)
	p := cut.New(t, listen(t, func(conn net.Conn) {
		_, err := io.ReadAll(conn)
		left <- err
	}), cut.MySQL)
	require.NoError(t, dial(t, p).Close())
	select {
	case err := <-left:
		require.NoError(t, err)
	case <-time.After(10 * time.Second):
		require.Fail(t, "the server's connection is still open")
	}
}

const (
	mysqlCommit = "\x07\x00\x00\x00\x03COMMIT"
	mysqlSelect = "\x09\x00\x00\x00\x03SELECT 1"
	mysqlOK     = "\x07\x00\x00\x01\x00\x00\x00\x02\x00\x00\x00"
)

// TestEnds checks that cuts close a connection in order and reset it by turns, even if the client has
// sent more than the request that is cut.
func TestEnds(t *testing.T) {
	t.Parallel()
	p := cut.New(t, listen(t, func(conn net.Conn) { t.Cleanup(func() { _ = conn.Close() }) }), cut.MySQL)
	p.CutNext(cut.BeforeStatement, 4)
	for i := range 4 {
		conn := dial(t, p)
		_, err := io.WriteString(conn, mysqlSelect+strings.Repeat(mysqlSelect, 10_000))
		if i%2 == 0 {
			require.NoError(t, err)
			_, err = conn.Read(make([]byte, 1))
			require.ErrorIs(t, err, io.EOF)
			continue
		}
		if err == nil {
			_, err = conn.Read(make([]byte, 1))
		}
		require.Error(t, err)
		require.NotErrorIs(t, err, io.EOF)
	}
}

// TestAwaitsReply checks that a cut after COMMIT waits until the server has replied or has closed its
// connection, and that the client gets nothing of the reply.
func TestAwaitsReply(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, reply string }{
		{"reply", mysqlOK},
		{"the server ends instead", ""},
		{"the server ends amid its reply", mysqlOK[:5]},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			reply := make(chan struct{})
			got := make(chan string, 1)
			p := cut.New(t, listen(t, func(conn net.Conn) {
				defer func() { _ = conn.Close() }()
				buf := make([]byte, len(mysqlCommit))
				_, _ = io.ReadFull(conn, buf)
				got <- string(buf)
				<-reply
				_, _ = io.WriteString(conn, test.reply)
				if test.reply == mysqlOK {
					_, _ = conn.Read(buf) // until the proxy closes the connection
				}
			}), cut.MySQL)
			p.CutNext(cut.AfterCommit, 1)
			conn := dial(t, p)
			_, err := io.WriteString(conn, mysqlCommit)
			require.NoError(t, err)
			assert.Equal(t, mysqlCommit, <-got)
			require.NoError(t, conn.SetReadDeadline(time.Now().Add(50*time.Millisecond)))
			_, err = conn.Read(make([]byte, 1))
			require.ErrorIs(t, err, os.ErrDeadlineExceeded)

			close(reply)
			require.NoError(t, conn.SetReadDeadline(time.Now().Add(5*time.Second))) // before the proxy's own limit of 10 s
			n, err := conn.Read(make([]byte, 1))
			require.ErrorIs(t, err, io.EOF)
			assert.Zero(t, n)
		})
	}
}

// TestNothingRemains checks that a proxy ends with its test, whatever its connections are doing. It is
// not parallel because it looks at all goroutines.
func TestNothingRemains(t *testing.T) {
	t.Run("proxy", func(t *testing.T) {
		upstream := listen(t, func(conn net.Conn) { t.Cleanup(func() { _ = conn.Close() }) })
		p := cut.New(t, upstream, cut.MySQL)
		for range 100 {
			_ = dial(t, p) // idle
		}
		p.HoldNext(cut.BeforeFirstByte, 3)
		for range 3 {
			_ = dial(t, p)
		}
		require.Eventually(t, func() bool { return p.Cuts()[cut.BeforeFirstByte] == 3 }, 10*time.Second, time.Millisecond)
		p.CutNext(cut.BeforeFirstByte, 4)
		for range 4 { // two are reset; the client does not close the other two
			conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", p.Addr)
			if err == nil {
				t.Cleanup(func() { _ = conn.Close() })
			}
		}
		require.Eventually(t, func() bool { return p.Cuts()[cut.BeforeFirstByte] == 7 }, 10*time.Second, time.Millisecond)
		p.CutNext(cut.AfterCommit, 1)
		_, err := io.WriteString(dial(t, p), mysqlCommit) // the server never answers
		require.NoError(t, err)
		require.Eventually(t, func() bool { return p.Cuts()[cut.AfterCommit] == 1 }, 10*time.Second, time.Millisecond)
	})
	stacks := make([]byte, 1<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	assert.Zero(t, strings.Count(string(stacks), "itest/cut.("), string(stacks))
}
