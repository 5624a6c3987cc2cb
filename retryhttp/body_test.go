package retryhttp_test

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retryhttp"
)

// errDialRefused is the error of a dial to a closed port.
var errDialRefused = &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")}

type bodyClosedTest struct {
	name     string
	base     http.RoundTripper
	statuses []int // in place of base
	method   string
	ctx      context.Context
	policy   *retry.Policy
	edit     func(*retryhttp.Transport)
	stream   int64 // attempts without GetBody
	getBody  int64 // attempts with GetBody
	buffered int64 // attempts without GetBody but with a buffer
}

// bodyClosedTests are the paths of a call.
var bodyClosedTests = []bodyClosedTest{
	{name: "success", base: replies(200), stream: 1, getBody: 1, buffered: 1},
	{name: "success of the second attempt", statuses: []int{503, 200}, stream: 1, getBody: 2, buffered: 2},
	{name: "exhausted", base: replies(503), stream: 1, getBody: 3, buffered: 3},
	{name: "final status", base: replies(404), stream: 1, getBody: 1, buffered: 1},
	{name: "refused status", base: replies(429), method: "POST", stream: 1, getBody: 3, buffered: 3},
	{name: "not idempotent", base: replies(503), method: "POST", stream: 1, getBody: 1, buffered: 1},
	{name: "dial error, unread", base: failsUnread(errDialRefused), method: "POST", stream: 3, getBody: 3, buffered: 3},
	{name: "status, unread", base: roundTripper(repliesUnread), stream: 3, getBody: 3, buffered: 3},
	{name: "error after reading", base: failsRead(io.ErrUnexpectedEOF), stream: 1, getBody: 3, buffered: 3},
	{name: "ended context", base: replies(200), ctx: cancelledContext()},
	{name: "gate refuses", base: replies(200), policy: quickPolicy(closedGate)},
	{name: "budget refuses", base: replies(503), policy: quickPolicy(retry.WithBudget(retry.NewBudget(0, 0))), stream: 1, getBody: 1, buffered: 1},
	{
		name: "invalid option", base: replies(200),
		policy: quickPolicy(retry.WithValidator(func(int, retry.Attempt) error { return nil })),
	},
	{name: "context without an end", base: replies(503), ctx: context.Background(), stream: 1, getBody: 3, buffered: 3},
	{name: "attempt timeout", base: replies(503), policy: quickPolicy(retry.WithAttemptTimeout(time.Hour)), stream: 1, getBody: 3, buffered: 3},
	{
		name: "headers added", base: replies(503), method: "POST", stream: 1, getBody: 3, buffered: 3,
		edit: func(tr *retryhttp.Transport) { tr.AddIdempotencyKey, tr.AttemptHeader = true, "X-Attempt" },
	},
}

// closedGate refuses every attempt.
var closedGate = retry.WithGate(func(context.Context, retry.Attempt) (func(error), error) {
	return nil, retry.Permanent(errors.New("gate is closed"))
})

// failsUnread is a base that fails before it has read the body.
func failsUnread(err error) roundTripper {
	return func(req *http.Request) (*http.Response, error) {
		_ = req.Body.Close()
		return nil, err
	}
}

// failsRead is a base that fails after it has read the body. It closes the body twice, as many do.
func failsRead(err error) roundTripper {
	return func(req *http.Request) (*http.Response, error) {
		_, _ = io.Copy(io.Discard, req.Body)
		_ = req.Body.Close()
		_ = req.Body.Close()
		return nil, err
	}
}

// repliesUnread answers before it has read the body.
func repliesUnread(req *http.Request) (*http.Response, error) {
	_ = req.Body.Close()
	return reply(req, 503, ""), nil
}

// cancelledContext returns a context that has ended.
func cancelledContext() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

// TestBodyClosedOnce checks on every path that the caller's body is closed exactly once, and
// whether it was sent again.
func TestBodyClosedOnce(t *testing.T) {
	t.Parallel()
	for _, test := range bodyClosedTests {
		for kind, want := range map[string]int64{"stream": test.stream, "GetBody": test.getBody, "buffered": test.buffered} {
			t.Run(test.name+", "+kind, func(t *testing.T) {
				t.Parallel()
				test.run(t, kind, want)
			})
		}
	}
}

func (test bodyClosedTest) run(t *testing.T, kind string, want int64) {
	t.Helper()
	body := &countingBody{Reader: strings.NewReader("body")}
	req := newRequest(t, cmp.Or(test.method, "PUT"), "http://host.example", body)
	if test.ctx != nil {
		req = req.WithContext(test.ctx)
	}
	recorder := &bodyRecorder{base: test.base}
	if test.base == nil {
		recorder.base = replies(test.statuses...)
	}
	base := &countingBase{base: recorder}
	tr := &retryhttp.Transport{Base: base, Policy: test.policy}
	if tr.Policy == nil {
		tr.Policy = quickPolicy()
	}
	if test.edit != nil {
		test.edit(tr)
	}
	var copies []*countingBody
	switch kind {
	case "GetBody":
		req.GetBody = func() (io.ReadCloser, error) {
			copies = append(copies, &countingBody{Reader: strings.NewReader("body")})
			return copies[len(copies)-1], nil
		}
	case "buffered":
		tr.MaxBodyBuffer = 4
	}

	resp, err := tr.RoundTrip(req)

	assert.True(t, (resp == nil) == (err != nil))
	assert.Equal(t, want, base.attempts.Load())
	assert.EqualValues(t, 1, body.closed.Load(), "the caller's body")
	for _, c := range copies {
		assert.EqualValues(t, 1, c.closed.Load(), "a copy of it")
	}
	if kind == "GetBody" && want > 0 {
		assert.Len(t, copies, int(want)-1)
	}
	for _, s := range recorder.sent {
		assert.Contains(t, []string{"", "body"}, s, "whole or unread")
	}
}

// bodyRecorder is a base that records the part of each body that was read.
type bodyRecorder struct {
	base http.RoundTripper
	mu   sync.Mutex
	sent []string
}

func (r *bodyRecorder) RoundTrip(req *http.Request) (*http.Response, error) {
	var read bytes.Buffer
	req.Body = readerCloser{io.TeeReader(req.Body, &read), req.Body}
	resp, err := r.base.RoundTrip(req)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sent = append(r.sent, read.String())
	return resp, err
}

// TestGetBody checks that every attempt after the first gets its own body from GetBody.
func TestGetBody(t *testing.T) {
	t.Parallel()
	s := serve(t, status(503), status(503), status(200))
	req := newRequest(t, "PUT", s.URL, strings.NewReader("body"))
	get, calls := req.GetBody, 0
	req.GetBody = func() (io.ReadCloser, error) { calls++; return get() }
	resp, err := (&retryhttp.Transport{Base: newTransport(t), Policy: quickPolicy()}).RoundTrip(req)
	require.NoError(t, err)
	assert.Equal(t, "OK", readBody(t, resp))
	assert.Equal(t, 2, calls)
	for _, r := range s.requests() {
		assert.Equal(t, "body", r.body)
		assert.Equal(t, "4", r.header.Get("Content-Length"))
	}
}

func TestGetBodyFails(t *testing.T) {
	t.Parallel()
	errGone := errors.New("file is gone")
	base := &countingBase{base: replies(503)}
	body := &countingBody{Reader: strings.NewReader("body")}
	req := newRequest(t, "PUT", "http://host.example", body)
	req.GetBody = func() (io.ReadCloser, error) { return nil, errGone }
	_, err := (&retryhttp.Transport{Base: base, Policy: quickPolicy()}).RoundTrip(req)
	require.ErrorIs(t, err, errGone)
	require.ErrorIs(t, err, retry.ErrPermanent)
	assert.EqualValues(t, 1, base.attempts.Load())
	assert.EqualValues(t, 1, body.closed.Load())
	assert.Zero(t, base.open.Load())
}

// TestBodyErrorIsReported checks a body whose reader fails or whose length differs from the
// ContentLength. The transport then closes the connection, and may report either of the two
// errors. Neither is retried, and the error says why.
func TestBodyErrorIsReported(t *testing.T) {
	t.Parallel()
	body := func(r io.Reader, length int64) func(*http.Request) {
		return func(req *http.Request) {
			req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(r), nil }
			req.Body, _ = req.GetBody()
			req.ContentLength = length
		}
	}
	for _, test := range []struct {
		name     string
		edit     func(*http.Request)
		attempts int
		text     string
	}{
		{"too short", withBody("body", 5), 1, "unexpected EOF (http: ContentLength=5 with Body length 4)"},
		{"too long", withBody("body", 3), 1, "unexpected EOF (http: ContentLength=3 with Body length 4)"},
		{"fails", body(failingReader{errDisk}, 5), 1, "unexpected EOF (disk failed)"},
		{"right length", withBody("body", 4), 3, "unexpected EOF"},
		{"length -1", withBody("body", -1), 3, "unexpected EOF"},
		{"length 0", withBody("body", 0), 3, "unexpected EOF"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			attempts := 0
			transport := &retryhttp.Transport{Policy: quickPolicy(), Base: roundTripper(func(req *http.Request) (*http.Response, error) {
				attempts++
				_, _ = io.Copy(io.Discard, req.Body)
				return nil, io.ErrUnexpectedEOF
			})}
			req := newRequest(t, "PUT", "http://a.test", nil)
			test.edit(req)
			_, err := transport.RoundTrip(req)
			require.ErrorIs(t, err, io.ErrUnexpectedEOF)
			assert.Equal(t, test.attempts, attempts)
			var e *retry.Error
			require.ErrorAs(t, err, &e)
			assert.EqualError(t, e.Err, test.text)
		})
	}
}
