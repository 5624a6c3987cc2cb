package retryhttp_test

import (
	"bytes"
	"context"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retryhttp"
)

// trickle sends a byte every 10 ms until the client leaves.
func trickle(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(code)
		for r.Context().Err() == nil {
			if _, err := w.Write([]byte{'.'}); err != nil {
				return
			}
			_ = http.NewResponseController(w).Flush()
			select {
			case <-time.After(10 * time.Millisecond):
			case <-r.Context().Done():
			}
		}
	}
}

// huge sends n bytes in chunks, and adds the bytes that it could write to written.
func huge(code, n int, written *atomic.Int64) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(code)
		part := make([]byte, 4<<10)
		for range n / len(part) {
			m, err := w.Write(part)
			written.Add(int64(m))
			if err != nil {
				return
			}
		}
	}
}

// sized sends n bytes, with or without a Content-Length.
func sized(code, n int, withLength bool) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		if withLength {
			w.Header().Set("Content-Length", strconv.Itoa(n))
		}
		w.WriteHeader(code)
		if !withLength {
			_ = http.NewResponseController(w).Flush()
		}
		_, _ = w.Write(bytes.Repeat([]byte{'x'}, n))
	}
}

// TestDrainTime checks that discarding a body that trickles or hangs takes 100 ms.
func TestDrainTime(t *testing.T) {
	t.Parallel()
	still := func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(503)
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}
	for name, step := range map[string]http.HandlerFunc{"trickles": trickle(503), "stands still": still} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s, base := serveInMemory(t, step, status(200))
				counted := &countingBase{base: base}
				start := time.Now()
				resp, err := (&retryhttp.Transport{Base: counted, Policy: quickPolicy()}).RoundTrip(newRequest(t, "GET", "http://host.example", nil))
				require.NoError(t, err)
				assert.Equal(t, "OK", readBody(t, resp))
				assert.Equal(t, 100*time.Millisecond, s.requests()[1].at.Sub(start))
				assert.Zero(t, counted.open.Load())
			})
		})
	}
}

// TestDrainBytes checks that at most 64 KiB of a discarded body are read.
func TestDrainBytes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var written atomic.Int64
		s, base := serveInMemory(t, huge(503, 64<<20, &written), status(200))
		resp, err := (&retryhttp.Transport{Base: base, Policy: quickPolicy()}).RoundTrip(newRequest(t, "GET", "http://host.example", nil))
		require.NoError(t, err)
		assert.Equal(t, "OK", readBody(t, resp))
		assert.Len(t, s.requests(), 2)
		// A pipe has no buffer, so what was written was read, except for the buffers at both ends.
		assert.GreaterOrEqual(t, written.Load(), int64(64<<10))
		assert.Less(t, written.Load(), int64(64<<10+20<<10))
	})
}

// TestDrainTooLong checks that a body with a Content-Length above 64 KiB is not read.
func TestDrainTooLong(t *testing.T) {
	t.Parallel()
	body := &countingBody{Reader: strings.NewReader("x")}
	base := roundTripper(func(req *http.Request) (*http.Response, error) {
		resp := reply(req, 503, "")
		resp.Body, resp.ContentLength = body, 64<<10+1
		return resp, nil
	})
	_, err := (&retryhttp.Transport{Base: base, Policy: quickPolicy(retry.WithMaxAttempts(2))}).RoundTrip(newRequest(t, "GET", "http://host.example", nil))
	require.NoError(t, err)
	assert.Zero(t, body.reads.Load())
	assert.EqualValues(t, 1, body.closed.Load(), "the first; the last is the caller's")
}

// TestConnectionReuse checks which responses between attempts keep their connection.
func TestConnectionReuse(t *testing.T) {
	t.Parallel()
	const limit = 64 << 10
	for _, test := range []struct {
		name  string
		step  http.HandlerFunc
		conns int64
	}{
		{"empty", sized(503, 0, true), 1},
		{"small", sized(503, 100, true), 1},
		{"above 4 KiB", sized(503, 10<<10, true), 1},
		{"at the limit", sized(503, limit, true), 1},
		{"in chunks", sized(503, limit-1, false), 1},
		{"in chunks, at the limit", sized(503, limit, false), 1},
		{"above the limit", sized(503, 4*limit, true), 3},
		{"in chunks, above the limit", sized(503, 4*limit, false), 3},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, test.step, test.step, status(200))
			resp, err := (&retryhttp.Transport{Base: newTransport(t), Policy: quickPolicy()}).RoundTrip(newRequest(t, "GET", s.URL, nil))
			require.NoError(t, err)
			assert.Equal(t, "OK", readBody(t, resp))
			assert.Len(t, s.requests(), 3)
			assert.Equal(t, test.conns, s.opened.Load())
		})
	}
}

// TestMaxConnsPerHost checks that no response is held while the next attempt needs its
// connection.
func TestMaxConnsPerHost(t *testing.T) {
	t.Parallel()
	for name, step := range map[string]http.HandlerFunc{
		"small": status(503), "huge": sized(503, 1<<20, false), "hangs up": hangUp,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, step, step, status(200))
			tr := newTransport(t)
			tr.MaxConnsPerHost = 1
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			resp, err := (&retryhttp.Transport{Base: tr, Policy: quickPolicy()}).RoundTrip(newRequest(t, "GET", s.URL, nil).WithContext(ctx))
			require.NoError(t, err)
			assert.Equal(t, "OK", readBody(t, resp))
		})
	}
}
