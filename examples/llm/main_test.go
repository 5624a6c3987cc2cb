package main

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
)

func TestRun(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var out bytes.Buffer
	require.NoError(t, run(ctx, &out))
	assert.Equal(t, strings.TrimLeft(`
== Two layers that retry, and one
the client's own 2 retries, over 3 attempts of the transport: 9 requests, status 503
the client's own retries off: 3 requests, status 503

== What the server asks for
429 with Retry-After-Ms: 150: 2 requests, Hello!, after at least 150ms
529, overloaded: 2 requests, Hello!
409 with X-Should-Retry: true: 2 requests, Hello!
429 with X-Should-Retry: false: 1 request, status 429
400: 1 request, status 400

== Streams that break off
before the first token: 2 requests, "Once upon a time."
before the first token, without an error: 2 requests, "Once upon a time."
after it: 1 request, "Once upon ", and an error
after it, without an error: 1 request, "Once upon ", and an error

== Answers that are rejected
the model listens: 2 requests, "a summary"
the model does not: 3 requests, "a summary of words"
the last request fails: 3 requests, "a summary of words"
`, "\n"), out.String())
}

// The next prompt has the rejected answer and the reason.
func TestReasonInPrompt(t *testing.T) {
	t.Parallel()
	s := newServer(answer{text: "one two three four five"}, answer{text: "one two"})
	defer s.Close()
	summary, err := summarize(t.Context(), newOpenAI(s.URL), "…", 3)
	require.NoError(t, err)
	assert.Equal(t, "one two", summary)
	require.Len(t, s.prompts, 2)
	assert.NotContains(t, s.prompts[0], "are allowed")
	assert.Contains(t, s.prompts[1], "one two three four five")
	assert.Contains(t, s.prompts[1], "the summary has 5 words, 3 are allowed")
}

// The HTTP client retries statuses, and no other layer retries them again.
func TestOneLayer(t *testing.T) {
	t.Parallel()
	s := newServer(answer{status: 503})
	defer s.Close()
	client := newOpenAI(s.URL)

	_, err := summarize(t.Context(), client, "…", 3)
	require.Error(t, err)
	assert.Equal(t, 3, s.requests(), "summarize")

	err = tell(t.Context(), client, "Tell me a story", func(string) {})
	require.Error(t, err)
	assert.Equal(t, 6, s.requests(), "tell")
}

// A stream that broke after its first token ends with the reason ErrPermanent.
func TestBrokenStream(t *testing.T) {
	t.Parallel()
	s := newServer(answer{tokens: []string{"Once "}, broken: true})
	defer s.Close()
	err := tell(t.Context(), newOpenAI(s.URL), "Tell me a story", func(string) {})
	var e *retry.Error
	require.ErrorAs(t, err, &e)
	assert.Equal(t, retry.ErrPermanent, e.Reason)
	assert.Equal(t, 1, e.Attempts)
}

func TestRunInterrupted(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, part := range []func(context.Context, *bytes.Buffer) error{
		func(ctx context.Context, b *bytes.Buffer) error { return layers(ctx, b) },
		func(ctx context.Context, b *bytes.Buffer) error { return hints(ctx, b) },
		func(ctx context.Context, b *bytes.Buffer) error { return streams(ctx, b) },
		func(ctx context.Context, b *bytes.Buffer) error { return feedback(ctx, b) },
	} {
		require.ErrorIs(t, part(ctx, new(bytes.Buffer)), context.Canceled)
	}
}
