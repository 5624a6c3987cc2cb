package retrynats_test

import (
	"context"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrynats"
)

// lose takes the next message, like a process that is killed then.
func (k *kit) lose(t *testing.T) {
	t.Helper()
	_, err := k.consumer.Next(jetstream.FetchMaxWait(5 * time.Second))
	require.NoError(t, err)
}

// TestLostAttempt checks that a lost attempt counts, is retried whatever the classifiers say, and
// is followed by the policy's wait.
func TestLostAttempt(t *testing.T) {
	t.Parallel()
	k := newKit(t, func(c *jetstream.ConsumerConfig) { c.AckWait = 200 * time.Millisecond })
	k.publish(t, 1)
	k.lose(t)
	lost := time.Now()
	seen := make(chan retry.Attempt, 3)
	stop := k.consume(t, k.config(
		retry.WithRetryIf(retry.Transient),
		retry.WithBackoff(retry.Constant(250*time.Millisecond)),
		retry.WithHooks(retry.Hooks{AfterAttempt: func(_ context.Context, a retry.Attempt) { seen <- a }}),
	), func(context.Context, jetstream.Msg) error { return nil })
	k.idle(t)
	require.NoError(t, stop())
	require.Len(t, seen, 1)
	a := <-seen
	assert.Equal(t, 2, a.Number)
	assert.Equal(t, 250*time.Millisecond, a.Waited)
	assert.GreaterOrEqual(t, a.Start.Sub(lost), 440*time.Millisecond, "AckWait and the policy's wait have passed")
	assert.Contains(t, k.log.String(), "an attempt was lost")
	assert.Empty(t, k.entries(t))
}

// TestLostLastAttempt checks that a message whose last attempt was lost ends without the handler.
// Its dead letter says that it was lost.
func TestLostLastAttempt(t *testing.T) {
	t.Parallel()
	for name, state := range map[string]bool{"state": true, "no state": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := newKit(t, func(c *jetstream.ConsumerConfig) { c.AckWait = 100 * time.Millisecond })
			k.publish(t, 1)
			k.lose(t)
			cfg := k.config(retry.WithMaxAttempts(1))
			if !state {
				cfg.State = nil
			}
			stop := k.consume(t, cfg, func(context.Context, jetstream.Msg) error {
				t.Error("the handler ran")
				return nil
			})
			k.idle(t)
			require.NoError(t, stop())
			letters := k.letters(t)
			require.Len(t, letters, 1)
			assert.Equal(t, "attempts exhausted", letters[0].Header.Get(retrynats.HeaderReason))
			assert.Equal(t, retrynats.ErrLost.Error(), letters[0].Header.Get(retrynats.HeaderError))
			assert.Equal(t, "1", letters[0].Header.Get(retrynats.HeaderAttempts))
			info, err := k.info()
			require.NoError(t, err)
			assert.EqualValues(t, 2, info.Delivered.Consumer, "it is not delivered again")
		})
	}
}

// TestLostBetween checks that attempts are counted exactly if one between others is lost.
func TestLostBetween(t *testing.T) {
	t.Parallel()
	k := newKit(t, func(c *jetstream.ConsumerConfig) { c.AckWait = 200 * time.Millisecond })
	k.publish(t, 1)
	failed := make(chan struct{})
	stop := k.consume(t, k.config(), func(context.Context, jetstream.Msg) error {
		close(failed)
		return errDown
	})
	<-failed
	require.NoError(t, stop())
	k.lose(t) // the second
	numbers := make(chan int, 3)
	stop = k.consume(t, k.config(retry.WithHooks(retry.Hooks{
		AfterAttempt: func(_ context.Context, a retry.Attempt) { numbers <- a.Number },
	})), func(context.Context, jetstream.Msg) error { return nil })
	k.idle(t)
	require.NoError(t, stop())
	require.Len(t, numbers, 1)
	assert.Equal(t, 3, <-numbers)
}

// TestEarlyDelivery checks that a delivery before the end of the policy's wait is sent back.
func TestEarlyDelivery(t *testing.T) {
	t.Parallel()
	k := newKit(t)
	k.publish(t, 1)
	var seen attempts
	h := func(_ context.Context, msg jetstream.Msg) error { return onlyFirst(seen.note(msg), errDown) }
	stop := k.consume(t, k.config(retry.WithBackoff(retry.Constant(800*time.Millisecond))), h)
	require.Eventually(t, func() bool { return len(k.entries(t)) == 1 }, 5*time.Second, time.Millisecond)
	// Ask for it at once.
	_, err := k.conn.Request("$JS.ACK.JOBS.worker.1.1.1.0.0", []byte("-NAK"), time.Second)
	require.NoError(t, err)
	k.idle(t)
	require.NoError(t, stop())
	times := seen.times["job1"]
	require.Len(t, times, 2)
	assert.GreaterOrEqual(t, times[1].Sub(times[0]), 800*time.Millisecond)
	info, err := k.info()
	require.NoError(t, err)
	assert.EqualValues(t, 3, info.Delivered.Consumer, "it came early once")
}
