package retryhttp_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry/retryhttp"
)

type addKeyTest struct {
	name   string
	method string
	header http.Header
	added  bool
	sent   int // of three attempts against 503
}

// addKeyTests are requests to a server that answers 503.
var addKeyTests = []addKeyTest{
	{name: "POST", method: "POST", added: true, sent: 3},
	{name: "PATCH", method: "PATCH", added: true, sent: 3},
	{name: "GET", method: "GET", sent: 3},
	{name: "PUT", method: "PUT", sent: 3},
	{name: "LOCK", method: "LOCK", sent: 1},
	{name: "own key", method: "POST", header: http.Header{"Idempotency-Key": {"mine"}}, sent: 3},
	{name: "own other key", method: "POST", header: http.Header{"X-Idempotency-Key": {"mine"}}, sent: 3},
	{name: "own key that is not sent", method: "POST", header: http.Header{"Idempotency-Key": {}}, sent: 3},
}

func TestAddIdempotencyKey(t *testing.T) {
	t.Parallel()
	for _, test := range addKeyTests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, status(503))
			tr := &retryhttp.Transport{Base: newTransport(t), Policy: quickPolicy(), AddIdempotencyKey: true}
			all := map[string]int{}
			for range 2 {
				req := newRequest(t, test.method, s.URL, nil)
				if test.header != nil {
					req.Header = test.header.Clone()
				}
				resp, err := tr.RoundTrip(req)
				require.NoError(t, err)
				_ = readBody(t, resp)
			}
			require.Len(t, s.requests(), 2*test.sent)
			for _, r := range s.requests() {
				assert.LessOrEqual(t, len(r.header.Values("Idempotency-Key")), 1)
				all[r.header.Get("Idempotency-Key")]++
			}
			switch {
			case test.added:
				assert.Len(t, all, 2, "one a call")
				assert.NotContains(t, all, "")
				for k, n := range all {
					assert.Equal(t, 3, n, "the same on every attempt")
					assert.GreaterOrEqual(t, len(k), 22, "128 bits")
				}
			default:
				assert.Equal(t, map[string]int{test.header.Get("Idempotency-Key"): 2 * test.sent}, all)
			}
		})
	}
}

// TestIdempotent checks which requests may be processed twice, by default and with
// IsIdempotent.
func TestIdempotent(t *testing.T) {
	t.Parallel()
	never := func(*http.Request) bool { return false }
	always := func(*http.Request) bool { return true }
	for _, test := range []struct {
		method string
		header http.Header
		ask    func(*http.Request) bool
		want   int64
	}{
		{method: "", want: 3},
		{method: "GET", want: 3},
		{method: "HEAD", want: 3},
		{method: "OPTIONS", want: 3},
		{method: "TRACE", want: 3},
		{method: "PUT", want: 3},
		{method: "DELETE", want: 3},
		{method: "POST", want: 1},
		{method: "PATCH", want: 1},
		{method: "CONNECT", want: 1},
		{method: "PROPFIND", want: 1},
		{method: "get", want: 1},
		{method: "POST", header: http.Header{"Idempotency-Key": {"k"}}, want: 3},
		{method: "POST", header: http.Header{"X-Idempotency-Key": {"k"}}, want: 3},
		{method: "POST", header: http.Header{"Idempotency-Key": nil}, want: 3}, // net/http does not send it
		{method: "PATCH", header: http.Header{"Idempotency-Key": {"k"}}, want: 3},
		{method: "POST", header: http.Header{"Accept": {"Idempotency-Key"}}, want: 1},
		{method: "GET", ask: never, want: 1},
		{method: "POST", ask: always, want: 3},
		{method: "POST", header: http.Header{"Idempotency-Key": {"k"}}, ask: never, want: 1},
	} {
		base := &countingBase{base: replies(503)}
		req := newRequest(t, "GET", "http://host.example", nil)
		req.Method, req.Header = test.method, test.header
		_, err := (&retryhttp.Transport{Base: base, Policy: quickPolicy(), IsIdempotent: test.ask}).RoundTrip(req)
		require.NoError(t, err)
		assert.Equal(t, test.want, base.attempts.Load(), "%q %v", test.method, test.header)
	}
}
