package retrypool

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/seed-205ff063/retry"
)

// Config says how a [Pool] works. Workers and Capacity must be set.
type Config[In any] struct {
	// Workers is how many goroutines work on items: so many run at once. Less than 1 is a fault.
	Workers int
	// Capacity is how many items the pool holds at most: queued, running and parked together.
	// [Pool.Submit] waits at it. One below Workers leaves some of them idle. Less than 1 is a fault,
	// and so is more than math.MaxInt32.
	Capacity int
	// MaxRetrying is how many retries run at once at most, so that first attempts always find a
	// worker if it is below Workers. A negative one is a fault.
	// The default is 0: no limit but the turns that first attempts and retries take.
	MaxRetrying int
	// Policy says what is retried and how. An item's call begins with its first attempt, so the
	// time in the queue does not count against retry.WithMaxElapsed. A validator must be for the
	// type that the pool's function returns.
	// The default is that of package retry: 5 attempts.
	Policy *retry.Policy
	// DeadLetter takes an item that failed for good; the item counts as running meanwhile. It
	// does not get items that were canceled, except by [Pool.Close]. When it returns an error
	// or panics the item counts as failed, and its error matches both.
	//
	// It must be safe for concurrent use, and Workers does not bound it: it runs in the worker
	// that made the last attempt, or in a goroutine of the context whose deadline passed while
	// the item waited. err is never nil, but its Err is where no attempt was made; after a
	// Close that gave up err matches [ErrClosed].
	//
	// Its context has the values of the one that the item was submitted with and does not end,
	// also when the pool is closed: it is the last that can be done for the item, and limits
	// its own time.
	// The default is none: such items count as failed.
	DeadLetter func(ctx context.Context, in In, err *retry.Error) error
	// Key names what items have in common: those of one key run one at a time, in the order
	// they were submitted, also across retries. The empty key is one as well. An item that is
	// ended before its first attempt, by its context or its task, does not wait for its turn
	// to be settled. Key is called once an item, by the submitter.
	// The default is none: no order but that of the queue.
	Key func(In) string
	// Events are told what happens to the items.
	// The default is none.
	Events Events[In]
	// Clock is what parked items wait by, and what the Policy goes by unless it has a clock of
	// its own. It is for tests; under testing/synctest it is not needed.
	// The default is the Policy's clock, and the real one if it has none.
	Clock retry.Clock
}

// fault is one thing that is wrong with what New was given.
type fault struct{ field, problem string }

func (f fault) Error() string        { return "retrypool: " + f.field + ": " + f.problem }
func (f fault) Is(target error) bool { return target == retry.ErrOption }

// check returns everything that is wrong with c, nil if nothing is.
func (c *Config[In]) check() (faults []error) {
	atLeast := func(field string, value, bound int) {
		if value < bound {
			faults = append(faults, fault{field, fmt.Sprintf("%d is below %d", value, bound)})
		}
	}
	atLeast("Config.Workers", c.Workers, 1)
	atLeast("Config.Capacity", c.Capacity, 1)
	if c.Capacity > math.MaxInt32 {
		faults = append(faults, fault{"Config.Capacity", fmt.Sprintf("%d is above %d", c.Capacity, math.MaxInt32)})
	}
	if c.MaxRetrying < 0 {
		faults = append(faults, fault{"Config.MaxRetrying", fmt.Sprintf("%d is negative", c.MaxRetrying)})
	}
	return faults
}

// policy is the policy with the pool's clock, which is its own if the pool has none, and what is
// wrong with it for values of type Out.
func checkPolicy[In, Out any](c *Config[In]) (p *retry.Policy, faults []error) {
	p = c.Policy
	if c.Clock == nil {
		c.Clock = p.Clock()
	} else {
		var err error
		if p, err = retry.New(retry.WithClock(c.Clock), c.Policy); err != nil {
			return nil, []error{err}
		}
	}
	// A step without a function runs nothing and says everything that is wrong with it, the
	// missing function last.
	run := p.Start(context.Background())
	retry.TryValue[Out](run, nil)
	var all interface{ Unwrap() []error }
	if errors.As(run.Err(), &all) {
		faults = all.Unwrap()
		faults = faults[:len(faults)-1]
	}
	return p, faults
}
