package sim

import (
	"context"
	"math"
	"time"
)

// world is a running simulation: its time, its events, and its processes. Only one process
// runs at a time, so processes share memory without locks.
type world struct {
	now       time.Duration // since epoch
	events    eventQueue
	current   *process // the one that runs, nil between processes
	processes map[*process]struct{}
	closed    bool

	ctx    context.Context // of the simulated calls; it ends when the world is closed
	cancel context.CancelFunc
}

func newWorld(ctx context.Context) *world {
	w := &world{processes: map[*process]struct{}{}}
	w.ctx, w.cancel = context.WithCancel(context.WithoutCancel(ctx))
	return w
}

// schedule runs f at the given time, or now if that has passed.
func (w *world) schedule(at time.Duration, f func()) { w.events.push(max(at, w.now), f) }

// run processes all events up to the given time. It stops early when ctx ends.
func (w *world) run(ctx context.Context, until time.Duration) error {
	const eventsPerCheck = 1 << 10
	for n := 0; len(w.events.heap) > 0 && w.events.heap[0].at <= until; n++ {
		if n%eventsPerCheck == 0 && ctx.Err() != nil {
			return context.Cause(ctx)
		}
		next := w.events.pop()
		w.now = next.at
		next.run()
	}
	return nil
}

// close ends all processes. Those that sleep wake up at once.
func (w *world) close() {
	w.closed = true
	w.cancel()
	for p := range w.processes {
		p.stop()
	}
}

// saturatingAdd returns t+d, or the latest possible time if the sum overflows. A negative d is
// 0.
func saturatingAdd(t, d time.Duration) time.Duration {
	if d > math.MaxInt64-t {
		return math.MaxInt64
	}
	return t + max(d, 0)
}
