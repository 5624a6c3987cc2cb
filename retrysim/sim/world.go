package sim

import (
	"context"
	"iter"
	"math"
	"time"

	"github.com/seed-205ff063/retry"
)

// world is a simulation under way: its time, its events, and the processes that wait for them.
// Only one process runs at a time, so they share memory without locks.
type world struct {
	now     time.Duration
	events  eventQueue
	current *process
	living  map[*process]struct{}
	over    bool

	// ctx is what calls are started with. It ends with the world.
	ctx context.Context
	end context.CancelFunc
}

func newWorld(ctx context.Context) *world {
	w := &world{living: map[*process]struct{}{}}
	w.ctx, w.end = context.WithCancel(context.WithoutCancel(ctx))
	return w
}

// at runs f at the time when.
func (w *world) at(when time.Duration, f func()) { w.events.push(max(when, w.now), f) }

// run lets time pass until there are no more events, the time is until, or ctx ends.
func (w *world) run(ctx context.Context, until time.Duration) error {
	const often = 1 << 10
	for n := 0; len(w.events.heap) > 0 && w.events.heap[0].at <= until; n++ {
		if n%often == 0 && ctx.Err() != nil {
			return context.Cause(ctx)
		}
		next := w.events.pop()
		w.now = next.at
		next.run()
	}
	return nil
}

// close ends the processes that still wait. Their waits return early.
func (w *world) close() {
	w.over = true
	w.end()
	for p := range w.living {
		p.stop()
	}
}

// process is a coroutine: code that reads as if it ran by itself, and lets the others go on
// while it waits.
type process struct {
	world *world
	yield func(struct{}) bool
	next  func() (struct{}, bool)
	stop  func()
	wake  func() // goes on with the process
}

// start begins a process now, after what runs at present.
func (w *world) start(body func(p *process)) {
	p := &process{world: w}
	p.next, p.stop = iter.Pull(func(yield func(struct{}) bool) {
		p.yield = yield
		body(p)
	})
	p.wake = p.goOn
	w.living[p] = struct{}{}
	w.at(w.now, p.wake)
}

func (p *process) goOn() {
	before := p.world.current
	p.world.current = p
	if _, alive := p.next(); !alive {
		delete(p.world.living, p)
	}
	p.world.current = before
}

// sleep waits for d.
func (p *process) sleep(d time.Duration) { p.sleepUntil(later(p.world.now, d)) }

func (p *process) sleepUntil(when time.Duration) {
	if p.world.over {
		return
	}
	p.world.at(when, p.wake)
	p.yield(struct{}{})
}

// work takes d, or until ctx ends, and reports how ctx did.
func (p *process) work(ctx context.Context, d time.Duration) error {
	end := later(p.world.now, d)
	if deadline, ok := ctx.Deadline(); ok {
		end = min(end, deadline.Sub(start))
	}
	p.sleepUntil(end)
	return ctx.Err()
}

// call drives a call of fn under the policy: try, wait, try. Time passes in fn and in between.
func (p *process) call(ctx context.Context, policy *retry.Policy, fn func(ctx context.Context) error) error {
	run := policy.Start(ctx)
	wait, again := run.Try(fn)
	for again {
		p.sleep(wait)
		wait, again = run.Try(fn)
	}
	return run.Err()
}

// later returns t+d, the end of time where that overflows.
func later(t, d time.Duration) time.Duration {
	if d > math.MaxInt64-t {
		return math.MaxInt64
	}
	return t + max(d, 0)
}
