package retryotel_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
)

// A program that names its policies after its users makes a bounded number of series.
func TestNamesAreBounded(t *testing.T) {
	t.Parallel()
	k := newKit(t)
	call := func(name string) {
		_ = retry.Do(context.Background(), succeeds, retry.WithName(name), retry.WithHooks(k.Hooks()))
	}
	for i := range 300 {
		call(fmt.Sprint("user ", i))
	}
	call("user 0")
	call("user 299")
	f := k.figures(t)
	const of = "retry.calls{retry.outcome=succeeded,retry.policy.name=%s,retry.retried=false}"
	assert.EqualValues(t, 2, f[fmt.Sprintf(of, "user 0")])
	assert.EqualValues(t, 1, f[fmt.Sprintf(of, "user 255")])
	assert.EqualValues(t, 45, f[fmt.Sprintf(of, "_other")])
	assert.EqualValues(t, 302, f.total("retry.calls"))
	f.assertAddUp(t)
	series := 0
	for key := range f {
		if len(key) > 12 && key[:12] == "retry.calls{" {
			series++
		}
	}
	assert.Equal(t, 257, series)
}

// Calls of new and known policies may run concurrently.
func TestNamesConcurrently(t *testing.T) {
	t.Parallel()
	k := newKit(t)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for i := range 400 {
				_ = retry.Do(context.Background(), succeeds, retry.WithName(fmt.Sprint(i)), retry.WithHooks(k.Hooks()))
			}
		})
	}
	wg.Wait()
	f := k.figures(t)
	f.assertAddUp(t)
	assert.EqualValues(t, 1600, f.total("retry.calls"))
	assert.EqualValues(t, 4*(400-256), f.total("retry.calls", "_other"))
}

func TestUnnamedPolicy(t *testing.T) {
	t.Parallel()
	k := newKit(t)
	require.NoError(t, retry.Do(t.Context(), succeeds, retry.WithHooks(k.Hooks())))
	assert.EqualValues(t, 1, k.figures(t)["retry.calls{retry.outcome=succeeded,retry.retried=false}"])
	assert.Equal(t, "retry", k.spans.Ended()[1].Name())
}
