package retrynats_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrynats"
)

// readAdvisories returns the number of terminated messages and the text of all advisories.
func readAdvisories(t *testing.T, advisories *nats.Subscription) (terms int, texts string) {
	t.Helper()
	for {
		advisory, err := advisories.NextMsg(200 * time.Millisecond)
		if err != nil {
			return terms, texts
		}
		texts += string(advisory.Data)
		if strings.Contains(advisory.Subject, "TERMINATED") {
			terms++
			assert.Contains(t, string(advisory.Data), "of a user; in two lines")
		}
	}
}

// TestRedact checks that what Redact hides is not in State, logs, dead letters or advisories.
// Marks, classifiers and hooks still see the error.
func TestRedact(t *testing.T) {
	t.Parallel()
	const secret = "password=hunter2"
	k := newKit(t)
	errSecret := errors.New(secret)
	advisories, err := k.conn.SubscribeSync("$JS.EVENT.ADVISORY.>")
	require.NoError(t, err)
	k.publish(t, 4)
	cfg := k.config(
		retry.WithRetryIf(retry.Is(errSecret)), retry.WithLogger(logger(k)), retry.WithMaxAttempts(2),
		retry.WithBackoff(retry.Constant(100*time.Millisecond)))
	cfg.Redact = func(err error) string { return fmt.Sprintf("%T of a user\nin two lines", errors.Unwrap(err)) }
	stop := k.consume(t, cfg, func(_ context.Context, msg jetstream.Msg) error {
		switch retrynats.Key(msg) {
		case "job1":
			return retry.Permanent(errSecret)
		case "job2":
			panic(secret)
		case "job3":
			return retry.After(time.Hour, errSecret)
		}
		return fmt.Errorf("%s: %w", secret, errSecret)
	})
	require.Eventually(t, func() bool { return len(k.entries(t)) == 1 }, 5*time.Second, time.Millisecond)
	stored, err := k.state.Get(t.Context(), "JOBS.worker.4")
	require.NoError(t, err)
	k.idle(t)
	require.NoError(t, stop())
	all := k.log.String() + string(stored.Value())
	letters := k.letters(t)
	require.Len(t, letters, 4)
	for _, letter := range letters {
		all += fmt.Sprint(letter.Header)
		assert.Contains(t, letter.Header.Get(retrynats.HeaderError), "of a user; in two lines")
	}
	terms, texts := readAdvisories(t, advisories)
	all += texts
	assert.Equal(t, 4, terms)
	assert.Contains(t, all, "attempt failed, will retry")
	assert.NotContains(t, all, "hunter2")
}

// TestRedactPanics checks that a Redact that panics hides the error and does no other harm.
func TestRedactPanics(t *testing.T) {
	t.Parallel()
	k := newKit(t)
	k.publish(t, 1)
	cfg := k.config(retry.WithMaxAttempts(1))
	cfg.Redact = func(error) string { panic("no") }
	stop := k.consume(t, cfg, func(context.Context, jetstream.Msg) error { return errDown })
	k.idle(t)
	require.NoError(t, stop())
	require.Len(t, k.letters(t), 1, k.log.String())
	assert.Equal(t, "(Config.Redact panicked at *errors.errorString)", k.letters(t)[0].Header.Get(retrynats.HeaderError))
}
