package sim

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/seed-205ff063/retry"
)

// The bounds of what a policy may do in one run. A policy that exceeds them gets an error.
const (
	maxOutageAttempts    = 20_000_000
	maxAttemptsAtOneTime = 1_000_000
	maxCallsUnderWay     = 200_000
	drainTime            = 10 * time.Second // for calls that are under way when the run ends
)

// simulate runs the model under one policy.
func (o Outage) simulate(ctx context.Context, p Policy, progress *progressCounter) (OutageResult, error) {
	w := newWorld(ctx)
	defer w.close()
	run, err := o.newRun(w, p)
	if err != nil {
		return OutageResult{}, err
	}
	w.start(run.startCalls)
	step := (o.length() + drainTime) / outageProgressSteps
	for until := step; until <= step*outageProgressSteps; until += step {
		if err := w.run(ctx, until); err != nil {
			return OutageResult{}, err
		}
		if run.err != nil {
			return OutageResult{}, fmt.Errorf("policy %q: %w", p.Name, run.err)
		}
		progress.add(1)
	}
	return run.result(p.Name), nil
}

// newRun makes the state of a run. Calls, answers and jitter have separate random numbers, so
// that different policies meet the same calls.
func (o Outage) newRun(w *world, p Policy) (*outageRun, error) {
	buckets := int(o.length() / OutageBucket)
	run := &outageRun{
		Outage: o, world: w, random: newRand(o.Seed, 1),
		server: &server{
			meanService: time.Duration(float64(time.Second) / o.Capacity), queueLimit: o.Queue,
			downFrom: o.Before, downUntil: o.Before + o.Down, refuses: o.Refuse, random: newRand(o.Seed, 2),
		},
		calls: make([]int, buckets), succeeded: make([]int, buckets),
		load: make([]int, buckets), goodput: make([]int, buckets),
	}
	jitter := newRand(o.Seed, 3)
	for range o.Layers {
		policy, err := p.forRun(worldClock{w}, jitter, nil, o.layerOptions())
		if err != nil {
			return nil, err
		}
		run.policies = append(run.policies, policy)
	}
	return run, nil
}

// layerOptions returns the options that the model adds to the policy of one layer.
func (o Outage) layerOptions() (opts []retry.Option) {
	if o.Budget != nil {
		opts = append(opts, retry.WithBudget(retry.NewBudget(o.Budget.Ratio, o.Budget.Burst)))
	}
	if o.NoNesting {
		opts = append(opts, retry.WithStopIf(retry.AlreadyRetried))
	}
	return opts
}

// outageRun is the state of one run of an Outage.
type outageRun struct {
	Outage
	world    *world
	server   *server
	policies []*retry.Policy // one for each layer, the outermost first
	random   *rand.Rand      // when calls begin
	err      error           // why the run cannot go on

	attempts          int
	attemptsAtOneTime int // how many attempts began at lastAttempt
	lastAttempt       time.Duration

	calls, succeeded []int // by when the call began
	load             []int // attempts, by when the request arrived
	goodput          []int // successful calls, by when they succeeded
}

// startCalls starts calls at random moments. It continues after the end of the run, so that
// calls which are then under way meet the same load.
func (r *outageRun) startCalls(p *process) {
	for !r.world.closed && r.err == nil {
		p.sleep(time.Duration(r.random.ExpFloat64() / r.Rate * float64(time.Second)))
		if len(r.world.processes) > maxCallsUnderWay {
			r.err = fieldError("Rate", "more than %d calls are under way at once; lower it, or the policy's attempts and waits", maxCallsUnderWay)
			return
		}
		r.world.start(r.call)
	}
}

// call makes one call and counts how it ends.
func (r *outageRun) call(p *process) {
	start := r.world.now
	countAt(r.calls, start)
	err := r.callLayer(r.world.ctx, p, 0)
	switch {
	case r.world.closed:
	case err == nil:
		countAt(r.succeeded, start)
		countAt(r.goodput, r.world.now)
	case errors.Is(err, retry.ErrOption):
		r.err = err
	}
}

// callLayer makes a call of layer i. Each attempt is a call of the next layer, or a request
// after the last layer.
func (r *outageRun) callLayer(ctx context.Context, p *process, i int) error {
	if i == len(r.policies) {
		return r.attempt(ctx, p)
	}
	return p.runPolicy(ctx, r.policies[i], func(ctx context.Context) error {
		return r.callLayer(ctx, p, i+1)
	})
}

// attempt sends one request to the server.
func (r *outageRun) attempt(ctx context.Context, p *process) error {
	countAt(r.load, r.world.now)
	if r.countAttempt(); r.err != nil {
		return retry.Permanent(r.err)
	}
	return r.server.request(ctx, p, r.Timeout)
}

// countAttempt ends the run if there are too many attempts. If a policy does not wait, the
// simulated time would otherwise stand still.
func (r *outageRun) countAttempt() {
	r.attempts++
	if r.attemptsAtOneTime++; r.world.now != r.lastAttempt {
		r.attemptsAtOneTime, r.lastAttempt = 0, r.world.now
	}
	switch {
	case r.err != nil:
	case r.attemptsAtOneTime > maxAttemptsAtOneTime:
		r.err = fieldError("Rate", "more than %d attempts at the same moment; the policy must wait", maxAttemptsAtOneTime)
	case r.attempts > maxOutageAttempts:
		r.err = fieldError("Rate", "more than %d attempts in all; lower it, or let the policy wait longer", maxOutageAttempts)
	}
}
