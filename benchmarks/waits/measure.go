package main

import (
	"context"
	"runtime"
	"sync"
	"time"

	"github.com/seed-205ff063/retry/benchmarks"
)

// retries is how often each call fails before it succeeds.
const retries = 4

// result is the cost of one library.
type result struct {
	library benchmarks.Library

	// Nanoseconds for each retry, one value a round.
	plain       []float64 // under a context that cannot be cancelled
	cancellable []float64 // under a context that can be cancelled

	// Allocations of a call with its retries, under the same contexts.
	allocs       float64
	allocsCancel float64
}

// measurement is what the table is written from.
type measurement struct {
	settings
	results []result
}

// measure runs every library once a round. Running one library several times in a row would let a
// slow spell of the machine spoil all of its results.
func measure(s settings) (measurement, error) {
	m := measurement{settings: s}
	for _, l := range benchmarks.Libraries() {
		if l.Wait != nil && l.WaitContext != nil {
			m.results = append(m.results, result{library: l})
		}
	}
	for round := range s.rounds + 1 {
		for i := range m.results {
			r := &m.results[i]
			plain, allocs, err := once(s, r.library.Wait, false)
			if err != nil {
				return m, err
			}
			cancellable, allocsCancel, err := once(s, r.library.WaitContext, true)
			if err != nil {
				return m, err
			}
			if round == 0 {
				continue // the first round warms up
			}
			r.plain, r.cancellable = append(r.plain, plain), append(r.cancellable, cancellable)
			r.allocs, r.allocsCancel = allocs, allocsCancel
		}
	}
	return m, nil
}

// once makes all the calls. It returns the processor time of a retry and the allocations of a call.
func once(s settings, construct func(benchmarks.Fn, time.Duration) benchmarks.Op, cancellable bool) (ns, allocs float64, err error) {
	var done sync.WaitGroup
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start, err := processorTime()
	if err != nil {
		return 0, 0, err
	}
	for range s.calls {
		done.Go(func() {
			j := benchmarks.Job{Fails: retries}
			op := construct(j.Do, s.wait)
			ctx := context.Background()
			if cancellable {
				var cancel context.CancelFunc
				ctx, cancel = context.WithCancel(ctx) // each goroutine has its own, as a request has
				defer cancel()
			}
			for range s.series {
				_ = op(ctx)
			}
		})
	}
	done.Wait()
	end, err := processorTime()
	runtime.ReadMemStats(&after)
	calls := float64(s.calls * s.series)
	return float64(end-start) / (calls * retries), float64(after.Mallocs-before.Mallocs) / calls, err
}
