package retrypool_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry/retrypool"
)

// A Pool that New did not make panics with a clear message and does not hang.
func TestZeroPool(t *testing.T) {
	t.Parallel()
	for name, use := range map[string]func(p *retrypool.Pool[int, int]){
		"Submit":    func(p *retrypool.Pool[int, int]) { _, _ = p.Submit(t.Context(), 1) },
		"TrySubmit": func(p *retrypool.Pool[int, int]) { _, _ = p.TrySubmit(1) },
		"Close":     func(p *retrypool.Pool[int, int]) { _ = p.Close(t.Context()) },
	} {
		assert.PanicsWithValue(t, "retrypool: a Pool is made by New", func() { use(new(retrypool.Pool[int, int])) }, name)
	}
}

// Printing a task or a pool while it works is no data race, which the race detector would report.
// It prints no items and no results.
func TestFormat(t *testing.T) {
	t.Parallel()
	const secret = "hunter2"
	p := newPool(t, func(ctx context.Context, in string) (string, error) {
		_ = fmt.Sprintf("%v %+v %#v %d", ctx, ctx, ctx, ctx)
		return in, nil
	}, retrypool.Config[string]{Workers: 2})
	verbs := "%v %+v %#v %s %q %d %x"
	all := func(v any) string { return fmt.Sprintf(verbs, v, v, v, v, v, v, v) }
	for range 100 {
		task, err := p.Submit(t.Context(), secret)
		require.NoError(t, err)
		for settled := false; !settled; {
			text := all(task) + all(p)
			assert.NotContains(t, text, secret)
			assert.NotContains(t, text, fmt.Sprintf("%x", secret))
			select {
			case <-task.Done():
				settled = true
			default:
			}
		}
		v, err := task.Wait(t.Context())
		require.NoError(t, err)
		require.Equal(t, secret, v)
	}
	var none *retrypool.Task[int]
	var noPool *retrypool.Pool[int, int]
	assert.Equal(t, "retrypool.Task(none) retrypool.Task(none) retrypool.Pool(nil)", fmt.Sprint(none, " ", new(retrypool.Task[int]), " ", noPool))
}
