package retry

import (
	"fmt"
	"iter"
	"sync"
	"time"
)

// Attempt is the record of one attempt. Most callers should read Number and Err. Fields that are
// not yet known are zero.
type Attempt struct {
	Name     string        // the policy's name
	Number   int           // counts the attempts of the call, from 1
	Start    time.Time     // when it began, after its gates; in a gate, when it came there
	Waited   time.Duration // the wait before it as decided, a server's hint included
	Duration time.Duration // how long it ran, from Start to the release of its gates
	Elapsed  time.Duration // the time since the call began
	Delay    time.Duration // the wait after it, 0 if there is none
	Err      error         // what the function returned, or why its value was rejected

	// TimedOut is whether [WithAttemptTimeout] ended the attempt's context before the function
	// returned, while the caller's context had not ended.
	TimedOut bool
}

type (
	historySizeOption int
	historyOption     struct {
		history *History
		_       boxed
	}
)

// WithHistorySize sets how many of its newest attempts an [Error] keeps, and how many rejected
// values a [ValidationError] keeps. 0 keeps none. A negative n is an error. Memory is taken at
// the first failure.
// The default is 10.
func WithHistorySize(n int) Option { return historySizeOption(n) }

func (o historySizeOption) apply(s *settings) {
	s.historySize = int(o)
	problem := ""
	if o < 0 {
		problem = fmt.Sprintf("%d is negative", o)
	}
	s.check("WithHistorySize", problem)
}

// WithHistory records every attempt in h, successful ones too. A History of negative size is an
// error.
// The default is none.
func WithHistory(h *History) Option { return historyOption{history: h} }

func (o historyOption) apply(s *settings) {
	s.history = o.history
	problem := ""
	switch {
	case o.history == nil:
		problem = "nil History"
	case o.history.size < 0:
		problem = fmt.Sprintf("a size of %d is negative", o.history.size)
	}
	s.check("WithHistory", problem)
}

// History keeps the newest attempts of all calls that share it. It is a ring buffer: a new
// attempt overwrites the oldest.
//
// The zero History and NewHistory(0) record nothing. A History must not be copied after first
// use. It is safe for concurrent use.
type History struct {
	mu   sync.Mutex
	ring ring
	size int
}

// NewHistory returns a History of the newest size attempts. Memory is taken as attempts come in.
func NewHistory(size int) *History { return &History{size: size} }

// Add records a.
func (h *History) Add(a Attempt) { h.add(&a) }

func (h *History) add(a *Attempt) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ring.add(a, h.size)
}

// Len returns how many attempts are recorded, at most Cap.
func (h *History) Len() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.ring.buf)
}

// Cap returns how many attempts are kept at most.
func (h *History) Cap() int { return max(h.size, 0) }

// Slice returns a copy of the recorded attempts, oldest first.
func (h *History) Slice() []Attempt {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.ring.slice()
}

// All returns an iterator over the attempts recorded when the iteration starts, oldest first.
// You may use the history meanwhile.
func (h *History) All() iter.Seq[Attempt] {
	return func(yield func(Attempt) bool) {
		for _, a := range h.Slice() {
			if !yield(a) {
				return
			}
		}
	}
}

// ring is the buffer of a History and of a call. It grows to its size, then the oldest
// attempt, at next, is overwritten.
type ring struct {
	buf  []Attempt
	next int
}

func (r *ring) add(a *Attempt, size int) {
	switch {
	case size <= 0:
	case len(r.buf) < size:
		r.buf = append(r.buf, Attempt{})
		r.buf[len(r.buf)-1] = *a // appending *a itself would copy it twice, on the stack
	default:
		r.buf[r.next] = *a
		r.next = (r.next + 1) % size
	}
}

func (r *ring) slice() []Attempt {
	if len(r.buf) == 0 {
		return nil
	}
	all := make([]Attempt, 0, len(r.buf))
	return append(append(all, r.buf[r.next:]...), r.buf[:r.next]...)
}
