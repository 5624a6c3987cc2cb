package retry_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/seed-205ff063/retry"
)

// randomCalls makes random nested calls and releases their contexts at random times.
type randomCalls struct {
	t      *testing.T
	errors sync.Map
}

// keptContext is a kept context with its release function.
type keptContext struct {
	ctx      context.Context
	releases []context.CancelFunc
}

// call makes a random call beneath ctx and returns the contexts that it kept.
func (s *randomCalls) call(r *rand.Rand, ctx context.Context, depth int) (kept []keptContext) {
	timed := r.IntN(2) == 0
	opts := []retry.Option{atOnce, retry.WithMaxAttempts(3)}
	if timed {
		opts = append(opts, hourTimeout)
	}
	if r.IntN(2) == 0 {
		opts = append(opts, derivingHooks())
	}
	outer := ctx
	_ = entryPoints[r.IntN(len(entryPoints))].call(ctx, func(ctx context.Context) error {
		var mine keptContext
		for range r.IntN(3) {
			mine.releases = append(mine.releases, retry.KeepContext(context.WithValue(ctx, derivedKey{}, depth)))
		}
		if depth > 0 {
			kept = append(kept, s.call(r, ctx, depth-1)...)
		}
		var wg sync.WaitGroup
		for _, release := range mine.releases {
			if r.IntN(2) == 0 { // release before the return, twice, concurrently
				wg.Go(release)
				wg.Go(release)
			}
		}
		wg.Wait()
		s.alive(ctx, "during its function")
		s.alive(outer, "during the outer function")
		if timed {
			mine.ctx = ctx
			kept = append(kept, mine)
		}
		if r.IntN(3) == 0 {
			return errDown
		}
		return nil
	}, opts...)
	s.alive(outer, "after a nested call")
	return kept
}

func (s *randomCalls) alive(ctx context.Context, why string) {
	if err := ctx.Err(); err != nil {
		s.errors.Store(fmt.Sprintf("%s: %v", why, err), true)
	}
}

// Random nested calls: with and without timeouts, with hooks that derive contexts, released
// before or after the return, twice and concurrently. No context ends before its function has
// returned. All have ended when all are released.
func TestKeepContextRandomCalls(t *testing.T) {
	t.Parallel()
	s := &randomCalls{t: t}
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
						s.errors.Store("a context is alive although all holders released it", true)
					}
				}
			}
		})
	}
	wg.Wait()
	s.errors.Range(func(text, _ any) bool { t.Error(text); return true })
}
