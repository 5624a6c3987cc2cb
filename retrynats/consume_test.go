package retrynats_test

import (
	"context"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrynats"
)

// TestStopIsNoFailure checks that an attempt does not count if it ends because the process stops.
// The same goes for a message that was taken in advance.
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

// TestDeadlineIsNotTheJobs checks that the handler's context does not have the deadline of
// Consume's.
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

// TestGrace checks that Consume waits for handlers no longer than Grace, and that their attempts do
// not count.
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

// TestWaitsForHandlers checks that without Grace Consume waits for its handlers and acknowledges
// their messages.
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

// TestGone checks that Consume returns an error if there is nothing more to consume.
func TestGone(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		end  func(k *kit) error
		want error
	}{
		"consumer deleted": {func(k *kit) error { return k.jobs.DeleteConsumer(context.Background(), "worker") }, jetstream.ErrConsumerNotFound},
		"stream deleted":   {func(k *kit) error { return k.js.DeleteStream(context.Background(), "JOBS") }, jetstream.ErrStreamNotFound},
		"connection closed": {func(k *kit) error {
			k.conn.Close()
			return nil
		}, nats.ErrConnectionClosed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := newKit(t)
			k.publish(t, 1)
			done := make(chan struct{})
			result := make(chan error, 1)
			go func() {
				result <- retrynats.Consume(t.Context(), k.js, k.consumer, func(context.Context, jetstream.Msg) error {
					close(done)
					return nil
				}, k.config())
			}()
			<-done
			require.NoError(t, tt.end(k))
			select {
			case err := <-result:
				require.ErrorIs(t, err, tt.want)
				assert.ErrorContains(t, err, "retrynats: nothing more to consume: ")
			case <-time.After(15 * time.Second):
				t.Fatal("Consume did not return")
			}
		})
	}
}

// TestEndedContext checks that Consume takes no message if its context has ended.
func TestEndedContext(t *testing.T) {
	t.Parallel()
	k := newKit(t)
	k.publish(t, 1)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.NoError(t, retrynats.Consume(ctx, k.js, k.consumer, nothing, k.config()))
	info, err := k.info()
	require.NoError(t, err)
	assert.Zero(t, info.Delivered.Consumer)
}
