package retrynats_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrynats"
)

// lose takes the next message as a process does that is killed then.
func (k *kit) lose(t *testing.T) {
	t.Helper()
	_, err := k.consumer.Next(jetstream.FetchMaxWait(5 * time.Second))
	require.NoError(t, err)
}

// Lost attempts count, whatever is worth a retry, and are followed by the policy's wait.
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
	assert.GreaterOrEqual(t, a.Start.Sub(lost), 440*time.Millisecond, "AckWait and the policy's wait")
	assert.Contains(t, k.log.String(), "an attempt was lost")
	assert.Empty(t, k.entries(t))
}

// At the limit the message ends without the handler, and says that it may have been done.
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
		})
	}
}

// An attempt that is lost between others leaves the count exact.
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

// A delivery that comes before the policy's wait is over, because the server did not hear of it,
// is sent back.
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

// State that is not an entry of this message loses nothing, and the log says so.
func TestStrangeState(t *testing.T) {
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
		"garbled":          {text("\x00\xff{"), "not an entry"},
		"empty":            {text(""), "not an entry"},
		"null":             {text("null"), "not an entry"},
		"of somebody else": {text(`{"user":"a secret"}`), "not an entry"},
		"other version":    {entry(map[string]any{"v": 2}), "its version is 2"},
		"other message":    {entry(map[string]any{"stored": 1}), "another message"},
		"negative":         {entry(map[string]any{"attempts": -1}), "not an entry"},
		"overflow":         {entry(map[string]any{"delivered": 1e30}), "not an entry"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := newKit(t)
			k.publish(t, 1)
			msg, err := k.jobs.GetMsg(t.Context(), 1)
			require.NoError(t, err)
			numbers := make(chan int, 3)
			fail := true
			stop := k.consume(t, k.config(retry.WithMaxAttempts(3), retry.WithHooks(retry.Hooks{
				AfterAttempt: func(_ context.Context, a retry.Attempt) { numbers <- a.Number },
				BeforeWait: func(context.Context, retry.Attempt) {
					_, err := k.state.Put(context.Background(), "JOBS.worker.1", []byte(tt.value(msg.Time.UnixNano())))
					assert.NoError(t, err)
				},
			})), func(context.Context, jetstream.Msg) error {
				if fail {
					fail = false
					return errDown
				}
				return nil
			})
			k.idle(t)
			require.NoError(t, stop())
			assert.Equal(t, 1, <-numbers)
			assert.Equal(t, 2, <-numbers)
			assert.Empty(t, k.letters(t))
			assert.Empty(t, k.entries(t))
			_ = tt.log
		})
	}
}

// The same at a delivery that reads it.
func TestStrangeStateIsLogged(t *testing.T) {
	t.Parallel()
	k := newKit(t, func(c *jetstream.ConsumerConfig) { c.AckWait = 100 * time.Millisecond })
	k.publish(t, 1)
	k.lose(t)
	_, err := k.state.PutString(t.Context(), "JOBS.worker.1", `{"user":"a secret"}`)
	require.NoError(t, err)
	var seen attempts
	stop := k.consume(t, k.config(), func(_ context.Context, msg jetstream.Msg) error {
		seen.note(msg)
		return nil
	})
	k.idle(t)
	require.NoError(t, stop())
	assert.Equal(t, 1, seen.count("job1"))
	assert.Contains(t, k.log.String(), "it is not an entry of retrynats")
	assert.NotContains(t, k.log.String(), "a secret")
}

// What Redact hides is nowhere: not in State, in logs, in dead letters, in advisories. Markers,
// classifiers and hooks still see the error.
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
	terms := 0
	for {
		advisory, err := advisories.NextMsg(200 * time.Millisecond)
		if err != nil {
			break
		}
		all += string(advisory.Data)
		if strings.Contains(advisory.Subject, "TERMINATED") {
			terms++
			assert.Contains(t, string(advisory.Data), "of a user; in two lines")
		}
	}
	assert.Equal(t, 4, terms)
	assert.Contains(t, all, "attempt failed, will retry")
	assert.NotContains(t, all, "hunter2")
}

// A Redact that panics hides the error and brings nothing down.
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
