package retry

import (
	"fmt"
	"math"
	"sync/atomic"
)

// Budget bounds the retries of all the calls that share it, so that a client does not
// multiply its load on a server that is down. It is a bucket of tokens: each call puts
// ratio tokens in, each retry takes one out, and a retry that finds less than one token
// does not happen: the call gives up with [ErrBudget].
//
// When every call fails, the load is at most 1+ratio times the calls, plus the burst. The
// bucket fills by calls and not by successes or time, so it recovers under total failure
// and scales with the traffic. A call pays in at its first attempt: one that makes none pays
// nothing, nor does one that [Policy.Resume] goes on with.
//
// The zero Budget allows no retry. A Budget must not be copied after first use. It is safe
// for concurrent use and takes no lock.
type Budget struct {
	tokens atomic.Int64 // in units: integers, so that ten deposits of 0.1 make one token
	ratio  float64
	burst  int
}

const (
	budgetUnit = 1_000_000_000 // units a token
	maxBurst   = math.MaxInt64 / budgetUnit / 2
)

// NewBudget returns a budget for all the calls that are to share it. A budget that is made anew
// for each call bounds nothing. Each call adds ratio tokens, such as 0.1 for one retry in ten
// calls. The bucket starts full and holds at most burst tokens; with a burst of 0 there is never a
// retry. A ratio that is negative or not finite and a burst that is
// negative or above some 4.6 billion (4611686018) are reported by the call that the budget is given to.
func NewBudget(ratio float64, burst int) *Budget {
	b := &Budget{ratio: ratio, burst: burst}
	if b.fault() == "" {
		b.tokens.Store(b.limit())
	}
	return b
}

// Tokens returns how many tokens are left: the retries that may happen right now.
func (b *Budget) Tokens() float64 { return float64(b.tokens.Load()) / budgetUnit }

// deposit adds what one call brings. A full bucket is only read, so that calls which all
// succeed do not fight for its cache line.
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
