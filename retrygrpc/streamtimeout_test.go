package retrygrpc

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestLimit holds that a stream is settled or its time is up, whichever comes first, and never both.
func TestLimit(t *testing.T) {
	t.Parallel()
	ctx, l := newLimit(t.Context(), t.Context())
	l.expire()
	assert.False(t, l.lift())
	assert.ErrorIs(t, ctx.Err(), context.Canceled)

	ctx, l = newLimit(t.Context(), t.Context())
	assert.True(t, l.lift())
	l.expire()
	assert.NoError(t, ctx.Err())
	l.release()
	assert.Error(t, ctx.Err())
}
