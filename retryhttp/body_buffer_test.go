package retryhttp_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retryhttp"
)

func TestMaxBodyBuffer(t *testing.T) {
	t.Parallel()
	const limit = 1000
	errDisk := errors.New("disk failed")
	for _, test := range []struct {
		name     string
		size     int
		length   int64 // as the request says; -1: unknown
		fails    bool
		limit    int64
		attempts int
	}{
		{name: "empty", size: 0, length: -1, limit: limit, attempts: 3},
		{name: "under", size: limit - 1, length: -1, limit: limit, attempts: 3},
		{name: "at", size: limit, length: -1, limit: limit, attempts: 3},
		{name: "over", size: limit + 1, length: -1, limit: limit, attempts: 1},
		{name: "far over", size: 100 * limit, length: -1, limit: limit, attempts: 1},
		{name: "at, length known", size: limit, length: limit, limit: limit, attempts: 3},
		{name: "over, length known", size: limit + 1, length: limit + 1, limit: limit, attempts: 1},
		{name: "none", size: 1, length: -1, limit: 0, attempts: 1},
		{name: "reader fails", size: limit / 2, length: -1, fails: true, limit: limit, attempts: 0},
		{name: "reader fails beyond the limit", size: 2 * limit, length: -1, fails: true, limit: limit, attempts: 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, status(503))
			want, _ := io.ReadAll(slowReader(test.size))
			body := &countingBody{Reader: slowReader(test.size)}
			if test.fails {
				body.Reader = io.MultiReader(body.Reader, failingReader{errDisk})
			}
			req := newRequest(t, "PUT", s.URL, body)
			req.ContentLength = test.length
			resp, err := (&retryhttp.Transport{Base: newTransport(t), Policy: quickPolicy(), MaxBodyBuffer: test.limit}).RoundTrip(req)
			requireClosedOnce(t, body)
			assert.Nil(t, req.GetBody)
			if test.fails {
				require.ErrorIs(t, err, errDisk)
				require.ErrorIs(t, err, retry.ErrPermanent, "the caller's reader failed, not the network")
				return
			}
			require.NoError(t, err)
			assert.Equal(t, "Service Unavailable", readBody(t, resp))
			require.Len(t, s.requests(), test.attempts)
			for _, r := range s.requests() {
				assert.Equal(t, string(want), r.body)
			}
		})
	}
}

// TestTooLongForBuffer checks that a body is not read first if its ContentLength exceeds the
// limit.
func TestTooLongForBuffer(t *testing.T) {
	t.Parallel()
	body := &countingBody{Reader: strings.NewReader("body")}
	base := roundTripper(func(req *http.Request) (*http.Response, error) {
		assert.Zero(t, body.reads.Load())
		_ = req.Body.Close()
		return reply(req, 200, ""), nil
	})
	req := newRequest(t, "PUT", "http://host.example", body)
	req.ContentLength = 4
	_, err := (&retryhttp.Transport{Base: base, Policy: quickPolicy(), MaxBodyBuffer: 3}).RoundTrip(req)
	require.NoError(t, err)
}

// TestBufferingIsCancelled checks that the end of the caller's context ends a call that waits
// for the body.
func TestBufferingIsCancelled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, base := serveInMemory(t, status(200))
		reader, writer := io.Pipe()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		late := time.AfterFunc(time.Minute, func() { _ = writer.CloseWithError(errors.New("test gave up waiting")) })
		defer late.Stop()
		req := newRequest(t, "PUT", "http://host.example", reader).WithContext(ctx)
		start := time.Now()
		_, err := (&retryhttp.Transport{Base: base, Policy: quickPolicy(), MaxBodyBuffer: 100}).RoundTrip(req)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, time.Second, time.Since(start))
	})
}

// TestBufferingDeadContext checks that a call which makes no attempt does not read the body.
func TestBufferingDeadContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	body := &countingBody{Reader: strings.NewReader("body")}
	_, err := (&retryhttp.Transport{Base: replies(200), Policy: quickPolicy(), MaxBodyBuffer: 100}).RoundTrip(
		newRequest(t, "PUT", "http://host.example", body).WithContext(ctx))
	require.ErrorIs(t, err, context.Canceled)
	assert.Zero(t, body.reads.Load())
	assert.EqualValues(t, 1, body.closed.Load())
}

// TestLargestBuffer checks that the body arrives with any value of MaxBodyBuffer.
func TestLargestBuffer(t *testing.T) {
	t.Parallel()
	for _, limit := range []int64{math.MinInt64, -1, 0, 3, 4, 5, math.MaxInt64 - 1, math.MaxInt64} {
		for _, length := range []int64{-1, 4} {
			t.Run(fmt.Sprint(limit, length), func(t *testing.T) {
				t.Parallel()
				s := serve(t, status(503), status(200))
				req := newRequest(t, "PUT", s.URL, onlyReader{strings.NewReader("body")})
				req.ContentLength = length
				resp, err := (&retryhttp.Transport{Base: newTransport(t), Policy: quickPolicy(), MaxBodyBuffer: limit}).RoundTrip(req)
				require.NoError(t, err)
				_ = readBody(t, resp)
				want := 1
				if limit >= 4 {
					want = 2
				}
				assert.Len(t, s.requests(), want)
				for _, a := range s.requests() {
					assert.Equal(t, "body", a.body)
				}
			})
		}
	}
}
