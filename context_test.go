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
		require.NoError(t, ctx.Err(), "kept after the attempt")

		time.Sleep(999 * time.Millisecond)
		synctest.Wait()
		require.NoError(t, ctx.Err(), "its timeout has not passed")
		time.Sleep(time.Millisecond)
		synctest.Wait()
		require.ErrorIs(t, ctx.Err(), context.DeadlineExceeded, "its timeout still applies")
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
	require.Error(t, kept.Err(), "a panic releases it")
}

// A release never ends an attempt's context before its function has returned.
func TestKeepContextReleasedEarly(t *testing.T) {
	t.Parallel()
	for _, way := range entryPoints {
		t.Run(way.name, func(t *testing.T) {
			t.Parallel()
			var kept context.Context
			_ = way.call(context.Background(), func(ctx context.Context) error {
				kept = ctx
				release := retry.KeepContext(ctx)
				release()
				release()
				assert.NoError(t, ctx.Err(), "the function runs")
				again := retry.KeepContext(ctx)
				again()
				assert.NoError(t, ctx.Err())
				return nil
			}, hourTimeout)
			assert.ErrorIs(t, kept.Err(), context.Canceled, "all holders have released it")
		})
	}
}

// With several holders the context ends at the last release, in any order. Each release counts
// once.
func TestKeepContextSeveralHolders(t *testing.T) {
	t.Parallel()
	for last := range 3 {
		var kept context.Context
		var releases []context.CancelFunc
		require.NoError(t, retry.Do(context.Background(), func(ctx context.Context) error {
			kept = ctx
			for range 3 {
				releases = append(releases, retry.KeepContext(ctx))
			}
			return nil
		}, hourTimeout))
		for i, release := range releases {
			if i != last {
				release()
				release() // a second call does not count
				require.NoError(t, kept.Err())
			}
		}
		releases[last]()
		require.ErrorIs(t, kept.Err(), context.Canceled)
	}
}

// KeepContext after the end of the attempt keeps nothing, and its release does nothing.
func TestKeepContextAfterAttempt(t *testing.T) {
	t.Parallel()
	var kept context.Context
	require.NoError(t, retry.Do(context.Background(), func(ctx context.Context) error { kept = ctx; return nil }, hourTimeout))
	require.ErrorIs(t, kept.Err(), context.Canceled)
	retry.KeepContext(kept)()
	require.ErrorIs(t, kept.Err(), context.Canceled)
	retry.KeepContext(context.Background())()
}

// Each attempt of a call keeps its own context.
func TestKeepContextOfEachAttempt(t *testing.T) {
	t.Parallel()
	var contexts []context.Context
	var releases []context.CancelFunc
	require.NoError(t, retry.Do(context.Background(), func(ctx context.Context) error {
		contexts = append(contexts, ctx)
		releases = append(releases, retry.KeepContext(ctx))
		if len(contexts) < 3 {
			return errDown
		}
		return nil
	}, hourTimeout, atOnce))
	for i := range contexts {
		for _, ctx := range contexts[i:] {
			require.NoError(t, ctx.Err())
		}
		releases[i]()
		require.ErrorIs(t, contexts[i].Err(), context.Canceled)
	}
}

// Values, deadline and cause are the attempt's own, also through a nested call's context.
func TestKeepContextPreservesValuesAndDeadline(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		ctx := context.WithValue(context.Background(), derivedKey{}, "caller's")
		_ = retry.Do(ctx, func(outer context.Context) error {
			return retry.Do(outer, func(inner context.Context) error {
				assert.Equal(t, "caller's", inner.Value(derivedKey{}))
				want, _ := outer.Deadline()
				got, ok := inner.Deadline()
				assert.True(t, ok)
				assert.Equal(t, want, got)
				<-inner.Done()
				require.ErrorIs(t, inner.Err(), context.DeadlineExceeded)
				assert.Equal(t, context.Cause(outer), context.Cause(inner))
				child, cancel := context.WithCancel(inner)
				defer cancel()
				require.Error(t, child.Err())
				return nil
			})
		}, retry.WithAttemptTimeout(time.Second), retry.WithMaxAttempts(1))
	})
}

// In each step of a Run, KeepContext leaves the outer attempt's context alone.
func TestKeepContextInSteps(t *testing.T) {
	t.Parallel()
	require.NoError(t, retry.Do(context.Background(), func(outer context.Context) error {
		for _, run := range []*retry.Run{
			retry.MustNew(atOnce).Start(outer),
			retry.MustNew(atOnce).Resume(outer, retry.Attempt{Number: 1, Err: errDown}),
			retry.MustNew(atOnce, derivingHooks()).Start(outer),
		} {
			for range 3 {
				_, again := run.Try(func(inner context.Context) error {
					retry.KeepContext(inner)()
					return errDown
				})
				assert.NoError(t, outer.Err())
				require.True(t, again)
			}
		}
		return nil
	}, hourTimeout))
}

// The timeout of a kept context still applies to all its holders.
func TestKeepContextTimesOut(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var kept context.Context
		var release context.CancelFunc
		require.NoError(t, retry.Do(context.Background(), func(ctx context.Context) error {
			kept, release = ctx, retry.KeepContext(ctx)
			time.Sleep(time.Second)
			return nil
		}, retry.WithAttemptTimeout(10*time.Second)))
		time.Sleep(9*time.Second - 1)
		synctest.Wait()
		require.NoError(t, kept.Err())
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		require.ErrorIs(t, kept.Err(), context.DeadlineExceeded)
		release()
		require.ErrorIs(t, kept.Err(), context.DeadlineExceeded)
	})
}
