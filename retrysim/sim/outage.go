package sim

import (
	"context"
	"math"
	"time"
)

// Outage is a server that goes down and comes back under an open load: calls begin at random
// moments (a Poisson process), whether or not earlier ones have succeeded. The server answers
// one request after another, each after an exponentially distributed time, and has a queue of
// limited length. A client waits for an answer until its time is up. Then it leaves, and its
// policy decides; the server does not notice and does the work all the same. So a queue that
// is longer than the clients' patience makes the server busy with work that nobody waits for,
// and retries can keep it so after the cause is gone: a metastable failure.
//
// While it is down the server accepts requests into its queue and answers none, as one does
// that hangs on a lock or a disk. With Refuse it refuses them at once and forgets its queue, as
// a process does that has crashed.
//
// With several Layers each call of a layer makes its attempts on the next one, and the last
// layer's attempts reach the server, as when services call each other and every one retries.
// Each layer uses the same policy and has a budget of its own.
//
// It assumes one server, or several behind a balancer that is fair; a network that takes no
// time; calls of equal weight; and clients without number, each of which makes one call.
// It leaves out load shedding, circuit breakers, autoscaling, priorities, and users who reload.
//
// It is a plain value and safe for concurrent use.
type Outage struct {
	// Rate is how many calls begin in a second, above 0 and at most 100000.
	Rate float64
	// Capacity is how many requests the server can answer in a second, above 0 and at most 1
	// million.
	Capacity float64
	// Queue is how many requests the server holds, from 1 to 10 million. More are refused at
	// once. Defaults to what it can answer in twice the Timeout.
	Queue int
	// Timeout is how long a client waits for an answer, above 0. Defaults to 1s. Where the policy
	// has an attempt_timeout that is shorter, it counts.
	Timeout time.Duration
	// Before, Down and After are how long the run lasts before, in and after the outage: each
	// from 0 to an hour, together at least a second.
	Before, Down, After time.Duration
	// Layers is the number of layers that retry, from 1 to 5. Defaults to 1.
	Layers int
	// Budget is each layer's budget, shared by all of its calls: a ratio from 0 to 100 and a burst
	// from 0 to a billion. Nil: none.
	Budget *BudgetSize
	// NoNesting makes the policy stop at an error that an inner layer has retried already, as
	// WithStopIf(retry.AlreadyRetried) does.
	NoNesting bool
	// Refuse makes the server refuse requests while it is down, in place of hanging.
	Refuse bool
	// Seed selects the random numbers.
	Seed uint64
	// Progress hears how many parts of the work are done, of how many; calls do not overlap.
	// Nil: nobody does.
	Progress func(done, total int)
}

// BudgetSize is the size of a budget, see [retry.NewBudget].
type BudgetSize struct {
	Ratio float64
	Burst int
}

// OutageResult is what a policy makes of an outage.
type OutageResult struct {
	Policy string
	Layers int
	// Calls counts the calls that began in the run, Attempts the requests that arrived at the
	// server in the run, and Succeeded the calls among Calls that succeeded, if need be after
	// the run's end.
	Calls, Attempts, Succeeded int
	// Amplification is Attempts by Calls.
	Amplification float64
	// PeakLoad is the number of requests that arrived at the server in the busiest second.
	PeakLoad float64
	// GoodputShare is Succeeded by Calls.
	GoodputShare float64
	// Recovered is the time from the end of the outage to the first second from which on at
	// least 99 % of the calls that begin in any second succeed. It means nothing unless
	// HasRecovered.
	Recovered    time.Duration
	HasRecovered bool
	// Load and Goodput are the requests that arrived at the server, and the calls that
	// succeeded, in each OutageBucket of the run.
	Load, Goodput []int
}

// OutageBucket is the time over which [Outage] counts.
const OutageBucket = 100 * time.Millisecond

const (
	outageTimeout = time.Second // by default
	outageQueue   = 2           // time-outs' worth of work, by default
)

// withDefaults fills in what is left out.
func (o Outage) withDefaults() Outage {
	if o.Timeout == 0 {
		o.Timeout = outageTimeout
	}
	if o.Layers == 0 {
		o.Layers = 1
	}
	if o.Queue == 0 {
		o.Queue = int(min(max(math.Ceil(outageQueue*o.Capacity*o.Timeout.Seconds()), 1), maxOutageQueue))
	}
	return o
}

func (o Outage) length() time.Duration { return o.Before + o.Down + o.After }

// Run returns a result for each policy, in their order.
func (o Outage) Run(ctx context.Context, policies ...Policy) ([]OutageResult, error) {
	o = o.withDefaults()
	if err := o.fault(); err != nil {
		return nil, err
	}
	progress := meter{total: outageParts * len(policies), report: o.Progress}
	results := make([]OutageResult, len(policies))
	err := parallel(ctx, len(policies), func(i int) (err error) {
		results[i], err = o.one(ctx, policies[i], &progress)
		return err
	})
	return results, err
}
