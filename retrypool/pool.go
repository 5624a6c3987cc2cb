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

// Pool works on items, see the package's comment. Make one with [New] and end it with
// [Pool.Close]; its goroutines run until then. The usual methods are [Pool.Submit] and
// [Pool.Map]. A Pool must not be copied. It is safe for concurrent use.
type Pool[In, Out any] struct {
	fn     func(ctx context.Context, in In) (Out, error)
	config Config[In]
	policy *retry.Policy
	timer  timer

	retryCount atomic.Int64 // Stats.Retries

	// Nothing of the user's runs under the lock: no callback, no clock, no context.
	mu             sync.Mutex
	workReady      sync.Cond        // workers wait for items
	firstQueue     fifo[In, Out]    // for their first attempt
	retryQueue     fifo[In, Out]    // for a retry whose wait is over
	parked         heap[In, Out]    // for the wait to be over
	parkOrder      uint32           // of the next item to be parked
	retryNext      bool             // of fresh and due, whose turn it is: due's
	stats          Stats            // of the items
	idle           int              // workers that wait
	runningRetries int              // that run now
	used           int              // of the capacity: unsettled items and those about to be submitted
	waiters        waiters[In, Out] // for room
	announcing     bool             // one that waited has got room and is being announced
	keyQueues      map[string]*keyQueue[In, Out]
	watches        map[<-chan struct{}]*contextWatch[In, Out]
	endedWatches   map[*contextWatch[In, Out]]struct{} // whose items are to be settled: workers help
	joins          []*joinCall
	epoch          uint32
	workers        map[*worker[In, Out]]struct{} // the workers
	goroutines     int                           // goroutines that are at work on something
	closed         bool                          // no intake
	aborted        bool                          // Close's context ended: nothing is attempted any more
	stopped        chan struct{}                 // closed when closed, all is settled and there is no hand
}

// New makes a pool that calls fn for the items, and starts its workers. Where something is
// wrong with the arguments it returns one error that names every fault and matches
// [retry.ErrOption].
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

// Format writes the pool's figures, as in "retrypool.Pool{Submitted:7 …}", whatever the verb is.
// Package fmt would read the pool while it works, and print what was submitted.
func (p *Pool[In, Out]) Format(f fmt.State, _ rune) {
	if p == nil {
		_, _ = io.WriteString(f, "retrypool.Pool(nil)")
		return
	}
	_, _ = fmt.Fprintf(f, "retrypool.Pool%+v", p.Stats())
}
