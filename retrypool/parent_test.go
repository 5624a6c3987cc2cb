package retrypool_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"weak"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrypool"
)

type traceKey struct{}

// tracingHooks are hooks that add values to the context, like those of a tracer.
func tracingHooks() retry.Option {
	return retry.WithHooks(retry.Hooks{
		Start: func(ctx context.Context) context.Context { return context.WithValue(ctx, traceKey{}, "call") },
		BeforeAttempt: func(ctx context.Context, a retry.Attempt) context.Context {
			return context.WithValue(ctx, traceKey{}, fmt.Sprint("attempt ", a.Number))
		},
	})
}

// joinAll waits until all items are settled, also those that other items submit.
func joinAll[In, Out any](t *testing.T, p *retrypool.Pool[In, Out]) {
	t.Helper()
	for s := p.Stats(); s.Queued+s.Running+s.Parked > 0; s = p.Stats() {
		require.NoError(t, p.Join(t.Context()))
	}
}

// newCrawler makes a pool that visits pages. The first attempt for a page fails. Then a page links
// to three pages, whose names are one letter longer, up to three letters.
func newCrawler(t *testing.T, derive func(context.Context) context.Context, opts ...retry.Option) (p *retrypool.Pool[string, int]) {
	var visited sync.Map
	p = newPool(t, func(ctx context.Context, page string) (int, error) {
		_, again := visited.LoadOrStore(page, true)
		time.Sleep(time.Second)
		if !again {
			return 0, errDown
		}
		for i := range 3 {
			if len(page) == 3 {
				break
			}
			if _, err := p.Submit(derive(ctx), fmt.Sprint(page, i)); err != nil {
				return 0, err
			}
		}
		return 1, nil
	}, retrypool.Config[string]{Workers: 2, Policy: waitEvery(time.Second, 3, opts...)})
	return p
}

// A page links to three pages, and each of these to three others. Every first attempt fails. All 13
// pages are visited, whether hooks, timeouts or the function derive contexts or not.
func TestNestedItems(t *testing.T) {
	t.Parallel()
	type key struct{}
	same := func(ctx context.Context) context.Context { return ctx }
	withValue := func(ctx context.Context) context.Context { return context.WithValue(ctx, key{}, 1) }
	used := func(ctx context.Context) context.Context { ctx.Done(); return ctx }
	timeout := retry.WithAttemptTimeout(time.Minute)
	for name, tt := range map[string]struct {
		opts   []retry.Option
		derive func(context.Context) context.Context
	}{
		"the function's context":                 {nil, same},
		"with values":                            {nil, withValue},
		"hooks that trace":                       {[]retry.Option{tracingHooks()}, same},
		"hooks that trace, with values":          {[]retry.Option{tracingHooks()}, withValue},
		"an attempt's timeout":                   {[]retry.Option{timeout}, same},
		"an attempt's timeout, with values":      {[]retry.Option{timeout}, withValue},
		"hooks that trace, an attempt's timeout": {[]retry.Option{tracingHooks(), timeout}, same},
		"the context was used before":            {nil, used},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				p := newCrawler(t, tt.derive, tt.opts...)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				_, err := p.Submit(ctx, "p")
				require.NoError(t, err)
				joinAll(t, p)
				assert.Equal(t, retrypool.Stats{Submitted: 13, Succeeded: 13, Retries: 13}, p.Stats())
			})
		})
	}
}

// Nested items end with the context that the first item was submitted with, also in the third
// generation.
func TestNestedItemsEnd(t *testing.T) {
	t.Parallel()
	for name, derive := range map[string]func(context.Context) context.Context{
		"the function's context": func(ctx context.Context) context.Context { return ctx },
		"with values":            func(ctx context.Context) context.Context { return context.WithValue(ctx, traceKey{}, 1) },
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				cause := errors.New("shutting down")
				var p *retrypool.Pool[int, int]
				p = newPool(t, func(ctx context.Context, in int) (int, error) {
					if in == 3 {
						return untilEnded(ctx, in)
					}
					_, err := p.Submit(derive(ctx), in+1)
					return in, err
				}, retrypool.Config[int]{})
				ctx, cancel := context.WithCancelCause(t.Context())
				_, err := p.Submit(ctx, 1)
				require.NoError(t, err)
				synctest.Wait()
				assert.Equal(t, retrypool.Stats{Submitted: 3, Succeeded: 2, Running: 1}, p.Stats())
				cancel(cause)
				synctest.Wait()
				assert.Equal(t, retrypool.Stats{Submitted: 3, Succeeded: 2, Canceled: 1}, p.Stats())
			})
		})
	}
}

// submitFromItem submits an item from the function of another item, with the context that derive
// returns. It returns the context that the new item's function gets.
func submitFromItem(t *testing.T, parent context.Context, derive func(context.Context) context.Context, opts ...retry.Option) (child context.Context) {
	t.Helper()
	var p *retrypool.Pool[int, int]
	p = newPool(t, func(ctx context.Context, in int) (int, error) {
		if in == 2 {
			child = ctx
			time.Sleep(time.Second) // the first item is settled meanwhile
			assert.NoError(t, ctx.Err())
			assert.NoError(t, context.Cause(ctx))
			return 0, nil
		}
		_, err := p.Submit(derive(ctx), 2)
		return 0, err
	}, retrypool.Config[int]{Workers: 2, Policy: retry.MustNew(opts...)})
	_, err := p.Submit(parent, 1)
	require.NoError(t, err)
	joinAll(t, p)
	assert.Equal(t, 2, p.Stats().Succeeded)
	return child
}

// An item that is submitted with the function's context has nothing of the attempt: neither its
// deadline nor the values of hooks. It has the values that the function adds.
func TestContextOfNestedItems(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		type key struct{}
		type own struct{}
		parent, cancel := context.WithTimeout(context.WithValue(t.Context(), key{}, "v"), time.Hour)
		defer cancel()
		want, _ := parent.Deadline()
		timeout := retry.WithAttemptTimeout(time.Minute)
		deadline := func(ctx context.Context) time.Time { at, _ := ctx.Deadline(); return at }

		child := submitFromItem(t, parent, func(ctx context.Context) context.Context { return ctx })
		assert.Equal(t, want, deadline(child))
		assert.Equal(t, "v", child.Value(key{}))
		require.ErrorIs(t, child.Err(), context.Canceled, "the item is settled")

		first := retry.WithHooks(retry.Hooks{BeforeAttempt: func(ctx context.Context, _ retry.Attempt) context.Context {
			if ctx.Value(traceKey{}) != nil {
				t.Error("the second item has a value of the first item's attempt")
			}
			return context.WithValue(ctx, traceKey{}, 1)
		}})
		child = submitFromItem(t, parent, func(ctx context.Context) context.Context { return ctx }, first, timeout)
		assert.Equal(t, "v", child.Value(key{}))

		child = submitFromItem(t, parent, func(ctx context.Context) context.Context {
			return context.WithValue(ctx, own{}, "mine")
		}, timeout)
		assert.Equal(t, "mine", child.Value(own{}))
		assert.Equal(t, "v", child.Value(key{}))
		assert.Equal(t, time.Minute, time.Until(deadline(child))+time.Second, "the deadline of its own attempt")
	})
}

// A deadline that the function adds to the context bounds the new item.
func TestNestedItemWithItsOwnEnd(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		began := time.Now()
		var p *retrypool.Pool[int, int]
		p = newPool(t, func(ctx context.Context, in int) (int, error) {
			if in == 2 {
				return untilEnded(ctx, in)
			}
			own, cancel := context.WithTimeout(ctx, time.Minute)
			defer cancel()
			task, err := p.Submit(own, 2)
			if err != nil {
				return 0, err
			}
			_, err = task.Wait(ctx)
			assert.ErrorIs(t, err, context.DeadlineExceeded)
			return 0, nil
		}, retrypool.Config[int]{Workers: 2})
		_, err := p.Submit(t.Context(), 1)
		require.NoError(t, err)
		require.NoError(t, p.Join(t.Context()))
		assert.Equal(t, time.Minute, time.Since(began))
		assert.Equal(t, retrypool.Stats{Submitted: 2, Succeeded: 1, Failed: 1}, p.Stats())
	})
}

// The function of a pool may submit to the next pool of a pipeline. Items of the second pool do
// not end with those of the first.
func TestNestedItemsInAnotherPool(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		second := newPool(t, func(ctx context.Context, in string) (string, error) {
			time.Sleep(time.Second)
			return in, ctx.Err()
		}, retrypool.Config[string]{})
		first := newPool(t, func(ctx context.Context, in int) (int, error) {
			_, err := second.Submit(ctx, fmt.Sprint(in))
			return in, err
		}, retrypool.Config[int]{Policy: waitEvery(0, 1, tracingHooks(), retry.WithAttemptTimeout(time.Minute))})
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		for i := range 5 {
			_, err := first.Submit(ctx, i)
			require.NoError(t, err)
		}
		require.NoError(t, first.Join(t.Context()))
		require.NoError(t, second.Join(t.Context()))
		assert.Equal(t, 5, second.Stats().Succeeded)
	})
}

// Each item submits a successor. No context of an earlier item is kept.
func TestSuccessorsKeepNothing(t *testing.T) {
	t.Parallel()
	const generations = 100
	var blobs log[weak.Pointer[blob]]
	hooks := retry.WithHooks(retry.Hooks{BeforeAttempt: func(ctx context.Context, _ retry.Attempt) context.Context {
		b := new(blob)
		blobs.add(weak.Make(b))
		return context.WithValue(ctx, traceKey{}, b)
	}})
	last := make(latch)
	var p *retrypool.Pool[int, int]
	p = newPool(t, func(ctx context.Context, in int) (int, error) {
		if in == generations {
			return last.fn(ctx, in)
		}
		_, err := p.Submit(ctx, in+1)
		return in, err
	}, retrypool.Config[int]{Policy: waitEvery(0, 1, hooks, retry.WithAttemptTimeout(time.Hour))})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	_, err := p.Submit(ctx, 1)
	require.NoError(t, err)
	require.Eventually(t, func() bool { s := p.Stats(); return s.Succeeded == generations-1 && s.Running == 1 }, 10*time.Second, time.Millisecond)
	assert.Eventually(t, func() bool {
		runtime.GC()
		return countAlive(blobs.list()) <= 1
	}, 10*time.Second, time.Millisecond)
	close(last)
	joinAll(t, p)
}
