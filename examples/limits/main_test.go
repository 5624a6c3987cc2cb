package main

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sony/gobreaker/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/semaphore"

	"github.com/seed-205ff063/retry"
)

// The run is in virtual time: waits and work take no real time, and their order is fixed.
func TestRun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		require.NoError(t, run(t.Context(), &out))
		t.Log(out.String())
		assert.Equal(t, strings.TrimLeft(`
== Four slots: a report takes three of them, but not while it waits
report runs:   1 of 4 slots free
report waits:  4 of 4 slots free
report runs:   1 of 4 slots free
2 reports and 8 lookups at once, 2 attempts each: at most 4 slots in use

== A limit of three an hour: every attempt counts
call 1: ok at attempt 3, 0 left
call 2: retry: wait at a gate would pass the deadline (rate: Wait(n=1) would exceed context deadline) after 0 attempts in 0s

== A limit of three an hour: retries do not count
call 1: ok at attempt 3, 2 left
call 2: ok at attempt 3, 1 left
call 3: ok at attempt 3, 0 left
call 4: retry: wait at a gate would pass the deadline (rate: Wait(n=1) would exceed context deadline) after 0 attempts in 0s

== Six calls at once, but at most two retries at once
first attempts at once: 6
retries at once:        2

== A circuit breaker that opens after two failures in a row
attempt 1: unavailable              breaker is closed
attempt 2: unavailable              breaker is open
attempt 3: circuit breaker is open  breaker is open
attempt 4: unavailable              breaker is open
attempt 5: circuit breaker is open  breaker is open
attempt 6: ok                       breaker is closed
4 attempts reached the server
`, "\n"), out.String())
	})
}

func TestRunCancelled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, run(ctx, new(bytes.Buffer)), context.Canceled)
}

func TestFree(t *testing.T) {
	t.Parallel()
	sem := semaphore.NewWeighted(4)
	assert.EqualValues(t, 4, free(sem, 4))
	require.True(t, sem.TryAcquire(3))
	assert.EqualValues(t, 1, free(sem, 4))
	require.True(t, sem.TryAcquire(1))
	assert.EqualValues(t, 0, free(sem, 4))
}

func TestBreakerAsksForItsCooldown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cb := gobreaker.NewTwoStepCircuitBreaker[any](gobreaker.Settings{
			Timeout:     time.Minute,
			ReadyToTrip: func(gobreaker.Counts) bool { return true },
		})
		gate := breaker(cb, time.Minute)

		release, err := gate(t.Context(), retry.Attempt{})
		require.NoError(t, err)
		release(errUnavailable)
		assert.Equal(t, gobreaker.StateOpen, cb.State())

		_, err = gate(t.Context(), retry.Attempt{})
		require.ErrorIs(t, err, gobreaker.ErrOpenState)
		var hint interface{ RetryAfter() (time.Duration, bool) }
		require.True(t, errors.As(err, &hint))
		d, ok := hint.RetryAfter()
		assert.True(t, ok)
		assert.Equal(t, time.Minute, d)

		time.Sleep(d + 1)
		release, err = gate(t.Context(), retry.Attempt{})
		require.NoError(t, err)
		release(nil)
		assert.Equal(t, gobreaker.StateClosed, cb.State())
	})
}
