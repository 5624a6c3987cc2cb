package retrynats_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
)

// TestUnusableState checks that an unusable entry in State loses no message. The log says why it is
// not used.
func TestUnusableState(t *testing.T) {
	t.Parallel()
	entry := func(change map[string]any) func(stored int64) string {
		return func(stored int64) string {
			e := map[string]any{"v": 1, "stored": stored, "attempts": 4, "delivered": 1, "elapsed": 1, "delay": 0, "at": 1}
			for key, value := range change {
				e[key] = value
			}
			text, _ := json.Marshal(e)
			return string(text)
		}
	}
	text := func(s string) func(int64) string { return func(int64) string { return s } }
	for name, tt := range map[string]struct {
		value func(stored int64) string
		log   string
	}{
		"garbled":               {text("\x00\xff{"), "not an entry"},
		"empty":                 {text(""), "not an entry"},
		"null":                  {text("null"), "not an entry"},
		"another application's": {text(`{"user":"a secret"}`), "not an entry"},
		"other version":         {entry(map[string]any{"v": 2}), "its version is 2"},
		"other message":         {entry(map[string]any{"stored": 1}), "another message"},
		"negative":              {entry(map[string]any{"attempts": -1}), "not an entry"},
		"overflow":              {entry(map[string]any{"delivered": 1e30}), "not an entry"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := newKit(t, func(c *jetstream.ConsumerConfig) { c.AckWait = 100 * time.Millisecond })
			k.publish(t, 1)
			k.lose(t)
			msg, err := k.jobs.GetMsg(t.Context(), 1)
			require.NoError(t, err)
			_, err = k.state.PutString(t.Context(), "JOBS.worker.1", tt.value(msg.Time.UnixNano()))
			require.NoError(t, err)
			numbers := make(chan int, 3)
			stop := k.consume(t, k.config(retry.WithMaxAttempts(3), retry.WithHooks(retry.Hooks{
				AfterAttempt: func(_ context.Context, a retry.Attempt) { numbers <- a.Number },
			})), func(context.Context, jetstream.Msg) error { return nil })
			k.idle(t)
			require.NoError(t, stop())
			require.Len(t, numbers, 1, k.log.String())
			assert.Equal(t, 2, <-numbers, "the first was lost")
			assert.Contains(t, k.log.String(), tt.log)
			assert.NotContains(t, k.log.String(), "a secret")
			assert.Empty(t, k.letters(t))
			assert.Empty(t, k.entries(t))
		})
	}
}

// TestUnusableStateAtWrite checks the same if the entry is found when another one is written.
func TestUnusableStateAtWrite(t *testing.T) {
	t.Parallel()
	k := newKit(t)
	k.publish(t, 1)
	var seen attempts
	stop := k.consume(t, k.config(retry.WithHooks(retry.Hooks{
		BeforeWait: func(context.Context, retry.Attempt) {
			_, err := k.state.PutString(context.Background(), "JOBS.worker.1", `{"user":"a secret"}`)
			assert.NoError(t, err)
		},
	})), func(_ context.Context, msg jetstream.Msg) error { return onlyFirst(seen.note(msg), errDown) })
	k.idle(t)
	require.NoError(t, stop())
	assert.Equal(t, 2, seen.count("job1"))
	assert.Contains(t, k.log.String(), "it is not an entry of retrynats")
	assert.NotContains(t, k.log.String(), "a secret")
	assert.Empty(t, k.entries(t))
}
