package retrypool

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"

	"github.com/seed-205ff063/retry"
)

// Pool runs a function over items, see the package comment. Make one with [New] and end it with
// [Pool.Close]; its goroutines run until then. Most callers should use [Pool.Submit] or
// [Pool.Map]. A Pool must not be copied. It is safe for concurrent use.
type Pool[In, Out any] struct {
	fn     func(ctx context.Context, in In) (Out, error)
	config Config[In]
	policy *retry.Policy
	timer  timer

	retryCount atomic.Int64 // Stats.Retries

	// No user code runs under the lock: no callback, no clock, no context.
	mu             sync.Mutex
	workReady      sync.Cond        // idle workers wait for items
	firstQueue     fifo[In, Out]    // items for their first attempt
	retryQueue     fifo[In, Out]    // items whose wait is over
	parked         heap[In, Out]    // items whose wait is not over
	parkOrder      uint32           // of the next item to be parked
	retryNext      bool             // a retry is next to run, not a first attempt
	stats          Stats            // all but Retries
	idle           int              // workers that wait
	runningRetries int              // for Config.MaxRetrying
	used           int              // of the capacity: unsettled items and reserved room
	waiters        waiters[In, Out] // submitters that wait for room
	announcing     bool             // a waiter has got room and calls Events.Queued
	keyQueues      map[string]*keyQueue[In, Out]
	watches        map[<-chan struct{}]*contextWatch[In, Out] // by the context's Done channel
	endedWatches   map[*contextWatch[In, Out]]struct{}        // their items are to be settled; workers help
	joins          []*joinCall
	epoch          uint32                        // counts Joins, so that each knows its items
	workers        map[*worker[In, Out]]struct{} // those that take items from the queues
	goroutines     int                           // workers, cancellations and runClock
	closed         bool                          // the intake is closed
	aborted        bool                          // Close gave up: no more attempts
	stopped        chan struct{}                 // closed once the pool is closed, empty and without goroutines
}

// New makes a pool that calls fn for each item, and starts its workers. If any arguments are
// invalid, New returns one error that names all of them and matches [retry.ErrOption].
func New[In, Out any](fn func(ctx context.Context, in In) (Out, error), c Config[In]) (*Pool[In, Out], error) {
	faults := c.check()
	policy, more := checkPolicy[In, Out](&c)
	faults = append(faults, more...)
	if fn == nil {
		faults = append(faults, fault{"fn", "nil function"})
	}
	if faults != nil {
		return nil, errors.Join(faults...)
	}
	p := &Pool[In, Out]{
		fn: fn, config: c, policy: policy,
		timer:        newTimer(c.Clock),
		keyQueues:    map[string]*keyQueue[In, Out]{},
		watches:      map[<-chan struct{}]*contextWatch[In, Out]{},
		endedWatches: map[*contextWatch[In, Out]]struct{}{},
		workers:      map[*worker[In, Out]]struct{}{},
		stopped:      make(chan struct{}),
	}
	p.workReady.L = &p.mu
	p.startTimer()
	p.mu.Lock()
	defer p.mu.Unlock()
	for n := range c.Workers {
		p.startWorker(n + 1)
	}
	return p, nil
}

// Capacity returns how many items the pool holds at most: [Config].Capacity.
func (p *Pool[In, Out]) Capacity() int { return p.config.Capacity }

// Format writes the pool's [Stats] for every verb, as in "retrypool.Pool{Submitted:7 …}". It
// prevents package fmt from reading the pool while it works and from printing items.
func (p *Pool[In, Out]) Format(f fmt.State, _ rune) {
	if p == nil {
		_, _ = io.WriteString(f, "retrypool.Pool(nil)")
		return
	}
	_, _ = fmt.Fprintf(f, "retrypool.Pool%+v", p.Stats())
}
