package retry

import (
	"fmt"
	"math"
	"sync/atomic"
)

// Budget limits the retries of all calls that share it, so that they do not multiply the load on
// a server that is down. It is a bucket of tokens: each call adds ratio tokens, and each retry
// takes one. Without a token the call gives up with [ErrBudget].
//
// If every call fails, attempts are at most 1+ratio times the calls, plus the burst. The bucket
// fills by calls, not by successes or time, so it recovers under total failure. A call pays at
// its first attempt, unless [Policy.Resume] continued it.
//
// The zero Budget allows no retry. A Budget must not be copied after first use. It is safe for
// concurrent use and takes no lock.
type Budget struct {
	tokens atomic.Int64 // in units: integers, so that ten deposits of 0.1 make one token
	ratio  float64
	burst  int
}

const (
	budgetUnit = 1_000_000_000 // units a token
	maxBurst   = math.MaxInt64 / budgetUnit / 2
)

// NewBudget returns a budget for many calls to share; one for each call would limit nothing.
// Each call adds ratio tokens, such as 0.1 for one retry in ten calls. The bucket starts full
// and holds at most burst tokens; a burst of 0 allows no retry. The call reports a ratio that is
// negative or not finite, and a burst that is negative or above 4611686018.
func NewBudget(ratio float64, burst int) *Budget {
	b := &Budget{ratio: ratio, burst: burst}
	if b.fault() == "" {
		b.tokens.Store(b.limit())
	}
	return b
}

type budgetOption struct {
	budget *Budget
	_      boxed
}

// WithBudget takes a token of b for every retry. Calls share b by the pointer. It is asked last,
// for a retry that nothing else forbids.
// The default is none.
func WithBudget(b *Budget) Option { return budgetOption{budget: b} }

func (o budgetOption) apply(s *settings) {
	s.budget = o.budget
	problem := "nil Budget"
	if o.budget != nil {
		problem = o.budget.fault()
	}
	s.check("WithBudget", problem)
}

// Tokens returns how many tokens are left.
func (b *Budget) Tokens() float64 { return float64(b.tokens.Load()) / budgetUnit }

// deposit adds the tokens of one call. A full bucket is only read, so that calls which all
// succeed do not compete for its cache line.
func (b *Budget) deposit() {
	limit := b.limit()
	share := int64(min(math.Round(b.ratio*budgetUnit), float64(limit)))
	if b.ratio > 0 {
		share = max(share, 1)
	}
	for share > 0 {
		had := b.tokens.Load()
		if had >= limit || b.tokens.CompareAndSwap(had, min(had+share, limit)) {
			return
		}
	}
}

// withdraw takes a token for a retry and reports whether there was one.
func (b *Budget) withdraw() bool {
	for {
		had := b.tokens.Load()
		if had < budgetUnit {
			return false
		}
		if b.tokens.CompareAndSwap(had, had-budgetUnit) {
			return true
		}
	}
}

func (b *Budget) limit() int64 { return int64(b.burst) * budgetUnit }

func (b *Budget) fault() string {
	switch {
	case !(b.ratio >= 0) || math.IsInf(b.ratio, 0):
		return fmt.Sprintf("a ratio of %v is not a finite number of at least 0", b.ratio)
	case b.burst < 0:
		return fmt.Sprintf("a burst of %d is negative", b.burst)
	case int64(b.burst) > maxBurst:
		return fmt.Sprintf("a burst of %d is above %d", b.burst, int64(maxBurst))
	}
	return ""
}

// depositBudget pays into the budget when the call makes its first attempt.
func (c *call) depositBudget(s *settings) {
	if s.budget != nil && c.number == 1 {
		s.budget.deposit()
	}
}
