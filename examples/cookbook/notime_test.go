package cookbook

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrytest"
)

// fetch is the code under test.
func fetch(ctx context.Context, get func(context.Context) error, opts ...retry.Option) error {
	return retry.Do(ctx, get, append([]retry.Option{retry.WithMaxAttempts(4)}, opts...)...)
}

func TestFetchWaits(t *testing.T) {
	t.Parallel()
	var clock retrytest.Clock
	get := retrytest.Fail(2, errors.New("connection refused"))

	err := fetch(t.Context(), get, retry.WithClock(&clock), retry.WithJitter(retry.NoJitter))

	require.NoError(t, err)
	assert.Equal(t, []time.Duration{100 * time.Millisecond, 200 * time.Millisecond}, clock.Waits())
}

func TestFetchInABubble(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now() // virtual, as all time here is
		err := fetch(t.Context(), retrytest.Fail(9, errors.New("connection refused")))
		require.ErrorIs(t, err, retry.ErrExhausted)
		assert.LessOrEqual(t, time.Since(began), 700*time.Millisecond)
	})
}
