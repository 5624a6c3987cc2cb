package main

import (
	"bytes"
	"context"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestServe starts the command and ends it as Ctrl-C does.
func TestServe(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	reader, writer, err := os.Pipe()
	require.NoError(t, err)
	done := make(chan int, 1)
	var errs bytes.Buffer
	go func() { done <- run(ctx, []string{"serve"}, writer, &errs) }()
	line := make([]byte, 200)
	n, err := reader.Read(line)
	require.NoError(t, err)
	assert.Regexp(t, `^retrysim: open http://127\.0\.0\.1:\d+ in a browser; press Ctrl-C to stop\n$`, string(line[:n]))
	cancel()
	assert.Zero(t, <-done)
	assert.Empty(t, errs.String())
}
