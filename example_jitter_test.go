package retry_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrytest"
)

// A jitter is the range from which a wait is drawn, as factors of the nominal delay. Here the
// nominal delay is 10s.
func ExampleJitter() {
	for _, jitter := range []retry.Jitter{
		retry.NoJitter,
		retry.FullJitter,
		retry.EqualJitter,
		{Lo: 0.9, Hi: 1.1}, // any two numbers
	} {
		policy := retry.MustNew(retry.WithBackoff(retry.Constant(10*time.Second)), retry.WithJitter(jitter))
		step := policy.Plan(1)[0]
		fmt.Printf("%v: %v to %v\n", jitter, step.Min, step.Max)
	}
	// Output:
	// none: 10s to 10s
	// full: 0s to 10s
	// equal: 5s to 10s
	// spread(0.1): 9s to 11s
}

// A cap lowers the whole range, so waits stay spread out at the cap.
func ExampleJitter_cap() {
	policy := retry.MustNew(
		retry.WithBackoff(retry.Exponential(10*time.Second, 2)),
		retry.WithJitter(retry.EqualJitter),
		retry.WithMaxDelay(30*time.Second))

	for _, step := range policy.Plan(4) {
		fmt.Printf("%v to %v\n", step.Min, step.Max)
	}
	// Output:
	// 5s to 10s
	// 10s to 20s
	// 15s to 30s
	// 15s to 30s
}

// String returns the text that Parse reads.
func ExampleJitter_String() {
	fmt.Println(retry.EqualJitter.String(), retry.Jitter{Lo: 0.25, Hi: 0.75})

	policy, err := retry.Parse("jitter=" + retry.SpreadJitter(0.2).String())
	fmt.Println(policy, err)
	// Output:
	// equal range(0.25,0.75)
	// max_attempts=5 backoff=exponential(100ms,2) max_delay=30s max_retry_after=1m0s jitter=spread(0.2) history_size=10 <nil>
}

// AddJitter(0.25) waits at least the nominal delay and up to a quarter longer.
func ExampleAddJitter() {
	policy := retry.MustNew(
		retry.WithBackoff(retry.Constant(time.Minute)),
		retry.WithJitter(retry.AddJitter(0.25)))

	step := policy.Plan(1)[0]
	fmt.Println(step.Min, step.Max)
	// Output: 1m0s 1m15s
}

// SpreadJitter(0.2) waits up to a fifth less or more than the nominal delay. The mean is the
// nominal delay.
func ExampleSpreadJitter() {
	policy := retry.MustNew(
		retry.WithBackoff(retry.Constant(time.Minute)),
		retry.WithJitter(retry.SpreadJitter(0.2)))

	step := policy.Plan(1)[0]
	fmt.Println(step.Min, step.Median, step.Max)
	// Output: 48s 1m0s 1m12s
}

// Sequence has no jitter by default. WithJitter adds one.
func ExampleWithJitter() {
	policy := retry.MustNew(
		retry.WithBackoff(retry.Sequence(time.Second, time.Minute)),
		retry.WithJitter(retry.EqualJitter))

	for _, step := range policy.Plan(2) {
		fmt.Println(step.Min, step.Max)
	}
	// Output:
	// 500ms 1s
	// 30s 1m0s
}

// With a seeded source the waits are the same each time, for a test or a simulation.
func ExampleWithRand() {
	waits := func(seed uint64) []time.Duration {
		var clock retrytest.Clock
		_ = retry.Do(context.Background(), func(ctx context.Context) error {
			return errors.New("status 503")
		}, retry.WithRand(rand.New(rand.NewPCG(seed, 0)).Float64), retry.WithClock(&clock))
		return clock.Waits()
	}

	fmt.Println(slices.Equal(waits(1), waits(1)), slices.Equal(waits(1), waits(2)))
	// Output: true false
}
