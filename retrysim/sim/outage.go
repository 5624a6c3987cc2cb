package sim

import (
	"context"
	"math"
	"time"
)

// Outage models a server that goes down and comes back. Calls begin at random moments (a
// Poisson process), whether or not earlier calls have succeeded.
//
// The server answers one request after another. Each takes an exponentially distributed
// time. The queue is limited. A client waits for its answer until Timeout. Then it leaves,
// and the policy decides what follows. The server does not notice that the client has left
// and does the work anyway. If the queue is longer than clients are willing to wait, the
// server works only for clients that have left. Retries can keep it in this state after the
// outage has ended: a metastable failure.
//
// While the server is down, it accepts requests into its queue and answers none, like a
// process that hangs on a lock or a disk. With Refuse it drops its queue and refuses every
// request at once, like a process that has crashed.
//
// With several Layers, each attempt of a layer is a call of the next layer. The attempts of
// the last layer reach the server. Services that call each other and all retry behave like
// this. Each layer uses the same policy and has its own budget.
//
// The model assumes one server, or several behind a fair load balancer. The network takes no
// time, every request is equally expensive, and each client makes one call. The model leaves
// out load shedding, circuit breakers, autoscaling, priorities, and users who reload.
//
// An Outage is a plain value and safe for concurrent use.
type Outage struct {
	// Rate is the number of calls that begin in a second, above 0 and at most 100000.
	Rate float64
	// Capacity is the number of requests that the server can answer in a second, above 0 and
	// at most 1 million.
	Capacity float64
	// Queue is the number of requests that the server holds, from 1 to 10 million. It refuses
	// further requests at once. The default is what it can answer in twice the Timeout.
	Queue int
	// Timeout is how long a client waits for an answer, above 0. A shorter attempt_timeout of
	// the policy takes precedence. The default is 1s.
	Timeout time.Duration
	// Before, Down and After are the lengths of the run before, during and after the outage.
	// Each is from 0 to an hour. Together they are at least a second.
	Before, Down, After time.Duration
	// Layers is the number of layers that retry, from 1 to 5. The default is 1.
	Layers int
	// Budget is the size of each layer's budget, which all calls of the layer share. The ratio
	// is from 0 to 100, the burst from 0 to a billion. The default, nil, is no budget.
	Budget *BudgetSize
	// NoNesting makes the policy stop at an error that an inner layer has already retried, as
	// WithStopIf(retry.AlreadyRetried) does.
	NoNesting bool
	// Refuse makes the server refuse requests while it is down. The default is to hang.
	Refuse bool
	// Seed selects the random numbers.
	Seed uint64
	// Progress is called with the number of finished parts of the work and the number of all
	// parts. Its calls do not overlap. The default, nil, reports nothing.
	Progress func(done, total int)
}

// BudgetSize is the size of a budget; see [retry.NewBudget].
type BudgetSize struct {
	Ratio float64
	Burst int
}

// OutageResult is the result of an [Outage] under one policy.
type OutageResult struct {
	Policy string
	Layers int
	// Calls is the number of calls that began in the run. Attempts is the number of requests
	// that arrived at the server in the run. Succeeded is how many of Calls succeeded, in the
	// run or after its end.
	Calls, Attempts, Succeeded int
	// Amplification is Attempts divided by Calls.
	Amplification float64
	// PeakLoad is the number of requests that arrived at the server in the busiest second.
	PeakLoad float64
	// GoodputShare is Succeeded divided by Calls.
	GoodputShare float64
	// Recovered is the time from the end of the outage to recovery. The system has recovered
	// when, in every second until the end of the run, at least 99 % of the calls that begin in
	// it succeed. Recovered is meaningless unless HasRecovered is true.
	Recovered    time.Duration
	HasRecovered bool
	// Load counts the requests that arrived at the server, and Goodput the calls that
	// succeeded, in each OutageBucket of the run.
	Load, Goodput []int
}

// OutageBucket is the length of the intervals in which [Outage] counts.
const OutageBucket = 100 * time.Millisecond

const (
	defaultOutageTimeout  = time.Second
	defaultQueuedTimeouts = 2 // the default queue holds the work of this many timeouts
	outageProgressSteps   = 100
)

// Run returns one result for each policy, in the order of the policies.
func (o Outage) Run(ctx context.Context, policies ...Policy) ([]OutageResult, error) {
	o = o.withDefaults()
	if err := o.validate(); err != nil {
		return nil, err
	}
	progress := progressCounter{total: outageProgressSteps * len(policies), report: o.Progress}
	results := make([]OutageResult, len(policies))
	err := parallel(ctx, len(policies), func(i int) (err error) {
		results[i], err = o.simulate(ctx, policies[i], &progress)
		return err
	})
	return results, err
}

// withDefaults replaces zero fields by their defaults.
func (o Outage) withDefaults() Outage {
	if o.Timeout == 0 {
		o.Timeout = defaultOutageTimeout
	}
	if o.Layers == 0 {
		o.Layers = 1
	}
	if o.Queue == 0 {
		queue := math.Ceil(defaultQueuedTimeouts * o.Capacity * o.Timeout.Seconds())
		o.Queue = int(min(max(queue, 1), maxOutageQueue))
	}
	return o
}

// length is the length of the run.
func (o Outage) length() time.Duration { return o.Before + o.Down + o.After }
