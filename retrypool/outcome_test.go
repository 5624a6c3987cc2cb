package retrypool_test

import (
	"context"
	"errors"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrypool"
)

func TestDeadLetter(t *testing.T) {
	t.Parallel()
	type key struct{}
	accept := func(ctx context.Context, in int, err *retry.Error) error {
		if in != 7 || err.Attempts != 2 || ctx.Value(key{}) != "v" || ctx.Err() != nil {
			return errors.New("wrong arguments")
		}
		return nil
	}
	failed := retrypool.Stats{Submitted: 1, Failed: 1, Retries: 1}
	deadLettered := retrypool.Stats{Submitted: 1, DeadLettered: 1, Retries: 1}
	const failure = "retry: attempts exhausted after 2 attempts in 1s: down"
	const deadLetter = failure + "; retrypool: dead letter: "
	for name, tt := range map[string]struct {
		letter func(ctx context.Context, in int, err *retry.Error) error
		want   retrypool.Stats
		text   string
		more   error
	}{
		"none":    {nil, failed, failure, errDown},
		"accepts": {accept, deadLettered, failure, errDown},
		"fails": {
			func(context.Context, int, *retry.Error) error { return errDead },
			failed, deadLetter + "no dead letters today", errDead,
		},
		"panics": {
			func(context.Context, int, *retry.Error) error { panic(errDead) },
			failed, deadLetter + "retrypool: panic: no dead letters today", errDead,
		},
		"ends its goroutine": {
			func(context.Context, int, *retry.Error) error { runtime.Goexit(); return nil },
			failed, deadLetter + "retrypool: panic: the goroutine was ended by runtime.Goexit", errDown,
		},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				p := newPool(t, alwaysFails, retrypool.Config[int]{Policy: waitEvery(time.Second, 2), DeadLetter: tt.letter})
				task, err := p.Submit(context.WithValue(t.Context(), key{}, "v"), 7)
				require.NoError(t, err)
				_, err = task.Wait(t.Context())
				require.EqualError(t, err, tt.text)
				require.ErrorIs(t, err, errDown)
				require.ErrorIs(t, err, retry.ErrExhausted)
				require.ErrorIs(t, err, tt.more)
				assert.Equal(t, 2, retryError(t, err).Attempts)
				assert.Equal(t, tt.want, p.Stats())
			})
		})
	}
}

// DeadLetter may run past the item's deadline. The item counts as running meanwhile.
func TestDeadLetterOutlivesTheContext(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		p := newPool(t, untilEnded, retrypool.Config[int]{
			DeadLetter: func(ctx context.Context, _ int, _ *retry.Error) error {
				_, bounded := ctx.Deadline()
				assert.False(t, bounded)
				time.Sleep(time.Hour)
				return ctx.Err()
			},
		})
		task, err := p.Submit(ctx, 1)
		require.NoError(t, err)
		time.Sleep(time.Hour)
		assert.Equal(t, retrypool.Stats{Submitted: 1, Running: 1}, p.Stats())
		_, err = task.Wait(t.Context())
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, retrypool.Stats{Submitted: 1, DeadLettered: 1}, p.Stats())
	})
}

// A canceled item counts as canceled, however its function or the policy's hooks end. Its error has
// the number of attempts made.
func TestCanceledItemThatPanics(t *testing.T) {
	for how, c := range map[string]struct {
		fn   func(ctx context.Context, in int) (int, error)
		done func(context.Context, retry.Outcome)
	}{
		"panic":  {fn: func(ctx context.Context, _ int) (int, error) { <-ctx.Done(); panic("x") }},
		"goexit": {fn: func(ctx context.Context, _ int) (int, error) { <-ctx.Done(); runtime.Goexit(); return 0, nil }},
		"hook":   {fn: alwaysFails, done: func(context.Context, retry.Outcome) { panic("x") }},
	} {
		t.Run(how, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				var letters log[int]
				p := newPool(t, c.fn, retrypool.Config[int]{
					Policy:     waitEvery(time.Hour, 2, retry.WithHooks(retry.Hooks{Done: c.done})),
					DeadLetter: func(_ context.Context, in int, _ *retry.Error) error { letters.add(in); return nil },
				})
				task := submit(t, p, 1)
				synctest.Wait()
				require.True(t, task.Cancel())
				_, err := task.Wait(t.Context())
				assert.Equal(t, 1, retryError(t, err).Attempts)
				var broken *retrypool.PanicError
				require.ErrorAs(t, err, &broken)
				assert.Equal(t, retrypool.Stats{Submitted: 1, Canceled: 1}, p.Stats())
				assert.Empty(t, letters.list())
			})
		})
	}
}

// The same for an item that is canceled just before it is parked.
func TestCanceledItemThatPanicsWhileParking(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var task atomic.Pointer[retrypool.Task[int]]
		p := newPool(t, alwaysFails, retrypool.Config[int]{
			Policy: waitEvery(time.Hour, 2, retry.WithHooks(retry.Hooks{Done: func(context.Context, retry.Outcome) { panic("x") }})),
			Events: retrypool.Events[int]{Parked: func(retrypool.Event[int]) { task.Load().Cancel() }, Started: func(retrypool.Event[int]) {
				time.Sleep(time.Second) // until the test has stored the task
			}},
		})
		task.Store(submit(t, p, 1))
		_, err := task.Load().Wait(t.Context())
		assert.Equal(t, 1, retryError(t, err).Attempts)
		assert.Equal(t, retrypool.Stats{Submitted: 1, Canceled: 1}, p.Stats())
	})
}
