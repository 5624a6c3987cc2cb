package retryhttp_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retryhttp"
)

// writer is a base that adds to what it is given, as many do although they must not.
type writer struct{ http.RoundTripper }

func (w writer) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Header == nil {
		req.Header = http.Header{}
	}
	req.Header.Add("Authorization", "Bearer token")
	req.AddCookie(&http.Cookie{Name: "session", Value: "1"})
	if len(req.Header["X-Mine"]) > 0 {
		req.Header["X-Mine"][0] += "!"
	}
	q := req.URL.Query()
	q.Add("signature", "1")
	req.URL.RawQuery = q.Encode()
	req.URL.Path += "/signed"
	return w.RoundTripper.RoundTrip(req)
}

// TestBaseWrites holds that what a base writes into a request is neither in the next attempt's
// nor in the caller's.
func TestBaseWrites(t *testing.T) {
	t.Parallel()
	tune := map[string]func(*retryhttp.Transport){
		"plain":           func(*retryhttp.Transport) {},
		"attempt timeout": func(tr *retryhttp.Transport) { tr.Policy = quick(retry.WithAttemptTimeout(time.Minute)) },
		"attempt header":  func(tr *retryhttp.Transport) { tr.AttemptHeader = "X-Attempt" },
		"key":             func(tr *retryhttp.Transport) { tr.AddIdempotencyKey = true },
	}
	for name, edit := range tune {
		for _, method := range []string{"GET", "PUT"} {
			for _, way := range []string{"Transport", "Do", "Do without Transport"} {
				t.Run(name+", "+method+", "+way, func(t *testing.T) {
					t.Parallel()
					var queries []string
					s := serve(t, func(w http.ResponseWriter, r *http.Request) {
						queries = append(queries, r.URL.RawQuery)
						w.WriteHeader(http.StatusServiceUnavailable)
					})
					tr := &retryhttp.Transport{Base: writer{direct(t)}, Policy: quick()}
					edit(tr)
					var body io.Reader
					if method == "PUT" {
						body = strings.NewReader("body")
					}
					req := newRequest(t, method, s.URL+"/path", body)
					req.Header.Set("X-Mine", "mine")
					switch way {
					case "Transport":
						resp, err := tr.RoundTrip(req)
						require.NoError(t, err)
						_ = text(t, resp)
						assert.Same(t, req, resp.Request)
					case "Do":
						_, err := retryhttp.Do(&http.Client{Transport: tr}, req, decodeText)
						require.Error(t, err)
					default:
						_, err := retryhttp.Do(&http.Client{Transport: tr.Base}, req, decodeText, quick())
						require.Error(t, err)
					}
					asked := s.requests()
					require.Len(t, asked, 3)
					for i, a := range asked {
						assert.Equal(t, []string{"Bearer token"}, a.header["Authorization"], i)
						assert.Equal(t, []string{"session=1"}, a.header["Cookie"], i)
						assert.Equal(t, []string{"mine!"}, a.header["X-Mine"], i)
						assert.Equal(t, "/path/signed", a.path)
						assert.Equal(t, "signature=1", queries[i])
					}
					assert.Equal(t, http.Header{"X-Mine": {"mine"}}, req.Header, "the caller's")
					assert.Equal(t, s.URL+"/path", req.URL.String())
				})
			}
		}
	}
}

// TestResponseAndError holds that a response beside an error is closed, and that the error is
// what counts.
func TestResponseAndError(t *testing.T) {
	t.Parallel()
	for _, way := range []string{"Transport", "Do", "Do without Transport"} {
		for _, code := range []int{200, 503} {
			t.Run(way, func(t *testing.T) {
				t.Parallel()
				var made, closed atomic.Int64
				base := roundTripper(func(req *http.Request) (*http.Response, error) {
					made.Add(1)
					resp := reply(req, code, "text")
					resp.Body = closeFunc{resp.Body, func() { closed.Add(1) }}
					return resp, io.ErrUnexpectedEOF
				})
				req := newRequest(t, "GET", "http://host.example", nil)
				var err error
				switch way {
				case "Transport":
					_, err = (&retryhttp.Transport{Base: base, Policy: quick()}).RoundTrip(req) //nolint:bodyclose // there is none
				case "Do":
					_, err = retryhttp.Do(&http.Client{Transport: &retryhttp.Transport{Base: base}}, req, decodeText, quick())
				default:
					_, err = retryhttp.Do(&http.Client{Transport: base}, req, decodeText, quick())
				}
				require.ErrorIs(t, err, io.ErrUnexpectedEOF)
				require.ErrorIs(t, err, retry.ErrExhausted)
				assert.EqualValues(t, 3, made.Load())
				assert.EqualValues(t, 3, closed.Load())
			})
		}
	}
}

type closeFunc struct {
	io.ReadCloser
	closed func()
}

func (c closeFunc) Close() error {
	c.closed()
	return c.ReadCloser.Close()
}

// TestOnePacket holds that a small request goes out in one write, as it does without retries,
// whatever the kind of body that net/http knows.
func TestOnePacket(t *testing.T) {
	t.Parallel()
	bodies := map[string]func() io.Reader{
		"strings.Reader": func() io.Reader { return strings.NewReader("body") },
		"MaxBodyBuffer":  func() io.Reader { return onlyReader{strings.NewReader("body")} },
	}
	for name, body := range bodies {
		for _, way := range []string{"Transport", "Do"} {
			t.Run(name+", "+way, func(t *testing.T) {
				t.Parallel()
				var writes atomic.Int64
				s := serve(t, status(503), status(200))
				base := direct(t)
				base.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
					conn, err := (&net.Dialer{}).DialContext(ctx, network, addr)
					return countedWrites{conn, &writes}, err
				}
				tr := &retryhttp.Transport{Base: base, Policy: quick(), MaxBodyBuffer: 100}
				req := newRequest(t, "PUT", s.URL, body())
				if name == "MaxBodyBuffer" {
					req.ContentLength = 4
				}
				if way == "Do" {
					_, err := retryhttp.Do(&http.Client{Transport: tr}, req, decodeText)
					require.NoError(t, err)
				} else {
					resp, err := tr.RoundTrip(req)
					require.NoError(t, err)
					_ = text(t, resp)
				}
				assert.Len(t, s.requests(), 2)
				for _, a := range s.requests() {
					assert.Equal(t, "body", a.body)
				}
				assert.EqualValues(t, 2, writes.Load(), "one for each request")
			})
		}
	}
}

type onlyReader struct{ io.Reader }

type countedWrites struct {
	net.Conn
	n *atomic.Int64
}

func (c countedWrites) Write(p []byte) (int, error) {
	c.n.Add(1)
	return c.Conn.Write(p)
}

// TestAllocations holds what a request costs beside net/http when nothing fails.
func TestAllocations(t *testing.T) { //nolint:paralleltest // it counts the process's allocations
	done := &http.Response{StatusCode: 200, Body: http.NoBody}
	base := roundTripper(func(req *http.Request) (*http.Response, error) {
		if req.Body != nil {
			_ = req.Body.Close()
		}
		return done, nil
	})
	tr := &retryhttp.Transport{Base: base, Policy: quick()}
	get := newRequest(t, "GET", "http://host.example", nil)
	put := newRequest(t, "PUT", "http://host.example", strings.NewReader("body"))
	post := newRequest(t, "POST", "http://host.example", strings.NewReader("body"))
	for _, test := range []struct {
		name string
		req  *http.Request
		most float64
	}{{"GET", get, 2}, {"PUT", put, 4}, {"POST", post, 14}} {
		n := testing.AllocsPerRun(100, func() { _, _ = tr.RoundTrip(test.req) }) //nolint:bodyclose // it has none
		assert.LessOrEqual(t, n, test.most, test.name)
	}
}

// TestFirstAttemptCopiesNothing holds that net/http's own transport gets the caller's request as
// it is, and the allocations beside it.
func TestFirstAttemptCopiesNothing(t *testing.T) { //nolint:paralleltest // it counts the process's allocations
	done := &http.Response{StatusCode: 200, Body: http.NoBody}
	var sent *http.Request
	base := direct(t)
	base.RegisterProtocol("test", roundTripper(func(req *http.Request) (*http.Response, error) {
		sent = req
		return done, nil
	}))
	req := newRequest(t, "GET", "test://host.example", nil)
	for name, test := range map[string]struct {
		policy *retry.Policy
		most   float64
	}{"zero": {nil, 2}, "attempt timeout": {quick(retry.WithAttemptTimeout(time.Minute)), 13}} {
		tr := &retryhttp.Transport{Base: base, Policy: test.policy}
		alone := testing.AllocsPerRun(100, func() { _, _ = base.RoundTrip(req) }) //nolint:bodyclose // it has none
		n := testing.AllocsPerRun(100, func() { _, _ = tr.RoundTrip(req) })       //nolint:bodyclose // it has none
		assert.LessOrEqual(t, n-alone, test.most, name)
		assert.Equal(t, name == "zero", sent == req, name)
	}
}

// TestUnsafeSaysWhy holds that the error of a request that might have been sent again says why
// it was not.
func TestUnsafeSaysWhy(t *testing.T) {
	t.Parallel()
	stream := func(r *http.Request) {
		r.GetBody = nil
		r.Body = io.NopCloser(onlyReader{strings.NewReader("body")})
	}
	for _, test := range []struct {
		name, method string
		step         http.HandlerFunc
		edit         func(*http.Request)
		tune         func(*retryhttp.Transport)
		want         string // "": nothing is said
	}{
		{name: "POST", method: "POST", step: hangUp, want: "EOF (not sent again: POST without an Idempotency-Key)"},
		{name: "PATCH, 503", method: "PATCH", step: status(503), want: "503 Service Unavailable (not sent again: PATCH without an Idempotency-Key)"},
		{
			name: "not idempotent", method: "GET", step: hangUp, want: "EOF (not sent again: GET is not idempotent)",
			tune: func(tr *retryhttp.Transport) { tr.IsIdempotent = func(*http.Request) bool { return false } },
		},
		{name: "body was read", method: "PUT", step: hangUp, edit: stream, want: "EOF (not sent again: the body was read and has no GetBody)"},
		{name: "body was read, 503", method: "PUT", step: status(503), edit: stream, want: "(not sent again: the body was read and has no GetBody)"},
		{name: "pointless", method: "POST", step: raw("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"), want: "(not sent again: POST without an Idempotency-Key)"},
		{name: "idempotent", method: "PUT", step: hangUp},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, test.step)
			tr := &retryhttp.Transport{Base: direct(t), Policy: quick()}
			if test.tune != nil {
				test.tune(tr)
			}
			req := newRequest(t, test.method, s.URL, strings.NewReader("body"))
			if test.edit != nil {
				test.edit(req)
			}
			_, err := retryhttp.Do(&http.Client{Transport: tr}, req, decodeText)
			require.Error(t, err)
			if test.want == "" {
				assert.NotContains(t, err.Error(), "not sent again")
				return
			}
			require.ErrorIs(t, err, retry.ErrPermanent)
			assert.True(t, strings.HasSuffix(err.Error(), test.want), "%v", err)
		})
	}
	t.Run("redirected", func(t *testing.T) {
		t.Parallel()
		s := serve(t, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://"+closedAddr(t), http.StatusTemporaryRedirect)
		})
		_, err := retryhttp.Do(&http.Client{Transport: direct(t)}, newRequest(t, "POST", s.URL, strings.NewReader("body")), decodeText, quick())
		require.ErrorIs(t, err, retry.ErrPermanent)
		assert.Contains(t, err.Error(), "(not sent again: POST was redirected and may have been processed)")
	})
	t.Run("decode says so itself", func(t *testing.T) {
		t.Parallel()
		mine := errors.New("no such order")
		_, err := retryhttp.Do(&http.Client{Transport: direct(t)}, newRequest(t, "POST", serve(t, status(404)).URL, nil),
			func(*http.Response) (int, error) { return 0, mine }, quick())
		require.ErrorIs(t, err, mine)
		require.ErrorIs(t, err, retry.ErrPermanent)
	})
}
