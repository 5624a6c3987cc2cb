package retrypool_test

import (
	"context"
	"runtime"
	"testing"
	"time"
	"weak"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrypool"
)

// blob is a value whose garbage collection a test can observe.
type blob struct{ _ [64]byte }

type blobError struct{ b *blob }

func (blobError) Error() string { return "blob" }

// countAlive returns how many blobs have not been garbage collected.
func countAlive(all []weak.Pointer[blob]) (n int) {
	for _, w := range all {
		if w.Value() != nil {
			n++
		}
	}
	return n
}

// Values and results of settled items can be garbage collected while the pool goes on, whatever
// the outcome.
func TestSettledItemsAreNotKept(t *testing.T) {
	t.Parallel()
	var results log[weak.Pointer[blob]]
	p := newPool(t, func(_ context.Context, _ *blob) (*blob, error) {
		b := new(blob)
		results.add(weak.Make(b))
		switch len(results.list()) % 3 {
		case 0:
			return b, nil
		case 1:
			return b, blobError{b}
		default:
			return b, errDown
		}
	}, retrypool.Config[*blob]{
		Workers: 2, Capacity: 10, Policy: waitEvery(time.Hour, 2, retry.WithStopIf(retry.As[blobError]())),
		Key: func(*blob) string { return "" },
	})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var kept []*retrypool.Task[*blob]
	var items []weak.Pointer[blob]
	for i := range 9 {
		in := new(blob)
		items = append(items, weak.Make(in))
		task, err := p.Submit(ctx, in)
		require.NoError(t, err)
		if i%3 == 1 {
			for p.Stats().Parked == 0 {
				runtime.Gosched()
			}
			task.Cancel() // parked
		}
		<-task.Done()
		if i < 3 {
			kept = append(kept, task)
		}
	}
	require.Equal(t, retrypool.Stats{Submitted: 9, Succeeded: 3, Failed: 3, Canceled: 3}, p.Stats())
	collected := func() bool { runtime.GC(); return countAlive(items) == 0 && countAlive(results.list()) <= 3 }
	assert.Eventually(t, collected, 10*time.Second, time.Millisecond)
	assert.Equal(t, 3, countAlive(results.list()), "the results of the tasks that the test keeps")
	for _, task := range kept {
		v, _ := task.Wait(t.Context())
		assert.NotNil(t, v)
	}
	runtime.KeepAlive(kept)
}

// A task that you keep does not keep the context of its settled item, whatever the outcome. A
// context that you keep still has its values.
func TestSettledTasksKeepNoContext(t *testing.T) {
	t.Parallel()
	type key struct{}
	fails := func(context.Context, *blob) (int, error) { return 0, errDown }
	for name, tt := range map[string]struct {
		fn     func(context.Context, *blob) (int, error)
		cancel bool
	}{
		"succeeded":                        {func(context.Context, *blob) (int, error) { return 1, nil }, false},
		"succeeded, its context was asked": {func(ctx context.Context, _ *blob) (int, error) { ctx.Done(); return 1, nil }, false},
		"failed":                           {func(context.Context, *blob) (int, error) { return 0, retry.Permanent(errDown) }, false},
		"canceled while it was parked":     {fails, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPool(t, tt.fn, retrypool.Config[*blob]{Policy: waitEvery(time.Hour, 2)})
			value := new(blob)
			held := weak.Make(value)
			ctx, cancel := context.WithCancel(context.WithValue(context.Background(), key{}, value))
			task, err := p.Submit(ctx, new(blob))
			require.NoError(t, err)
			if tt.cancel {
				for p.Stats().Parked == 0 {
					runtime.Gosched()
				}
				task.Cancel()
			}
			<-task.Done()
			cancel()
			assert.Eventually(t, func() bool { runtime.GC(); return held.Value() == nil }, 10*time.Second, time.Millisecond)
			runtime.KeepAlive(task)
		})
	}
	t.Run("a context that is kept", func(t *testing.T) {
		t.Parallel()
		var kept context.Context
		p := newPool(t, func(ctx context.Context, _ int) (int, error) { kept = ctx; return 0, nil }, retrypool.Config[int]{})
		task, err := p.Submit(context.WithValue(t.Context(), key{}, "v"), 1)
		require.NoError(t, err)
		<-task.Done()
		assert.Equal(t, "v", kept.Value(key{}))
		assert.Equal(t, "v", context.WithoutCancel(kept).Value(key{}))
	})
}

// The pool starts no goroutine for its items' contexts.
func TestNoGoroutineForContexts(t *testing.T) {
	before := runtime.NumGoroutine()
	p := newPool(t, alwaysFails, retrypool.Config[int]{Capacity: 1000, Policy: waitEvery(time.Hour, 2)})
	ctx, cancel := context.WithCancel(t.Context())
	for i := range 1000 {
		_, err := p.Submit(ctx, i)
		require.NoError(t, err)
	}
	for p.Stats().Parked < 1000 {
		runtime.Gosched()
	}
	assert.LessOrEqual(t, runtime.NumGoroutine()-before, 1+1, "the worker")
	cancel()
	require.NoError(t, p.Join(t.Context()))
	assert.Equal(t, 1000, p.Stats().Canceled)
}
