package retryhttp_test

import (
	"bytes"
	"context"
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
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retryhttp"
)

// TestTextsHaveNoSecrets checks that no text or log record of this package has a path, query,
// fragment, password or header, whatever fails and however it is printed.
func TestTextsHaveNoSecrets(t *testing.T) {
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
		{"status", newTransport(t), s.URL},
		{"error", newTransport(t), gone},
		{"scheme", newTransport(t), "gopher://host.example"},
		{"base that is a client", client, gone},
		{"base that wraps a client's error", wrapped, gone},
		{"base that joins a client's error", joined, gone},
		{"bad Location", newTransport(t), location.URL},
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
				policy := quickPolicy(
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

// TestServerTexts checks how texts, logs and histories repeat what a server writes: as one line
// of some hundred bytes, without characters that control a terminal or reorder a text.
func TestServerTexts(t *testing.T) {
	t.Parallel()
	const escape = "\x1b[31mred\u202e\u0007"
	long := strings.Repeat("x", 500<<10)
	for name, step := range map[string]http.HandlerFunc{
		"status line, long":       raw("HTTP/1.1 503 " + long + "\r\nContent-Length: 0\r\n\r\n"),
		"status line, escapes":    raw("HTTP/1.1 503 " + escape + "\r\nContent-Length: 0\r\n\r\n"),
		"no HTTP, long":           raw(long + "\r\n\r\n"),
		"no HTTP, escapes":        raw(escape + "\r\n\r\n"),
		"status, long":            raw("HTTP/1.1 " + long + "\r\n\r\n"),
		"header, escapes":         raw("HTTP/1.1 200 OK\r\n" + escape + "\r\n\r\n"),
		"length, long":            raw("HTTP/1.1 200 OK\r\nContent-Length: " + long + "\r\n\r\n"),
		"transfer encoding, long": raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: " + long + "\r\n\r\n"),
		"Location, long":          status(302, "Location", "gopher"+long+"://host"),
		"Location, escapes":       status(302, "Location", "http://host\u202e/%zz\x1b"),
	} {
		for _, way := range []string{"Transport", "Do"} {
			t.Run(name+", "+way, func(t *testing.T) {
				t.Parallel()
				s := serve(t, step)
				var logged bytes.Buffer
				var texts []string
				keep := func(err error) {
					var status *retryhttp.StatusError
					if errors.As(err, &status) {
						texts = append(texts, status.Status, fmt.Sprintf("%+v", status))
					}
					texts = append(texts, err.Error(), fmt.Sprintf("%+v", err))
				}
				h := retry.NewHistory(10)
				policy := quickPolicy(retry.WithHistory(h), retry.WithLogger(slog.New(slog.NewTextHandler(&logged, nil))),
					retry.WithHooks(retry.Hooks{AfterAttempt: func(_ context.Context, a retry.Attempt) {
						if a.Err != nil {
							keep(a.Err)
						}
					}}))
				tr := &retryhttp.Transport{Base: newTransport(t), Policy: policy}
				if way == "Do" {
					_, err := retryhttp.Do(&http.Client{Transport: tr}, newRequest(t, "GET", s.URL, nil), decodeText)
					require.Error(t, err)
					keep(err)
				} else {
					resp, err := tr.RoundTrip(newRequest(t, "GET", s.URL, nil))
					if err == nil {
						if err = retryhttp.Check(resp); err == nil {
							err = io.EOF
						}
						_ = resp.Body.Close()
					}
					keep(err)
				}
				for a := range h.All() {
					if a.Err != nil {
						keep(a.Err)
					}
				}
				for _, record := range strings.SplitAfter(logged.String(), "\n") {
					texts = append(texts, strings.TrimSuffix(record, "\n"))
				}
				for _, text := range texts {
					assert.Less(t, len(text), 2500, "%.60q", text)
					for _, c := range text {
						require.False(t, unicode.IsControl(c) || unicode.Is(unicode.Bidi_Control, c), "%.60q", text)
					}
				}
			})
		}
	}
}
