package retrynats_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrynats"
)

func logger(k *kit) *slog.Logger { return slog.New(slog.NewTextHandler(k.log, nil)) }

// TestErrors checks that one error names everything that is wrong, before a message is taken.
func TestErrors(t *testing.T) {
	t.Parallel()
	k := newKit(t, func(c *jetstream.ConsumerConfig) {
		c.AckPolicy = jetstream.AckAllPolicy
		c.BackOff = []time.Duration{time.Second, time.Minute}
		c.MaxDeliver = 3
		c.MaxRequestBatch = 2
	})
	k.publish(t, 1)
	cfg := k.config(retry.WithValidator(func(int, retry.Attempt) error { return nil }))
	cfg.Workers, cfg.Grace, cfg.Prefetch, cfg.DeadLetter = -1, -time.Second, 2, "jobs.dead"
	err := retrynats.Consume(t.Context(), k.js, k.consumer, nil, cfg)
	require.ErrorIs(t, err, retry.ErrOption)
	assert.Equal(t, `retrynats: Consume: nil Handler
retrynats: Config.Workers: -1 is negative
retrynats: Config.Grace: -1s is negative
retrynats: Config.Policy: retry: WithValidator: a validator for int in a call that returns no value; use DoValue or Func
retrynats: ConsumerConfig.AckPolicy: worker: AckAll loses messages whose process dies; set jetstream.AckExplicitPolicy
retrynats: ConsumerConfig.BackOff: worker: [1s 1m0s] is added to the policy's waits; leave it empty
retrynats: ConsumerConfig.MaxDeliver: worker: 3 ends messages without a dead letter; set -1 and retry.WithMaxAttempts
retrynats: ConsumerConfig.MaxRequestBatch: worker: 2 is below the 3 of Config.Prefetch and one
retrynats: Config.DeadLetter: "jobs.dead" belongs to the stream JOBS that is consumed; dead letters need one of their own`, err.Error())
	info, err := k.info()
	require.NoError(t, err)
	assert.Zero(t, info.Delivered.Consumer)
}

func TestErrorsOfDeadLetter(t *testing.T) {
	t.Parallel()
	k := newKit(t)
	for subject, want := range map[string]string{
		"nobody.listens": `no stream takes the subject "nobody.listens"; create one`,
		"dead.*":         `"dead.*" is not a subject without wildcards and blanks`,
		"dead.>":         `"dead.>" is not a subject without wildcards and blanks`,
		"dead. jobs":     `"dead. jobs" is not a subject without wildcards and blanks`,
		"dead..jobs":     `"dead..jobs" is not a subject without wildcards and blanks`,
		"jobs.dead":      "belongs to the stream JOBS",
	} {
		cfg := k.config()
		cfg.DeadLetter = subject
		err := retrynats.Consume(t.Context(), k.js, k.consumer, nothing, cfg)
		require.ErrorIs(t, err, retry.ErrOption, subject)
		assert.ErrorContains(t, err, "retrynats: Config.DeadLetter: ")
		assert.ErrorContains(t, err, want)
	}
}

func TestErrorOfState(t *testing.T) {
	t.Parallel()
	k := newKit(t)
	require.NoError(t, k.js.DeleteKeyValue(t.Context(), "state"))
	err := retrynats.Consume(t.Context(), k.js, k.consumer, nothing, k.config())
	require.ErrorIs(t, err, retry.ErrOption)
	assert.EqualError(t, err, "retrynats: Config.State: the bucket state does not exist; create it")
}

func TestNils(t *testing.T) {
	t.Parallel()
	err := retrynats.Consume(t.Context(), nil, nil, nil, retrynats.Config{})
	require.ErrorIs(t, err, retry.ErrOption)
	assert.ErrorContains(t, err, "nil JetStream")
	assert.ErrorContains(t, err, "nil Consumer")
	assert.ErrorContains(t, err, "nil Handler")
}

// TestZeroConfig checks the zero Config: one worker, the default policy, no dead letters.
func TestZeroConfig(t *testing.T) {
	t.Parallel()
	k := newKit(t)
	k.publish(t, 2)
	var seen attempts
	stop := k.consume(t, retrynats.Config{}, func(_ context.Context, msg jetstream.Msg) error {
		if n := seen.note(msg); retrynats.Key(msg) == "job1" {
			return onlyFirst(n, errDown)
		}
		return retry.Permanent(errDown)
	})
	k.idle(t)
	require.NoError(t, stop())
	assert.Equal(t, 2, seen.count("job1"))
	assert.Equal(t, 1, seen.count("job2"))
	assert.Empty(t, k.letters(t))
}

func nothing(context.Context, jetstream.Msg) error { return nil }
