package cut

import (
	"maps"
	"math/rand/v2"
	"sync"
)

// end is how a connection ends at a point.
type end int

const (
	none    end = iota
	orderly     // the client reads EOF
	reset       // the client's reads and writes fail
	hold        // the client waits
)

// plan decides where connections end.
type plan struct {
	mu          sync.Mutex
	next        map[Point]quota
	probability float64
	random      *rand.Rand
	resets      bool // whether the next cut is a reset
	cuts        map[Point]int
}

// quota is how often to end at a point, and how.
type quota struct {
	n    int
	hold bool
}

func newPlan() plan { return plan{next: make(map[Point]quota), cuts: make(map[Point]int)} }

// CutNext has the next n connections that reach the point cut there. It replaces what CutNext
// or HoldNext said of the point before.
func (p *Proxy) CutNext(at Point, n int) { p.plan.set(at, quota{n: n}) }

// HoldNext is CutNext, but the connections stay open and nothing is passed on any more, in
// either direction. The server does not see the client leave, so that a transaction keeps its
// locks, until CloseAll.
func (p *Proxy) HoldNext(at Point, n int) { p.plan.set(at, quota{n: n, hold: true}) }

// Random has connections cut with the probability at each point that they pass, besides what
// CutNext says, until it is set to 0. The same seed gives the same cuts to the same requests in
// the same order.
func (p *Proxy) Random(probability float64, seed uint64) {
	p.plan.mu.Lock()
	defer p.plan.mu.Unlock()
	p.plan.probability, p.plan.random = probability, rand.New(rand.NewPCG(seed, 0))
}

// Cuts returns how many connections were cut or held where, which CloseAll does not add to.
func (p *Proxy) Cuts() map[Point]int {
	p.plan.mu.Lock()
	defer p.plan.mu.Unlock()
	return maps.Clone(p.plan.cuts)
}

func (p *plan) set(at Point, q quota) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.next[at] = q
}

// at decides where of the points, which come one after the other, a connection ends, if it does.
// Cuts are orderly and resets by turns.
func (p *plan) at(points ...Point) (Point, end) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, at := range points {
		how := none
		q := p.next[at]
		switch {
		case q.n > 0 && q.hold:
			how = hold
		case q.n > 0, p.probability > 0 && p.random.Float64() < p.probability:
			how = orderly
			if p.resets {
				how = reset
			}
			p.resets = !p.resets
		}
		if how == none {
			continue
		}
		if q.n > 0 {
			p.next[at] = quota{q.n - 1, q.hold}
		}
		p.cuts[at]++
		return at, how
	}
	return 0, none
}
