package retrynats_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrynats"
)

// TestWaitHoldsNoWorker checks that a message that waits holds no worker.
func TestWaitHoldsNoWorker(t *testing.T) {
	t.Parallel()
	k := newKit(t)
	var seen attempts
	k.publish(t, 3)
	stop := k.consume(t, k.config(retry.WithBackoff(retry.Constant(300*time.Millisecond))),
		func(_ context.Context, msg jetstream.Msg) error {
			if n := seen.note(msg); retrynats.Key(msg) == "job1" {
				return onlyFirst(n, errDown)
			}
			return nil
		})
	k.idle(t)
	require.NoError(t, stop())
	assert.Less(t, seen.times["job3"][0].Sub(seen.times["job1"][0]), 250*time.Millisecond)
	assert.GreaterOrEqual(t, seen.times["job1"][1].Sub(seen.times["job1"][0]), 300*time.Millisecond)
}

// TestWorkers checks that as many handlers run at once as there are workers, and that no message is
// taken in advance.
func TestWorkers(t *testing.T) {
	t.Parallel()
	k := newKit(t)
	k.publish(t, 20)
	cfg := k.config()
	cfg.Workers = 3
	var running, most atomic.Int32
	full, open := make(chan struct{}), make(chan struct{})
	stop := k.consume(t, cfg, func(context.Context, jetstream.Msg) error {
		if n := running.Add(1); n > most.Load() {
			most.Store(n)
			if n == 3 {
				close(full)
			}
		}
		defer running.Add(-1)
		<-open
		return nil
	})
	<-full
	info, err := k.info()
	require.NoError(t, err)
	assert.Equal(t, 3, info.NumAckPending)
	close(open)
	k.idle(t)
	require.NoError(t, stop())
	assert.EqualValues(t, 3, most.Load())
}

// TestCheaper checks that Prefetch and Unconfirmed give the same result.
func TestCheaper(t *testing.T) {
	t.Parallel()
	k := newKit(t)
	k.publish(t, 100)
	cfg := k.config(retry.WithMaxAttempts(3))
	cfg.Workers, cfg.Prefetch, cfg.Unconfirmed = 2, 10, true
	var seen attempts
	stop := k.consume(t, cfg, func(_ context.Context, msg jetstream.Msg) error { return onlyFirst(seen.note(msg), errDown) })
	k.idle(t)
	require.NoError(t, stop())
	assert.Len(t, seen.times, 100)
	for key := range seen.times {
		assert.Equal(t, 2, seen.count(key))
	}
	assert.Empty(t, k.letters(t))
	assert.Empty(t, k.entries(t))
}

// TestLongHandler checks that a handler may run longer than AckWait.
func TestLongHandler(t *testing.T) {
	t.Parallel()
	k := newKit(t, func(c *jetstream.ConsumerConfig) { c.AckWait = 150 * time.Millisecond })
	var seen attempts
	k.publish(t, 1)
	cfg := k.config()
	cfg.Workers = 2
	stop := k.consume(t, cfg, func(_ context.Context, msg jetstream.Msg) error {
		seen.note(msg)
		time.Sleep(600 * time.Millisecond)
		return nil
	})
	k.idle(t)
	require.NoError(t, stop())
	assert.Equal(t, 1, seen.count("job1"))
}
