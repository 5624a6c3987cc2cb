package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"

	"github.com/seed-205ff063/retry"
)

// shareSlots lets calls share four slots. A report takes three of them and a lookup takes one.
func shareSlots(ctx context.Context, w io.Writer) error {
	const slots = 4
	sem := semaphore.NewWeighted(slots)
	policy := retry.MustNew(retry.WithBackoff(retry.Constant(10 * time.Millisecond)))

	fmt.Fprintln(w, "== Four slots: a report takes three of them, but not while it waits")
	fail := failing(1)
	err := retry.Do(ctx, func(ctx context.Context) error {
		fmt.Fprintf(w, "report runs:   %d of %d slots free\n", free(sem, slots), slots)
		return fail(ctx)
	}, policy, retry.WithGate(retry.Bulkhead(sem, 3)), retry.WithHooks(retry.Hooks{
		BeforeWait: func(context.Context, retry.Attempt) {
			fmt.Fprintf(w, "report waits:  %d of %d slots free\n", free(sem, slots), slots)
		},
	}))
	if err != nil {
		return err
	}

	var used gauge
	calls, ctx := errgroup.WithContext(ctx)
	for i := range 10 {
		weight := int64(1)
		if i%5 == 0 {
			weight = 3
		}
		calls.Go(func() error {
			fail := failing(1)
			return retry.Do(ctx, func(ctx context.Context) error {
				defer used.add(weight)()
				time.Sleep(5 * time.Millisecond) // work
				return fail(ctx)
			}, policy, retry.WithGate(retry.Bulkhead(sem, weight)))
		})
	}
	if err := calls.Wait(); err != nil {
		return err
	}
	fmt.Fprintf(w, "2 reports and 8 lookups at once, 2 attempts each: at most %d slots in use\n",
		used.peak.Load())
	return nil
}

// free counts the free slots: it acquires as many as it can and releases them.
func free(sem *semaphore.Weighted, slots int64) int64 {
	for n := slots; n > 0; n-- {
		if sem.TryAcquire(n) {
			sem.Release(n)
			return n
		}
	}
	return 0
}
