package retry_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/seed-205ff063/retry"
)

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
