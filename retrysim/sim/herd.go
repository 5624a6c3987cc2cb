package sim

import (
	"context"
	"errors"
	"time"

	"github.com/seed-205ff063/retry"
)

// Herd models a thundering herd: every client makes its first attempt at the same moment, and
// every attempt fails at once. It shows how far a policy spreads the retries, and for how
// long.
//
// The model assumes that attempts take no time, that every attempt fails, and that each client
// makes one call under the same policy. Only the policy ends a call.
//
// The model leaves out the server, which has no capacity and gives no hints. It also leaves
// out the network, clients that start at other times, and anything clients share, such as a
// budget. Clients therefore do not affect each other and are simulated one after another, each
// on its own clock.
//
// A Herd is a plain value and safe for concurrent use.
type Herd struct {
	// Clients is the number of clients, from 1 to 10 million.
	Clients int
	// Retries is the number of retries after which the model stops following a client, from 1
	// to 10000. The default is 100.
	Retries int
	// Seed selects the random numbers.
	Seed uint64
	// Progress is called with the number of finished clients and the number of clients of all
	// policies together. Its calls do not overlap. The default, nil, reports nothing.
	Progress func(done, total int)
}

// HerdBucket is the length of the intervals in which [Herd] counts arrivals.
const HerdBucket = 50 * time.Millisecond

// HerdResult is the result of a [Herd] under one policy.
type HerdResult struct {
	Policy  string
	Clients int
	// PeakShare is the number of retries that arrive in the busiest HerdBucket, divided by the
	// number of clients. First attempts, which all arrive at 0, do not count.
	PeakShare float64
	// PeakShareAfterFirst is the same without the first retry of each client.
	PeakShareAfterFirst float64
	// AtCapShare is the share of the clients whose last wait was exactly the policy's
	// max_delay. It is 0 for a policy without a cap.
	AtCapShare float64
	// MedianTotal and P99Total are the median and the 99th percentile of the total time that a
	// client waits before it gives up.
	MedianTotal, P99Total time.Duration
	// Arrivals counts the retries in each HerdBucket from 0 on, for at most the first hour.
	Arrivals []int
	// Left reports whether some clients had not given up after Herd.Retries retries.
	Left bool
}

const (
	maxHerdClients     = 10_000_000
	maxHerdRetries     = 10_000
	defaultHerdRetries = 100
	maxHerdAttempts    = 1_000_000_000
	clientsPerChunk    = 4096 // clients that share a source of random numbers
)

func (h Herd) validate() error {
	retries := h.retries()
	return errors.Join(
		fieldErrorIf(h.Clients < 1 || h.Clients > maxHerdClients, "Clients", "%d is not from 1 to %d", h.Clients, maxHerdClients),
		fieldErrorIf(retries < 1 || retries > maxHerdRetries, "Retries", "%d is not from 1 to %d", retries, maxHerdRetries),
		fieldErrorIf(int64(h.Clients)*int64(retries) > maxHerdAttempts, "Retries", "up to %d of each of %d clients are more than %d in all; lower one of them",
			retries, h.Clients, maxHerdAttempts),
	)
}

// retries returns Retries or its default.
func (h Herd) retries() int {
	if h.Retries == 0 {
		return defaultHerdRetries
	}
	return h.Retries
}

// Run returns one result for each policy, in the order of the policies.
func (h Herd) Run(ctx context.Context, policies ...Policy) ([]HerdResult, error) {
	if err := h.validate(); err != nil {
		return nil, err
	}
	progress := progressCounter{total: h.Clients * len(policies), report: h.Progress}
	results := make([]HerdResult, len(policies))
	for i, p := range policies {
		var err error
		if results[i], err = h.simulate(ctx, p, &progress); err != nil {
			return nil, err
		}
	}
	return results, nil
}

// simulate runs the model under one policy.
func (h Herd) simulate(ctx context.Context, p Policy, progress *progressCounter) (HerdResult, error) {
	chunks := (h.Clients + clientsPerChunk - 1) / clientsPerChunk
	totals := make([]time.Duration, h.Clients)
	maxDelay, capped := p.maxDelay()
	if !capped {
		maxDelay = -1 // equals no wait
	}
	shared := make(chan *herdCounts, 1)
	shared <- &herdCounts{}
	err := parallel(ctx, chunks, func(i int) error {
		first, end := i*clientsPerChunk, min((i+1)*clientsPerChunk, h.Clients)
		counts, err := h.simulateChunk(ctx, p, uint64(i), maxDelay, totals[first:end])
		if err != nil {
			return err
		}
		sum := <-shared
		sum.merge(counts)
		shared <- sum
		progress.add(end - first)
		return nil
	})
	if err != nil {
		return HerdResult{}, err
	}
	return (<-shared).result(p.Name, totals), nil
}

// simulateChunk simulates one client for each element of totals, and stores in it the total
// time that the client waits.
func (h Herd) simulateChunk(ctx context.Context, p Policy, chunk uint64, maxDelay time.Duration, totals []time.Duration) (*herdCounts, error) {
	clock := &clientClock{now: epoch}
	policy, err := p.forRun(clock, newRand(h.Seed, chunk), nil, nil)
	if err != nil {
		return nil, err
	}
	counts := &herdCounts{}
	for i := range totals {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		clock.now = epoch
		lastWait, err := h.simulateClient(policy, clock, counts)
		if err != nil {
			return nil, err
		}
		totals[i] = clock.now.Sub(epoch)
		if lastWait == maxDelay {
			counts.atCap++
		}
	}
	return counts, nil
}

// simulateClient makes one call and returns its last wait.
func (h Herd) simulateClient(policy *retry.Policy, clock *clientClock, counts *herdCounts) (lastWait time.Duration, err error) {
	run := policy.Start(context.Background())
	fail := func(context.Context) error { return errSimulated }
	wait, again := run.Try(fail)
	for retries := 1; again; retries++ {
		if retries > h.retries() {
			counts.unfinished = true
			return lastWait, nil
		}
		lastWait = wait
		clock.now = clock.now.Add(wait)
		counts.addRetry(clock.now.Sub(epoch), retries == 1)
		wait, again = run.Try(fail)
	}
	if err := run.Err(); errors.Is(err, retry.ErrOption) {
		return 0, err
	}
	return lastWait, nil
}
