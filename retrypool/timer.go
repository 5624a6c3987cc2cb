package retrypool

import (
	"math"
	"time"

	"github.com/seed-205ff063/retry"
)

// reading is a reading of the pool's clock. Only differences mean anything.
type reading = time.Duration

// never is the time of an alarm that is not set.
const never reading = math.MinInt64

// clockwork is the pool's time and its one alarm: a timer, or with a Clock a goroutine that
// waits for it.
type clockwork struct {
	clock retry.Clock
	zero  time.Time
	timer *time.Timer   // without a Clock
	nudge chan struct{} // with one: the alarm was set to an earlier time, or the pool ends
	at    reading       // when the alarm is due, or never; guarded by the pool's lock
}

func newClockwork(clock retry.Clock) clockwork {
	if clock == nil {
		return clockwork{zero: time.Now(), at: never}
	}
	return clockwork{clock: clock, zero: clock.Now(), nudge: make(chan struct{}, 1), at: never}
}

func (c *clockwork) now() reading {
	if c.clock != nil {
		return c.clock.Now().Sub(c.zero)
	}
	return time.Since(c.zero)
}

// batch is how many items fall due under one hold of the lock; pause is how long the timer then
// leaves the lock to the workers, who help themselves meanwhile.
const (
	batch = 256
	pause = 100 * time.Microsecond
)

// keepTime starts the alarm.
func (p *Pool[In, Out]) keepTime() {
	if p.time.clock == nil {
		p.time.timer = time.AfterFunc(time.Hour, p.ring)
		p.time.timer.Stop()
		return
	}
	p.hands++
	go p.waitByClock()
}

// arm sets the alarm to the first parked item, under the lock.
func (p *Pool[In, Out]) arm() {
	first, ok := p.parked.first()
	if !ok || p.time.at != never && p.time.at <= first {
		return // one that rings too early is set again
	}
	p.time.at = first
	if p.time.clock == nil {
		p.time.timer.Reset(first - p.time.now())
	} else {
		p.time.prod()
	}
}

// prod makes the goroutine that waits for the Clock look again.
func (c *clockwork) prod() {
	select {
	case c.nudge <- struct{}{}:
	default:
	}
}

// stop ends the alarm once the pool is closed and empty, under the lock.
func (c *clockwork) stop() {
	if c.clock == nil {
		c.timer.Stop()
	} else {
		c.prod()
	}
}

// ring is what the timer calls.
func (p *Pool[In, Out]) ring() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ripen(p.time.now(), batch) {
		p.time.at, _ = p.parked.first() // long ago, so that nobody sets it again
		p.time.timer.Reset(pause)
		return
	}
	p.time.at = never
	p.arm()
}

// waitByClock is the goroutine that does with a Clock what the timer does without.
func (p *Pool[In, Out]) waitByClock() {
	defer p.leave()
	for {
		now := p.time.now()
		p.mu.Lock()
		more := p.ripen(now, batch)
		p.time.at = never
		if first, ok := p.parked.first(); ok {
			p.time.at = first
		}
		at, over := p.time.at, p.closed && p.used == 0
		p.mu.Unlock()
		switch {
		case over:
			return
		case more:
			continue
		}
		var after <-chan time.Time
		if at != never {
			after = p.time.clock.After(at - now)
			if p.time.now() >= at {
				continue // the clock was moved on before it knew of the wait
			}
		}
		select {
		case <-after:
		case <-p.time.nudge:
		}
	}
}
