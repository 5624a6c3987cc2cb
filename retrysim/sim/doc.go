// Package sim shows what a retry policy does to a fleet of clients and to the server behind
// them. It moves a virtual clock from event to event and makes every decision with the real
// [retry.Run] of the real [retry.Policy], budget included, so what it shows is what the
// library does:
//
//	full, _ := retry.Parse("max_attempts=6 backoff=exponential(1s,2)")
//	results, err := sim.Herd{Clients: 60000, Seed: 1}.Run(ctx, sim.Policy{Name: "full", Policy: full})
//	fmt.Printf("%.1f %%\n", 100*results[0].PeakShare) // 7.8 %
//
// There are three models. The comment of each says what it assumes and what it leaves out.
//
//   - [Herd]: many clients fail at the same moment. How far apart do their retries arrive?
//   - [OCC]: clients compete for one row under optimistic concurrency. How many writes does
//     it take until all are done, and how long?
//   - [Outage]: a server of finite capacity goes down and comes back. How much load do the
//     retries make, and does the system recover?
//
// The same seed and the same policies give the same results, whatever the number of
// processors. Models use all processors and end early, with the context's error, when their
// context does. Numbers that make no sense give an error that matches [ErrModel].
package sim
