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

	memory = 4  // units: a picture takes one, a large one three or all
	limit  = 50 // requests a second
	burst  = 2
)

// picture is an item. One worker at a time has it, so that it can count its own attempts.
type picture struct {
	name   string
	units  int64         // of memory
	work   time.Duration // for one attempt
	fails  int           // attempts, before one succeeds
	broken bool          // no attempt ever succeeds

	attempt int
}

var (
	errBusy   = errors.New("storage is busy")
	errBroken = errors.New("not a picture")
)

// studio is the pool, with what its limits come to.
type studio struct {
	pool *retrypool.Pool[*picture, string]

	mu     sync.Mutex
	used   int64 // units of memory now
	peak   int64 // and at most
	starts []time.Time
}

func newStudio() (*studio, error) {
	s := &studio{}
	policy := retry.MustNew(
		retry.WithName("preview"),
		retry.WithMaxAttempts(3),
		retry.WithBackoff(retry.Constant(30*time.Millisecond)),
		// Gates are made once and belong to the policy, so all items share them; every attempt passes
		// them, retries too. The limiter comes last, right before the work: were it first, attempts
		// would take their turn, then queue for memory, and at last meet the storage all at once.
		retry.WithGate(
			byUnits(semaphore.NewWeighted(memory)),
			retry.RateLimit(rate.NewLimiter(limit, burst))))
	pool, err := retrypool.New(s.preview, retrypool.Config[*picture]{
		// A worker that stands at a gate is not free for other items. Have more of them than the gates
		// let in, if there are items that need not pass.
		Workers:  workers,
		Capacity: capacity,
		Policy:   policy,
	})
	s.pool = pool
	return s, err
}

type unitsKey struct{}

// submit hands the picture in with a context that says how much memory it takes: a gate does not get
// the item, but it gets the item's context.
func (s *studio) submit(ctx context.Context, p *picture) (*retrypool.Task[string], error) {
	return s.pool.Submit(context.WithValue(ctx, unitsKey{}, p.units), p)
}

// byUnits is a bulkhead in which every item takes as much room as its context says, one if nothing.
func byUnits(sem *semaphore.Weighted) retry.Gate {
	return func(ctx context.Context, a retry.Attempt) (release func(error), err error) {
		units, ok := ctx.Value(unitsKey{}).(int64)
		if !ok {
			units = 1
		}
		return retry.Bulkhead(sem, units)(ctx, a)
	}
}

// preview makes one attempt.
func (s *studio) preview(ctx context.Context, p *picture) (string, error) {
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

// enter notes that an attempt starts, and what it returns that it has ended.
func (s *studio) enter(units int64) (leave func()) {
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
