package sim

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/seed-205ff063/retry"
)

// OCC is optimistic concurrency: clients that all start at the same moment compete for one row
// that has a version. Each reads the row, then writes it with the version that it read. A write
// with an old version fails, and the client backs off before it reads again. It is done with
// its first write that succeeds.
//
// The model is the one published in
// https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/. Each of the four
// messages of an attempt (read, answer, write, answer) takes |N(10, 2)| milliseconds. The
// published figures begin with a backoff that is doubled already: what they call a base of 5 ms
// is exponential(10ms,2) here. They clamp the decorrelated wait at the cap where
// [retry.Decorrelated] caps its range, which makes a small difference.
//
// It assumes that the server takes no time and any number of requests, that messages are never
// lost, and that each client has one thing to write. It leaves out every other load.
//
// Clients go on until they succeed unless the policy itself sets a limit: the default
// max_attempts does not apply. An error that the policy does not retry cannot occur.
//
// It is a plain value and safe for concurrent use.
type OCC struct {
	// Clients are the numbers of clients to simulate, one after another: each from 1 to 1000.
	Clients []int
	// Trials is how many simulations each result is the mean of, from 1 to 10000. Defaults to
	// 100.
	Trials int
	// Seed selects the random numbers.
	Seed uint64
	// Progress hears how many trials are done, of how many in all; calls do not overlap. Nil:
	// nobody does.
	Progress func(done, total int)
}

// OCCResult is what a policy makes of a number of clients: the mean of all trials.
type OCCResult struct {
	Policy  string
	Clients int
	// Calls is the number of writes until all clients were done.
	Calls float64
	// Time is how long that took.
	Time time.Duration
	// GaveUp is the number of clients that gave up because the policy has a limit.
	GaveUp float64
}

const (
	maxOCCClients = 1000
	maxOCCTrials  = 10_000
	occTrials     = 100 // by default
	maxOCCCalls   = 1_000_000
	messageMean   = 10 * float64(time.Millisecond)
	messageSpread = 2 * float64(time.Millisecond)
)

func (o OCC) fault() error {
	faults := []error{
		faultIf(len(o.Clients) == 0, "Clients", "there are none; give at least one number"),
		faultIf(o.trials() < 1 || o.trials() > maxOCCTrials, "Trials", "%d is not from 1 to %d", o.Trials, maxOCCTrials),
	}
	for _, n := range o.Clients {
		faults = append(faults, faultIf(n < 1 || n > maxOCCClients, "Clients", "%d is not from 1 to %d", n, maxOCCClients))
	}
	return errors.Join(faults...)
}

func (o OCC) trials() int {
	if o.Trials == 0 {
		return occTrials
	}
	return o.Trials
}

// Run returns a result for each policy and each number of clients, the policies in their order.
func (o OCC) Run(ctx context.Context, policies ...Policy) ([]OCCResult, error) {
	if err := o.fault(); err != nil {
		return nil, err
	}
	trials := o.trials()
	cells := len(policies) * len(o.Clients)
	raw := make([]occTrial, cells*trials)
	progress := meter{total: len(raw), report: o.Progress}
	err := parallel(ctx, len(raw), func(i int) error {
		cell, number := i/trials, i%trials
		p, clients := policies[cell/len(o.Clients)], o.Clients[cell%len(o.Clients)]
		defer progress.add(1)
		return raw[i].run(ctx, p, clients, random(o.Seed, uint64(number)))
	})
	if err != nil {
		return nil, err
	}
	var results []OCCResult
	for cell, ofCell := range slices.Collect(slices.Chunk(raw, trials)) {
		results = append(results, mean(policies[cell/len(o.Clients)].Name, o.Clients[cell%len(o.Clients)], ofCell))
	}
	return results, nil
}

func mean(policy string, clients int, trials []occTrial) OCCResult {
	var sum occTrial
	for _, t := range trials {
		sum.calls += t.calls
		sum.gaveUp += t.gaveUp
		sum.end += t.end / time.Duration(len(trials))
	}
	n := float64(len(trials))
	return OCCResult{
		Policy: policy, Clients: clients,
		Calls: float64(sum.calls) / n, GaveUp: float64(sum.gaveUp) / n, Time: sum.end,
	}
}

// occTrial is one simulation.
type occTrial struct {
	version, calls, gaveUp int
	end                    time.Duration
}

func (t *occTrial) run(ctx context.Context, p Policy, clients int, r *rand.Rand) error {
	w := newWorld(ctx)
	defer w.close()
	policy, err := p.in(worldClock{w}, r, []retry.Option{retry.WithMaxAttempts(retry.Unlimited)}, nil)
	if err != nil {
		return err
	}
	var failure error
	for range clients {
		w.start(func(c *process) {
			err := c.call(w.ctx, policy, func(ctx context.Context) error { return t.write(ctx, c, r) })
			switch {
			case errors.Is(err, retry.ErrOption):
				failure = err
			case err != nil:
				t.gaveUp++
			}
			t.end = w.now
		})
	}
	if err := w.run(ctx, math.MaxInt64); err != nil {
		return err
	}
	if t.calls > maxOCCCalls {
		return fault("Clients", "policy %q makes more than %d writes in one trial; it must wait longer, or there must be fewer clients", p.Name, maxOCCCalls)
	}
	return failure
}

// write is one attempt: read the row, then write it.
func (t *occTrial) write(ctx context.Context, c *process, r *rand.Rand) error {
	message := func() error {
		return c.work(ctx, time.Duration(math.Abs(messageMean+messageSpread*r.NormFloat64())))
	}
	if err := message(); err != nil {
		return err
	}
	seen := t.version
	if err := errors.Join(message(), message()); err != nil {
		return err
	}
	if t.calls++; t.calls > maxOCCCalls {
		return retry.Permanent(errSimulated)
	}
	fresh := seen == t.version
	if fresh {
		t.version++
	}
	if err := message(); err != nil {
		return err
	}
	if !fresh {
		return errSimulated
	}
	return nil
}
