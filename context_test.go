package retry_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
)

type derivedKey struct{}

func TestKeepContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var release context.CancelFunc
		attempts := 0
		ctx, err := retry.DoValue(t.Context(), func(ctx context.Context) (context.Context, error) {
			attempts++
			if attempts == 1 {
				return ctx, errors.New("first attempt fails")
			}
			release = retry.KeepContext(context.WithValue(ctx, derivedKey{}, "derived"))
			return ctx, nil
		}, retry.WithAttemptTimeout(time.Second))
		require.NoError(t, err)
		require.NoError(t, ctx.Err(), "kept beyond the attempt")

		time.Sleep(999 * time.Millisecond)
		synctest.Wait()
		require.NoError(t, ctx.Err(), "its timeout is not over")
		time.Sleep(time.Millisecond)
		synctest.Wait()
		require.ErrorIs(t, ctx.Err(), context.DeadlineExceeded, "its timeout goes on to count")
		release()
	})
}

func TestKeepContextEnds(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		keep    bool
		release bool
		err     error
		ended   bool
	}{
		{name: "not kept", ended: true},
		{name: "kept", keep: true},
		{name: "kept and released", keep: true, release: true, ended: true},
		{name: "kept by an attempt that failed", keep: true, err: errors.New("bad")},
		{name: "failed and not kept", err: errors.New("bad"), ended: true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var kept context.Context
			release := func() {}
			err := retry.Do(t.Context(), func(ctx context.Context) error {
				kept = ctx
				if test.keep {
					release = retry.KeepContext(ctx)
				}
				return test.err
			}, retry.WithAttemptTimeout(time.Hour), retry.WithMaxAttempts(1))
			require.ErrorIs(t, err, test.err)
			if test.release {
				release()
			}
			assert.Equal(t, test.ended, kept.Err() != nil)
			release()
		})
	}
}

func TestKeepContextWithoutTimeout(t *testing.T) {
	t.Parallel()
	err := retry.Do(t.Context(), func(ctx context.Context) error {
		retry.KeepContext(ctx)()
		return ctx.Err()
	})
	require.NoError(t, err, "there was nothing to release")
}

func TestKeepContextPanic(t *testing.T) {
	t.Parallel()
	var kept context.Context
	assert.PanicsWithValue(t, "boom", func() {
		_ = retry.Do(t.Context(), func(ctx context.Context) error {
			kept = ctx
			retry.KeepContext(ctx)
			panic("boom")
		}, retry.WithAttemptTimeout(time.Hour))
	})
	require.Error(t, kept.Err(), "nobody is left to release it")
}
