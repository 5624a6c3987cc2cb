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

// Every way in which a message ends, with State and without.
func TestEnds(t *testing.T) {
	t.Parallel()
	quota := errors.New("quota of the day is spent")
	for name, tt := range map[string]struct {
		opts     func() []retry.Option
		handler  func(attempt int) error
		attempts int
		reason   string // of the dead letter; empty: done
		letter   string // its error
	}{
		"success":        {handler: func(int) error { return nil }, attempts: 1},
		"second attempt": {handler: func(n int) error { return onlyFirst(n, errDown) }, attempts: 2},
		"permanent": {
			handler: func(int) error { return retry.Permanent(errDown) }, attempts: 1,
			reason: "permanent error", letter: errDown.Error(),
		},
		"not worth it": {
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
				return []retry.Option{retry.WithStop(func(retry.Attempt) error { return quota })}
			},
			handler: func(int) error { return errDown }, attempts: 1,
			reason: quota.Error(), letter: errDown.Error(),
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
	} {
		for _, state := range []bool{true, false} {
			t.Run(name+map[bool]string{true: "", false: ", no state"}[state], func(t *testing.T) {
				t.Parallel()
				k := newKit(t)
				var opts []retry.Option
				if tt.opts != nil {
					opts = tt.opts()
				}
				cfg := k.config(opts...)
				if !state {
					cfg.State = nil
				}
				k.publish(t, 1)
				var seen attempts
				stop := k.consume(t, cfg, func(ctx context.Context, msg jetstream.Msg) error {
					n := seen.note(msg)
					if tt.handler == nil {
						<-ctx.Done()
						return ctx.Err()
					}
					return tt.handler(n)
				})
				k.idle(t)
				require.NoError(t, stop())
				assert.Equal(t, tt.attempts, seen.count("job1"))
				assert.Empty(t, k.entries(t))
				letters := k.letters(t)
				if tt.reason == "" {
					assert.Empty(t, letters)
					return
				}
				require.Len(t, letters, 1)
				h := letters[0].Header
				assert.Equal(t, "job1", string(letters[0].Data))
				assert.Equal(t, tt.reason, h.Get(retrynats.HeaderReason))
				assert.Equal(t, tt.letter, h.Get(retrynats.HeaderError))
				assert.Equal(t, []string{string(rune('0' + tt.attempts))}, h[retrynats.HeaderAttempts])
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
			})
		}
	}
}

func onlyFirst(n int, err error) error {
	if n > 1 {
		return nil
	}
	return err
}
