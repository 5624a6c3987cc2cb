package retryhttp_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// cause produces an error: it returns a base and the URL to request.
type cause func(t *testing.T) (base *http.Transport, url string)

// handler is a server with the handler.
func handler(step http.HandlerFunc) cause {
	return func(t *testing.T) (*http.Transport, string) { return newTransport(t), serve(t, step).URL }
}

// dialer is a transport with the dial function.
func dialer(dial func(context.Context, string, string) (net.Conn, error)) cause {
	return func(t *testing.T) (*http.Transport, string) {
		tr := newTransport(t)
		tr.DialContext = dial
		return tr, "http://host.example/"
	}
}

// tlsServer is a TLS server and a client whose settings do not match.
func tlsServer(edit func(server *tls.Config, client *tls.Config)) cause {
	return func(t *testing.T) (*http.Transport, string) {
		s := newTestServer(t, status(200))
		s.TLS = &tls.Config{}                                                         //nolint:gosec // the default is intended
		client := &tls.Config{RootCAs: x509.NewCertPool(), ServerName: "example.com"} //nolint:gosec // some rows lower it
		if edit != nil {
			edit(s.TLS, client)
		}
		s.StartTLS()
		if client.RootCAs != nil {
			client.RootCAs.AddCert(s.Certificate())
		}
		tr := newTransport(t)
		tr.TLSClientConfig = client
		return tr, s.URL
	}
}

// rawServer is a server that does not speak HTTP.
func rawServer(scheme string, handle func(net.Conn)) cause {
	return func(t *testing.T) (*http.Transport, string) {
		return newTransport(t), scheme + "://" + listen(t, handle)
	}
}

// dnsServer resolves names with a DNS server in memory that answers every question with the
// code.
func dnsServer(code byte) cause {
	return func(t *testing.T) (*http.Transport, string) {
		resolver := &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
			client, server := net.Pipe()
			go func() {
				defer func() { _ = server.Close() }()
				for {
					var size [2]byte
					if _, err := io.ReadFull(server, size[:]); err != nil {
						return
					}
					message := make([]byte, binary.BigEndian.Uint16(size[:]))
					if _, err := io.ReadFull(server, message); err != nil {
						return
					}
					message[2] |= 0x80 // a response
					message[3] = 0x80 | code
					_, _ = server.Write(append(size[:], message...))
				}
			}()
			return client, nil
		}}
		tr := newTransport(t)
		tr.DialContext = (&net.Dialer{Resolver: resolver}).DialContext
		return tr, "http://name.example./"
	}
}

func closedPort(t *testing.T) (*http.Transport, string) {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, l.Close())
	return newTransport(t), "http://" + l.Addr().String()
}

// hangs answers nothing until the client leaves.
func hangs(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

// holdOpen keeps a connection open and silent until the client closes it.
func holdOpen(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) }

// halfHandshake reads the first bytes of the client's hello and hangs up.
func halfHandshake(conn net.Conn) { _, _ = io.ReadFull(conn, make([]byte, 64)) }

func is(target error) func(error) bool { return func(err error) bool { return errors.Is(err, target) } }

func as[E error](err error) bool { return errors.As(err, new(E)) }

func says(text string) func(error) bool {
	return func(err error) bool { return strings.Contains(err.Error(), text) }
}

func isTimeout(err error) bool {
	var e interface{ Timeout() bool }
	return errors.As(err, &e) && e.Timeout()
}

var errDisk = errors.New("disk failed")

func withBody(text string, length int64) func(*http.Request) {
	return func(r *http.Request) {
		r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(text)), nil }
		r.Body, _ = r.GetBody()
		r.ContentLength = length
	}
}

func plainServer(t *testing.T) (*http.Transport, string) {
	t.Helper()
	return newTransport(t), "https://" + strings.TrimPrefix(serve(t, status(200)).URL, "http://")
}

func secureHangUp(t *testing.T) (*http.Transport, string) {
	t.Helper()
	s := httptest.NewTLSServer(http.HandlerFunc(hangUp))
	t.Cleanup(s.Close)
	tr := newTransport(t)
	tr.TLSClientConfig = s.Client().Transport.(*http.Transport).TLSClientConfig
	return tr, s.URL
}
