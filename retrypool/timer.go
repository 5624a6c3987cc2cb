package retrypool

import (
	"math"
	"time"

	"github.com/seed-205ff063/retry"
)

// instant is a time on the pool's clock, measured from the timer's epoch.
type instant = time.Duration

// never is the due time of a timer that is not set.
const never instant = math.MinInt64

// timer is the pool's clock and its one timer. The timer is a [time.Timer] or, with a
// Config.Clock, a goroutine that waits on that clock.
type timer struct {
	clock retry.Clock
	epoch time.Time
	std   *time.Timer   // without a Clock
	wake  chan struct{} // with a Clock: the timer was set to an earlier time, or the pool is done
	due   instant       // when the timer fires, or never; guarded by the pool's lock
}

func newTimer(clock retry.Clock) timer {
	if clock == nil {
		return timer{epoch: time.Now(), due: never}
	}
	return timer{clock: clock, epoch: clock.Now(), wake: make(chan struct{}, 1), due: never}
}

func (t *timer) now() instant {
	if t.clock != nil {
		return t.clock.Now().Sub(t.epoch)
	}
	return time.Since(t.epoch)
}

// When many items fall due together, the timer moves maxBatch of them under one hold of the
// lock. It then leaves the lock to the workers for batchPause; they move due items themselves.
const (
	maxBatch   = 256
	batchPause = 100 * time.Microsecond
)

// startTimer starts the timer, unset.
func (p *Pool[In, Out]) startTimer() {
	if p.timer.clock == nil {
		p.timer.std = time.AfterFunc(time.Hour, p.onTimer)
		p.timer.std.Stop()
		return
	}
	p.goroutines++
	go p.runClock()
}

// setTimer sets the timer to the first parked item, under the lock.
func (p *Pool[In, Out]) setTimer() {
	first, ok := p.parked.first()
	if !ok || p.timer.due != never && p.timer.due <= first {
		return // a timer that fires too early is set again
	}
	p.timer.due = first
	if p.timer.clock == nil {
		p.timer.std.Reset(first - p.timer.now())
	} else {
		p.timer.signal()
	}
}

// signal makes runClock check again what it waits for.
func (t *timer) signal() {
	select {
	case t.wake <- struct{}{}:
	default:
	}
}

// stop stops the timer of a closed and empty pool, under the lock.
func (t *timer) stop() {
	if t.clock == nil {
		t.std.Stop()
	} else {
		t.signal()
	}
}

// onTimer runs when the standard timer fires.
func (p *Pool[In, Out]) onTimer() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.moveDueItems(p.timer.now(), maxBatch) {
		p.timer.due, _ = p.parked.first() // in the past, so that setTimer leaves the timer alone
		p.timer.std.Reset(batchPause)
		return
	}
	p.timer.due = never
	p.setTimer()
}

// runClock is the goroutine that waits on Config.Clock. It does what onTimer does without one.
func (p *Pool[In, Out]) runClock() {
	defer p.goroutineDone()
	for {
		now := p.timer.now()
		due, more, done := p.moveByClock(now)
		switch {
		case done:
			return
		case more:
			continue
		}
		p.timer.waitOnClock(now, due)
	}
}

// moveByClock moves due items and returns when the next one is due. It reports whether more items
// are due already and whether the pool is done.
func (p *Pool[In, Out]) moveByClock(now instant) (due instant, more, done bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	more = p.moveDueItems(now, maxBatch)
	p.timer.due = never
	if first, ok := p.parked.first(); ok {
		p.timer.due = first
	}
	return p.timer.due, more, p.closed && p.used == 0
}

// waitOnClock waits until due or until signal is called.
func (t *timer) waitOnClock(now, due instant) {
	var after <-chan time.Time
	if due != never {
		after = t.clock.After(due - now)
		if t.now() >= due {
			return // the clock moved on before After registered the wait
		}
	}
	select {
	case <-after:
	case <-t.wake:
	}
}
