package main

import (
	"context"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"

	"github.com/seed-205ff063/retry"
)

// limitRetries lets all calls make their first attempt at once, but only two retry at a time. So a
// server that comes back does not get the retries of all calls at once.
func limitRetries(ctx context.Context, w io.Writer) error {
	fmt.Fprintln(w, "\n== Six calls at once, but at most two retries at once")
	const n = 6
	policy := retry.MustNew(
		retry.WithGate(retry.OnlyRetries(retry.Bulkhead(semaphore.NewWeighted(2), 1))),
		retry.WithBackoff(retry.Constant(time.Millisecond)),
	)

	var firsts, retries gauge
	all := newBarrier(n)
	calls, ctx := errgroup.WithContext(ctx)
	for range n {
		calls.Go(func() error {
			number := 0
			return policy.Do(ctx, func(ctx context.Context) error {
				if number++; number == 1 {
					defer firsts.add(1)()
					all.wait(ctx)
					return errUnavailable
				}
				defer retries.add(1)()
				time.Sleep(5 * time.Millisecond) // work
				return nil
			})
		})
	}
	if err := calls.Wait(); err != nil {
		return err
	}
	fmt.Fprintf(w, "first attempts at once: %d\nretries at once:        %d\n",
		firsts.peak.Load(), retries.peak.Load())
	return nil
}

// barrier blocks the callers of wait until there are n of them.
type barrier struct {
	missing  atomic.Int64
	complete chan struct{}
}

func newBarrier(n int64) *barrier {
	b := &barrier{complete: make(chan struct{})}
	b.missing.Store(n)
	return b
}

func (b *barrier) wait(ctx context.Context) {
	if b.missing.Add(-1) == 0 {
		close(b.complete)
	}
	select {
	case <-b.complete:
	case <-ctx.Done():
	}
}
