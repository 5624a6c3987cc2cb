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

// clientError is a base that fails as an http.Client does.
func clientError(req *http.Request) (*http.Response, error) {
	return nil, &url.Error{Op: "Get", URL: req.URL.String(), Err: io.ErrUnexpectedEOF}
}

// wrappedClientError is a base that wraps the error of an http.Client.
func wrappedClientError(req *http.Request) (*http.Response, error) {
	_, err := clientError(req) //nolint:bodyclose // there is none
	return nil, fmt.Errorf("sdk: %w", err)
}

// joinedClientError is a base that joins the error of an http.Client with another.
func joinedClientError(req *http.Request) (*http.Response, error) {
	_, err := clientError(req) //nolint:bodyclose // there is none
	return nil, errors.Join(errors.New("sdk"), err)
}

// TestTextsHaveNoSecrets checks that no text or log record of this package has a path, query,
// fragment, password or header, whatever fails and however it is printed.
func TestTextsHaveNoSecrets(t *testing.T) {
	t.Parallel()
	s := serve(t, status(503, "X-Reply", "secret-reply", "Set-Cookie", "id=secret-cookie"))
	gone := "http://" + listen(t, func(net.Conn) {})
	location := serve(t, status(302, "Location", "http://%zz/secret-path?token=secret-query"))
	for _, test := range []struct {
		name string
		base http.RoundTripper
		url  string
	}{
		{"status", newTransport(t), s.URL},
		{"error", newTransport(t), gone},
		{"scheme", newTransport(t), "gopher://host.example"},
		{"base that is a client", roundTripper(clientError), gone},
		{"base that wraps a client's error", roundTripper(wrappedClientError), gone},
		{"base that joins a client's error", roundTripper(joinedClientError), gone},
		{"bad Location", newTransport(t), location.URL},
	} {
		for _, kind := range []string{"transport", "do"} {
			t.Run(test.name+", "+kind, func(t *testing.T) {
				t.Parallel()
				var recorder textRecorder
				policy := quickPolicy(
					retry.WithName("fetch"),
					retry.WithLogger(slog.New(slog.NewJSONHandler(&recorder.log, &slog.HandlerOptions{Level: slog.LevelDebug}))),
					retry.WithHooks(recorder.hooks()))
				tr := &retryhttp.Transport{Base: test.base, Policy: policy, AddIdempotencyKey: true}
				if err := sendSecrets(t, tr, test.url, kind); err != nil {
					recorder.add(err)
				}
				for _, text := range append(recorder.texts, recorder.log.String()) {
					assert.NotContains(t, text, "secret")
				}
			})
		}
	}
}

// sendSecrets sends a request that has a secret in each of its parts.
func sendSecrets(t *testing.T, tr *retryhttp.Transport, address, kind string) error {
	t.Helper()
	u, err := url.Parse(address)
	require.NoError(t, err)
	u.User = url.UserPassword("secret-user", "secret-password")
	u.Path, u.RawQuery, u.Fragment = "/secret-path", "token=secret-query", "secret-fragment"
	req := newRequest(t, "GET", u.String(), nil)
	req.Header.Set("Authorization", "secret-header")
	if kind == "do" {
		_, err = retryhttp.Do(&http.Client{Transport: tr}, req, func(*http.Response) (int, error) { return 0, errors.New("undecodable") })
		require.Error(t, err)
		return err
	}
	resp, err := tr.RoundTrip(req)
	if err == nil {
		require.NoError(t, resp.Body.Close())
	}
	return err
}

// textRecorder collects the texts of errors, in every format, and a log.
type textRecorder struct {
	texts []string
	log   bytes.Buffer
}

func (r *textRecorder) add(err error) {
	r.texts = append(r.texts, fmt.Sprint(err), fmt.Sprintf("%+v", err), fmt.Sprintf("%#v", err), fmt.Sprintf("%q", err))
	if asJSON, err := json.Marshal(err); err == nil {
		r.texts = append(r.texts, string(asJSON))
	}
}

func (r *textRecorder) hooks() retry.Hooks {
	return retry.Hooks{
		AfterAttempt: func(_ context.Context, a retry.Attempt) { r.add(a.Err) },
		Done: func(_ context.Context, o retry.Outcome) {
			if o.Err != nil {
				r.add(o.Err)
				slog.New(slog.NewTextHandler(&r.log, nil)).Error("done", "err", o.Err)
			}
		},
	}
}

const (
	escapes  = "\x1b[31mred\u202e\u0007"
	longLine = 500 << 10
)

// hostileTexts are the answers of a server whose texts are long or have control characters.
var hostileTexts = map[string]http.HandlerFunc{
	"status line, long":       raw("HTTP/1.1 503 " + strings.Repeat("x", longLine) + "\r\nContent-Length: 0\r\n\r\n"),
	"status line, escapes":    raw("HTTP/1.1 503 " + escapes + "\r\nContent-Length: 0\r\n\r\n"),
	"no HTTP, long":           raw(strings.Repeat("x", longLine) + "\r\n\r\n"),
	"no HTTP, escapes":        raw(escapes + "\r\n\r\n"),
	"status, long":            raw("HTTP/1.1 " + strings.Repeat("x", longLine) + "\r\n\r\n"),
	"header, escapes":         raw("HTTP/1.1 200 OK\r\n" + escapes + "\r\n\r\n"),
	"length, long":            raw("HTTP/1.1 200 OK\r\nContent-Length: " + strings.Repeat("x", longLine) + "\r\n\r\n"),
	"transfer encoding, long": raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: " + strings.Repeat("x", longLine) + "\r\n\r\n"),
	"Location, long":          status(302, "Location", "gopher"+strings.Repeat("x", longLine)+"://host"),
	"Location, escapes":       status(302, "Location", "http://host\u202e/%zz\x1b"),
}

// TestServerTexts checks how texts, logs and histories repeat what a server writes: as one line
// of some hundred bytes, without characters that control a terminal or reorder a text.
func TestServerTexts(t *testing.T) {
	t.Parallel()
	for name, step := range hostileTexts {
		for _, way := range []string{"Transport", "Do"} {
			t.Run(name+", "+way, func(t *testing.T) {
				t.Parallel()
				for _, text := range textsOf(t, serve(t, step).URL, way) {
					assert.Less(t, len(text), 2500, "%.60q", text)
					for _, c := range text {
						require.False(t, unicode.IsControl(c) || unicode.Is(unicode.Bidi_Control, c), "%.60q", text)
					}
				}
			})
		}
	}
}

// textsOf returns the texts of a call that fails: those of its errors, its history and its log.
func textsOf(t *testing.T, url, way string) (texts []string) {
	t.Helper()
	keep := func(err error) {
		var status *retryhttp.StatusError
		if errors.As(err, &status) {
			texts = append(texts, status.Status, fmt.Sprintf("%+v", status))
		}
		texts = append(texts, err.Error(), fmt.Sprintf("%+v", err))
	}
	var log bytes.Buffer
	h := retry.NewHistory(10)
	policy := quickPolicy(retry.WithHistory(h), retry.WithLogger(slog.New(slog.NewTextHandler(&log, nil))),
		retry.WithHooks(retry.Hooks{AfterAttempt: func(_ context.Context, a retry.Attempt) {
			if a.Err != nil {
				keep(a.Err)
			}
		}}))
	tr := &retryhttp.Transport{Base: newTransport(t), Policy: policy}
	if way == "Do" {
		_, err := retryhttp.Do(&http.Client{Transport: tr}, newRequest(t, "GET", url, nil), decodeText)
		require.Error(t, err)
		keep(err)
	} else {
		resp, err := tr.RoundTrip(newRequest(t, "GET", url, nil))
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
	for _, record := range strings.SplitAfter(log.String(), "\n") {
		texts = append(texts, strings.TrimSuffix(record, "\n"))
	}
	return texts
}
