package retryhttp_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retryhttp"
)

func TestTransient(t *testing.T) {
	t.Parallel()
	dial := &net.OpError{Op: "dial", Err: errors.New("connection refused")}
	_, badURL := url.Parse("http://host.example/\x7f")
	for _, test := range []struct {
		name string
		err  error
		want bool
	}{
		{"no error", nil, false},
		{"refused", dial, true},
		{"refused, by a client", &url.Error{Op: "Get", URL: "http://host.example", Err: dial}, true},
		{"reset", &net.OpError{Op: "read", Err: errors.New("connection reset")}, true},
		{"closed without an answer", io.EOF, true},
		{"broken off", io.ErrUnexpectedEOF, true},
		{"deadline", context.DeadlineExceeded, true},
		{"cancelled", context.Canceled, false},
		{"cancelled, by a client", &url.Error{Op: "Get", Err: context.Canceled}, false},
		{"name not found", &net.DNSError{IsNotFound: true}, false},
		{"name not found, dialing", &net.OpError{Op: "dial", Err: &net.DNSError{IsNotFound: true}}, false},
		{"DNS fails", &net.DNSError{IsTemporary: true}, true},
		{"certificate", &tls.CertificateVerificationError{Err: errors.New("bad")}, false},
		{"authority", x509.UnknownAuthorityError{}, false},
		{"other host's certificate", x509.HostnameError{Certificate: &x509.Certificate{}}, false},
		{"expired certificate", x509.CertificateInvalidError{}, false},
		{"TLS alert", &net.OpError{Op: "remote error", Err: errors.New("tls: bad certificate")}, false},
		{"TLS alert of a proxy", &net.OpError{Op: "proxyconnect", Err: &net.OpError{Op: "remote error", Err: errors.New("tls: bad certificate")}}, false},
		{"no TLS", tls.RecordHeaderError{}, false},
		{"HTTP over TLS", &url.Error{Op: "Get", Err: http.ErrSchemeMismatch}, false},
		{"not supported", http.ErrNotSupported, false},
		{"redirects", &url.Error{Op: "Get", Err: errors.New("stopped after 10 redirects")}, false},
		{"scheme", &url.Error{Op: "Get", Err: errors.New(`unsupported protocol scheme "x"`)}, false},
		{"URL", badURL, false},
		{"503", &retryhttp.StatusError{StatusCode: 503}, true},
		{"429", fmt.Errorf("wrapped: %w", &retryhttp.StatusError{StatusCode: 429}), true},
		{"404", &retryhttp.StatusError{StatusCode: 404}, false},
		{"501", &retryhttp.StatusError{StatusCode: 501}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, test.want, retryhttp.Transient(retry.Attempt{Err: test.err}))
		})
	}
}

// TestTransientIgnoresURL checks that the text of a URL does not count as the text of an error.
func TestTransientIgnoresURL(t *testing.T) {
	t.Parallel()
	err := &url.Error{Op: "Get", URL: "http://host.example/unsupported%20protocol%20scheme?q=stopped after 10 redirects", Err: io.ErrUnexpectedEOF}
	assert.True(t, retryhttp.Transient(retry.Attempt{Err: err}))
}

// panickingError is an error whose methods panic.
type panickingError struct{}

func (panickingError) Error() string   { panic("no text") }
func (panickingError) Timeout() bool   { panic("no answer") }
func (panickingError) Is(error) bool   { panic("no answer") }
func (panickingError) As(any) bool     { panic("no answer") }
func (panickingError) Unwrap() []error { panic("no tree") }

// selfWrappingError is an error that unwraps to itself.
type selfWrappingError struct{}

func (e selfWrappingError) Error() string { return "circle" }
func (e selfWrappingError) Unwrap() error { return e }

// hostileErrors returns errors that panic when a method is called, and one that unwraps to itself.
func hostileErrors() map[string]error {
	return map[string]error{
		"panics":                      panickingError{},
		"panics, wrapped":             &url.Error{Op: "Get", URL: "http://host.example/path", Err: panickingError{}},
		"panics, joined":              errors.Join(io.EOF, panickingError{}),
		"circle":                      selfWrappingError{},
		"nil url.Error":               (*url.Error)(nil),
		"url.Error of nil":            &url.Error{Op: "Get", URL: "http://host.example"},
		"nil net.OpError":             (*net.OpError)(nil),
		"nil net.DNSError":            (*net.DNSError)(nil),
		"dial error of nil":           &net.OpError{Op: "dial"},
		"SOCKS error of nil":          &net.OpError{Op: "socks connect"},
		"nil certificate error":       (*tls.CertificateVerificationError)(nil),
		"nil StatusError":             (*retryhttp.StatusError)(nil),
		"nil StatusError, marked":     retry.Permanent((*retryhttp.StatusError)(nil)),
		"nil retry.Error":             (*retry.Error)(nil),
		"nil retry.Error, wrapped":    fmt.Errorf("wrapped: %w", (*retry.Error)(nil)),
		"nil net.DNSError, marked":    retry.After(1, (*net.DNSError)(nil)),
		"nil url.Error within others": &url.Error{Op: "Get", Err: errors.Join((*url.Error)(nil), (*net.OpError)(nil))},
	}
}

// TestErrorsThatPanic checks that an error that panics does not crash a call, and that the call
// returns an error with a text.
func TestErrorsThatPanic(t *testing.T) {
	t.Parallel()
	for name, hostile := range hostileErrors() {
		for _, method := range []string{"GET", "POST"} {
			for _, way := range []string{"Transport", "Do", "decode"} {
				t.Run(name+", "+method+", "+way, func(t *testing.T) {
					t.Parallel()
					base := roundTripper(func(*http.Request) (*http.Response, error) { return nil, hostile })
					decode := decodeText
					if way == "decode" {
						base = replies(200)
						decode = func(*http.Response) (string, error) { return "", hostile }
					}
					policy := quickPolicy(retry.WithLogger(slog.New(slog.DiscardHandler)), retry.WithRetryIf(retryhttp.Transient, retry.Transient))
					tr := &retryhttp.Transport{Base: base, Policy: policy}
					req := newRequest(t, method, "https://host.example", strings.NewReader("body"))
					var err error
					if way == "Transport" {
						_, err = tr.RoundTrip(req) //nolint:bodyclose // there is none
					} else if name != "panics" && !strings.HasPrefix(name, "nil") || way == "decode" { // http.Client itself calls methods of such an error
						_, err = retryhttp.Do(&http.Client{Transport: tr}, req, decode)
					} else {
						return
					}
					require.Error(t, err)
					assert.NotEmpty(t, err.Error())
				})
			}
		}
		t.Run(name+", Transient", func(t *testing.T) {
			t.Parallel()
			assert.NotPanics(t, func() { retryhttp.Transient(retry.Attempt{Err: hostile}) })
		})
	}
}
