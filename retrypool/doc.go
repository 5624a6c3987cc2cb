// Package retrypool works on items with a fixed number of goroutines, and an item that waits
// for its next attempt holds none of them.
//
//	pool, err := retrypool.New(send, retrypool.Config[Mail]{
//		Workers:  8,
//		Capacity: 1000,
//		Policy:   retry.MustNew(retry.WithBackoff(retry.Constant(time.Second))),
//	})
//	task, err := pool.Submit(ctx, mail) // waits while the pool is full
//	receipt, err := task.Wait(ctx)      // as retry.DoValue would have returned them
//	err = pool.Close(ctx)               // goes on until all is done
//
// An item is a call of package retry: attempts, waits, gates, budget, timeouts, validators,
// hooks, history and log are those of its policy, and it fails with a *[retry.Error]. A failed
// attempt parks the item until its wait is over; its worker takes the next one meanwhile, and
// no permit of a gate is held. (An item that waits at a gate runs, and holds its worker. So do the
// items that wait out a server's hint at a [retry.Cooldown].)
//
// The pool is bounded as a whole: items that are queued, running and parked count against
// [Config].Capacity, and [Pool.Submit] waits for room, so that a slow consumer slows its
// producer. Those who wait get room in the order they came.
//
// Workers take items in the order they were submitted, and retries in the order they fell
// due. When both wait, a free worker takes them by turns, one of each, so that neither
// starves the other; Config.MaxRetrying bounds the retries that run at once. With Config.Key
// the items of one key run one at a time, in the order they were submitted, and one that is
// parked holds back those behind it; nothing else waits for them.
//
// Every item is settled exactly once. It succeeded; or it failed for good and Config.DeadLetter
// took it; or it failed and there was no DeadLetter, or that failed too, and [Task.Wait]'s error
// says both; or it was canceled. [Stats] counts them, and adds up at every moment.
//
// The context an item was submitted with bounds it: no wait passes its deadline, and its end
// ends the item, at once if it does not run, otherwise by the context that the function got.
// Where that end was a cancellation the item counts as canceled; where it was the deadline it
// has failed. The function's context also ends when the item is settled: what needs it, such as
// a response's body, is to be read in the function. Items that the function submits do not end
// with it, see [Pool.Submit].
//
// A panic of the function becomes the item's error, a *[PanicError] that is not retried, and so
// does runtime.Goexit. One of the policy's hooks, gates, or other parts ends the item likewise.
//
// [Pool.Close] takes no more items and returns once all are settled and no goroutine is left.
// When its context ends it cancels what is left and hands it to DeadLetter.
//
// A settled item is not kept: neither what was submitted nor what came out, unless the caller
// keeps its [Task]. The package imports the standard library and package retry alone. All
// types are safe for concurrent use.
package retrypool
