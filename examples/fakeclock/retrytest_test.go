package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrytest"
)

// A retrytest.Clock ends each wait at once and records it.

func TestWaitsDouble(t *testing.T) {
	t.Parallel()
	var clk retrytest.Clock
	err := WaitReady(t.Context(), retrytest.Fail(5, errStarting), retry.WithClock(&clk))
	require.NoError(t, err)
	assert.Equal(t, []time.Duration{
		1 * time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 10 * time.Second,
	}, clk.Waits())
}

func TestGivesUpWithinAMinute(t *testing.T) {
	t.Parallel()
	var clk retrytest.Clock
	start := clk.Now()
	err := WaitReady(t.Context(), func(context.Context) error {
		clk.Advance(time.Second) // the probe takes a second
		return errStarting
	}, retry.WithClock(&clk))

	require.ErrorIs(t, err, retry.ErrMaxElapsed)
	require.ErrorIs(t, err, errStarting)
	assert.Less(t, clk.Now().Sub(start), time.Minute)
}

func TestWithAServer(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(retrytest.Handler(503, 503, 200))
	defer server.Close()

	// net/http compares deadlines with real time, so the clock must not be behind it.
	clk := retrytest.NewClock(time.Now().Add(time.Hour))
	err := WaitReady(t.Context(), func(ctx context.Context) error {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL, nil)
		if err != nil {
			return retry.Permanent(err)
		}
		resp, err := server.Client().Do(req)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			return fmt.Errorf("status %d", resp.StatusCode)
		}
		return nil
	}, retry.WithClock(clk))
	require.NoError(t, err)
	assert.Equal(t, []time.Duration{time.Second, 2 * time.Second}, clk.Waits())
}
