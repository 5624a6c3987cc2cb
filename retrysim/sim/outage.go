package sim

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/seed-205ff063/retry"
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
	outageTimeout      = time.Second // by default
	outageQueue        = 2           // time-outs' worth of work, by default
	maxOutageRate      = 100_000
	maxOutageCapacity  = 1_000_000
	maxOutageQueue     = 10_000_000
	maxOutageLayers    = 5
	maxOutageRatio     = 100
	maxOutageBurst     = 1_000_000_000
	minOutage          = time.Second
	maxOutageCalls     = 10_000_000
	maxOutageAttempts  = 20_000_000
	maxOutageAtOnce    = 1_000_000 // attempts at one moment
	maxOutageLiving    = 200_000
	settling           = 10 * time.Second // for calls that are under way at the end of the run
	recoveryWindow     = int(time.Second / OutageBucket)
	recoveryPercentage = 99
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

func (o Outage) fault() error {
	budget := BudgetSize{}
	if o.Budget != nil {
		budget = *o.Budget
	}
	faults := []error{
		faultIf(!(budget.Ratio >= 0 && budget.Ratio <= maxOutageRatio), "Budget", "a ratio of %v is not from 0 to %d", budget.Ratio, maxOutageRatio),
		faultIf(budget.Burst < 0 || budget.Burst > maxOutageBurst, "Budget", "a burst of %d is not from 0 to %d", budget.Burst, maxOutageBurst),
		faultIf(!(o.Rate > 0 && o.Rate <= maxOutageRate), "Rate", "%v is not above 0 and at most %d", o.Rate, maxOutageRate),
		faultIf(!(o.Capacity > 0 && o.Capacity <= maxOutageCapacity), "Capacity", "%v is not above 0 and at most %d", o.Capacity, maxOutageCapacity),
		faultIf(o.Queue < 1 || o.Queue > maxOutageQueue, "Queue", "%d is not from 1 to %d", o.Queue, maxOutageQueue),
		faultIf(o.Timeout <= 0, "Timeout", "%v is not above 0", o.Timeout),
		faultIf(o.Layers < 1 || o.Layers > maxOutageLayers, "Layers", "%d is not from 1 to %d", o.Layers, maxOutageLayers),
	}
	for _, part := range []struct {
		name string
		d    time.Duration
	}{{"Before", o.Before}, {"Down", o.Down}, {"After", o.After}} {
		faults = append(faults, faultIf(part.d < 0 || part.d > time.Hour, part.name, "%v is not from 0s to 1h", part.d))
	}
	if err := errors.Join(faults...); err != nil {
		return err
	}
	length := o.length()
	return errors.Join(
		faultIf(length < minOutage, "Down", "%v: the run lasts %v in all, which is below %v", o.Down, length, minOutage),
		faultIf(o.Rate*length.Seconds() > maxOutageCalls, "Rate", "%v calls a second for %v are more than %d; lower one of them", o.Rate, length, maxOutageCalls),
	)
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

// outageParts is in how many parts each policy's run reports its progress.
const outageParts = 100

// one simulates one policy.
func (o Outage) one(ctx context.Context, p Policy, progress *meter) (OutageResult, error) {
	w := newWorld(ctx)
	defer w.close()
	run, err := o.begin(w, p)
	if err != nil {
		return OutageResult{}, err
	}
	w.start(run.arrive)
	step := (o.length() + settling) / outageParts
	for until := step; until <= step*outageParts; until += step {
		if err := w.run(ctx, until); err != nil {
			return OutageResult{}, err
		}
		if run.failure != nil {
			return OutageResult{}, fmt.Errorf("policy %q: %w", p.Name, run.failure)
		}
		progress.add(1)
	}
	return run.result(p.Name), nil
}

// begin makes the state of a run. Arrivals, services and policies have random numbers of their
// own, so that different policies meet the same calls.
func (o Outage) begin(w *world, p Policy) (*outageRun, error) {
	buckets := int(o.length() / OutageBucket)
	run := &outageRun{
		Outage: o, world: w, arrivals: random(o.Seed, 1),
		server: &server{
			service: time.Duration(float64(time.Second) / o.Capacity), room: o.Queue,
			down: o.Before, up: o.Before + o.Down, refuses: o.Refuse, random: random(o.Seed, 2),
		},
		begun: make([]int, buckets), good: make([]int, buckets),
		load: make([]int, buckets), answered: make([]int, buckets),
	}
	jitter := random(o.Seed, 3)
	for range o.Layers {
		var last []retry.Option
		if o.Budget != nil {
			last = append(last, retry.WithBudget(retry.NewBudget(o.Budget.Ratio, o.Budget.Burst)))
		}
		if o.NoNesting {
			last = append(last, retry.WithStopIf(retry.AlreadyRetried))
		}
		policy, err := p.in(worldClock{w}, jitter, nil, last)
		if err != nil {
			return nil, err
		}
		run.policies = append(run.policies, policy)
	}
	return run, nil
}

// outageRun is one simulation.
type outageRun struct {
	Outage
	world    *world
	server   *server
	policies []*retry.Policy // of the layers, the outermost first
	arrivals *rand.Rand
	failure  error

	attempts, atOnce int
	lastAttempt      time.Duration

	begun, good    []int // calls by when they began, and those of them that succeeded
	load, answered []int // attempts, and calls by when they succeeded
}

// arrive begins calls. It goes on after the end of the run, so that those which are under way
// then meet the same load.
func (r *outageRun) arrive(p *process) {
	for !r.world.over && r.failure == nil {
		p.sleep(time.Duration(r.arrivals.ExpFloat64() / r.Rate * float64(time.Second)))
		if len(r.world.living) > maxOutageLiving {
			r.failure = fault("Rate", "more than %d calls are under way at once; lower it, or the policy's attempts and waits", maxOutageLiving)
			return
		}
		r.world.start(r.call)
	}
}

// call is one user's call.
func (r *outageRun) call(p *process) {
	began := r.world.now
	tally(r.begun, began)
	err := r.layer(r.world.ctx, p, 0)
	switch {
	case r.world.over:
	case err == nil:
		tally(r.good, began)
		tally(r.answered, r.world.now)
	case errors.Is(err, retry.ErrOption):
		r.failure = err
	}
}

// layer makes the call of the numbered layer, whose attempts are calls of the next.
func (r *outageRun) layer(ctx context.Context, p *process, number int) error {
	if number == len(r.policies) {
		return r.attempt(ctx, p)
	}
	return p.call(ctx, r.policies[number], func(ctx context.Context) error {
		return r.layer(ctx, p, number+1)
	})
}

// attempt is a request to the server.
func (r *outageRun) attempt(ctx context.Context, p *process) error {
	tally(r.load, r.world.now)
	if r.count(); r.failure != nil {
		return retry.Permanent(r.failure)
	}
	return r.server.request(ctx, p, r.Timeout)
}

// count ends the run when there are too many attempts: a policy that does not wait would let
// time stand still.
func (r *outageRun) count() {
	r.attempts++
	if r.atOnce++; r.world.now != r.lastAttempt {
		r.atOnce, r.lastAttempt = 0, r.world.now
	}
	switch {
	case r.failure != nil:
	case r.atOnce > maxOutageAtOnce:
		r.failure = fault("Rate", "more than %d attempts at the same moment; the policy must wait", maxOutageAtOnce)
	case r.attempts > maxOutageAttempts:
		r.failure = fault("Rate", "more than %d attempts in all; lower it, or let the policy wait longer", maxOutageAttempts)
	}
}

// tally counts something that happens at the time, if that is within the run.
func tally(buckets []int, at time.Duration) {
	if i := int(at / OutageBucket); i < len(buckets) {
		buckets[i]++
	}
}

func (r *outageRun) result(name string) OutageResult {
	result := OutageResult{
		Policy: name, Layers: r.Layers,
		Calls: sum(r.begun), Attempts: sum(r.load), Succeeded: sum(r.good),
		Load: r.load, Goodput: r.answered,
	}
	calls := float64(max(result.Calls, 1))
	result.Amplification = float64(result.Attempts) / calls
	result.GoodputShare = float64(result.Succeeded) / calls
	const window = recoveryWindow
	for i := range len(r.load) - window + 1 {
		inWindow := float64(sum(r.load[i : i+window]))
		result.PeakLoad = max(result.PeakLoad, inWindow)
	}
	result.Recovered, result.HasRecovered = r.recovered()
	return result
}

// recovered returns how long after the outage no second follows any more in which less than
// 99 % of the calls that began succeeded.
func (r *outageRun) recovered() (time.Duration, bool) {
	first := int((r.Before + r.Down + OutageBucket - 1) / OutageBucket)
	last := len(r.begun) - recoveryWindow
	if first > last {
		return 0, false // there is no second to judge by
	}
	healthy := last + 1
	for i := last; i >= first; i-- {
		if 100*sum(r.good[i:i+recoveryWindow]) < recoveryPercentage*sum(r.begun[i:i+recoveryWindow]) {
			break
		}
		healthy = i
	}
	return time.Duration(healthy-first) * OutageBucket, healthy <= last
}

func sum(counts []int) (total int) {
	for _, n := range counts {
		total += n
	}
	return total
}

// errRefused is what a client hears of a server that is down or whose queue is full.
var errRefused = errors.New("refused")
