package retrypool

import (
	"math"
	"time"

	"github.com/seed-205ff063/retry"
)

// reading is a reading of the pool's clock. Only differences mean anything.
type instant = time.Duration

// never is the time of an alarm that is not set.
const never instant = math.MinInt64

// clockwork is the pool's time and its one alarm: a timer, or with a Clock a goroutine that
// waits for it.
type timer struct {
	clock retry.Clock
	epoch time.Time
	std   *time.Timer   // without a Clock
	wake  chan struct{} // with one: the alarm was set to an earlier time, or the pool ends
	due   instant       // when the alarm is due, or never; guarded by the pool's lock
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

// batch is how many items fall due under one hold of the lock; pause is how long the timer then
// leaves the lock to the workers, who help themselves meanwhile.
const (
	maxBatch   = 256
	batchPause = 100 * time.Microsecond
)

// keepTime starts the alarm.
func (p *Pool[In, Out]) startTimer() {
	if p.timer.clock == nil {
		p.timer.std = time.AfterFunc(time.Hour, p.onTimer)
		p.timer.std.Stop()
		return
	}
	p.goroutines++
	go p.runClock()
}

// arm sets the alarm to the first parked item, under the lock.
func (p *Pool[In, Out]) setTimer() {
	first, ok := p.parked.first()
	if !ok || p.timer.due != never && p.timer.due <= first {
		return // one that rings too early is set again
	}
	p.timer.due = first
	if p.timer.clock == nil {
		p.timer.std.Reset(first - p.timer.now())
	} else {
		p.timer.signal()
	}
}

// prod makes the goroutine that waits for the Clock look again.
func (t *timer) signal() {
	select {
	case t.wake <- struct{}{}:
	default:
	}
}

// stop ends the alarm once the pool is closed and empty, under the lock.
func (t *timer) stop() {
	if t.clock == nil {
		t.std.Stop()
	} else {
		t.signal()
	}
}

// ring is what the timer calls.
func (p *Pool[In, Out]) onTimer() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.moveDueItems(p.timer.now(), maxBatch) {
		p.timer.due, _ = p.parked.first() // long ago, so that nobody sets it again
		p.timer.std.Reset(batchPause)
		return
	}
	p.timer.due = never
	p.setTimer()
}

// waitByClock is the goroutine that does with a Clock what the timer does without.
func (p *Pool[In, Out]) runClock() {
	defer p.goroutineDone()
	for {
		now := p.timer.now()
		p.mu.Lock()
		more := p.moveDueItems(now, maxBatch)
		p.timer.due = never
		if first, ok := p.parked.first(); ok {
			p.timer.due = first
		}
		due, done := p.timer.due, p.closed && p.used == 0
		p.mu.Unlock()
		switch {
		case done:
			return
		case more:
			continue
		}
		var after <-chan time.Time
		if due != never {
			after = p.timer.clock.After(due - now)
			if p.timer.now() >= due {
				continue // the clock was moved on before it knew of the wait
			}
		}
		select {
		case <-after:
		case <-p.timer.wake:
		}
	}
}
