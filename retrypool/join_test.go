package retrypool_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry/retrypool"
)

func TestJoin(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		p := newPool(t, func(ctx context.Context, in time.Duration) (int, error) {
			select {
			case <-time.After(in):
				return 0, nil
			case <-ctx.Done():
				return 0, ctx.Err()
			}
		}, retrypool.Config[time.Duration]{Workers: 10})
		require.NoError(t, p.Join(t.Context()), "nothing to wait for")
		began := time.Now()
		submit(t, p, time.Minute)
		slow := submit(t, p, time.Hour)
		var wg sync.WaitGroup
		wg.Go(func() {
			assert.NoError(t, p.Join(context.Background()))
			assert.Equal(t, 30*time.Minute, time.Since(began), "later items do not count, and a canceled item is settled")
		})
		synctest.Wait()
		submit(t, p, 2*time.Hour)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		err := p.Join(ctx)
		require.EqualError(t, err, "retrypool: Join: context deadline exceeded")
		require.ErrorIs(t, err, context.DeadlineExceeded)
		go func() {
			time.Sleep(29 * time.Minute)
			slow.Cancel()
		}()
		wg.Go(func() {
			assert.NoError(t, p.Join(context.Background()))
			assert.Equal(t, 2*time.Hour, time.Since(began))
		})
		wg.Wait()
	})
}
