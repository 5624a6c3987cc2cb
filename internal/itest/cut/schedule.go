package cut

import (
	"maps"
	"math/rand/v2"
	"sync"
)

// end is how a connection ends at a point.
type end int

const (
	none    end = iota // it does not end
	orderly            // the client reads EOF
	reset              // the client's reads and writes fail
	hold               // it stays open and passes nothing on
)

// schedule decides where connections end.
type schedule struct {
	mu          sync.Mutex
	next        map[Point]quota
	probability float64
	random      *rand.Rand
	resets      bool // whether the next cut is a reset
	cuts        map[Point]int
}

// quota is how many more connections end at a point, and how.
type quota struct {
	n    int
	hold bool
}

func newSchedule() schedule { return schedule{next: make(map[Point]quota), cuts: make(map[Point]int)} }

// CutNext cuts the next n connections that reach the point. It replaces an earlier CutNext or HoldNext
// for the same point. Cuts close a connection in order and reset it by turns.
func (p *Proxy) CutNext(at Point, n int) { p.schedule.set(at, quota{n: n}) }

// HoldNext is like CutNext, but the connections stay open until CloseAll, and the proxy passes nothing
// on in either direction. The server does not see the client leave, so a transaction keeps its locks.
func (p *Proxy) HoldNext(at Point, n int) { p.schedule.set(at, quota{n: n, hold: true}) }

// Random cuts connections with the given probability at each point that they pass. CutNext and
// HoldNext still apply. A probability of 0 ends it. The same seed makes the same cuts if the same
// requests come in the same order.
func (p *Proxy) Random(probability float64, seed uint64) {
	p.schedule.mu.Lock()
	defer p.schedule.mu.Unlock()
	p.schedule.probability, p.schedule.random = probability, rand.New(rand.NewPCG(seed, 0))
}

// Cuts returns how many connections were cut or held at each point. CloseAll does not count.
func (p *Proxy) Cuts() map[Point]int {
	p.schedule.mu.Lock()
	defer p.schedule.mu.Unlock()
	return maps.Clone(p.schedule.cuts)
}

func (s *schedule) set(at Point, q quota) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next[at] = q
}

// at decides whether a connection that passes the points in this order ends, where and how.
func (s *schedule) at(points ...Point) (Point, end) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, at := range points {
		how := none
		q := s.next[at]
		switch {
		case q.n > 0 && q.hold:
			how = hold
		case q.n > 0, s.probability > 0 && s.random.Float64() < s.probability:
			how = orderly
			if s.resets {
				how = reset
			}
			s.resets = !s.resets
		}
		if how == none {
			continue
		}
		if q.n > 0 {
			s.next[at] = quota{q.n - 1, q.hold}
		}
		s.cuts[at]++
		return at, how
	}
	return 0, none
}
