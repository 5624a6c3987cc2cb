package retryotel_test

import (
	"context"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrypool"
)

// TestStress does everything with pools at random moments, while their figures are collected. It
// counts goroutines, so it is not parallel.
func TestStress(t *testing.T) {
	before := runtime.NumGoroutine()
	rounds := 20
	if testing.Short() {
		rounds = 4
	}
	for seed := range rounds {
		stress(t, uint64(seed))
	}
	for i := 0; runtime.NumGoroutine() > before && i < 1e6; i++ {
		runtime.Gosched() // callbacks of context.AfterFunc may still be returning
	}
	assert.LessOrEqual(t, runtime.NumGoroutine(), before, "a goroutine was left")
}

func stress(t *testing.T, seed uint64) {
	k := newKit(t)
	p := newPool(t, k, randomOutcome, retry.WithMaxAttempts(3), retry.WithJitter(retry.FullJitter),
		retry.WithBackoff(retry.Constant(200*time.Microsecond)), retry.WithBudget(retry.NewBudget(0.3, 20)))

	stop := make(chan struct{})
	var watching, producing sync.WaitGroup
	for range 2 {
		watching.Go(func() { watchFigures(t, k, stop) })
	}
	for n := range 3 {
		producing.Go(func() { produce(p, rand.New(rand.NewPCG(seed, uint64(n)))) })
	}
	if seed%2 == 0 {
		producing.Wait()
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Duration(seed%5)*time.Millisecond)
	_ = p.Close(ctx)
	cancel()
	producing.Wait()
	close(stop)
	watching.Wait()

	assertFinalFigures(t, k, p.Stats())
}

// watchFigures checks that the collected figures add up and do not go down, until stop is closed.
func watchFigures(t *testing.T, k *kit, stop <-chan struct{}) {
	var last retrypool.Stats
	for {
		s := assertPoolAddsUp(t, k.figures(t))
		assert.GreaterOrEqual(t, s.Submitted, last.Submitted)
		assert.GreaterOrEqual(t, s.Succeeded+s.Failed+s.DeadLettered+s.Canceled,
			last.Succeeded+last.Failed+last.DeadLettered+last.Canceled)
		last = s
		select {
		case <-stop:
			return
		default:
			runtime.Gosched()
		}
	}
}

// assertFinalFigures checks the collected figures against those of a closed pool.
func assertFinalFigures(t *testing.T, k *kit, s retrypool.Stats) {
	f := k.figures(t)
	f.assertAddUp(t)
	assert.Equal(t, s, assertPoolAddsUp(t, f))
	assert.Zero(t, f.total("retry.pool.items"))
	assert.EqualValues(t, s.Submitted, f.total("retry.calls"), "every item is a call")
	assert.EqualValues(t, s.Submitted, f.total("retry.pool.item.duration.count"))
	assert.EqualValues(t, s.Succeeded, f.total("retry.calls", "outcome=succeeded"))
	for how, n := range map[string]int{
		"succeeded": s.Succeeded, "dead_lettered": s.DeadLettered, "failed": s.Failed, "canceled": s.Canceled,
	} {
		assert.EqualValues(t, n, f.total("retry.pool.item.duration.count", "outcome="+how), how)
	}
	k.assertSpansEnded(t)
}

// randomOutcome is a function that picks what to do at random: return, fail, wait or panic.
func randomOutcome(ctx context.Context, in int) (int, error) {
	switch rand.IntN(10) {
	case 0:
		panic("boom")
	case 1:
		return 0, retry.Permanent(errDown)
	case 2, 3, 4:
		return 0, errDown
	case 5:
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-time.After(100 * time.Microsecond):
		}
	}
	return in, nil
}

// produce submits items and cancels some of them.
func produce(p *retrypool.Pool[int, int], r *rand.Rand) {
	for i := range 100 {
		ctx, cancel := context.WithTimeout(context.Background(), time.Duration(r.IntN(3000))*time.Microsecond)
		defer cancel()
		if task, err := p.Submit(ctx, i); err == nil && r.IntN(5) == 0 {
			task.Cancel()
		}
	}
}
