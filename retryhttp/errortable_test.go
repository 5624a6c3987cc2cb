package retryhttp_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retryhttp"
)

// How often a request is sent, of three times at most.
const (
	always = 3
	never  = 1
)

// errorTest is a cause of one of the errors in the table, and how often each kind of request is
// sent.
type errorTest struct {
	name       string
	cause      cause
	edit       func(*http.Request)
	tune       func(*http.Transport)
	timeout    time.Duration // of each attempt
	idempotent int64
	others     int64
	is         func(error) bool
}

// noConnectionTests are for the row "no connection: DNS, dial, TLS handshake".
var noConnectionTests = []errorTest{
	{name: "dial refused", cause: closedPort, idempotent: always, others: always, is: as[*net.OpError]},
	{
		name: "dial timeout", idempotent: always, others: always, is: isTimeout,
		cause: dialer((&net.Dialer{Timeout: 1}).DialContext),
		edit:  func(r *http.Request) { r.URL.Host = "127.0.0.1:9" },
	},
	{
		name: "dial fails with a plain error", idempotent: always, others: always, is: says("no tunnel"),
		cause: dialer(func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("no tunnel") }),
	},
	{name: "DNS server fails", cause: dnsServer(2), idempotent: always, others: always, is: as[*net.DNSError]},
	{name: "TLS handshake broken off", cause: rawServer("https", halfHandshake), idempotent: always, others: always, is: func(err error) bool {
		return errors.Is(err, io.EOF) || as[*net.OpError](err) // a reset
	}},
	{
		name: "TLS handshake timeout", cause: rawServer("https", holdOpen), idempotent: always, others: always, is: isTimeout,
		tune: func(tr *http.Transport) { tr.TLSHandshakeTimeout = 20 * time.Millisecond },
	},
	{
		name: "proxy refused", cause: closedPort, idempotent: always, others: always, is: as[*net.OpError],
		tune: func(tr *http.Transport) {
			tr.Proxy = func(r *http.Request) (*url.URL, error) { return r.URL, nil }
		},
	},
}

// brokenOffTests are for the row "reset, broken off, closed without an answer".
var brokenOffTests = []errorTest{
	{name: "reset", cause: handler(reset), idempotent: always, others: never, is: as[*net.OpError]},
	{name: "closed without an answer", cause: handler(hangUp), idempotent: always, others: never, is: is(io.EOF)},
	{name: "broken off in the status line", cause: handler(raw("HTTP/1.1 200 OK")), idempotent: always, others: never, is: is(io.ErrUnexpectedEOF)},
	{
		name: "broken off in the header", cause: handler(raw("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n")), idempotent: always, others: never,
		is: is(io.ErrUnexpectedEOF),
	},
	{name: "closed after the TLS handshake", cause: secureHangUp, idempotent: always, others: never, is: is(io.EOF)},
}

// timeoutTests are for the row "timeout of the attempt or the transport".
var timeoutTests = []errorTest{
	{
		name: "attempt timeout", cause: handler(hangs), timeout: time.Second, idempotent: always, others: never,
		is: is(context.DeadlineExceeded),
	},
	{
		name: "attempt timeout without a connection", timeout: 20 * time.Millisecond, idempotent: always, others: always,
		is: is(context.DeadlineExceeded), cause: dialer(func(ctx context.Context, _, _ string) (net.Conn, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}),
	},
	{
		name: "attempt timeout in the TLS handshake", cause: rawServer("https", holdOpen), timeout: 20 * time.Millisecond,
		idempotent: always, others: always, is: is(context.DeadlineExceeded),
	},
	{
		name: "response header timeout", cause: handler(hangs), idempotent: always, others: never, is: isTimeout,
		tune: func(tr *http.Transport) { tr.ResponseHeaderTimeout = 20 * time.Millisecond },
	},
}

// nameTests are for the row "name not found".
var nameTests = []errorTest{
	{name: "name not found", cause: dnsServer(3), idempotent: never, others: never, is: func(err error) bool {
		var e *net.DNSError
		return errors.As(err, &e) && e.IsNotFound
	}},
}

// certificateTests are for the row "certificate, TLS alert, plain HTTP over TLS".
var certificateTests = []errorTest{
	{
		name: "unknown authority", cause: tlsServer(func(_, c *tls.Config) { c.RootCAs = nil }), idempotent: never, others: never,
		is: as[x509.UnknownAuthorityError],
	},
	{
		name: "certificate of another host", cause: tlsServer(func(_, c *tls.Config) { c.ServerName = "other.test" }),
		idempotent: never, others: never, is: as[x509.HostnameError],
	},
	{
		name: "certificate expired", idempotent: never, others: never, is: as[x509.CertificateInvalidError],
		cause: tlsServer(func(_, c *tls.Config) { c.Time = func() time.Time { return time.Now().AddDate(200, 0, 0) } }),
	},
	{
		name: "TLS alert in the handshake", idempotent: never, others: never, is: says("remote error: tls: protocol version not supported"),
		cause: tlsServer(func(s, c *tls.Config) { s.MinVersion, c.MaxVersion = tls.VersionTLS13, tls.VersionTLS12 }),
	},
	{
		name: "client certificate required", idempotent: never, others: never, is: says("remote error: tls: handshake failure"),
		cause: tlsServer(func(s, c *tls.Config) { s.ClientAuth, c.MaxVersion = tls.RequireAnyClientCert, tls.VersionTLS12 }),
	},
	{name: "plain HTTP over TLS", cause: plainServer, idempotent: never, others: never, is: is(http.ErrSchemeMismatch)},
	{
		name: "no TLS at all", idempotent: never, others: never, is: as[tls.RecordHeaderError],
		cause: rawServer("https", func(conn net.Conn) { _, _ = io.WriteString(conn, "220 mail.example ESMTP\r\n"); holdOpen(conn) }),
	},
}

// badRequestTests are for the row "bad URL, scheme, header or content length".
var badRequestTests = []errorTest{
	{
		name: "scheme", cause: handler(status(200)), edit: func(r *http.Request) { r.URL.Scheme = "gopher" },
		idempotent: never, others: never, is: says("unsupported protocol scheme"),
	},
	{
		name: "no host", cause: handler(status(200)), edit: func(r *http.Request) { r.URL.Host = "" },
		idempotent: never, others: never, is: says("no Host"),
	},
	{
		name: "no URL", cause: handler(status(200)), edit: func(r *http.Request) { r.URL = nil },
		idempotent: never, others: never, is: says("nil Request.URL"),
	},
	{
		name: "no header", cause: handler(status(200)), edit: func(r *http.Request) { r.Header = nil },
		idempotent: never, others: never, is: says("nil Request.Header"),
	},
	{
		name: "header name", cause: handler(status(200)), edit: func(r *http.Request) { r.Header["Bad Name"] = []string{"x"} },
		idempotent: never, others: never, is: says("invalid header field name"),
	},
	{
		name: "header value", cause: handler(status(200)), edit: func(r *http.Request) { r.Header["X-Token"] = []string{"secret\n"} },
		idempotent: never, others: never, is: func(err error) bool {
			return says("invalid header field value")(err) && !says("secret")(err)
		},
	},
	{
		name: "Host header for a proxy", cause: handler(status(200)), edit: func(r *http.Request) { r.Host = "host<" },
		tune:       func(tr *http.Transport) { tr.Proxy = func(r *http.Request) (*url.URL, error) { return r.URL, nil } },
		idempotent: never, others: never, is: says("invalid Host header"),
	},
	{
		name: "control character in the URL", cause: handler(status(200)), edit: func(r *http.Request) { r.URL.Opaque = "//host/\x7f" },
		idempotent: never, others: never, is: says("control character"),
	},
	{
		name: "method", cause: handler(status(200)), edit: func(r *http.Request) { r.Method = r.Method + " it" },
		idempotent: never, others: never, is: says("invalid method"),
	},
	{
		name: "trailer", cause: handler(status(200)), edit: func(r *http.Request) { r.Trailer = http.Header{"Bad Name": {"x"}} },
		idempotent: never, others: never, is: says("invalid trailer"),
	},
	{
		name: "content length without a body", cause: handler(status(200)), edit: func(r *http.Request) { r.ContentLength = 5 },
		idempotent: never, others: never, is: says("ContentLength=5 with nil Body"),
	},
	{
		name: "body shorter than its length", cause: handler(hangs), edit: withBody("body", 5),
		idempotent: never, others: never, is: says("ContentLength=5 with Body length 4"),
	},
	{
		name: "body longer than its length", cause: handler(hangs), edit: withBody("body", 3),
		idempotent: never, others: never, is: says("ContentLength=3 with Body length 4"),
	},
}

// bodyReaderTests are for the row "the caller's own body reader failed".
var bodyReaderTests = []errorTest{
	{
		name: "body reader fails", cause: handler(status(200)), idempotent: never, others: never, is: is(errDisk),
		edit: func(r *http.Request) {
			r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(failingReader{errDisk}), nil }
			r.Body, _ = r.GetBody()
		},
	},
}

// TestErrorTable produces every error of the table by its real cause. It counts the attempts of
// an idempotent request and of another, out of three.
func TestErrorTable(t *testing.T) {
	t.Parallel()
	for _, test := range slices.Concat(noConnectionTests, brokenOffTests, timeoutTests, nameTests,
		certificateTests, badRequestTests, bodyReaderTests) {
		for method, want := range map[string]int64{"PUT": test.idempotent, "POST": test.others} {
			t.Run(test.name+", "+method, func(t *testing.T) {
				t.Parallel()
				base, url := test.cause(t)
				if test.tune != nil {
					test.tune(base)
				}
				counted := &countingBase{base: base}
				client := &http.Client{Transport: &retryhttp.Transport{
					Base: counted, Policy: quickPolicy(retry.WithAttemptTimeout(test.timeout)), IsIdempotent: func(*http.Request) bool { return method == "PUT" },
				}}
				req := newRequest(t, method, url, nil)
				var err error
				if test.edit != nil {
					test.edit(req)
					_, err = client.Transport.RoundTrip(req) // a client would change or reject it
				} else {
					_, err = client.Do(req)
				}
				require.Error(t, err)
				assert.True(t, test.is(err), "%v", err)
				assert.Equal(t, want, counted.attempts.Load(), "%v", err)
				var e *retry.Error
				require.ErrorAs(t, err, &e)
				assert.Equal(t, want == never, e.Reason == retry.ErrPermanent, "%v", e.Reason)
			})
		}
	}
}

// TestCallersContextEnds is the table's last row, see also TestCancellation.
func TestCallersContextEnds(t *testing.T) {
	t.Parallel()
	for _, method := range []string{"PUT", "POST"} {
		synctest.Test(t, func(t *testing.T) {
			_, base := serveInMemory(t, hangs)
			counted := &countingBase{base: base}
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			_, err := (&retryhttp.Transport{Base: counted, Policy: quickPolicy()}).RoundTrip(newRequest(t, method, "http://host.example", nil).WithContext(ctx))
			require.ErrorIs(t, err, retry.ErrContext)
			require.ErrorIs(t, err, context.DeadlineExceeded)
			assert.EqualValues(t, 1, counted.attempts.Load())
		})
	}
}
