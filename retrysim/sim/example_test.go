package sim_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrysim/sim"
)

func ExampleHerd() {
	none := retry.MustNew(retry.WithBackoff(retry.Exponential(time.Second, 2)), retry.WithJitter(retry.NoJitter))
	full := retry.MustNew(retry.WithBackoff(retry.Exponential(time.Second, 2)))
	results, err := sim.Herd{Clients: 10_000, Seed: 1}.Run(context.Background(),
		sim.Policy{Name: "no jitter", Policy: none}, sim.Policy{Name: "full jitter", Policy: full})
	for _, r := range results {
		fmt.Printf("%-11s  busiest %v: %.0f %% of the clients\n", r.Policy, sim.HerdBucket, 100*r.PeakShare)
	}
	fmt.Println(err)
	// Output:
	// no jitter    busiest 50ms: 100 % of the clients
	// full jitter  busiest 50ms: 8 % of the clients
	// <nil>
}

func ExampleHerd_Run() {
	results, _ := sim.Herd{Clients: 1000}.Run(context.Background(), sim.Policy{Name: "defaults"})
	r := results[0]
	fmt.Println(r.Policy, r.Clients, r.AtCapShare, r.Left)
	// Output: defaults 1000 0 false
}

func ExampleHerdResult() {
	policy := retry.MustNew(retry.WithMaxAttempts(3), retry.WithBackoff(retry.Constant(100*time.Millisecond)))
	results, _ := sim.Herd{Clients: 1000}.Run(context.Background(), sim.Policy{Policy: policy})
	for bucket, n := range results[0].Arrivals {
		if n > 0 {
			fmt.Println(time.Duration(bucket)*sim.HerdBucket, n)
		}
	}
	// Output:
	// 100ms 1000
	// 200ms 1000
}

func ExampleOCC() {
	policy := retry.MustNew(retry.WithBackoff(retry.Exponential(10*time.Millisecond, 2)), retry.WithMaxDelay(2*time.Second))
	results, err := sim.OCC{Clients: []int{1, 10}, Seed: 1}.Run(context.Background(), sim.Policy{Name: "full", Policy: policy})
	for _, r := range results {
		fmt.Println(r.Clients, r.Calls, r.Time.Round(10*time.Millisecond))
	}
	fmt.Println(err)
	// Output:
	// 1 1 40ms
	// 10 38.86 480ms
	// <nil>
}

func ExampleOCC_Run() {
	policy := retry.MustNew(retry.WithMaxAttempts(1))
	results, _ := sim.OCC{Clients: []int{10}, Trials: 10}.Run(context.Background(), sim.Policy{Name: "one attempt", Policy: policy})
	r := results[0]
	fmt.Println(r.Policy, r.Calls, r.GaveUp)
	// Output: one attempt 10 9
}

func ExampleOCCResult() {
	results, _ := sim.OCC{Clients: []int{1}, Trials: 1}.Run(context.Background(), sim.Policy{})
	fmt.Println(results[0].Calls)
	// Output: 1
}

// A server hangs for 10 seconds. Without a budget, the retries keep it down.
func ExampleOutage() {
	o := sim.Outage{
		Rate: 200, Capacity: 240, Seed: 1,
		Before: 5 * time.Second, Down: 10 * time.Second, After: 30 * time.Second,
	}
	without, _ := o.Run(context.Background(), sim.Policy{Name: "no budget"})
	o.Budget = &sim.BudgetSize{Ratio: 0.1, Burst: 20}
	with, err := o.Run(context.Background(), sim.Policy{Name: "budget"})
	for _, r := range append(without, with...) {
		fmt.Printf("%-9s  load %.1f×, recovered: %v\n", r.Policy, r.Amplification, r.HasRecovered)
	}
	fmt.Println(err)
	// Output:
	// no budget  load 4.5×, recovered: false
	// budget     load 1.1×, recovered: true
	// <nil>
}

func ExampleOutage_Run() {
	_, err := sim.Outage{Rate: 100, Before: time.Minute}.Run(context.Background(), sim.Policy{})
	fmt.Println(err)
	// Output: Capacity: 0 is not above 0 and at most 1000000
}

func ExampleOutageResult() {
	o := sim.Outage{Rate: 100, Capacity: 200, Before: time.Second}
	results, _ := o.Run(context.Background(), sim.Policy{})
	r := results[0]
	fmt.Println(len(r.Load), sim.OutageBucket, r.Calls == r.Attempts, r.GoodputShare)
	// Output: 10 100ms true 1
}

func ExampleBudgetSize() {
	o := sim.Outage{
		Rate: 100, Capacity: 100, Down: 10 * time.Minute, Refuse: true, Seed: 1,
		Budget: &sim.BudgetSize{Ratio: 0.2, Burst: 10},
	}
	results, _ := o.Run(context.Background(), sim.Policy{})
	fmt.Printf("%.1f\n", results[0].Amplification)
	// Output: 1.2
}

// A strategy of your own takes its random numbers from the run. The same seed then gives the
// same results.
func ExamplePolicy() {
	halves := func(r *rand.Rand) []retry.Option {
		return []retry.Option{retry.WithBackoff(retry.BackoffFunc(func(retry.Attempt) time.Duration {
			return time.Duration(r.IntN(2)) * time.Second
		}))}
	}
	results, _ := sim.Herd{Clients: 1000, Seed: 1}.Run(context.Background(), sim.Policy{Name: "0 or 1 s", Extend: halves})
	fmt.Println(results[0].Policy, results[0].MedianTotal)
	// Output: 0 or 1 s 2s
}

func ExampleFieldError() {
	_, err := sim.Herd{Clients: 0}.Run(context.Background(), sim.Policy{})
	var field *sim.FieldError
	if errors.As(err, &field) {
		fmt.Println(field.Field, "-", field.Problem)
	}
	// Output: Clients - 0 is not from 1 to 10000000
}

func ExampleFieldError_Error() {
	fmt.Println((&sim.FieldError{Field: "Trials", Problem: "-1 is not from 1 to 10000"}).Error())
	// Output: Trials: -1 is not from 1 to 10000
}

func ExampleFieldError_Is() {
	_, err := sim.Herd{Clients: 0}.Run(context.Background(), sim.Policy{})
	fmt.Println(errors.Is(err, sim.ErrModel))
	// Output: true
}
