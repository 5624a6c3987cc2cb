package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The invoice is encoded once, and has its idempotency key before the first attempt.
func TestEncodedOnce(t *testing.T) {
	t.Parallel()
	in := orderRecord(1)
	in.Partition, in.Offset = 2, 17
	j := newJob(in, nil)
	first, err := j.out()
	require.NoError(t, err)
	again, err := j.out()
	require.NoError(t, err)
	assert.Same(t, first, again)
	assert.Equal(t, "orders/2/17", headerOf(first, idempotencyKey))
	assert.JSONEq(t, `{"order": 1, "customer": "customer 1", "cents": 100, "tax": 19}`, string(first.Value))
}
