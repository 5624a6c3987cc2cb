package retryhttp_test

import (
	"io"
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

// writingBase is a base that writes into the request. Many do, although they must not.
type writingBase struct{ http.RoundTripper }

func (w writingBase) RoundTrip(req *http.Request) (*http.Response, error) {
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

// TestBaseWrites checks that what a base writes into a request is not in the next attempt's
// request, nor in the caller's.
func TestBaseWrites(t *testing.T) {
	t.Parallel()
	tune := map[string]func(*retryhttp.Transport){
		"plain":           func(*retryhttp.Transport) {},
		"attempt timeout": func(tr *retryhttp.Transport) { tr.Policy = quickPolicy(retry.WithAttemptTimeout(time.Minute)) },
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
					tr := &retryhttp.Transport{Base: writingBase{newTransport(t)}, Policy: quickPolicy()}
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
						_ = readBody(t, resp)
						assert.Same(t, req, resp.Request)
					case "Do":
						_, err := retryhttp.Do(&http.Client{Transport: tr}, req, decodeText)
						require.Error(t, err)
					default:
						_, err := retryhttp.Do(&http.Client{Transport: tr.Base}, req, decodeText, quickPolicy())
						require.Error(t, err)
					}
					requireWrittenOnce(t, s.requests(), queries)
					assert.Equal(t, http.Header{"X-Mine": {"mine"}}, req.Header, "the caller's")
					assert.Equal(t, s.URL+"/path", req.URL.String())
				})
			}
		}
	}
}

// requireWrittenOnce checks that each of three attempts has what writingBase writes, once.
func requireWrittenOnce(t *testing.T, attempts []receivedRequest, queries []string) {
	t.Helper()
	require.Len(t, attempts, 3)
	for i, a := range attempts {
		assert.Equal(t, []string{"Bearer token"}, a.header["Authorization"], i)
		assert.Equal(t, []string{"session=1"}, a.header["Cookie"], i)
		assert.Equal(t, []string{"mine!"}, a.header["X-Mine"], i)
		assert.Equal(t, "/path/signed", a.path)
		assert.Equal(t, "signature=1", queries[i])
	}
}

// TestResponseAndError checks that a response beside an error is closed, and that the call goes
// by the error.
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
					_, err = (&retryhttp.Transport{Base: base, Policy: quickPolicy()}).RoundTrip(req) //nolint:bodyclose // there is none
				case "Do":
					_, err = retryhttp.Do(&http.Client{Transport: &retryhttp.Transport{Base: base}}, req, decodeText, quickPolicy())
				default:
					_, err = retryhttp.Do(&http.Client{Transport: base}, req, decodeText, quickPolicy())
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

func TestBaseWithoutAResponse(t *testing.T) {
	t.Parallel()
	calls := 0
	base := roundTripper(func(*http.Request) (*http.Response, error) { calls++; return nil, nil })
	resp, err := (&retryhttp.Transport{Base: base, Policy: quickPolicy()}).RoundTrip(newRequest(t, "GET", "http://host.example", nil))
	require.ErrorContains(t, err, "Base returned neither a response nor an error")
	assert.Nil(t, resp)
	assert.Equal(t, 1, calls)
}
