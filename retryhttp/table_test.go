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
	"net/url"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retryhttp"
)

// The tests of the two tables in the package comment, row by row.

// TestStatusTable asks for every status there can be.
func TestStatusTable(t *testing.T) {
	t.Parallel()
	processed := []int{408, 500, 502, 503, 504, 529}
	refused := []int{421, 425, 429}
	for code := 200; code <= 599; code++ {
		for method, retried := range map[string]bool{
			"GET":  slices.Contains(processed, code) || slices.Contains(refused, code),
			"POST": slices.Contains(refused, code),
		} {
			base := &counter{base: replies(code)}
			resp, err := (&retryhttp.Transport{Base: base, Policy: quick()}).RoundTrip(newRequest(t, method, "http://host.example", nil))
			require.NoError(t, err)
			require.Equal(t, code, resp.StatusCode)
			want := int64(1)
			if retried {
				want = 3
			}
			require.Equal(t, want, base.attempts.Load(), "%s %d", method, code)
		}
	}
}

// cause brings an error about: a base, and the URL to ask it for.
type cause func(t *testing.T) (base *http.Transport, url string)

// from is the cause that answers of a server are.
func from(step http.HandlerFunc) cause {
	return func(t *testing.T) (*http.Transport, string) { return direct(t), serve(t, step).URL }
}

// dialing is the cause that a dial function is.
func dialing(dial func(context.Context, string, string) (net.Conn, error)) cause {
	return func(t *testing.T) (*http.Transport, string) {
		tr := direct(t)
		tr.DialContext = dial
		return tr, "http://host.example/"
	}
}

// secure is the cause that a TLS server is to a client which does not fit.
func secure(edit func(server *tls.Config, client *tls.Config)) cause {
	return func(t *testing.T) (*http.Transport, string) {
		s := newService(t, status(200))
		s.TLS = &tls.Config{}                                                         //nolint:gosec // the default is what is meant
		client := &tls.Config{RootCAs: x509.NewCertPool(), ServerName: "example.com"} //nolint:gosec // some rows lower it
		if edit != nil {
			edit(s.TLS, client)
		}
		s.StartTLS()
		if client.RootCAs != nil {
			client.RootCAs.AddCert(s.Certificate())
		}
		tr := direct(t)
		tr.TLSClientConfig = client
		return tr, s.URL
	}
}

// connection is the cause that a server without HTTP is.
func connection(scheme string, handle func(net.Conn)) cause {
	return func(t *testing.T) (*http.Transport, string) { return direct(t), scheme + "://" + listen(t, handle) }
}

// answering resolves names with a server in memory that answers every question by the code.
func answering(code byte) cause {
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
		tr := direct(t)
		tr.DialContext = (&net.Dialer{Resolver: resolver}).DialContext
		return tr, "http://name.example./"
	}
}

func closedPort(t *testing.T) (*http.Transport, string) {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, l.Close())
	return direct(t), "http://" + l.Addr().String()
}

func hangs(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

// waits holds a connection without a word until the client leaves.
func waits(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) }

// halfHandshake reads the client's hello, as far as its first bytes, and hangs up.
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

// TestErrorTable brings every error about by its real cause, and counts the attempts of an
// idempotent request and of another, of three that there may be.
func TestErrorTable(t *testing.T) {
	t.Parallel()
	const (
		always = 3
		never  = 1
	)
	tests := []struct {
		name       string
		cause      cause
		edit       func(*http.Request)
		tune       func(*http.Transport)
		timeout    time.Duration // of the attempts
		idempotent int64
		others     int64
		is         func(error) bool
	}{
		// no connection: DNS, dial, TLS handshake
		{name: "dial refused", cause: closedPort, idempotent: always, others: always, is: as[*net.OpError]},
		{
			name: "dial timeout", idempotent: always, others: always, is: isTimeout,
			cause: dialing((&net.Dialer{Timeout: 1}).DialContext),
			edit:  func(r *http.Request) { r.URL.Host = "127.0.0.1:9" },
		},
		{
			name: "dial fails in its own way", idempotent: always, others: always, is: says("no tunnel"),
			cause: dialing(func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("no tunnel") }),
		},
		{name: "DNS server fails", cause: answering(2), idempotent: always, others: always, is: as[*net.DNSError]},
		{name: "TLS handshake broken off", cause: connection("https", halfHandshake), idempotent: always, others: always, is: func(err error) bool {
			return errors.Is(err, io.EOF) || as[*net.OpError](err) // a reset
		}},
		{
			name: "TLS handshake timeout", cause: connection("https", waits), idempotent: always, others: always, is: isTimeout,
			tune: func(tr *http.Transport) { tr.TLSHandshakeTimeout = 20 * time.Millisecond },
		},
		{
			name: "proxy refused", cause: closedPort, idempotent: always, others: always, is: as[*net.OpError],
			tune: func(tr *http.Transport) {
				tr.Proxy = func(r *http.Request) (*url.URL, error) { return r.URL, nil }
			},
		},

		// reset, broken off, closed without an answer
		{name: "reset", cause: from(reset), idempotent: always, others: never, is: as[*net.OpError]},
		{name: "closed without an answer", cause: from(hangUp), idempotent: always, others: never, is: is(io.EOF)},
		{name: "broken off in the status line", cause: from(raw("HTTP/1.1 200 OK")), idempotent: always, others: never, is: is(io.ErrUnexpectedEOF)},
		{
			name: "broken off in the header", cause: from(raw("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n")), idempotent: always, others: never,
			is: is(io.ErrUnexpectedEOF),
		},
		{name: "closed after the TLS handshake", cause: secureHangUp, idempotent: always, others: never, is: is(io.EOF)},

		// timeout of the attempt or the transport
		{
			name: "attempt timeout", cause: from(hangs), timeout: time.Second, idempotent: always, others: never,
			is: is(context.DeadlineExceeded),
		},
		{
			name: "attempt timeout without a connection", timeout: 20 * time.Millisecond, idempotent: always, others: always,
			is: is(context.DeadlineExceeded), cause: dialing(func(ctx context.Context, _, _ string) (net.Conn, error) {
				<-ctx.Done()
				return nil, ctx.Err()
			}),
		},
		{
			name: "attempt timeout in the TLS handshake", cause: connection("https", waits), timeout: 20 * time.Millisecond,
			idempotent: always, others: always, is: is(context.DeadlineExceeded),
		},
		{
			name: "response header timeout", cause: from(hangs), idempotent: always, others: never, is: isTimeout,
			tune: func(tr *http.Transport) { tr.ResponseHeaderTimeout = 20 * time.Millisecond },
		},

		// name not found
		{name: "name not found", cause: answering(3), idempotent: never, others: never, is: func(err error) bool {
			var e *net.DNSError
			return errors.As(err, &e) && e.IsNotFound
		}},

		// certificate, TLS alert, plain HTTP over TLS
		{
			name: "unknown authority", cause: secure(func(_, c *tls.Config) { c.RootCAs = nil }), idempotent: never, others: never,
			is: as[x509.UnknownAuthorityError],
		},
		{
			name: "certificate of another host", cause: secure(func(_, c *tls.Config) { c.ServerName = "other.test" }),
			idempotent: never, others: never, is: as[x509.HostnameError],
		},
		{
			name: "certificate expired", idempotent: never, others: never, is: as[x509.CertificateInvalidError],
			cause: secure(func(_, c *tls.Config) { c.Time = func() time.Time { return time.Now().AddDate(200, 0, 0) } }),
		},
		{
			name: "TLS alert in the handshake", idempotent: never, others: never, is: says("remote error: tls: protocol version not supported"),
			cause: secure(func(s, c *tls.Config) { s.MinVersion, c.MaxVersion = tls.VersionTLS13, tls.VersionTLS12 }),
		},
		{
			name: "client certificate required", idempotent: never, others: never, is: says("remote error: tls: handshake failure"),
			cause: secure(func(s, c *tls.Config) { s.ClientAuth, c.MaxVersion = tls.RequireAnyClientCert, tls.VersionTLS12 }),
		},
		{name: "plain HTTP over TLS", cause: plainServer, idempotent: never, others: never, is: is(http.ErrSchemeMismatch)},
		{
			name: "no TLS at all", idempotent: never, others: never, is: as[tls.RecordHeaderError],
			cause: connection("https", func(conn net.Conn) { _, _ = io.WriteString(conn, "220 mail.example ESMTP\r\n"); waits(conn) }),
		},

		// bad URL, scheme, header or content length
		{
			name: "scheme", cause: from(status(200)), edit: func(r *http.Request) { r.URL.Scheme = "gopher" },
			idempotent: never, others: never, is: says("unsupported protocol scheme"),
		},
		{
			name: "no host", cause: from(status(200)), edit: func(r *http.Request) { r.URL.Host = "" },
			idempotent: never, others: never, is: says("no Host"),
		},
		{
			name: "no URL", cause: from(status(200)), edit: func(r *http.Request) { r.URL = nil },
			idempotent: never, others: never, is: says("nil Request.URL"),
		},
		{
			name: "no header", cause: from(status(200)), edit: func(r *http.Request) { r.Header = nil },
			idempotent: never, others: never, is: says("nil Request.Header"),
		},
		{
			name: "header name", cause: from(status(200)), edit: func(r *http.Request) { r.Header["Bad Name"] = []string{"x"} },
			idempotent: never, others: never, is: says("invalid header field name"),
		},
		{
			name: "header value", cause: from(status(200)), edit: func(r *http.Request) { r.Header["X-Token"] = []string{"secret\n"} },
			idempotent: never, others: never, is: func(err error) bool {
				return says("invalid header field value")(err) && !says("secret")(err)
			},
		},
		{
			name: "Host header for a proxy", cause: from(status(200)), edit: func(r *http.Request) { r.Host = "host<" },
			tune:       func(tr *http.Transport) { tr.Proxy = func(r *http.Request) (*url.URL, error) { return r.URL, nil } },
			idempotent: never, others: never, is: says("invalid Host header"),
		},
		{
			name: "control character in the URL", cause: from(status(200)), edit: func(r *http.Request) { r.URL.Opaque = "//host/\x7f" },
			idempotent: never, others: never, is: says("control character"),
		},
		{
			name: "method", cause: from(status(200)), edit: func(r *http.Request) { r.Method = r.Method + " it" },
			idempotent: never, others: never, is: says("invalid method"),
		},
		{
			name: "trailer", cause: from(status(200)), edit: func(r *http.Request) { r.Trailer = http.Header{"Bad Name": {"x"}} },
			idempotent: never, others: never, is: says("invalid trailer"),
		},
		{
			name: "content length without a body", cause: from(status(200)), edit: func(r *http.Request) { r.ContentLength = 5 },
			idempotent: never, others: never, is: says("ContentLength=5 with nil Body"),
		},
		{
			name: "body shorter than its length", cause: from(hangs), edit: withBody("body", 5),
			idempotent: never, others: never, is: says("ContentLength=5 with Body length 4"),
		},
		{
			name: "body longer than its length", cause: from(hangs), edit: withBody("body", 3),
			idempotent: never, others: never, is: says("ContentLength=3 with Body length 4"),
		},

		// the caller's own body reader failed
		{
			name: "body reader fails", cause: from(status(200)), idempotent: never, others: never, is: is(errDisk),
			edit: func(r *http.Request) {
				r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(failing{errDisk}), nil }
				r.Body, _ = r.GetBody()
			},
		},
	}
	for _, test := range tests {
		for method, want := range map[string]int64{"PUT": test.idempotent, "POST": test.others} {
			t.Run(test.name+", "+method, func(t *testing.T) {
				t.Parallel()
				base, url := test.cause(t)
				if test.tune != nil {
					test.tune(base)
				}
				counted := &counter{base: base}
				client := &http.Client{Transport: &retryhttp.Transport{
					Base: counted, Policy: quick(retry.WithAttemptTimeout(test.timeout)), IsIdempotent: func(*http.Request) bool { return method == "PUT" },
				}}
				req := newRequest(t, method, url, nil)
				var err error
				if test.edit != nil {
					test.edit(req)
					_, err = client.Transport.RoundTrip(req) // a client would add to it, or look itself
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
	return direct(t), "https://" + strings.TrimPrefix(serve(t, status(200)).URL, "http://")
}

func secureHangUp(t *testing.T) (*http.Transport, string) {
	t.Helper()
	s := httptest.NewTLSServer(http.HandlerFunc(hangUp))
	t.Cleanup(s.Close)
	tr := direct(t)
	tr.TLSClientConfig = s.Client().Transport.(*http.Transport).TLSClientConfig
	return tr, s.URL
}

// refusedStream is an error for a refused HTTP/2 stream as net/http's is: errors.As may fill
// in a struct of the caller's with fields of these names.
type refusedStream struct {
	StreamID uint32
	Code     uint32
	Cause    error
}

func (e refusedStream) Error() string { return "stream error: stream ID 1; REFUSED_STREAM" }

func (e refusedStream) As(target any) bool {
	v := reflect.ValueOf(target).Elem()
	if v.Kind() != reflect.Struct || v.NumField() != 3 || !v.FieldByName("Code").IsValid() {
		return false
	}
	v.FieldByName("Code").SetUint(uint64(e.Code))
	return true
}

// TestUntraced has bases that do not say when they have a connection: for a request that is
// not idempotent the error alone must be the proof.
func TestUntraced(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		err  error
		want int64
	}{
		{"dial", refusedDial, 3},
		{"DNS", &net.DNSError{IsTemporary: true}, 3},
		{"refused stream", refusedStream{Code: codeRefused}, 3},
		{"other stream error", refusedStream{Code: codeInternal}, 1},
		{"read", &net.OpError{Op: "read", Err: errors.New("reset")}, 1},
		{"anything", errors.New("anything"), 1},
	} {
		base := &counter{base: roundTripper(func(*http.Request) (*http.Response, error) { return nil, test.err })}
		_, err := (&retryhttp.Transport{Base: base, Policy: quick()}).RoundTrip(newRequest(t, "POST", "http://host.example", nil))
		require.ErrorIs(t, err, test.err)
		assert.Equal(t, test.want, base.attempts.Load(), test.name)
	}
}

// TestCallersContextEnds is the table's last row: see also TestCancellation.
func TestCallersContextEnds(t *testing.T) {
	t.Parallel()
	for _, method := range []string{"PUT", "POST"} {
		synctest.Test(t, func(t *testing.T) {
			_, base := inMemory(t, hangs)
			counted := &counter{base: base}
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			_, err := (&retryhttp.Transport{Base: counted, Policy: quick()}).RoundTrip(newRequest(t, method, "http://host.example", nil).WithContext(ctx))
			require.ErrorIs(t, err, retry.ErrContext)
			require.ErrorIs(t, err, context.DeadlineExceeded)
			assert.EqualValues(t, 1, counted.attempts.Load())
		})
	}
}

// The HTTP/2 rows: a server of raw frames, in virtual time because net/http itself repeats
// what was refused for a minute.

const (
	frameHeaders, frameReset, frameSettings, frameGoAway = 1, 3, 4, 7
	flagAck                                              = 1

	codeInternal, codeRefused, codeCancel = 2, 7, 8
)

// frame is one of HTTP/2's: length, type, flags, stream, payload.
func frame(kind, flags byte, stream uint32, payload ...uint32) []byte {
	b := []byte{0, 0, byte(4 * len(payload)), kind, flags}
	b = binary.BigEndian.AppendUint32(b, stream)
	for _, p := range payload {
		b = binary.BigEndian.AppendUint32(b, p)
	}
	return b
}

// http2 serves a connection: what answer returns for a request's stream is written, and the
// connection closed if it is to.
func http2(conn net.Conn, answer func(stream uint32) (frames []byte, hangUp bool)) {
	out := make(chan []byte, 100) // a pipe has no room: reading must not wait for writing
	var wg sync.WaitGroup
	wg.Go(func() {
		for b := range out {
			_, _ = conn.Write(b)
		}
		_ = conn.Close()
	})
	defer wg.Wait()
	defer close(out)
	if _, err := io.ReadFull(conn, make([]byte, len("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"))); err != nil {
		return
	}
	out <- frame(frameSettings, 0, 0)
	for {
		var head [9]byte
		if _, err := io.ReadFull(conn, head[:]); err != nil {
			return
		}
		size := int64(head[0])<<16 | int64(head[1])<<8 | int64(head[2])
		if _, err := io.CopyN(io.Discard, conn, size); err != nil {
			return
		}
		switch {
		case head[3] == frameSettings && head[4]&flagAck == 0:
			out <- frame(frameSettings, flagAck, 0)
		case head[3] == frameHeaders:
			frames, hangUp := answer(binary.BigEndian.Uint32(head[5:]))
			out <- frames
			if hangUp {
				wg.Go(func() { _, _ = io.Copy(io.Discard, conn) }) // until what is to be written is
				return
			}
		}
	}
}

func TestHTTP2Table(t *testing.T) {
	t.Parallel()
	resets := func(code uint32) func(uint32) ([]byte, bool) {
		return func(stream uint32) ([]byte, bool) { return frame(frameReset, 0, stream, code), false }
	}
	for _, test := range []struct {
		name               string
		answer             func(stream uint32) ([]byte, bool)
		idempotent, others int64
	}{
		{"REFUSED_STREAM", resets(codeRefused), 3, 3},
		{"INTERNAL_ERROR", resets(codeInternal), 3, 1},
		{"CANCEL", resets(codeCancel), 3, 1},
		{"GOAWAY that includes the stream", func(stream uint32) ([]byte, bool) {
			return frame(frameGoAway, 0, 0, stream, codeInternal), true
		}, 3, 1},
		{"closed without an answer", func(uint32) ([]byte, bool) { return nil, true }, 3, 1},
	} {
		for method, want := range map[string]int64{"GET": test.idempotent, "POST": test.others} {
			t.Run(test.name+", "+method, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					network := newPipes()
					var wg sync.WaitGroup
					wg.Go(func() {
						for {
							conn, err := network.Accept()
							if err != nil {
								return
							}
							wg.Go(func() { http2(conn, test.answer) })
						}
					})
					tr := &http.Transport{DialContext: network.dial, Protocols: new(http.Protocols)}
					tr.Protocols.SetUnencryptedHTTP2(true)
					counted := &counter{base: tr}
					_, err := (&retryhttp.Transport{Base: counted, Policy: quick()}).RoundTrip(newRequest(t, method, "http://host.example", nil))
					require.Error(t, err)
					assert.Equal(t, want, counted.attempts.Load(), "%v", err)
					tr.CloseIdleConnections()
					_ = network.Close()
					wg.Wait()
				})
			})
		}
	}
}

// TestHTTP2 holds that statuses over a real HTTP/2 connection are retried on it, bodies
// included.
func TestHTTP2(t *testing.T) {
	t.Parallel()
	s := newService(t, status(503), status(429), func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Proto", r.Proto)
		_, _ = io.Copy(w, r.Body)
	})
	s.EnableHTTP2 = true
	s.StartTLS()
	tr := &retryhttp.Transport{Base: s.Client().Transport, Policy: quick(retry.WithAttemptTimeout(time.Minute))}
	resp, err := tr.RoundTrip(newRequest(t, "PUT", s.URL, strings.NewReader("body")))
	require.NoError(t, err)
	assert.Equal(t, "body", text(t, resp))
	assert.Equal(t, "HTTP/2.0", resp.Header.Get("X-Proto"))
	assert.Len(t, s.requests(), 3)
	assert.EqualValues(t, 1, s.opened.Load())
}
