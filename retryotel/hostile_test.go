package retryotel_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retryotel"
	"github.com/seed-205ff063/retry/retrypool"
)

// nilError has methods that a nil pointer does not survive.
type nilError struct{ text string }

func (e *nilError) Error() string { return e.text }
func (e *nilError) Unwrap() error { return errors.New(e.text) }

type panicking struct{}

func (panicking) Error() string { panic("no text") }

type unwraps struct{ error }

func (unwraps) Unwrap() error { panic("no error") }

type loop struct{}

func (loop) Error() string   { return "loop" }
func (l loop) Unwrap() error { return l }

// An error that panics when it is read is recorded as package fmt writes it, and the call goes on.
// Texts are one safe and bounded line.
func TestHostileErrors(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		err      error
		typ      string
		contains string
	}{
		"a typed nil":                   {(*nilError)(nil), "*retryotel_test.nilError", "<nil>"},
		"a typed nil beneath Permanent": {retry.Permanent((*nilError)(nil)), "*retry.permanent", ""},
		"a typed nil beneath a Join":    {errors.Join(errDown, (*nilError)(nil)), "*errors.joinError", "PANIC"},
		"an Error that panics":          {panicking{}, "github.com/seed-205ff063/retry/retryotel_test.panicking", "PANIC"},
		"an Unwrap that panics":         {unwraps{errDown}, "github.com/seed-205ff063/retry/retryotel_test.unwraps", "down"},
		"an error that wraps itself":    {loop{}, "github.com/seed-205ff063/retry/retryotel_test.loop", "loop"},
		"an escape and two lines":       {errors.New("\x1b[31mred\nand blue\u202e"), "*errors.errorString", `\x1b[31mred; and blue\u202e`},
		"eight MiB":                     {errors.New(strings.Repeat("x", 8<<20)), "*errors.errorString", "x…x"},
		"no UTF-8":                      {errors.New("a\xffb"), "*errors.errorString", "a\ufffdb"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := newKit(t)
			err := retry.Do(t.Context(), func(context.Context) error { return tt.err }, k.options(retry.WithMaxAttempts(1))...)
			require.Error(t, err)
			k.noneOpen(t)
			k.figures(t).addUp(t)
			ended := k.spans.Ended()
			require.Len(t, ended, 2)
			attempt, call := ended[0], ended[1]
			require.Len(t, attempt.Events(), 1)
			event := attempt.Events()[0]
			assert.Equal(t, "exception", event.Name)
			said := map[string]string{}
			for _, kv := range event.Attributes {
				said[string(kv.Key)] = kv.Value.AsString()
			}
			assert.Equal(t, tt.typ, said["exception.type"])
			for _, text := range []string{said["exception.message"], attempt.Status().Description, call.Status().Description} {
				assert.Contains(t, text, tt.contains)
				assert.LessOrEqual(t, len(text), 1024)
				assert.NotContains(t, text, "\n")
				assert.NotContains(t, text, "\x1b")
			}
		})
	}
}

// Whoever prints a Recorder meanwhile does not read what is written: the race detector would see it.
func TestPrinting(t *testing.T) {
	t.Parallel()
	k := newKit(t)
	var wg sync.WaitGroup
	for n := range 4 {
		wg.Go(func() {
			for i := range 100 {
				_ = retry.Do(context.Background(), fine, retry.WithName(fmt.Sprint(n, i)), retry.WithHooks(k.Hooks()))
				stop, err := k.ObserveBudget(fmt.Sprint(n, i), retry.NewBudget(1, 1))
				assert.NoError(t, err)
				stop()
			}
		})
	}
	for range 100 {
		assert.Equal(t, "retryotel.Recorder retryotel.Recorder retryotel.Recorder", fmt.Sprintf("%v %#v %d", k.Recorder, k.Recorder, k.Recorder))
	}
	wg.Wait()
}

// An inner call without a timeout, whose hooks derive a context as these do, keeps nothing of the
// outer attempt that it runs in: its release does not end the outer attempt, and neither does what
// an inner call before it released.
func TestKeepContextBeneathAnAttempt(t *testing.T) {
	t.Parallel()
	within := func(t *testing.T, k *kit, ctx context.Context) error {
		for range 2 {
			err := retry.Do(ctx, func(ctx context.Context) error {
				release := retry.KeepContext(ctx)
				release()
				return ctx.Err()
			}, k.options(retry.WithMaxAttempts(2))...)
			if err != nil {
				return err
			}
			assert.NoError(t, ctx.Err(), "the outer attempt lives")
		}
		time.Sleep(time.Second)
		return ctx.Err()
	}
	t.Run("in a call", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			k := newKit(t)
			err := retry.Do(t.Context(), func(ctx context.Context) error { return within(t, k, ctx) },
				k.options(retry.WithAttemptTimeout(time.Minute))...)
			require.NoError(t, err)
			k.noneOpen(t)
		})
	})
	t.Run("in a pool", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			k := newKit(t)
			p := newPool(t, k, func(ctx context.Context, in int) (int, error) { return in, within(t, k, ctx) },
				retry.WithAttemptTimeout(time.Minute), retry.WithMaxAttempts(1))
			for i := range 4 {
				_, err := p.Submit(t.Context(), i)
				require.NoError(t, err)
			}
			require.NoError(t, p.Close(t.Context()))
			assert.Equal(t, retrypool.Stats{Submitted: 4, Succeeded: 4}, p.Stats())
			k.noneOpen(t)
		})
	})
	t.Run("a kept context of the own call outlives it", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			k := newKit(t)
			var kept context.Context
			var release context.CancelFunc
			require.NoError(t, retry.Do(t.Context(), func(ctx context.Context) error {
				kept, release = ctx, retry.KeepContext(ctx)
				return nil
			}, k.options(retry.WithAttemptTimeout(time.Minute))...))
			require.NoError(t, kept.Err())
			release()
			require.ErrorIs(t, kept.Err(), context.Canceled)
		})
	})
}

// Nor does it prolong the outer attempt's context: that ends with the outer function, although
// nobody releases what the inner one kept.
func TestKeepContextProlongsNoOuterAttempt(t *testing.T) {
	t.Parallel()
	inner := func(k *kit, ctx context.Context) error {
		return retry.Do(ctx, func(ctx context.Context) error {
			retry.KeepContext(ctx)
			return nil
		}, k.options()...)
	}
	t.Run("in a call", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			k := newKit(t)
			var outer context.Context
			require.NoError(t, retry.Do(t.Context(), func(ctx context.Context) error {
				outer = ctx
				return inner(k, ctx)
			}, k.options(retry.WithAttemptTimeout(time.Minute))...))
			require.ErrorIs(t, outer.Err(), context.Canceled)
			k.noneOpen(t)
		})
	})
	t.Run("in a pool, whose item is not settled yet", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			k := newKit(t)
			var first context.Context
			p := newPool(t, k, func(ctx context.Context, in int) (int, error) {
				if first == nil {
					first = ctx
					assert.NoError(t, inner(k, ctx))
					return 0, errDown
				}
				return in, nil
			}, retry.WithAttemptTimeout(time.Minute), retry.WithMaxAttempts(2))
			_, err := p.Submit(t.Context(), 1)
			require.NoError(t, err)
			synctest.Wait()
			require.Equal(t, retrypool.Stats{Submitted: 1, Parked: 1}, p.Stats())
			require.ErrorIs(t, first.Err(), context.Canceled)
			require.NoError(t, p.Close(t.Context()))
			k.noneOpen(t)
		})
	})
}

// Items that items submit, with a recorder's hooks and attempt timeouts: each goes on when the first
// is settled, as a call of its own.
func TestItemsThatItemsSubmit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := newKit(t)
		var p *retrypool.Pool[int, int]
		p = newPool(t, k, func(ctx context.Context, in int) (int, error) {
			time.Sleep(time.Second)
			for range 3 {
				if in == 3 {
					break
				}
				if _, err := p.Submit(ctx, in+1); err != nil {
					return 0, err
				}
			}
			return in, ctx.Err()
		}, retry.WithAttemptTimeout(time.Minute))
		ctx, span := k.traces.Tracer("test").Start(t.Context(), "request")
		_, err := p.Submit(ctx, 1)
		require.NoError(t, err)
		for s := p.Stats(); s.Queued+s.Running+s.Parked > 0; s = p.Stats() {
			require.NoError(t, p.Join(t.Context()))
		}
		require.NoError(t, p.Close(t.Context()))
		span.End()
		assert.Equal(t, 13, p.Stats().Succeeded)
		calls := 0
		for _, s := range k.spans.Ended() {
			if s.Name() == "retry fetch" {
				calls++
				assert.Equal(t, span.SpanContext().SpanID(), s.Parent().SpanID(), "a call that the request made")
			}
		}
		assert.Equal(t, 13, calls)
		k.noneOpen(t)
	})
}

var _ fmt.Formatter = (*retryotel.Recorder)(nil)
