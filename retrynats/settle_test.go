package retrynats_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrynats"
)

var errDown = errors.New("the mail server is down")

// ending is a way in which a message ends.
type ending struct {
	opts     func() []retry.Option
	handler  func(attempt int) error
	attempts int
	reason   string // of the dead letter; empty: success
	letter   string // error of the dead letter
}

var errQuota = errors.New("quota of the day is spent")

var endings = map[string]ending{
	"success":        {handler: func(int) error { return nil }, attempts: 1},
	"second attempt": {handler: func(n int) error { return onlyFirst(n, errDown) }, attempts: 2},
	"permanent": {
		handler: func(int) error { return retry.Permanent(errDown) }, attempts: 1,
		reason: "permanent error", letter: errDown.Error(),
	},
	"not retried": {
		opts:    func() []retry.Option { return []retry.Option{retry.WithRetryIf(retry.Transient)} },
		handler: func(int) error { return errDown }, attempts: 1,
		reason: "permanent error", letter: errDown.Error(),
	},
	"exhausted": {
		opts:    func() []retry.Option { return []retry.Option{retry.WithMaxAttempts(3)} },
		handler: func(int) error { return errDown }, attempts: 3,
		reason: "attempts exhausted", letter: errDown.Error(),
	},
	"time limit": {
		opts: func() []retry.Option {
			return []retry.Option{retry.WithMaxElapsed(time.Minute), retry.WithBackoff(retry.Constant(time.Hour))}
		},
		handler: func(int) error { return errDown }, attempts: 1,
		reason: "time limit reached", letter: errDown.Error(),
	},
	"long hint": {
		handler: func(int) error { return retry.After(time.Hour, errDown) }, attempts: 1,
		reason: "server asks for a longer wait than allowed", letter: errDown.Error(),
	},
	"budget": {
		opts:    func() []retry.Option { return []retry.Option{retry.WithBudget(retry.NewBudget(0, 1))} },
		handler: func(int) error { return errDown }, attempts: 2,
		reason: "client's own retry budget is spent", letter: errDown.Error(),
	},
	"stop": {
		opts: func() []retry.Option {
			return []retry.Option{retry.WithStop(func(retry.Attempt) error { return errQuota })}
		},
		handler: func(int) error { return errDown }, attempts: 1,
		reason: errQuota.Error(), letter: errDown.Error(),
	},
	"panic": {
		handler: func(int) error { panic("no such template") }, attempts: 1,
		reason: "permanent error", letter: "retrynats: panic: no such template",
	},
	"panic of a hook": {
		opts: func() []retry.Option {
			return []retry.Option{retry.WithHooks(retry.Hooks{
				AfterAttempt: func(context.Context, retry.Attempt) { panic("no such metric") },
			})}
		},
		handler: func(int) error { return nil }, attempts: 1,
		reason: "permanent error", letter: "retrynats: panic: no such metric",
	},
	"attempt timeout": {
		opts: func() []retry.Option {
			return []retry.Option{retry.WithAttemptTimeout(time.Millisecond), retry.WithMaxAttempts(2)}
		},
		handler: nil, attempts: 2, // waits for its context
		reason: "attempts exhausted", letter: "context deadline exceeded",
	},
}

// TestEnds checks every way in which a message ends, with and without State.
func TestEnds(t *testing.T) {
	t.Parallel()
	for name, e := range endings {
		for _, state := range []bool{true, false} {
			t.Run(name+map[bool]string{true: "", false: ", no state"}[state], func(t *testing.T) {
				t.Parallel()
				e.check(t, state)
			})
		}
	}
}

// check consumes one message and checks its end.
func (e ending) check(t *testing.T, state bool) {
	t.Helper()
	k := newKit(t)
	var opts []retry.Option
	if e.opts != nil {
		opts = e.opts()
	}
	cfg := k.config(opts...)
	if !state {
		cfg.State = nil
	}
	k.publish(t, 1)
	var seen attempts
	stop := k.consume(t, cfg, func(ctx context.Context, msg jetstream.Msg) error {
		n := seen.note(msg)
		if e.handler == nil {
			<-ctx.Done()
			return ctx.Err()
		}
		return e.handler(n)
	})
	k.idle(t)
	require.NoError(t, stop())
	assert.Equal(t, e.attempts, seen.count("job1"))
	assert.Empty(t, k.entries(t))
	letters := k.letters(t)
	if e.reason == "" {
		assert.Empty(t, letters)
		return
	}
	require.Len(t, letters, 1)
	e.checkLetter(t, letters[0])
}

// checkLetter checks the dead letter of the message.
func (e ending) checkLetter(t *testing.T, letter *jetstream.RawStreamMsg) {
	t.Helper()
	h := letter.Header
	assert.Equal(t, "job1", string(letter.Data))
	assert.Equal(t, e.reason, h.Get(retrynats.HeaderReason))
	assert.Equal(t, e.letter, h.Get(retrynats.HeaderError))
	assert.Equal(t, []string{string(rune('0' + e.attempts))}, h[retrynats.HeaderAttempts])
	assert.Equal(t, "JOBS", h.Get(retrynats.HeaderStream))
	assert.Equal(t, "1", h.Get(retrynats.HeaderSequence))
	assert.Equal(t, "jobs.job1", h.Get(retrynats.HeaderSubject))
	assert.Equal(t, "worker", h.Get(retrynats.HeaderConsumer))
	elapsed, err := time.ParseDuration(h.Get(retrynats.HeaderElapsed))
	require.NoError(t, err)
	assert.Positive(t, elapsed)
	for header := range h {
		assert.False(t, strings.HasPrefix(header, "Nats-"), header)
	}
}

func onlyFirst(n int, err error) error {
	if n > 1 {
		return nil
	}
	return err
}

// TestDeadLetterWaitsForItsStream checks that a dead letter is published until it is stored. Only
// then the message is terminated.
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

// TestDeadLetterOutlivesTheProcess checks that the next process stores a dead letter that this one
// could not store. It does not run the handler again.
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

// TestNoDeadLetter checks that a message that ends without a dead letter is logged.
func TestNoDeadLetter(t *testing.T) {
	t.Parallel()
	k := newKit(t)
	k.publish(t, 1)
	cfg := k.config()
	cfg.DeadLetter = ""
	stop := k.consume(t, cfg, func(context.Context, jetstream.Msg) error { return retry.Permanent(errDown) })
	k.idle(t)
	require.NoError(t, stop())
	assert.Contains(t, k.log.String(), "there is no Config.DeadLetter")
}
