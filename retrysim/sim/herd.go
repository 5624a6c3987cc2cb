package sim

import (
	"context"
	"errors"
	"time"

	"github.com/seed-205ff063/retry"
)

// Herd is the thundering herd: every client makes its first attempt at the same moment, and
// that attempt and every retry fails at once. It shows how far a policy spreads the retries
// out, and for how long.
//
// It assumes that attempts take no time, that all clients fail for ever, that each client
// makes one call under the same policy, and that nothing ends the call but the policy. It
// leaves out the server (it has no capacity and gives no hints), the network, clients that
// started at other times, and anything clients share, such as a budget. As clients then do not
// affect each other, they are simulated one after another, each on a clock of its own.
//
// It is a plain value and safe for concurrent use.
type Herd struct {
	// Clients is the number of clients, from 1 to 10 million.
	Clients int
	// Retries is the number of retries after which a client is left, from 1 to 10000.
	// Defaults to 100.
	Retries int
	// Seed selects the random numbers.
	Seed uint64
	// Progress hears how many clients are done, of how many in all policies together; calls do
	// not overlap. Nil: nobody does.
	Progress func(done, total int)
}

// HerdBucket is the time over which [Herd] counts arrivals.
const HerdBucket = 50 * time.Millisecond

// HerdResult is what a policy makes of a herd.
type HerdResult struct {
	Policy  string
	Clients int
	// PeakShare is the number of retries that arrive in the busiest HerdBucket, as a share of
	// the clients. The first attempts, which all arrive at 0, do not count.
	PeakShare float64
	// PeakShareAfterFirst is the same for the second retries and later ones.
	PeakShareAfterFirst float64
	// AtCapShare is the share of the clients whose last wait was exactly the policy's cap,
	// max_delay. It is 0 for a policy without a cap.
	AtCapShare float64
	// MedianTotal and P99Total are the median and the 99th percentile of the time that a client
	// waits in all before it gives up.
	MedianTotal, P99Total time.Duration
	// Arrivals counts the retries in each HerdBucket from 0 on, for at most the first hour.
	Arrivals []int
	// Left reports whether clients were left, after Herd.Retries, that had not given up.
	Left bool
}

const (
	maxHerdClients  = 10_000_000
	maxHerdRetries  = 10_000
	herdRetries     = 100 // by default
	maxHerdAttempts = 1_000_000_000
	herdChunk       = 4096 // clients that share a source of random numbers
	herdWindow      = int(time.Hour / HerdBucket)
)

func (h Herd) fault() error {
	retries := h.retries()
	return errors.Join(
		faultIf(h.Clients < 1 || h.Clients > maxHerdClients, "Clients", "%d is not from 1 to %d", h.Clients, maxHerdClients),
		faultIf(retries < 1 || retries > maxHerdRetries, "Retries", "%d is not from 1 to %d", retries, maxHerdRetries),
		faultIf(int64(h.Clients)*int64(retries) > maxHerdAttempts, "Retries", "up to %d of each of %d clients are more than %d in all; lower one of them",
			retries, h.Clients, maxHerdAttempts),
	)
}

func (h Herd) retries() int {
	if h.Retries == 0 {
		return herdRetries
	}
	return h.Retries
}

// Run returns a result for each policy, in their order.
func (h Herd) Run(ctx context.Context, policies ...Policy) ([]HerdResult, error) {
	if err := h.fault(); err != nil {
		return nil, err
	}
	progress := meter{total: h.Clients * len(policies), report: h.Progress}
	results := make([]HerdResult, len(policies))
	for i, p := range policies {
		var err error
		if results[i], err = h.one(ctx, p, &progress); err != nil {
			return nil, err
		}
	}
	return results, nil
}

// one simulates one policy.
func (h Herd) one(ctx context.Context, p Policy, progress *meter) (HerdResult, error) {
	chunks := (h.Clients + herdChunk - 1) / herdChunk
	totals := make([]time.Duration, h.Clients)
	limit, capped := p.cap()
	if !capped {
		limit = -1
	}
	tallies := make(chan *herdTally, 1)
	tallies <- &herdTally{}
	err := parallel(ctx, chunks, func(i int) error {
		through := min((i+1)*herdChunk, h.Clients)
		tally, err := h.chunk(ctx, p, uint64(i), limit, totals[i*herdChunk:through])
		if err != nil {
			return err
		}
		sum := <-tallies
		sum.merge(tally)
		tallies <- sum
		progress.add(through - i*herdChunk)
		return nil
	})
	if err != nil {
		return HerdResult{}, err
	}
	return (<-tallies).result(p.Name, totals), nil
}

// chunk simulates the clients of one chunk, and stores how long each waited in all.
func (h Herd) chunk(ctx context.Context, p Policy, number uint64, limit time.Duration, totals []time.Duration) (*herdTally, error) {
	clock := &soloClock{now: start}
	policy, err := p.in(clock, random(h.Seed, number), nil, nil)
	if err != nil {
		return nil, err
	}
	tally := &herdTally{}
	for i := range totals {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		clock.now = start
		last, err := h.client(policy, clock, tally)
		if err != nil {
			return nil, err
		}
		totals[i] = clock.now.Sub(start)
		if last == limit {
			tally.atCap++
		}
	}
	return tally, nil
}

// client drives one call to its end, and returns its last wait.
func (h Herd) client(policy *retry.Policy, clock *soloClock, tally *herdTally) (last time.Duration, err error) {
	run := policy.Start(context.Background())
	fail := func(context.Context) error { return errSimulated }
	wait, again := run.Try(fail)
	for n := 1; again; n++ {
		if n > h.retries() {
			tally.left = true
			return last, nil
		}
		last = wait
		clock.now = clock.now.Add(wait)
		tally.arrive(clock.now.Sub(start), n > 1)
		wait, again = run.Try(fail)
	}
	if err := run.Err(); errors.Is(err, retry.ErrOption) {
		return 0, err
	}
	return last, nil
}
