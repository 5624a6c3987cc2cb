package retrypool

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/seed-205ff063/retry"
)

// Config configures a [Pool]. Workers and Capacity must be set.
type Config[In any] struct {
	// Workers is how many goroutines work on items, and so how many items run at once. Less
	// than 1 is an error.
	Workers int
	// Capacity is how many items the pool holds at most: queued, running and parked together.
	// [Pool.Submit] waits while the pool is full. A Capacity below Workers leaves workers idle.
	// Less than 1 is an error, and so is more than math.MaxInt32.
	Capacity int
	// MaxRetrying is how many retries run at once at most. Below Workers, it leaves workers
	// free for first attempts. A negative value is an error.
	// The default is 0: no limit other than the alternation of first attempts and retries.
	MaxRetrying int
	// Policy says what is retried and how. An item's call begins with its first attempt, so
	// the time in the queue does not count against retry.WithMaxElapsed. A validator must be
	// for the type that the pool's function returns.
	// The default is that of package retry: 5 attempts.
	Policy *retry.Policy
	// DeadLetter receives an item that failed for good. The item counts as running meanwhile.
	// If DeadLetter returns an error or panics, the item counts as failed, and its error
	// matches both errors. Canceled items do not go to DeadLetter, unless [Pool.Close]
	// canceled them.
	//
	// err is never nil. err.Err is nil if no attempt was made. After a Close that gave up, err
	// matches [ErrClosed].
	//
	// ctx has the values of the context that the item was submitted with. It does not end,
	// not even when the pool is closed, so DeadLetter must limit its own time.
	//
	// DeadLetter must be safe for concurrent use, and Workers does not bound it. It runs in the
	// worker that made the last attempt. If the deadline of the item's context passed while the
	// item waited, it may run in another goroutine.
	// The default is nil: such items count as failed.
	DeadLetter func(ctx context.Context, in In, err *retry.Error) error
	// Key returns the key of an item. Items of one key run one at a time, in the order they
	// were submitted, also across retries. The empty key is a key too. An item that its context
	// or task ends before its first attempt is settled without waiting for its turn. The
	// submitter calls Key, once for each item.
	// The default is nil: items have no key.
	Key func(In) string
	// Events are called as things happen to items.
	// The default is no callbacks.
	Events Events[In]
	// Clock is the clock by which parked items wait. The Policy uses it too, unless it has a
	// clock of its own. Clock is for tests; under testing/synctest you do not need it.
	// The default is the Policy's clock, or the real one if it has none.
	Clock retry.Clock
}

// fault is one error in the arguments of New.
type fault struct{ field, problem string }

func (f fault) Error() string        { return "retrypool: " + f.field + ": " + f.problem }
func (f fault) Is(target error) bool { return target == retry.ErrOption }

// check returns every error in c's numbers.
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

// checkPolicy returns the policy with the pool's clock and every error in the policy for values
// of type Out. If c has no clock, it sets the policy's.
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
	// A step with a nil function runs nothing. It reports every error in the policy, and the
	// nil function last.
	run := p.Start(context.Background())
	retry.TryValue[Out](run, nil)
	var all interface{ Unwrap() []error }
	if errors.As(run.Err(), &all) {
		faults = all.Unwrap()
		faults = faults[:len(faults)-1]
	}
	return p, faults
}
