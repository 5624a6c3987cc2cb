package sim

import (
	"context"
	"iter"
	"time"

	"github.com/seed-205ff063/retry"
)

// process is a coroutine. It runs until it sleeps; then other processes run.
type process struct {
	world    *world
	yield    func(struct{}) bool
	next     func() (struct{}, bool)
	stop     func()
	resumeFn func() // p.resume, stored so that sleeping does not allocate
}

// start creates a process. It begins at the current time, after the code that runs now.
func (w *world) start(body func(p *process)) {
	p := &process{world: w}
	p.next, p.stop = iter.Pull(func(yield func(struct{}) bool) {
		p.yield = yield
		body(p)
	})
	p.resumeFn = p.resume
	w.processes[p] = struct{}{}
	w.schedule(w.now, p.resumeFn)
}

// resume runs the process until it sleeps or ends.
func (p *process) resume() {
	previous := p.world.current
	p.world.current = p
	if _, alive := p.next(); !alive {
		delete(p.world.processes, p)
	}
	p.world.current = previous
}

// sleep lets d pass.
func (p *process) sleep(d time.Duration) { p.sleepUntil(saturatingAdd(p.world.now, d)) }

// sleepUntil sleeps until the given time. It returns at once if the world is closed.
func (p *process) sleepUntil(at time.Duration) {
	if p.world.closed {
		return
	}
	p.world.schedule(at, p.resumeFn)
	p.yield(struct{}{})
}

// sleepContext sleeps for d or until the deadline of ctx, and returns ctx.Err.
func (p *process) sleepContext(ctx context.Context, d time.Duration) error {
	end := saturatingAdd(p.world.now, d)
	if deadline, ok := ctx.Deadline(); ok {
		end = min(end, deadline.Sub(epoch))
	}
	p.sleepUntil(end)
	return ctx.Err()
}

// runPolicy calls fn until it succeeds or the policy gives up, and sleeps between attempts.
func (p *process) runPolicy(ctx context.Context, policy *retry.Policy, fn func(ctx context.Context) error) error {
	run := policy.Start(ctx)
	wait, again := run.Try(fn)
	for again {
		p.sleep(wait)
		wait, again = run.Try(fn)
	}
	return run.Err()
}
