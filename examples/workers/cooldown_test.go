package main

import (
	"bytes"
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
)

// In every run pictures are lost with the hints alone, and none with the gate.
func TestCooldown(t *testing.T) {
	t.Parallel()
	for range 20 {
		synctest.Test(t, func(t *testing.T) {
			alone := retry.MustNew(retry.WithMaxAttempts(3))
			lost, refusedAlone, err := uploadAll(t.Context(), alone)
			require.NoError(t, err)
			assert.Greater(t, lost, uploadCount/4)

			lost, refused, err := uploadAll(t.Context(), retry.MustNew(alone, retry.WithGate(retry.Cooldown(time.Minute))))
			require.NoError(t, err)
			assert.Zero(t, lost)
			// Only requests that were on their way at the first refusal are refused.
			assert.LessOrEqual(t, refused, workers*(uploadCount/quota))
			assert.Greater(t, refusedAlone, 4*refused)
		})
	}
}

// The server accepts its quota in every period, and says exactly when the next one begins.
func TestQuotaServer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var a quotaServer
		for n := range quota {
			v, err := a.upload(t.Context(), n)
			require.NoError(t, err)
			require.Equal(t, n, v)
		}
		_, err := a.upload(t.Context(), 0)
		require.ErrorIs(t, err, errTooMany)
		time.Sleep(time.Until(a.ends) - time.Millisecond)
		_, err = a.upload(t.Context(), 0)
		require.NoError(t, err)
		assert.Equal(t, 1, a.refused)

		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err = a.upload(ctx, 0)
		require.ErrorIs(t, err, context.Canceled)
	})
}

func TestCooldownOutput(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var s previewer
		var out bytes.Buffer
		require.NoError(t, s.showCooldown(t.Context(), &out))
		t.Log(out.String())
		var lost, refused, refusedByGate int
		_, err := fmt.Sscanf(out.String(), `
== A server that takes 20 requests at a time
hints alone: %d of 120 pictures lost, %d requests refused
a gate that all share: 0 of 120 pictures lost, %d requests refused
`, &lost, &refused, &refusedByGate)
		require.NoError(t, err, out.String())
		assert.Positive(t, lost)
	})
}
