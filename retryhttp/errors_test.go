package retryhttp_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

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

// TestTransientIsNoMatterOfURL holds that a URL's text is not taken for that of an error.
func TestTransientIsNoMatterOfURL(t *testing.T) {
	t.Parallel()
	err := &url.Error{Op: "Get", URL: "http://host.example/unsupported%20protocol%20scheme?q=stopped after 10 redirects", Err: io.ErrUnexpectedEOF}
	assert.True(t, retryhttp.Transient(retry.Attempt{Err: err}))
}

func TestStatusError(t *testing.T) {
	t.Parallel()
	get := func(t *testing.T, method, url string, resp *http.Response) *retryhttp.StatusError {
		t.Helper()
		var got *retryhttp.StatusError
		policy := quick(retry.WithMaxAttempts(1), retry.WithHooks(retry.Hooks{AfterAttempt: func(_ context.Context, a retry.Attempt) {
			require.ErrorAs(t, a.Err, &got)
		}}))
		base := roundTripper(func(*http.Request) (*http.Response, error) { return resp, nil })
		req := newRequest(t, method, url, nil)
		req.Method = method
		_, err := (&retryhttp.Transport{Base: base, Policy: policy}).RoundTrip(req)
		require.NoError(t, err)
		require.NotNil(t, got)
		return got
	}
	t.Run("fields", func(t *testing.T) {
		t.Parallel()
		e := get(t, "PUT", "http://host.example:8080/path?query", reply(nil, 503, "", "Retry-After", "30"))
		assert.Equal(t, 503, e.StatusCode)
		assert.Equal(t, "503 Service Unavailable", e.Status)
		assert.Equal(t, "PUT host.example:8080: 503 Service Unavailable", e.Error())
		d, ok := e.RetryAfter()
		assert.True(t, ok)
		assert.Equal(t, 30*time.Second, d)
	})
	t.Run("what a response leaves out", func(t *testing.T) {
		t.Parallel()
		e := get(t, "", "http://host.example", &http.Response{StatusCode: 429})
		assert.Equal(t, "GET host.example: 429 Too Many Requests", e.Error())
		_, ok := e.RetryAfter()
		assert.False(t, ok)
	})
	for code, timeout := range map[int]bool{408: true, 504: true, 500: false, 502: false, 503: false, 429: false} {
		assert.Equal(t, timeout, get(t, "GET", "http://host.example", reply(nil, code, "")).Timeout(), code)
	}
	t.Run("made by hand", func(t *testing.T) {
		t.Parallel()
		e := &retryhttp.StatusError{StatusCode: 503, Status: "503 Busy"}
		assert.Contains(t, e.Error(), "503 Busy")
		_, ok := e.RetryAfter()
		assert.False(t, ok)
	})
}

// TestNothingSecret holds that neither path, query, fragment, password nor headers are in a
// text or a log record of this package, whatever fails and however it is printed.
func TestNothingSecret(t *testing.T) {
	t.Parallel()
	s := serve(t, status(503, "X-Reply", "secret-reply", "Set-Cookie", "id=secret-cookie"))
	gone := "http://" + listen(t, func(net.Conn) {})
	client := roundTripper(func(req *http.Request) (*http.Response, error) {
		return nil, &url.Error{Op: "Get", URL: req.URL.String(), Err: io.ErrUnexpectedEOF}
	})
	wrapped := roundTripper(func(req *http.Request) (*http.Response, error) {
		_, err := client.RoundTrip(req) //nolint:bodyclose // there is none
		return nil, fmt.Errorf("sdk: %w", err)
	})
	joined := roundTripper(func(req *http.Request) (*http.Response, error) {
		_, err := client.RoundTrip(req) //nolint:bodyclose // there is none
		return nil, errors.Join(errors.New("sdk"), err)
	})
	location := serve(t, status(302, "Location", "http://%zz/secret-path?token=secret-query"))
	for _, test := range []struct {
		name string
		base http.RoundTripper
		url  string
	}{
		{"status", direct(t), s.URL},
		{"error", direct(t), gone},
		{"scheme", direct(t), "gopher://host.example"},
		{"base that is a client", client, gone},
		{"base that wraps a client's error", wrapped, gone},
		{"base that joins a client's error", joined, gone},
		{"bad Location", direct(t), location.URL},
	} {
		for _, kind := range []string{"transport", "do"} {
			t.Run(test.name+", "+kind, func(t *testing.T) {
				t.Parallel()
				var logged bytes.Buffer
				var texts []string
				keep := func(err error) {
					texts = append(texts, fmt.Sprint(err), fmt.Sprintf("%+v", err), fmt.Sprintf("%#v", err), fmt.Sprintf("%q", err))
					asJSON, _ := json.Marshal(err)
					texts = append(texts, string(asJSON))
				}
				policy := quick(
					retry.WithName("fetch"),
					retry.WithLogger(slog.New(slog.NewJSONHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug}))),
					retry.WithHooks(retry.Hooks{
						AfterAttempt: func(_ context.Context, a retry.Attempt) { keep(a.Err) },
						Done: func(_ context.Context, o retry.Outcome) {
							if o.Err != nil {
								keep(o.Err)
								slog.New(slog.NewTextHandler(&logged, nil)).Error("done", "err", o.Err)
							}
						},
					}))
				u, err := url.Parse(test.url)
				require.NoError(t, err)
				u.User = url.UserPassword("secret-user", "secret-password")
				u.Path, u.RawQuery, u.Fragment = "/secret-path", "token=secret-query", "secret-fragment"
				req := newRequest(t, "GET", u.String(), nil)
				req.Header.Set("Authorization", "secret-header")
				tr := &retryhttp.Transport{Base: test.base, Policy: policy, AddIdempotencyKey: true}
				if kind == "do" {
					_, err = retryhttp.Do(&http.Client{Transport: tr}, req, func(*http.Response) (int, error) { return 0, errors.New("undecodable") })
					require.Error(t, err)
				} else {
					var resp *http.Response
					resp, err = tr.RoundTrip(req)
					if err == nil {
						require.NoError(t, resp.Body.Close())
					}
				}
				if err != nil {
					keep(err)
				}
				for _, text := range append(texts, logged.String()) {
					assert.NotContains(t, text, "secret")
				}
			})
		}
	}
}

// TestRetryErrorText is what a caller reads.
func TestRetryErrorText(t *testing.T) {
	t.Parallel()
	s := serve(t, hangUp)
	_, err := (&retryhttp.Transport{Base: direct(t), Policy: quick(retry.WithName("fetch"))}).RoundTrip(newRequest(t, "GET", s.URL+"/path", nil))
	var e *retry.Error
	require.ErrorAs(t, err, &e)
	assert.Same(t, err, e, "bare, as from any RoundTripper")
	assert.True(t, strings.HasPrefix(err.Error(), "retry: fetch: attempts exhausted after 3 attempts in "), err.Error())
	assert.True(t, strings.HasSuffix(err.Error(), ": EOF"), err.Error())
}
