package main

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// row is what a line of a table must say.
type row struct {
	request     string
	met         string
	attempts    int
	connections int
	outcome     string // with … at the end only the beginning is compared: the rest depends on the system
	from, to    time.Duration
}

const ok200 = "200 OK"

// wantRows are the lines of each table, by its title.
var wantRows = map[string][]row{
	"Statuses": {
		{request: "GET", met: "503, 200", attempts: 2, connections: 1, outcome: ok200},
		{request: "PUT", met: "408, 500, 502, 504, 200", attempts: 5, connections: 1, outcome: ok200},
		{request: "GET", met: "5 × 503", attempts: 5, connections: 1, outcome: "503 Service Unavailable"},
		{request: "GET", met: "404", attempts: 1, connections: 1, outcome: "404 Not Found"},
		{request: "GET", met: "501", attempts: 1, connections: 1, outcome: "501 Not Implemented"},
		{request: "POST", met: "503", attempts: 1, connections: 1, outcome: "503 Service Unavailable"},
		{request: "POST", met: "429, 200", attempts: 2, connections: 1, outcome: ok200},
		{request: "POST", met: "421, 425, 200", attempts: 3, connections: 1, outcome: ok200},
		{request: "POST, Idempotency-Key", met: "503, 200 for the same key", attempts: 2, connections: 1, outcome: ok200},
		{request: "POST, AddIdempotencyKey", met: "503, 200 for the same key", attempts: 2, connections: 1, outcome: ok200},
		{request: "10 × GET", met: "50 × 503", attempts: 50, connections: 1, outcome: "10 × 503 Service Unavailable"},
		// The budget begins with three tokens. Ten calls add a tenth each, which is not enough for another retry.
		{request: "10 × GET, HostBudgets(0.1, 3)", met: "13 × 503", attempts: 13, connections: 1, outcome: "10 × 503 Service Unavailable"},
	},
	"Retry-After": {
		{request: "GET", met: "503 Retry-After: 1, 200", attempts: 2, connections: 1, outcome: ok200, from: time.Second},
		{request: "GET, MaxRetryAfter 1 m", met: "503 Retry-After: 3600", attempts: 1, connections: 1, outcome: "503 Service Unavailable", to: 4 * time.Second},
		{request: "GET, deadline in 5 s", met: "503 Retry-After: 30", attempts: 1, connections: 1, outcome: "503 Service Unavailable", to: 4 * time.Second},
		{request: "GET", met: "503 Retry-After: soon, 200", attempts: 2, connections: 1, outcome: ok200},
	},
	"Bodies of requests and responses": {
		{request: "PUT a stream", met: "503", attempts: 1, connections: 1, outcome: "503 Service Unavailable"},
		{request: "PUT a stream, MaxBodyBuffer", met: "503, 200", attempts: 2, connections: 1, outcome: ok200},
		{request: "PUT a stream, Expect", met: "503, 200", attempts: 2, connections: 2, outcome: ok200}, // net/http's server closes the first
		{request: "PUT a stream", met: "refused, 200", attempts: 2, connections: 1, outcome: ok200},
		{request: "GET", met: "503 with 16 KiB, 200", attempts: 2, connections: 1, outcome: ok200},
		{request: "GET", met: "503 with 1024 KiB, 200", attempts: 2, connections: 2, outcome: ok200},
		{request: "GET", met: "503 that trickles, 200", attempts: 2, connections: 2, outcome: ok200, from: 100 * time.Millisecond, to: 5 * time.Second},
		{request: "GET, read by the caller", met: "200 that breaks off", attempts: 1, connections: 1, outcome: "200 OK, then unexpected EOF"},
		{request: "GET, read by retryhttp.Do", met: "200 that breaks off, 200", attempts: 2, connections: 2, outcome: "200 OK, all 2000 bytes"},
	},
	"No answer": {
		{request: "POST", met: "2 × refused, 200", attempts: 3, connections: 1, outcome: ok200},
		{request: "POST", met: "no name service, 200", attempts: 2, connections: 1, outcome: ok200},
		{request: "POST", met: "closed in the TLS handshake, 200", attempts: 2, connections: 2, outcome: ok200},
		{request: "GET", met: "closed, 200", attempts: 2, connections: 2, outcome: ok200},
		{request: "POST", met: "closed", attempts: 1, connections: 1, outcome: "permanent error: EOF (not sent again: POST without an Idempotency-Key)"},
		{request: "GET", met: "reset, 200", attempts: 2, connections: 2, outcome: ok200},
		{request: "POST", met: "reset", attempts: 1, connections: 1, outcome: "permanent error: read: …"},
		{request: "GET, attempts of 200 ms", met: "no answer, 200", attempts: 2, connections: 2, outcome: ok200, from: 200 * time.Millisecond},
		{request: "POST, attempts of 200 ms", met: "no answer", attempts: 1, connections: 1, outcome: "permanent error: retry: attempt timed out (not sent again: POST without an Idempotency-Key)", from: 200 * time.Millisecond},
		{request: "POST, attempts of 200 ms", met: "silence in the TLS handshake, 200", attempts: 2, connections: 2, outcome: ok200, from: 200 * time.Millisecond},
	},
	"Errors that no retry can help": {
		{request: "GET", met: "no such name", attempts: 1, outcome: "permanent error: dial tcp: lookup shop.test…"},
		{request: "GET, without the CA", met: "nothing", attempts: 1, connections: 1, outcome: "permanent error: tls: failed to verify certificate: x509: …"},
		{request: "GET, TLS 1.2 at most", met: "nothing", attempts: 1, connections: 1, outcome: "permanent error: remote error: tls: …"},
		{request: "GET https:", met: "nothing", attempts: 1, connections: 1, outcome: "permanent error: http: server gave HTTP response to HTTPS client"},
		{request: "GET gopher:", met: "nothing", attempts: 1, outcome: `permanent error: unsupported protocol scheme "gopher"`},
		{request: "PUT, wrong Content-Length", met: "nothing", attempts: 1, connections: 1, outcome: "permanent error: net/http: HTTP/1.x transport connection broken: http: ContentLength=1000 with Body length 5"},
		{request: "PUT, broken reader", met: "nothing", attempts: 1, connections: 1, outcome: "permanent error: read photo.jpg: input/output error"},
		{request: "GET by retryhttp.Do", met: "10 × 302 to itself", attempts: 1, connections: 1, outcome: "permanent error: stopped after 10 redirects"},
		{request: "GET, deadline in 200 ms", met: "no answer", attempts: 1, connections: 1, outcome: "context done: context deadline exceeded", from: 200 * time.Millisecond},
	},
}

func TestParts(t *testing.T) {
	t.Parallel()
	for _, p := range parts() {
		t.Run(p.title, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			results, err := p.run(ctx)
			require.NoError(t, err)
			rows := wantRows[p.title]
			require.Len(t, results, len(rows))
			for i, r := range results {
				w := rows[i]
				got := row{
					request: r.request, met: joinCounted(r.met), attempts: r.attempts, connections: r.connections,
					outcome: r.outcome, from: w.from, to: w.to,
				}
				assert.GreaterOrEqual(t, r.took, w.from, r.request)
				if w.to > 0 {
					assert.Less(t, r.took, w.to, r.request)
				}
				if begin, cut := strings.CutSuffix(w.outcome, "…"); cut {
					assert.True(t, strings.HasPrefix(r.outcome, begin), r.outcome)
					got.outcome = w.outcome
				}
				assert.Equal(t, w, got)
				assert.NotContains(t, r.outcome, "secret", "the query of the URL")
			}
		})
	}
}

func TestRun(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var out bytes.Buffer
	require.NoError(t, run(ctx, &out))
	t.Log(out.String())
	for _, p := range parts() {
		assert.Contains(t, out.String(), "== "+p.title+"\nrequest ")
	}
	assert.Regexp(t, `(?m)^GET +503, 200 +2 +1 +\S+s +200 OK$`, out.String())
}

// An interrupted scenario ends with the error of its context.
func TestRunInterrupted(t *testing.T) {
	t.Parallel()
	for _, p := range parts() {
		for _, s := range p.scenarios {
			t.Run(s.request, func(t *testing.T) {
				t.Parallel()
				ctx, cancel := context.WithCancel(t.Context())
				cancel()
				_, err := s.run(ctx)
				require.ErrorIs(t, err, context.Canceled)
			})
		}
	}
}

func TestJoinCounted(t *testing.T) {
	t.Parallel()
	assert.Equal(t, "nothing", joinCounted(nil))
	assert.Equal(t, "a", joinCounted([]string{"a"}))
	assert.Equal(t, "2 × a, b, a", joinCounted([]string{"a", "a", "b", "a"}))
}
