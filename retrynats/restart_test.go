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

// Consume waits for a server that is away, and loses nothing.
func TestServerRestarts(t *testing.T) {
	t.Parallel()
	k := newKit(t)
	k.publish(t, 300)
	cfg := k.config(retry.WithMaxAttempts(5))
	cfg.Workers = 4
	var seen attempts
	half := make(chan struct{})
	stop := k.consume(t, cfg, func(_ context.Context, msg jetstream.Msg) error {
		n := seen.note(msg)
		if retrynats.Key(msg) == "job150" && n == 1 {
			close(half)
		}
		return onlyFirst(n, errDown)
	})
	<-half
	address := k.port(t)
	k.stopServer()
	time.Sleep(300 * time.Millisecond)
	k.startServer(t, address)
	k.idle(t)
	require.NoError(t, stop())
	assert.Len(t, seen.times, 300)
	assert.Empty(t, k.letters(t))
	assert.LessOrEqual(t, len(k.entries(t)), cfg.Workers, "of messages that were done while the server was away")
}

// A dead letter is published until it is stored, and only then the message is terminated.
func TestDeadLetterWaitsForItsStream(t *testing.T) {
	t.Parallel()
	k := newKit(t)
	k.publish(t, 1)
	cfg := k.config()
	ready, deleted := make(chan struct{}), make(chan struct{})
	stop := k.consume(t, cfg, func(context.Context, jetstream.Msg) error {
		close(ready)
		<-deleted
		return retry.Permanent(errDown)
	})
	<-ready
	require.NoError(t, k.js.DeleteStream(t.Context(), "DEAD"))
	close(deleted)
	time.Sleep(300 * time.Millisecond)
	info, err := k.info()
	require.NoError(t, err)
	assert.Equal(t, 1, info.NumAckPending, "not terminated")
	_, err = k.js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "DEAD", Subjects: []string{"dead.>"}})
	require.NoError(t, err)
	k.idle(t)
	require.NoError(t, stop())
	assert.Len(t, k.letters(t), 1)
}

// A process that stops before it could store a dead letter leaves that to the next one, which does
// not run the handler again.
func TestDeadLetterOutlivesTheProcess(t *testing.T) {
	t.Parallel()
	k := newKit(t)
	k.publish(t, 1)
	ready, deleted := make(chan struct{}), make(chan struct{})
	stop := k.consume(t, k.config(), func(context.Context, jetstream.Msg) error {
		close(ready)
		<-deleted
		return retry.Permanent(errDown)
	})
	<-ready
	require.NoError(t, k.js.DeleteStream(t.Context(), "DEAD"))
	close(deleted)
	time.Sleep(100 * time.Millisecond)
	require.NoError(t, stop())
	_, err := k.js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "DEAD", Subjects: []string{"dead.>"}})
	require.NoError(t, err)
	stop = k.consume(t, k.config(), func(context.Context, jetstream.Msg) error {
		t.Error("the handler ran again")
		return nil
	})
	k.idle(t)
	require.NoError(t, stop())
	letters := k.letters(t)
	require.Len(t, letters, 1)
	h := letters[0].Header
	assert.Equal(t, "permanent error", h.Get(retrynats.HeaderReason))
	assert.Equal(t, errDown.Error(), h.Get(retrynats.HeaderError))
	assert.Equal(t, "1", h.Get(retrynats.HeaderAttempts))
	assert.Empty(t, k.entries(t))
}
