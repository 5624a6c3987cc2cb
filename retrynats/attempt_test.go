package retrynats_test

import (
	"context"
	"errors"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrynats"
)

// TestAttempts checks that the attempts of a message go on across deliveries, and that none comes
// before its wait has passed.
func TestAttempts(t *testing.T) {
	t.Parallel()
	k := newKit(t)
	seen := make(chan retry.Attempt, 10)
	cfg := k.config(
		retry.WithBackoff(retry.Sequence(30*time.Millisecond, 120*time.Millisecond, 60*time.Millisecond)),
		retry.WithMaxAttempts(4),
		retry.WithHooks(retry.Hooks{AfterAttempt: func(_ context.Context, a retry.Attempt) { seen <- a }}))
	k.publish(t, 1)
	stop := k.consume(t, cfg, func(context.Context, jetstream.Msg) error { return errDown })
	k.idle(t)
	require.NoError(t, stop())
	close(seen)
	var all []retry.Attempt
	for a := range seen {
		all = append(all, a)
	}
	require.Len(t, all, 4)
	waits := []time.Duration{0, 30 * time.Millisecond, 120 * time.Millisecond, 60 * time.Millisecond}
	for i, a := range all {
		assert.Equal(t, i+1, a.Number)
		assert.Equal(t, waits[i], a.Waited, "attempt %d", i+1)
		if i > 0 {
			assert.GreaterOrEqual(t, a.Start.Sub(all[i-1].Start), waits[i])
			assert.GreaterOrEqual(t, a.Elapsed, all[i-1].Elapsed+waits[i])
		}
	}
	assert.InDelta(t, all[3].Start.Sub(all[0].Start), all[3].Elapsed, float64(200*time.Millisecond))
}

// TestGoexit checks that a handler that calls runtime.Goexit ends its message and nothing else.
func TestGoexit(t *testing.T) {
	t.Parallel()
	k := newKit(t)
	k.publish(t, 3)
	var seen attempts
	stop := k.consume(t, k.config(), func(_ context.Context, msg jetstream.Msg) error {
		seen.note(msg)
		if retrynats.Key(msg) == "job2" {
			runtime.Goexit()
		}
		return nil
	})
	k.idle(t)
	require.NoError(t, stop())
	letters := k.letters(t)
	require.Len(t, letters, 1)
	assert.Equal(t, "job2", string(letters[0].Data))
	assert.Contains(t, letters[0].Header.Get(retrynats.HeaderError), "Goexit")
	assert.Equal(t, 1, seen.count("job3"))
}

// TestPartsOfThePolicy checks that each attempt passes the gate, and that Done runs once for each
// message.
func TestPartsOfThePolicy(t *testing.T) {
	t.Parallel()
	k := newKit(t)
	k.publish(t, 2)
	var passed, released atomic.Int32
	outcomes := make(chan retry.Outcome, 4)
	stop := k.consume(t, k.config(
		retry.WithMaxAttempts(2),
		retry.WithGate(func(context.Context, retry.Attempt) (func(error), error) {
			passed.Add(1)
			return func(error) { released.Add(1) }, nil
		}),
		retry.WithHooks(retry.Hooks{Done: func(_ context.Context, o retry.Outcome) { outcomes <- o }}),
	), func(_ context.Context, msg jetstream.Msg) error {
		if retrynats.Key(msg) == "job1" {
			return errDown
		}
		return nil
	})
	k.idle(t)
	require.NoError(t, stop())
	assert.EqualValues(t, 3, passed.Load())
	assert.EqualValues(t, 3, released.Load())
	require.Len(t, outcomes, 2)
	for range 2 {
		if o := <-outcomes; o.Err != nil {
			assert.Equal(t, 2, o.Attempts)
			assert.ErrorIs(t, o.Err, retry.ErrExhausted)
			assert.True(t, errors.Is(o.Err, errDown))
		} else {
			assert.Equal(t, 1, o.Attempts)
		}
	}
}
