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

// OCC models optimistic concurrency control: clients that all start at the same moment compete
// for one row that has a version. Each client reads the row, then writes it with the version
// that it read. A write with an old version fails, and the client backs off before it reads
// again. The client stops after its first successful write.
//
// The model is the one published in
// https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/. An attempt has four
// messages: read, answer, write, answer. Each takes |N(10, 2)| milliseconds. The published
// model doubles its backoff before the first wait: a base of 5 ms there is exponential(10ms,2)
// here. It cuts the decorrelated wait at the cap after drawing it. [retry.Decorrelated] caps the
// range instead, which makes a small difference.
//
// The model assumes that the server takes no time and accepts any number of requests, that no
// message is lost, and that each client has one write to make. It leaves out every other load.
//
// Clients try until they succeed, unless the policy itself sets a limit: the default
// max_attempts does not apply. Every error is one that the policy retries.
//
// An OCC is a plain value and safe for concurrent use.
type OCC struct {
	// Clients lists the numbers of clients to simulate, one after another. Each is from 1 to
	// 1000.
	Clients []int
	// Trials is the number of simulations behind each result, from 1 to 10000. The default is
	// 100.
	Trials int
	// Seed selects the random numbers.
	Seed uint64
	// Progress is called with the number of finished trials and the number of all trials. Its
	// calls do not overlap. The default, nil, reports nothing.
	Progress func(done, total int)
}

// OCCResult is the result of an [OCC] under one policy with one number of clients. Its figures
// are means of all trials.
type OCCResult struct {
	Policy  string
	Clients int
	// Calls is the number of writes, failed ones included, until all clients stopped.
	Calls float64
	// Time is how long that took.
	Time time.Duration
	// GaveUp is the number of clients that gave up because the policy has a limit.
	GaveUp float64
}

const (
	maxOCCClients    = 1000
	maxOCCTrials     = 10_000
	defaultOCCTrials = 100
	maxOCCCalls      = 1_000_000 // in one trial
	messageMean      = 10 * float64(time.Millisecond)
	messageDeviation = 2 * float64(time.Millisecond)
)

func (o OCC) validate() error {
	errs := []error{
		fieldErrorIf(len(o.Clients) == 0, "Clients", "there are none; give at least one number"),
		fieldErrorIf(o.trials() < 1 || o.trials() > maxOCCTrials, "Trials", "%d is not from 1 to %d", o.Trials, maxOCCTrials),
	}
	for _, n := range o.Clients {
		errs = append(errs, fieldErrorIf(n < 1 || n > maxOCCClients, "Clients", "%d is not from 1 to %d", n, maxOCCClients))
	}
	return errors.Join(errs...)
}

// trials returns Trials or its default.
func (o OCC) trials() int {
	if o.Trials == 0 {
		return defaultOCCTrials
	}
	return o.Trials
}

// Run returns one result for each policy and each number of clients: all results of the first
// policy, then those of the second, and so on.
func (o OCC) Run(ctx context.Context, policies ...Policy) ([]OCCResult, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	perResult := o.trials()
	trials := make([]occTrial, len(policies)*len(o.Clients)*perResult)
	// settings returns the policy and the number of clients of a result.
	settings := func(result int) (Policy, int) {
		return policies[result/len(o.Clients)], o.Clients[result%len(o.Clients)]
	}
	progress := progressCounter{total: len(trials), report: o.Progress}
	err := parallel(ctx, len(trials), func(i int) error {
		p, clients := settings(i / perResult)
		defer progress.add(1)
		return trials[i].simulate(ctx, p, clients, newRand(o.Seed, uint64(i%perResult)))
	})
	if err != nil {
		return nil, err
	}
	var results []OCCResult
	for chunk := range slices.Chunk(trials, perResult) {
		p, clients := settings(len(results))
		results = append(results, meanOf(p.Name, clients, chunk))
	}
	return results, nil
}

func meanOf(policy string, clients int, trials []occTrial) OCCResult {
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
	version int           // of the row
	calls   int           // writes so far
	gaveUp  int           // clients that gave up
	end     time.Duration // when the last client stopped
}

// simulate runs all clients until each has succeeded or given up.
func (t *occTrial) simulate(ctx context.Context, p Policy, clients int, r *rand.Rand) error {
	w := newWorld(ctx)
	defer w.close()
	policy, err := p.forRun(worldClock{w}, r, []retry.Option{retry.WithMaxAttempts(retry.Unlimited)}, nil)
	if err != nil {
		return err
	}
	var optionErr error
	for range clients {
		w.start(func(client *process) {
			err := client.runPolicy(w.ctx, policy, func(ctx context.Context) error { return t.attempt(ctx, client, r) })
			switch {
			case errors.Is(err, retry.ErrOption):
				optionErr = err
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
		return fieldError("Clients", "policy %q makes more than %d writes in one trial; it must wait longer, or there must be fewer clients", p.Name, maxOCCCalls)
	}
	return optionErr
}

// attempt reads the row, then writes it.
func (t *occTrial) attempt(ctx context.Context, client *process, r *rand.Rand) error {
	message := func() error {
		return client.sleepContext(ctx, time.Duration(math.Abs(messageMean+messageDeviation*r.NormFloat64())))
	}
	if err := message(); err != nil { // the read arrives
		return err
	}
	read := t.version
	if err := errors.Join(message(), message()); err != nil { // its answer, then the write arrives
		return err
	}
	if t.calls++; t.calls > maxOCCCalls {
		return retry.Permanent(errSimulated)
	}
	current := read == t.version
	if current {
		t.version++
	}
	if err := message(); err != nil { // the answer
		return err
	}
	if !current {
		return errSimulated
	}
	return nil
}
