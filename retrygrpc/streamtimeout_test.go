package retrygrpc

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestStreamTimeout checks that a stream is either settled or timed out, whichever comes first.
func TestStreamTimeout(t *testing.T) {
	t.Parallel()
	ctx, timeout := newStreamTimeout(t.Context(), t.Context())
	timeout.expire()
	assert.False(t, timeout.stop())
	assert.ErrorIs(t, ctx.Err(), context.Canceled)

	ctx, timeout = newStreamTimeout(t.Context(), t.Context())
	assert.True(t, timeout.stop())
	timeout.expire()
	assert.NoError(t, ctx.Err())
	timeout.release()
	assert.Error(t, ctx.Err())
}
