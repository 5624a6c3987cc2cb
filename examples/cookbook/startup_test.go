package cookbook

import (
	"context"
	"log/slog"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
)

// waitFor returns once ping succeeds, or after a minute with an error. A wrong password fails at
// once: only failures of the network are worth waiting for.
func waitFor(ctx context.Context, log *slog.Logger, name string, ping func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	return retry.Do(ctx, ping,
		retry.WithName(name),
		retry.WithMaxAttempts(retry.Unlimited),
		retry.WithBackoff(retry.Exponential(100*time.Millisecond, 2)),
		retry.WithMaxDelay(5*time.Second),
		retry.WithAttemptTimeout(3*time.Second),
		retry.WithRetryIf(retry.Transient, retry.TimedOut),
		retry.WithLogger(log),
	)
}

func TestStartup(t *testing.T) {
	t.Parallel()
	refused := &net.DNSError{Err: "server misbehaving", IsTemporary: true}
	hangs := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
	for name, row := range map[string]struct {
		ping     func(time.Time) func(context.Context) error
		from, to time.Duration
		err      error
	}{
		"up after 20s": {func(began time.Time) func(context.Context) error {
			return func(context.Context) error {
				if time.Since(began) < 20*time.Second {
					return refused
				}
				return nil
			}
		}, 20 * time.Second, 25 * time.Second, nil},
		"never up": {func(time.Time) func(context.Context) error {
			return func(context.Context) error { return refused }
		}, 50 * time.Second, time.Minute, context.DeadlineExceeded},
		"hangs": {func(time.Time) func(context.Context) error { return hangs }, 50 * time.Second, time.Minute, context.DeadlineExceeded},
		"wrong password": {func(time.Time) func(context.Context) error {
			return func(context.Context) error { return errConflict }
		}, 0, 0, retry.ErrPermanent},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				require.ErrorIs(t, waitFor(t.Context(), slog.New(slog.DiscardHandler), name, row.ping(began)), row.err)
				require.GreaterOrEqual(t, time.Since(began), row.from)
				require.LessOrEqual(t, time.Since(began), row.to)
			})
		})
	}
}
