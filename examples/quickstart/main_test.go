package main

import (
	"bytes"
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRun(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()

	var out bytes.Buffer
	require.NoError(t, run(ctx, &out))
	t.Log(out.String())

	parts := strings.Split(out.String(), "\n== ")
	require.Len(t, parts, 5, "nothing, then four parts")
	greeting, missing, busy, database := parts[1], parts[2], parts[3], parts[4]

	assert.Equal(t, 3, strings.Count(greeting, "attempt failed, will retry"))
	assert.Contains(t, greeting, "error=EOF")
	assert.Contains(t, greeting, "server answered 503 Service Unavailable")
	assert.Regexp(t, `wait=1(\.\d+)?s `, greeting, "the wait of Retry-After, and a little more")
	assert.Contains(t, greeting, "succeeded after retries")
	assert.Contains(t, greeting, "attempts=4")
	assert.Contains(t, greeting, `result: "Hello`)

	assert.NotContains(t, missing, "will retry")
	assert.Contains(t, missing, "permanent error after 1 attempt in")
	assert.Contains(t, missing, "server answered 404 Not Found")

	assert.NotContains(t, busy, "will retry")
	assert.Contains(t, busy, "next wait of 30s would pass the deadline")

	assert.Contains(t, database, "SQLITE_BUSY")
	assert.Contains(t, database, "succeeded after retries")
	assert.Contains(t, database, "result: the note has id 1\n")
}

func TestRunCancelled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, run(ctx, new(bytes.Buffer)), context.Canceled)
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, header string
		want         time.Duration
	}{
		{"seconds", "7", 7 * time.Second},
		{"none", "", 0},
		{"negative", "-7", 0},
		{"fraction", "1.5", 0},
		{"largest", "4294967295", 4294967295 * time.Second},
		{"would overflow", "9223372037", 0},
		{"date", "Fri, 31 Dec 1999 23:59:59 GMT", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := http.Header{}
			h.Set("Retry-After", tt.header)
			assert.Equal(t, tt.want, retryAfter(h))
		})
	}
}
