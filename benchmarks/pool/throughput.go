package main

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrypool"
)

// The work. Its times are divided by scale for the measurement.
const (
	scale    = 10
	work     = 50 * time.Millisecond // of an attempt
	base     = time.Second           // the first wait
	failures = 0.1                   // the share of attempts that fail
)

// throughput is how fast a pool processed the items.
type throughput struct {
	name string
	ours bool
	rate float64 // items per second, for times that are not divided
}

// measureThroughput lets two pools do the same work. The workers of one sleep between attempts; the
// other one parks the items.
func measureThroughput(s settings) []throughput {
	policy := retry.MustNew(retry.WithBackoff(retry.Exponential(base/scale, 2)), retry.WithMaxAttempts(retry.Unlimited))
	fn := func(context.Context, int) (struct{}, error) {
		time.Sleep(work / scale)
		if rand.Float64() < failures {
			return struct{}{}, errFailed
		}
		return struct{}{}, nil
	}
	rate := func(run func()) float64 {
		start := time.Now()
		run()
		return float64(s.works) / time.Since(start).Seconds() / scale
	}
	return []throughput{
		{"workers that sleep between attempts", false, rate(func() { sleeping(s, policy, fn) })},
		{"retrypool", true, rate(func() { parkingPool(s, policy, fn) })},
	}
}

func sleeping(s settings, policy *retry.Policy, fn func(context.Context, int) (struct{}, error)) {
	items := make(chan int)
	retried := retry.Func(fn, policy)
	var wg sync.WaitGroup
	for range s.workers {
		wg.Go(func() {
			for item := range items {
				_, _ = retried(context.Background(), item)
			}
		})
	}
	for i := range s.works {
		items <- i
	}
	close(items)
	wg.Wait()
}

func parkingPool(s settings, policy *retry.Policy, fn func(context.Context, int) (struct{}, error)) {
	pool, err := retrypool.New(fn, retrypool.Config[int]{Workers: s.workers, Capacity: 10 * s.workers, Policy: policy})
	if err != nil {
		panic(err) // impossible: the configuration is constant
	}
	for i := range s.works {
		if _, err := pool.Submit(context.Background(), i); err != nil {
			panic(err)
		}
	}
	_ = pool.Close(context.Background())
}
