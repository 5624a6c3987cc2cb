package retrypool_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrypool"
)

// TestStress does everything at random moments. It checks that every item is settled exactly once
// and that the figures add up in every snapshot. It counts goroutines, so it is not parallel.
func TestStress(t *testing.T) {
	before := runtime.NumGoroutine()
	rounds := 60
	if testing.Short() {
		rounds = 10
	}
	for round := range rounds {
		stress(t, uint64(round))
	}
	for i := 0; runtime.NumGoroutine() > before && i < 1e6; i++ {
		runtime.Gosched() // callbacks of context.AfterFunc may still be returning
	}
	assert.LessOrEqual(t, runtime.NumGoroutine(), before, "a goroutine was left")
}

func stress(t *testing.T, seed uint64) {
	random := rand.New(rand.NewPCG(seed, 1))
	ends := make([]atomic.Int32, 2000) // how many final events each item had
	var taken atomic.Int64
	c := randomConfig(random)
	end := func(e retrypool.Event[int]) { ends[e.Item].Add(1) }
	c.Events = retrypool.Events[int]{
		Queued:    func(retrypool.Event[int]) { taken.Add(1) },
		Succeeded: end, DeadLettered: end, Failed: end, Canceled: end,
	}
	p, err := retrypool.New(randomOutcome, c)
	assert.NoError(t, err)

	stop := make(chan struct{})
	var watching, wg sync.WaitGroup
	watching.Go(func() { watchStats(t, p, stop) })
	const producers = 4
	for n := range producers {
		r := rand.New(rand.NewPCG(seed, uint64(n)+2))
		wg.Go(func() { produce(p, r, n*len(ends)/producers, len(ends)/producers) })
	}
	if random.IntN(3) > 0 { // close at a random moment
		time.Sleep(time.Duration(random.IntN(5000)) * time.Microsecond)
	} else {
		wg.Wait()
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(random.IntN(5000))*time.Microsecond)
	closed := p.Close(ctx)
	cancel()
	close(stop)
	wg.Wait()
	watching.Wait()

	if closed != nil {
		assert.ErrorIs(t, closed, context.DeadlineExceeded)
	}
	assert.EqualValues(t, taken.Load(), p.Stats().Submitted)
	assertAllSettled(t, p.Stats(), ends)
}

// randomConfig returns a Config without events.
func randomConfig(random *rand.Rand) retrypool.Config[int] {
	c := retrypool.Config[int]{
		Workers: 1 + random.IntN(4), Capacity: 1 + random.IntN(50), MaxRetrying: random.IntN(3),
		Policy: retry.MustNew(retry.WithMaxAttempts(3), retry.WithHistorySize(random.IntN(2)),
			retry.WithBackoff(retry.Constant(time.Duration(random.IntN(3))*100*time.Microsecond)), retry.WithJitter(retry.FullJitter)),
	}
	if random.IntN(2) == 0 {
		c.Key = func(in int) string { return string(rune('a' + in%5)) }
	}
	if random.IntN(2) == 0 {
		c.DeadLetter = func(_ context.Context, in int, _ *retry.Error) error {
			switch in % 7 {
			case 0:
				return errDead
			case 1:
				panic(errDead)
			case 2:
				runtime.Goexit()
			}
			return nil
		}
	}
	return c
}

// watchStats checks that the pool's figures add up, again and again until stop is closed.
func watchStats(t *testing.T, p *retrypool.Pool[int, int], stop <-chan struct{}) {
	for {
		assertAddsUp(t, p.Stats())
		select {
		case <-stop:
			return
		default:
			runtime.Gosched()
		}
	}
}

// assertAllSettled checks the figures of a closed pool. ends says how many final events each item
// had.
func assertAllSettled(t *testing.T, s retrypool.Stats, ends []atomic.Int32) {
	assertAddsUp(t, s)
	assert.Zero(t, s.Queued+s.Running+s.Parked)
	total := 0
	for i := range ends {
		n := int(ends[i].Load())
		assert.LessOrEqual(t, n, 1, "item %d was settled more than once", i)
		total += n
	}
	assert.Equal(t, s.Submitted, total)
}

// randomOutcome is a function that picks what to do at random: return, fail, wait, panic or Goexit.
func randomOutcome(ctx context.Context, in int) (int, error) {
	switch rand.IntN(12) {
	case 0:
		panic("boom")
	case 1:
		runtime.Goexit()
	case 2:
		return 0, retry.Permanent(errDown)
	case 3, 4, 5:
		return 0, errDown
	case 6:
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-time.After(200 * time.Microsecond):
			return in, nil
		}
	}
	return in, nil
}

// produce submits n items, starting with first, and cancels some of them.
func produce(p *retrypool.Pool[int, int], r *rand.Rand, first, n int) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	for i := first; i < first+n; i++ {
		var task *retrypool.Task[int]
		var err error
		switch r.IntN(4) {
		case 0:
			task, err = p.TrySubmit(i)
		case 1:
			short, end := context.WithTimeout(context.Background(), time.Duration(r.IntN(500))*time.Microsecond)
			defer end()
			task, err = p.Submit(short, i)
		case 2:
			if r.IntN(20) == 0 {
				cancel()
				ctx, cancel = context.WithCancel(context.Background())
				defer cancel()
			}
			task, err = p.Submit(ctx, i)
		default:
			task, err = p.Submit(context.Background(), i)
		}
		if errors.Is(err, retrypool.ErrClosed) {
			return
		}
		if task != nil && r.IntN(5) == 0 {
			task.Cancel()
		}
		if task != nil && r.IntN(5) == 0 {
			_, _ = task.Wait(ctx)
		}
	}
}
