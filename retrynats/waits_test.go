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

// What the policy sees of each attempt goes on across deliveries, and no attempt is sooner than its
// wait.
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

// A message that waits holds no worker.
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

// A handler that takes longer than AckWait keeps its message.
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

// So many handlers run at once as there are workers, and no message is taken in advance.
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

// An attempt that ends because the process stops is not counted: not by a handler that stops
// with its context, nor by a message that was taken in advance.
func TestStopIsNoFailure(t *testing.T) {
	t.Parallel()
	for name, prefetch := range map[string]int{"one": 0, "prefetched": 3} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := newKit(t)
			k.publish(t, 3)
			cfg := k.config(retry.WithMaxAttempts(2))
			cfg.Prefetch = prefetch
			for range 5 { // more than the policy allows attempts
				began := make(chan struct{}, 3)
				stop := k.consume(t, cfg, func(ctx context.Context, _ jetstream.Msg) error {
					began <- struct{}{}
					<-ctx.Done()
					return ctx.Err()
				})
				<-began
				require.NoError(t, stop())
			}
			numbers := make(chan int, 10)
			cfg.Policy = policy(cfg.Policy, retry.WithHooks(retry.Hooks{
				AfterAttempt: func(_ context.Context, a retry.Attempt) { numbers <- a.Number },
			}))
			stop := k.consume(t, cfg, func(context.Context, jetstream.Msg) error { return nil })
			k.idle(t)
			require.NoError(t, stop())
			assert.Empty(t, k.letters(t))
			for range 3 {
				assert.Equal(t, 1, <-numbers)
			}
			assert.Empty(t, numbers)
			assert.NotContains(t, k.log.String(), "lost")
		})
	}
}

// The deadline of the process is none of its messages.
func TestDeadlineIsNotTheJobs(t *testing.T) {
	t.Parallel()
	k := newKit(t)
	k.publish(t, 1)
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	cfg := k.config(retry.WithBackoff(retry.Constant(time.Hour)))
	err := retrynats.Consume(ctx, k.js, k.consumer, func(ctx context.Context, _ jetstream.Msg) error {
		_, has := ctx.Deadline()
		assert.False(t, has)
		return errDown
	}, cfg)
	require.NoError(t, err)
	assert.Empty(t, k.letters(t), "it waits for an hour")
	assert.Len(t, k.entries(t), 1)
}

// Consume does not wait for handlers longer than Grace, and their attempts are not counted.
func TestGrace(t *testing.T) {
	t.Parallel()
	k := newKit(t, func(c *jetstream.ConsumerConfig) { c.AckWait = 300 * time.Millisecond })
	k.publish(t, 1)
	cfg := k.config(retry.WithMaxAttempts(1))
	cfg.Grace = 50 * time.Millisecond
	began, open, returned := make(chan struct{}), make(chan struct{}), make(chan struct{})
	stop := k.consume(t, cfg, func(context.Context, jetstream.Msg) error {
		defer close(returned)
		close(began)
		<-open
		return errDown
	})
	<-began
	start := time.Now()
	require.NoError(t, stop())
	assert.Less(t, time.Since(start), time.Second)
	assert.GreaterOrEqual(t, time.Since(start), cfg.Grace)
	assert.Contains(t, k.log.String(), "still runs")
	close(open)
	<-returned

	stop = k.consume(t, cfg, func(context.Context, jetstream.Msg) error { return nil })
	k.idle(t)
	require.NoError(t, stop())
	assert.Empty(t, k.letters(t), "the only attempt is still to be made")
}

// With no Grace, Consume waits for its handlers and acknowledges what they did.
func TestWaitsForHandlers(t *testing.T) {
	t.Parallel()
	k := newKit(t)
	k.publish(t, 1)
	began, open := make(chan struct{}), make(chan struct{})
	stop := k.consume(t, k.config(), func(context.Context, jetstream.Msg) error {
		close(began)
		<-open
		return nil
	})
	<-began
	time.AfterFunc(200*time.Millisecond, func() { close(open) })
	require.NoError(t, stop())
	k.idle(t)
}

// A handler that ends its goroutine ends its message, and nothing else.
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

// A gate is passed by each attempt, and the budget and the Done hooks hear of a message as of a call.
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

// Prefetch and Unconfirmed do the same work.
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
