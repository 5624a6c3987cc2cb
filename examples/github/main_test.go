package main

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// With the Cooldown nothing is lost, and no request comes during a pause.
func TestCooldown(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	r, err := crawl(ctx, true)
	require.NoError(t, err)
	t.Logf("%+v", r)
	assert.Equal(t, issues, r.read)
	assert.Zero(t, r.lost)
	assert.Zero(t, r.server.late, "requests during a pause")
	assert.GreaterOrEqual(t, r.server.pauses, 2, "primary and secondary")
	assert.LessOrEqual(t, r.server.refused, r.server.pauses*workers, "only requests that were on their way")
}

// Without the Cooldown every issue is read or lost, and requests are refused.
func TestHintsAlone(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	r, err := crawl(ctx, false)
	require.NoError(t, err)
	t.Logf("%+v", r)
	assert.Equal(t, issues, r.read+r.lost)
	assert.Positive(t, r.server.refused)
}

func TestPrint(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	result{read: 60, server: counts{refused: 9, pauses: 3}}.print(&out, true)
	assert.Equal(t, "with a shared Cooldown: 60 read, 0 lost; 3 pauses, 9 requests refused, 0 of them during a pause\n", out.String())
}

func TestRunInterrupted(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, run(ctx, new(bytes.Buffer)), context.Canceled)
}
