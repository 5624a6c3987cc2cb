package retrypool

import (
	"runtime/debug"
	"time"

	"github.com/seed-205ff063/retry"
)

// hand is a goroutine that works on one item after the other: a worker, or who cancels
// items, which are settled as others are, by a step of their call under a context that ended.
type hand[In, Out any] struct {
	pool   *Pool[In, Out]
	number int             // of the worker, 0 for others
	ended  *watch[In, Out] // whose items it settles, if it is not a worker

	it      *item[In, Out] // that it works on; nil: the next one is to be taken
	retry   bool           // whether that is one of Pool.retries
	over    bool           // whether its submitting context has ended
	called  bool           // whether the function was called in this step
	broke   bool           // whether its call did not end as calls do
	doom    error          // with what its context must have been canceled before the next step; nil: it need not
	stage   stage          // what comes next
	said    error          // what the function returned last
	failure *retry.Error   // what its call ended with, nil if it succeeded
	err     error          // what its task is to return
	end     outcome        // how it ended
}

// stage is what comes next for an item. It tells where to go on when the goroutine is ended
// by runtime.Goexit in code of the user's.
type stage uint8

const (
	taken stage = iota // nothing has been done so far
	attempting
	deadLettering
	telling
	settling
)

// hire starts a worker, under the lock.
func (p *Pool[In, Out]) hire(number int) {
	h := &hand[In, Out]{pool: p, number: number}
	p.hands++
	p.running[h] = struct{}{}
	go h.work()
}

// work is what a hand does until there is nothing left for it.
func (h *hand[In, Out]) work() {
	defer h.rest()
	for h.it != nil || h.next() {
		h.step()
	}
}

// rest ends the hand; one whose goroutine ends in the middle of an item goes on in another.
func (h *hand[In, Out]) rest() {
	if h.it == nil {
		h.pool.mu.Lock()
		delete(h.pool.running, h)
		h.pool.mu.Unlock()
		h.pool.leave()
		return
	}
	gone := &PanicError{errGoexit, debug.Stack()}
	switch h.stage {
	case attempting:
		h.conclude(h.broken(gone))
	case deadLettering:
		h.undelivered(gone)
	case telling, settling:
		h.stage = settling
	case taken:
	}
	go h.work()
}

// leave ends a goroutine of the pool's. The last one tells Close.
func (p *Pool[In, Out]) leave() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.hands--; p.hands == 0 && p.closed && p.used == 0 {
		close(p.gone)
	}
}

// next takes an item to work on, which a worker waits for.
func (h *hand[In, Out]) next() bool {
	p := h.pool
	p.mu.Lock()
	defer p.mu.Unlock()
	if h.ended != nil {
		h.it = p.takeEnded(h.ended)
		h.over = h.it != nil
		return h.over
	}
	for h.number > 0 {
		if h.pick() {
			return true
		}
		if p.closed && p.used == 0 {
			break
		}
		p.idle++
		p.work.Wait()
		p.idle--
	}
	return false
}

// pick takes an item if there is one, under the lock. Only workers do.
func (h *hand[In, Out]) pick() bool {
	if h.number == 0 {
		return false
	}
	if h.it = h.pool.pickEnded(); h.it != nil {
		h.over = true
		return true
	}
	h.it, h.retry = h.pool.pick()
	if h.it != nil && h.pool.dropped {
		h.doom = ErrClosed
	}
	return h.it != nil
}

// step brings the item one stage on.
func (h *hand[In, Out]) step() {
	switch h.stage {
	case taken, attempting:
		h.stage = attempting
		h.attempt()
	case deadLettering:
		h.deliver()
	case telling:
		h.tell()
	case settling:
		h.settle()
	}
}

// let lets the item go, under the lock.
func (h *hand[In, Out]) let() {
	if h.retry {
		h.pool.retries--
	}
	*h = hand[In, Out]{pool: h.pool, number: h.number, ended: h.ended}
}

func (h *hand[In, Out]) event() Event[In] {
	it := h.it
	e := Event[In]{
		Item: it.in, Context: it.ctx, Worker: h.number, Attempt: int(it.attempts),
		Elapsed: h.elapsed(), Queued: h.pool.Stats().Queued,
	}
	if e.Worker > h.pool.config.Workers {
		e.Worker = 0 // whom Close hired
	}
	return e
}

// elapsed is the time since the item was taken in. A clock that was set back has not gone on.
func (h *hand[In, Out]) elapsed() time.Duration { return max(h.pool.time.now()-h.it.start, 0) }
