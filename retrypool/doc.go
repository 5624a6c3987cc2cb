// Package retrypool runs a function over items with a fixed number of workers. An item that
// waits for its next attempt occupies no worker.
//
//	pool, err := retrypool.New(send, retrypool.Config[Mail]{
//		Workers:  8,
//		Capacity: 1000,
//		Policy:   retry.MustNew(retry.WithBackoff(retry.Constant(time.Second))),
//	})
//	task, err := pool.Submit(ctx, mail) // waits while the pool is full
//	receipt, err := task.Wait(ctx)      // the same results as retry.DoValue
//	err = pool.Close(ctx)               // waits until every item is settled
//
// Each item is one call of package retry. Config.Policy gives it attempts, waits, gates, budget,
// timeouts, validators, hooks, history and log. It fails with a *[retry.Error].
//
// # Parking
//
// After a failed attempt the item is parked until its wait is over. It holds no permit of a gate
// meanwhile, and its worker takes another item. An item that waits at a gate is running and
// holds its worker. This includes an item that waits at a [retry.Cooldown] for a server's hint.
//
// # Capacity
//
// Queued, running and parked items count against [Config].Capacity. [Pool.Submit] waits while
// the pool is full, so a slow consumer slows its producer.
//
// # Order
//
// Items start in the order they were submitted, and retries in the order they fall due. When
// both wait, free workers alternate between a first attempt and a retry, so neither starves
// the other. Config.MaxRetrying bounds the retries that run at once. With Config.Key, items of
// one key run one at a time, in the order they were submitted. A parked item holds back the
// later items of its key and no others.
//
// # How an item ends
//
// Every item is settled exactly once, in one of four ways. [Stats] counts them.
//   - Succeeded: the function returned no error, and no validator rejected its value.
//   - DeadLettered: the item failed for good, and Config.DeadLetter accepted it.
//   - Failed: the item failed for good, and DeadLetter is nil or failed too. If DeadLetter
//     failed, the error of [Task.Wait] reports both failures.
//   - Canceled: its context or task was canceled, or Close gave up and DeadLetter is nil.
//
// A panic or runtime.Goexit of the function becomes the item's error, a *[PanicError], and is
// not retried. The same holds for the policy's hooks, gates and other parts.
//
// # Context and closing
//
// The context passed to Submit bounds the item. No wait passes its deadline. When it ends, a
// waiting item ends at once, and a running one is told by the function's context. A canceled
// context cancels the item. After a passed deadline the item has failed for good. The function's
// context also ends when the item is settled, so read a response's body inside the function.
//
// [Pool.Close] rejects new items and returns once all items are settled and no goroutine is
// left. If its context ends first, it cancels the remaining items and passes them to DeadLetter.
//
// The pool keeps no settled item: only a [Task] that you keep holds its result. The package
// imports only the standard library and package retry. All types are safe for concurrent use.
package retrypool
