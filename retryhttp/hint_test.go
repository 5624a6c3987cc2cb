package retryhttp_test

import (
	"fmt"
	"math"
	"net/http"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retryhttp"
)

var leapDay = time.Date(2024, 2, 29, 12, 0, 0, 0, time.UTC)

// newResponse returns a response without a request.
func newResponse(code int, header ...string) *http.Response { return reply(nil, code, "", header...) }

func epoch(d time.Duration) string { return strconv.FormatInt(leapDay.Add(d).Unix(), 10) }

type rateLimitTest struct {
	name string
	resp *http.Response
	want time.Duration
	ok   bool
}

// rateLimitTests are read at noon of the leap day.
var rateLimitTests = []rateLimitTest{
	{"none", newResponse(429), 0, false},
	{"delta", newResponse(429, "X-RateLimit-Remaining", "0", "X-RateLimit-Reset", "40"), 40 * time.Second, true},
	{"epoch", newResponse(403, "X-RateLimit-Remaining", "0", "X-RateLimit-Reset", epoch(40*time.Second)), 40 * time.Second, true},
	{"epoch with a fraction", newResponse(429, "X-RateLimit-Remaining", "0", "X-RateLimit-Reset", epoch(40*time.Second)+".5"), 40500 * time.Millisecond, true},
	{"epoch that has passed", newResponse(429, "X-RateLimit-Remaining", "0", "X-RateLimit-Reset", epoch(-time.Minute)), 0, true},
	{
		"epoch by the server's clock", newResponse(429, "X-RateLimit-Remaining", "0", "X-RateLimit-Reset", epoch(40*time.Second), "Date", "Thu, 29 Feb 2024 11:00:00 GMT"),
		time.Hour + 40*time.Second, true,
	},
	{"a year is a delta", newResponse(429, "X-RateLimit-Remaining", "0", "X-RateLimit-Reset", "31536000"), 365 * 24 * time.Hour, true},
	{"above a year is an epoch", newResponse(429, "X-RateLimit-Remaining", "0", "X-RateLimit-Reset", "31536001"), 0, true},
	{"too large for a Duration", newResponse(429, "X-RateLimit-Remaining", "0", "X-RateLimit-Reset", "99999999999999999999"), longest, true},
	{"something remains", newResponse(429, "X-RateLimit-Remaining", "1", "X-RateLimit-Reset", "40"), 0, false},
	{"garbage remains", newResponse(429, "X-RateLimit-Remaining", "none", "X-RateLimit-Reset", "40"), 0, false},
	{"remaining is missing from a 429", newResponse(429, "X-RateLimit-Reset", "40"), 40 * time.Second, true},
	{"remaining is missing from a 503", newResponse(503, "X-RateLimit-Reset", "40"), 0, false},
	{"garbage", newResponse(429, "X-RateLimit-Remaining", "0", "X-RateLimit-Reset", "soon"), 0, false},
	{"negative", newResponse(429, "X-RateLimit-Remaining", "0", "X-RateLimit-Reset", "-5"), 0, false},
	{"without X", newResponse(503, "RateLimit-Remaining", "0", "RateLimit-Reset", "7"), 7 * time.Second, true},
	{"without X, something remains", newResponse(503, "RateLimit-Remaining", "2", "RateLimit-Reset", "7"), 0, false},
	{"list", newResponse(429, "RateLimit", `"hour";r=0;t=30`), 30 * time.Second, true},
	{"list without a name", newResponse(429, "RateLimit", "r=0;t=30"), 30 * time.Second, true},
	{"list with blanks", newResponse(429, "RateLimit", `"hour"; r=0 ; t=30`), 30 * time.Second, true},
	{"list, something remains", newResponse(429, "RateLimit", `"hour";r=5;t=30`), 0, false},
	{"list, one is used up", newResponse(429, "RateLimit", `"hour";r=0;t=30, "day";r=10;t=3600`), 30 * time.Second, true},
	{"list, two are used up", newResponse(429, "RateLimit", `"hour";r=0;t=30, "day";r=0;t=3600`), time.Hour, true},
	{"list with a tricky name", newResponse(429, "RateLimit", `"a;r=0;t=99,\"";r=0;t=30`), 30 * time.Second, true},
	{"list, epoch", newResponse(429, "RateLimit", `"hour";r=0;t=`+epoch(30*time.Second)), 30 * time.Second, true},
	{"dictionary", newResponse(429, "RateLimit", "limit=100, remaining=0, reset=50"), 50 * time.Second, true},
	{"dictionary, something remains", newResponse(429, "RateLimit", "limit=100, remaining=9, reset=50"), 0, false},
	{
		"several headers", newResponse(429, "X-RateLimit-Remaining", "0", "X-RateLimit-Reset", "10", "RateLimit-Remaining", "0", "RateLimit-Reset", "20"),
		20 * time.Second, true,
	},
}

func TestRateLimitReset(t *testing.T) {
	t.Parallel()
	for _, test := range rateLimitTests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, ok := retryhttp.RateLimitReset(test.resp, leapDay)
			assert.Equal(t, test.ok, ok)
			assert.Equal(t, test.want, got)
		})
	}
}

func TestHint(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		resp *http.Response
		want time.Duration
		ok   bool
	}{
		{"none", newResponse(503), 0, false},
		{"milliseconds", newResponse(503, "Retry-After-Ms", "350"), 350 * time.Millisecond, true},
		{"milliseconds with a fraction", newResponse(503, "Retry-After-Ms", "0.5"), 500 * time.Microsecond, true},
		{"milliseconds that overflow", newResponse(503, "Retry-After-Ms", "9223372036855"), math.MaxInt64, true},
		{"milliseconds before seconds", newResponse(503, "Retry-After-Ms", "350", "Retry-After", "1"), 350 * time.Millisecond, true},
		{"bad milliseconds", newResponse(503, "Retry-After-Ms", "-350", "Retry-After", "1"), time.Second, true},
		{"seconds", newResponse(503, "Retry-After", "2.0"), 2 * time.Second, true},
		{"seconds before a reset", newResponse(429, "Retry-After", "2", "X-RateLimit-Remaining", "0", "X-RateLimit-Reset", "9"), 2 * time.Second, true},
		{"bad seconds", newResponse(429, "Retry-After", "2s", "X-RateLimit-Remaining", "0", "X-RateLimit-Reset", "9"), 9 * time.Second, true},
		{"reset", newResponse(429, "RateLimit", `"x";r=0;t=9`), 9 * time.Second, true},
		{"no header at all", &http.Response{StatusCode: 429}, 0, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, ok := retryhttp.Hint(test.resp, leapDay)
			assert.Equal(t, test.ok, ok)
			assert.Equal(t, test.want, got)
		})
	}
}

func FuzzHint(f *testing.F) {
	f.Add("350", "1.5", "0", "1709208040", `"a";r=0;t=5`, 429)
	f.Add("-1", "soon", "1", "99999999999999999999", "limit=1, remaining=0, reset=5", 503)
	f.Add("", "", "", "", `"\"";r=0;t`, 403)
	f.Fuzz(func(t *testing.T, ms, after, remaining, reset, list string, code int) {
		resp := &http.Response{StatusCode: code, Header: http.Header{
			"Retry-After-Ms": {ms}, "Retry-After": {after},
			"X-Ratelimit-Remaining": {remaining}, "X-Ratelimit-Reset": {reset}, "Ratelimit": {list},
		}}
		d, ok := retryhttp.Hint(resp, leapDay)
		require.GreaterOrEqual(t, d, time.Duration(0))
		require.True(t, ok || d == 0)
		_ = retryhttp.Check(resp)
	})
}

// TestHintTable checks that a hint is obeyed on every status that is retried.
func TestHintTable(t *testing.T) {
	t.Parallel()
	for _, header := range [][]string{
		{"Retry-After", "9"},
		{"Retry-After-Ms", "9000"},
		{"X-RateLimit-Remaining", "0", "X-RateLimit-Reset", "9"},
		{"RateLimit", `"x";r=0;t=9`},
	} {
		for _, code := range []int{403, 408, 421, 425, 429, 500, 502, 503, 504, 529} {
			t.Run(fmt.Sprint(code, header), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					base := &countingBase{base: roundTripper(func(req *http.Request) (*http.Response, error) { return reply(req, code, "", header...), nil })}
					start := time.Now()
					policy := quickPolicy(retry.WithMaxAttempts(2), retry.WithJitter(retry.NoJitter))
					resp, err := (&retryhttp.Transport{Base: base, Policy: policy}).RoundTrip(newRequest(t, "GET", "http://host.example", nil))
					require.NoError(t, err)
					_ = readBody(t, resp)
					assert.Equal(t, 9*time.Second, time.Since(start))
					assert.EqualValues(t, 2, base.attempts.Load())
				})
			})
		}
	}
}

// TestTransportHint checks that the field Hint replaces the function Hint, for the Transport
// and for Do.
func TestTransportHint(t *testing.T) {
	t.Parallel()
	for _, way := range []string{"Transport", "Do"} {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				tr := &retryhttp.Transport{
					Base: roundTripper(func(req *http.Request) (*http.Response, error) {
						return reply(req, 503, "", "Retry-After", "1", "X-Wait", "7s"), nil
					}),
					Policy: quickPolicy(retry.WithMaxAttempts(2), retry.WithJitter(retry.NoJitter)),
					Hint: func(resp *http.Response) (time.Duration, bool) {
						d, err := time.ParseDuration(resp.Header.Get("X-Wait"))
						return d, err == nil
					},
				}
				start := time.Now()
				req := newRequest(t, "GET", "http://host.example", nil)
				if way == "Do" {
					_, err := retryhttp.Do(&http.Client{Transport: tr}, req, decodeText)
					require.ErrorIs(t, err, retry.ErrExhausted)
				} else {
					resp, err := tr.RoundTrip(req)
					require.NoError(t, err)
					_ = readBody(t, resp)
				}
				assert.Equal(t, 7*time.Second, time.Since(start))
			})
		})
	}
}
