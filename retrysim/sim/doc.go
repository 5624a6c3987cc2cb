// Package sim simulates what a retry policy does to many clients and to the server behind
// them. It moves a virtual clock from event to event. The real [retry.Run] of the real
// [retry.Policy] makes every decision, so the models show what the library does.
//
//	full, _ := retry.Parse("max_attempts=6 backoff=exponential(1s,2)")
//	results, err := sim.Herd{Clients: 60000, Seed: 1}.Run(ctx, sim.Policy{Name: "full", Policy: full})
//	fmt.Printf("%.1f %%\n", 100*results[0].PeakShare) // 7.8 %
//
// # Models
//
// There are three models. The comment of each says what it assumes and what it leaves out.
//
//   - [Herd]: many clients fail at the same moment. How far apart do their retries arrive?
//   - [OCC]: clients compete for one row under optimistic concurrency. How many writes does
//     it take until all have succeeded, and how long?
//   - [Outage]: a server with limited capacity goes down and comes back. How much load do
//     the retries add, and does the server recover?
//
// # Reproducibility
//
// The same seed and the same policies give the same results on any number of processors. A
// strategy of your own stays reproducible if it takes its random numbers from
// [Policy.Extend].
//
// # Errors and concurrency
//
// A field out of its bounds is an error that matches [ErrModel]; a [FieldError] names the
// field. A policy that cannot run is an error that matches [retry.ErrOption].
//
// A model is a plain value and safe for concurrent use. It uses all processors. When its
// context ends, it stops early and returns the context's cause.
package sim
