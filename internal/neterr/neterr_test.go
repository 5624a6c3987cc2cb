//go:build !plan9

package neterr_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http/httptest"
	"net/url"
	"os"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry/internal/neterr"
)

// answers is an error whose methods return its fields.
type answers struct{ timeout, temporary bool }

func (answers) Error() string     { return "answers" }
func (a answers) Timeout() bool   { return a.timeout }
func (a answers) Temporary() bool { return a.temporary }

func TestTransient(t *testing.T) {
	t.Parallel()
	plain := errors.New("plain")
	for _, tt := range []struct {
		name string
		err  error
		want bool
	}{
		{"nil", nil, false},
		{"plain", plain, false},
		{"unexpected end", io.ErrUnexpectedEOF, true},
		{"unexpected end, wrapped", fmt.Errorf("read: %w", io.ErrUnexpectedEOF), true},
		{"unexpected end, joined", errors.Join(plain, io.ErrUnexpectedEOF), true},
		{"unexpected end, joined first", errors.Join(io.ErrUnexpectedEOF, plain), true},
		{"end", io.EOF, false},
		{"end, joined", errors.Join(io.EOF, plain), false},
		{"timeout", answers{timeout: true}, true},
		{"timeout, wrapped", &url.Error{Op: "Get", Err: &net.OpError{Op: "read", Err: answers{timeout: true}}}, true},
		{"no timeout", answers{}, false},
		{"claims to be temporary", answers{temporary: true}, false},
		{"claims to be temporary, wrapped", &net.OpError{Op: "read", Err: answers{temporary: true}}, false},
		{"deadline of I/O", os.ErrDeadlineExceeded, true},
		{"deadline of a context", context.DeadlineExceeded, true},
		{"cancelled", context.Canceled, false},
		{"cancelled and a timeout", errors.Join(context.Canceled, answers{timeout: true}), false},
		{"cancelled, wrapped", &url.Error{Op: "Get", Err: context.Canceled}, false},
		{"name not found", &net.DNSError{IsNotFound: true}, false},
		{"name not found, temporary", &net.DNSError{IsNotFound: true, IsTemporary: true, IsTimeout: true}, false},
		{"lookup, temporary", &net.DNSError{IsTemporary: true}, true},
		{"lookup, timeout", &net.DNSError{IsTimeout: true}, true},
		{"lookup, neither", &net.DNSError{Err: "bad"}, false},
		{"lookup, wrapped", &net.OpError{Op: "dial", Err: &net.DNSError{IsTemporary: true}}, true},
		{"lookup, not found, wrapped", &net.OpError{Op: "dial", Err: &net.DNSError{IsNotFound: true}}, false},
		{"closed", net.ErrClosed, false},
		{"address", &net.AddrError{Err: "missing port"}, false},
		{"unknown network", net.UnknownNetworkError("x"), false},
		{"certificate", &tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}, false},
		{"record header", tls.RecordHeaderError{Msg: "first record does not look like a TLS handshake"}, false},
		{"alert", &net.OpError{Op: "remote error", Err: tls.AlertError(42)}, false},
		{"joined deep", fmt.Errorf("x: %w", errors.Join(plain, errors.Join(io.EOF, &net.OpError{Op: "read", Err: io.ErrUnexpectedEOF}))), true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, tt.want, neterr.Transient(tt.err))
		})
	}
}

func TestTransientNumbers(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("package syscall invents the values of the POSIX names on Windows")
	}
	transient := []syscall.Errno{
		syscall.ECONNREFUSED, syscall.ECONNRESET, syscall.ECONNABORTED, syscall.EPIPE, syscall.ETIMEDOUT,
		syscall.EHOSTUNREACH, syscall.ENETUNREACH, syscall.ENETDOWN, syscall.EADDRNOTAVAIL,
	}
	lasting := []syscall.Errno{
		syscall.EACCES, syscall.EPERM, syscall.ENOENT, syscall.EINVAL,
		syscall.EMFILE, syscall.ENFILE, syscall.EINTR, syscall.EADDRINUSE,
	}
	for i, number := range slices.Concat(transient, lasting) {
		want := i < len(transient)
		t.Run(number.Error(), func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, want, neterr.Transient(number))
			assert.Equal(t, want, neterr.Transient(&url.Error{Op: "Get", Err: &net.OpError{
				Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", number),
			}}))
			assert.Equal(t, want, neterr.Transient(errors.Join(io.EOF, fmt.Errorf("x: %w", number))))
		})
	}
}

// connected returns both ends of a loopback connection.
func connected(t *testing.T) (client, server *net.TCPConn) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = listener.Close() }()
	c, err := net.Dial("tcp", listener.Addr().String())
	require.NoError(t, err)
	s, err := listener.Accept()
	require.NoError(t, err)
	t.Cleanup(func() { _, _ = c.Close(), s.Close() })
	return c.(*net.TCPConn), s.(*net.TCPConn)
}

func TestTransientRefused(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, listener.Close())
	_, err = net.Dial("tcp", listener.Addr().String())
	require.Error(t, err)
	assert.True(t, neterr.Transient(err), "%v", err)
}

func TestTransientReset(t *testing.T) {
	t.Parallel()
	client, server := connected(t)
	require.NoError(t, server.SetLinger(0)) // Close resets the connection
	require.NoError(t, server.Close())
	_, err := client.Read(make([]byte, 1))
	require.Error(t, err)
	require.NotErrorIs(t, err, io.EOF)
	assert.True(t, neterr.Transient(err), "%v", err)
	for err = nil; err == nil; { // the first write may still succeed
		_, err = client.Write([]byte("x"))
	}
	assert.True(t, neterr.Transient(err), "%v", err)
}

func TestTransientTimeouts(t *testing.T) {
	t.Parallel()
	client, _ := connected(t)
	require.NoError(t, client.SetReadDeadline(time.Unix(1, 0)))
	_, err := client.Read(make([]byte, 1))
	require.Error(t, err)
	assert.True(t, neterr.Transient(err), "%v", err)

	late, cancel := context.WithDeadline(context.Background(), time.Unix(1, 0))
	defer cancel()
	_, err = new(net.Dialer).DialContext(late, "tcp", "127.0.0.1:1")
	require.Error(t, err)
	assert.True(t, neterr.Transient(err), "%v", err)
}

func TestTransientEndAndClosed(t *testing.T) {
	t.Parallel()
	client, server := connected(t)
	require.NoError(t, server.Close())
	_, err := client.Read(make([]byte, 1))
	require.ErrorIs(t, err, io.EOF)
	assert.False(t, neterr.Transient(err))
	require.NoError(t, client.Close())
	_, err = client.Read(make([]byte, 1))
	require.ErrorIs(t, err, net.ErrClosed)
	assert.False(t, neterr.Transient(err))
}

func TestTransientCancelled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(context.Background())
	resolver := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		cancel()
		<-ctx.Done()
		return nil, ctx.Err()
	}}
	_, err := resolver.LookupHost(ctx, "name.invalid")
	var lookup *net.DNSError
	require.ErrorAs(t, err, &lookup)
	assert.False(t, neterr.Transient(err), "%v", err)

	_, err = new(net.Dialer).DialContext(ctx, "tcp", "127.0.0.1:1")
	require.Error(t, err)
	assert.False(t, neterr.Transient(err), "%v", err)
}

func TestTransientTLS(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(nil)
	server.StartTLS()
	config := server.TLS.Clone()
	server.Close()
	for _, tt := range []struct {
		name   string
		client func(conn net.Conn) error
		cert   bool   // the client gets a bad certificate
		server string // the error of the server
	}{
		{"certificate and alert", func(conn net.Conn) error {
			return tls.Client(conn, &tls.Config{ServerName: "example.com"}).Handshake()
		}, true, "remote error: tls: bad certificate"},
		{"no TLS", func(conn net.Conn) error {
			_, err := conn.Write([]byte("GET / HTTP/1.1\r\n\r\n"))
			return err
		}, false, "tls: first record does not look like a TLS handshake"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			client, served := connected(t)
			handshake := make(chan error, 1)
			go func() { handshake <- tls.Server(served, config).Handshake() }()
			err := tt.client(client)
			var cert *tls.CertificateVerificationError
			assert.Equal(t, tt.cert, errors.As(err, &cert))
			assert.False(t, neterr.Transient(err))
			err = <-handshake
			require.EqualError(t, err, tt.server)
			assert.False(t, neterr.Transient(err))
		})
	}
}
