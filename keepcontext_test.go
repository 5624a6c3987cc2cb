package retry_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
)

// deriving has every hook that may derive a context do so.
func deriving() retry.Option {
	derive := func(ctx context.Context) context.Context { return context.WithValue(ctx, derivedKey{}, "derived") }
	return retry.WithHooks(retry.Hooks{
		Start:         derive,
		BeforeAttempt: func(ctx context.Context, _ retry.Attempt) context.Context { return derive(ctx) },
	})
}

var hour = retry.WithAttemptTimeout(time.Hour)

// Within an attempt that has a timeout, a nested call without one keeps nothing: the release is
// not of the outer attempt.
func TestKeepContextOfANestedCall(t *testing.T) {
	t.Parallel()
	for _, way := range waysIn {
		for name, opts := range map[string][]retry.Option{"plain": nil, "hooks": {deriving()}, "gate": {retry.WithGate(new(journal).gate("g"))}} {
			t.Run(way.name+"/"+name, func(t *testing.T) {
				t.Parallel()
				attempts := 0
				err := retry.Do(context.Background(), func(outer context.Context) error {
					attempts = 0
					err := way.call(outer, func(inner context.Context) error {
						release := retry.KeepContext(inner)
						release()
						release()
						assert.NoError(t, inner.Err())
						if attempts++; attempts < 3 {
							return errDown
						}
						return nil
					}, append([]retry.Option{atOnce}, opts...)...)
					assert.NoError(t, outer.Err(), "the outer attempt goes on")
					return err
				}, hour, retry.WithMaxAttempts(1))
				require.NoError(t, err)
				assert.Equal(t, 3, attempts)
			})
		}
	}
}

// Nor does a nested call without a timeout keep the outer attempt's context beyond its end.
func TestKeepContextKeepsNoOuterCall(t *testing.T) {
	t.Parallel()
	var outer context.Context
	require.NoError(t, retry.Do(context.Background(), func(ctx context.Context) error {
		outer = ctx
		return retry.Do(ctx, func(inner context.Context) error {
			retry.KeepContext(inner)
			return nil
		}, deriving())
	}, hour))
	assert.ErrorIs(t, outer.Err(), context.Canceled)
}

// The outer attempt keeps its own context, also while and after it makes a nested call.
func TestKeepContextOfTheOuterCall(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string][]retry.Option{"plain": nil, "hooks": {deriving()}, "timeout": {hour}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var outer context.Context
			var release context.CancelFunc
			require.NoError(t, retry.Do(context.Background(), func(ctx context.Context) error {
				outer = ctx
				err := retry.Do(ctx, func(inner context.Context) error {
					assert.Nil(t, release)
					retry.KeepContext(inner)()
					return nil
				}, opts...)
				release = retry.KeepContext(ctx)
				return err
			}, hour))
			require.NoError(t, outer.Err())
			release()
			assert.ErrorIs(t, outer.Err(), context.Canceled)
		})
	}
}

// Three levels: with, without, and with a timeout again. Each keeps its own, and what ends an
// outer context ends those within.
func TestKeepContextLevels(t *testing.T) {
	t.Parallel()
	var contexts [3]context.Context
	var releases [3]context.CancelFunc
	level := func(i int, then func(context.Context) error) func(context.Context) error {
		return func(ctx context.Context) error {
			contexts[i], releases[i] = ctx, retry.KeepContext(ctx)
			return then(ctx)
		}
	}
	require.NoError(t, retry.Do(context.Background(), level(0, func(ctx context.Context) error {
		return retry.Do(ctx, level(1, func(ctx context.Context) error {
			return retry.Do(ctx, level(2, succeed), hour)
		}), deriving())
	}), hour))
	for i := range contexts {
		require.NoError(t, contexts[i].Err(), "level %d", i)
	}
	releases[1]()
	for i := range contexts {
		require.NoError(t, contexts[i].Err(), "level %d", i)
	}
	releases[2]()
	require.ErrorIs(t, contexts[2].Err(), context.Canceled)
	require.NoError(t, contexts[0].Err())
	releases[0]()
	require.ErrorIs(t, contexts[0].Err(), context.Canceled)
	require.ErrorIs(t, contexts[1].Err(), context.Canceled)
}

// A release never ends an attempt's context before its function has returned.
func TestKeepContextReleasedEarly(t *testing.T) {
	t.Parallel()
	for _, way := range waysIn {
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
			}, hour)
			assert.ErrorIs(t, kept.Err(), context.Canceled, "nobody holds it")
		})
	}
}

// The context ends at the last of several releases, whichever that is, and each counts once.
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
		}, hour))
		for i, release := range releases {
			if i != last {
				release()
				release() // counts no second time
				require.NoError(t, kept.Err())
			}
		}
		releases[last]()
		require.ErrorIs(t, kept.Err(), context.Canceled)
	}
}

// Too late to keep what has ended, and a release then does nothing.
func TestKeepContextAfterTheEnd(t *testing.T) {
	t.Parallel()
	var kept context.Context
	require.NoError(t, retry.Do(context.Background(), func(ctx context.Context) error { kept = ctx; return nil }, hour))
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
	}, hour, atOnce))
	for i := range contexts {
		for _, ctx := range contexts[i:] {
			require.NoError(t, ctx.Err())
		}
		releases[i]()
		require.ErrorIs(t, contexts[i].Err(), context.Canceled)
	}
}

// Values, deadline and cause are those of the attempt, also through a nested call's context.
func TestKeepContextHidesNothingElse(t *testing.T) {
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

// A Run's steps shield the outer attempt in each of them.
func TestKeepContextInSteps(t *testing.T) {
	t.Parallel()
	require.NoError(t, retry.Do(context.Background(), func(outer context.Context) error {
		for _, run := range []*retry.Run{
			retry.MustNew(atOnce).Start(outer),
			retry.MustNew(atOnce).Resume(outer, retry.Attempt{Number: 1, Err: errDown}),
			retry.MustNew(atOnce, deriving()).Start(outer),
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
	}, hour))
}

// The timeout of a kept context goes on to count for all its holders.
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

// storm makes nested calls of any kind, with releases at any time.
type storm struct {
	t      *testing.T
	errors sync.Map
}

// held is a kept context with how to release it.
type held struct {
	ctx      context.Context
	releases []context.CancelFunc
}

// call makes a call beneath ctx, of a random kind and depth, and returns what it kept.
func (s *storm) call(r *rand.Rand, ctx context.Context, depth int) (kept []held) {
	timed := r.IntN(2) == 0
	opts := []retry.Option{atOnce, retry.WithMaxAttempts(3)}
	if timed {
		opts = append(opts, hour)
	}
	if r.IntN(2) == 0 {
		opts = append(opts, deriving())
	}
	outer := ctx
	_ = waysIn[r.IntN(len(waysIn))].call(ctx, func(ctx context.Context) error {
		var mine held
		for range r.IntN(3) {
			mine.releases = append(mine.releases, retry.KeepContext(context.WithValue(ctx, derivedKey{}, depth)))
		}
		if depth > 0 {
			kept = append(kept, s.call(r, ctx, depth-1)...)
		}
		var wg sync.WaitGroup
		for _, release := range mine.releases {
			if r.IntN(2) == 0 { // before the return, twice, at once with others
				wg.Go(release)
				wg.Go(release)
			}
		}
		wg.Wait()
		s.alive(ctx, "its function runs")
		s.alive(outer, "the outer function runs")
		if timed {
			mine.ctx = ctx
			kept = append(kept, mine)
		}
		if r.IntN(3) == 0 {
			return errDown
		}
		return nil
	}, opts...)
	s.alive(outer, "a nested call has ended")
	return kept
}

func (s *storm) alive(ctx context.Context, why string) {
	if err := ctx.Err(); err != nil {
		s.errors.Store(fmt.Sprintf("%s: %v", why, err), true)
	}
}

// Nested calls with and without timeouts, hooks that derive contexts, releases before and after
// the return, twice and at once: no context ends before its function has returned, and all have
// ended when all was released.
func TestKeepContextStorm(t *testing.T) {
	t.Parallel()
	s := &storm{t: t}
	var wg sync.WaitGroup
	for seed := range uint64(8) {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(seed, 20))
			for range 100 {
				kept := s.call(r, context.Background(), 3)
				r.Shuffle(len(kept), func(i, j int) { kept[i], kept[j] = kept[j], kept[i] })
				var releases sync.WaitGroup
				for _, k := range kept {
					for _, release := range k.releases {
						releases.Go(release)
						releases.Go(release)
					}
				}
				releases.Wait()
				for _, k := range kept {
					if k.ctx.Err() == nil {
						s.errors.Store("a context lives with nobody who holds it", true)
					}
				}
			}
		})
	}
	wg.Wait()
	s.errors.Range(func(text, _ any) bool { t.Error(text); return true })
}
