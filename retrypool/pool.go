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
	time   clockwork

	retried atomic.Int64 // Stats.Retries

	// Nothing of the user's runs under the lock: no callback, no clock, no context.
	mu      sync.Mutex
	work    sync.Cond        // workers wait for items
	fresh   fifo[In, Out]    // for their first attempt
	due     fifo[In, Out]    // for a retry whose wait is over
	parked  heap[In, Out]    // for the wait to be over
	order   uint32           // of the next item to be parked
	turn    bool             // of fresh and due, whose turn it is: due's
	stats   Stats            // of the items
	idle    int              // workers that wait
	retries int              // that run now
	used    int              // of the capacity: unsettled items and those about to be submitted
	waiters waiters[In, Out] // for room
	handing bool             // one that waited has got room and is being announced
	lanes   map[string]*lane[In, Out]
	watches map[<-chan struct{}]*watch[In, Out]
	ending  map[*watch[In, Out]]struct{} // whose items are to be settled: workers help
	joiners []*joiner
	epoch   uint32
	running map[*hand[In, Out]]struct{} // the workers
	hands   int                         // goroutines that are at work on something
	closed  bool                        // no intake
	dropped bool                        // Close's context ended: nothing is attempted any more
	gone    chan struct{}               // closed when closed, all is settled and there is no hand
}

// New makes a pool that calls fn for the items, and starts its workers. Where something is
// wrong with the arguments it returns one error that names every fault and matches
// [retry.ErrOption].
func New[In, Out any](fn func(ctx context.Context, in In) (Out, error), c Config[In]) (*Pool[In, Out], error) {
	faults := c.check()
	policy, more := policy[In, Out](&c)
	faults = append(faults, more...)
	if fn == nil {
		faults = append(faults, fault{"fn", "nil function"})
	}
	if faults != nil {
		return nil, errors.Join(faults...)
	}
	p := &Pool[In, Out]{
		fn: fn, config: c, policy: policy,
		time:    newClockwork(c.Clock),
		lanes:   map[string]*lane[In, Out]{},
		watches: map[<-chan struct{}]*watch[In, Out]{},
		ending:  map[*watch[In, Out]]struct{}{},
		running: map[*hand[In, Out]]struct{}{},
		gone:    make(chan struct{}),
	}
	p.work.L = &p.mu
	p.keepTime()
	p.mu.Lock()
	defer p.mu.Unlock()
	for n := range c.Workers {
		p.hire(n + 1)
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
