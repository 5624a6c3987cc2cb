package sim

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/seed-205ff063/retry"
)

const (
	maxOutageAttempts = 20_000_000
	maxOutageAtOnce   = 1_000_000 // attempts at one moment
	maxOutageLiving   = 200_000
	settling          = 10 * time.Second // for calls that are under way at the end of the run
)

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
