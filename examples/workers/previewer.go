package main

import (
	"context"
	"errors"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"
	"golang.org/x/time/rate"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrypool"
)

const (
	workers  = 4
	capacity = 16

	memory = 4  // units; a picture takes one, a large one three or four
	limit  = 50 // requests a second
	burst  = 2
)

// picture is an item of the pool. One worker at a time has it, so it can count its own attempts.
type picture struct {
	name   string
	units  int64         // of memory
	work   time.Duration // for one attempt
	fails  int           // attempts that fail before one succeeds
	broken bool          // every attempt fails

	attempt int
}

var (
	errBusy   = errors.New("storage is busy")
	errBroken = errors.New("not a picture")
)

// previewer makes previews with a pool, and measures what its limits allow.
type previewer struct {
	pool *retrypool.Pool[*picture, string]

	mu     sync.Mutex
	used   int64       // units of memory in use
	peak   int64       // highest value of used
	starts []time.Time // of attempts
}

func newPreviewer() (*previewer, error) {
	s := &previewer{}
	policy := retry.MustNew(
		retry.WithName("preview"),
		retry.WithMaxAttempts(3),
		retry.WithBackoff(retry.Constant(30*time.Millisecond)),
		// The gates belong to the policy, so all items share them, and every attempt passes them. The
		// limiter comes last, right before the work. If it came first, attempts would pass it one by
		// one, then wait for memory, and then reach the storage all at once.
		retry.WithGate(
			byUnits(semaphore.NewWeighted(memory)),
			retry.RateLimit(rate.NewLimiter(limit, burst))))
	pool, err := retrypool.New(s.preview, retrypool.Config[*picture]{
		// A worker that waits at a gate is not free for other items. If some items need not pass the
		// gates, have more workers than the gates let in.
		Workers:  workers,
		Capacity: capacity,
		Policy:   policy,
	})
	s.pool = pool
	return s, err
}

type unitsKey struct{}

// submit submits the picture. Its context says how much memory it takes, because a gate gets the item's
// context but not the item.
func (s *previewer) submit(ctx context.Context, p *picture) (*retrypool.Task[string], error) {
	return s.pool.Submit(context.WithValue(ctx, unitsKey{}, p.units), p)
}

// byUnits returns a bulkhead. An item takes as many units as its context says, or one unit by default.
func byUnits(sem *semaphore.Weighted) retry.Gate {
	return func(ctx context.Context, a retry.Attempt) (release func(error), err error) {
		units, ok := ctx.Value(unitsKey{}).(int64)
		if !ok {
			units = 1
		}
		return retry.Bulkhead(sem, units)(ctx, a)
	}
}

// preview makes one attempt to make a preview.
func (s *previewer) preview(ctx context.Context, p *picture) (string, error) {
	defer s.enter(p.units)()
	p.attempt++
	select {
	case <-time.After(p.work):
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
	switch {
	case p.broken:
		return "", retry.Permanent(errBroken)
	case p.attempt <= p.fails:
		return "", errBusy
	}
	return p.name + ".jpg", nil
}

// enter records the start of an attempt. The function that it returns records the end.
func (s *previewer) enter(units int64) (leave func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.starts = append(s.starts, time.Now())
	s.used += units
	s.peak = max(s.peak, s.used)
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.used -= units
	}
}
