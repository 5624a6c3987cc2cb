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

// TestServerRestarts checks that Consume waits for a server that is away, and loses nothing.
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
