// Package retryotel measures and traces what package retry does, with OpenTelemetry.
//
//	recorder, err := retryotel.New(retryotel.Config{})
//	policy := retry.MustNew(retry.WithName("fetch"), retry.WithHooks(recorder.Hooks()))
//	err = policy.Do(ctx, fetch)
//
// That counts the call, records its attempts and times, and makes a span for it with a child
// for each attempt. [Recorder.ObserveBudget] adds a budget's tokens, and [Recorder.ObservePool]
// and [PoolEvents] what a pool of package retrypool does. Instruments and attributes are:
//
//	retry.calls               counter    {call}     calls that ended; policy, outcome, retried, reason
//	retry.call.attempts       histogram  {attempt}  attempts of a call; policy
//	retry.call.duration       histogram  s          of a call, waits included; policy, outcome
//	retry.call.wait.duration  histogram  s          of its waits together, 0 if it had none; policy
//	retry.attempt.duration    histogram  s          of an attempt; policy, outcome
//	retry.budget.denials      counter    {denial}   retries that a budget forbade; policy
//	retry.budget.tokens       gauge      {token}    left in a budget: retries it has now; budget
//	retry.pool.items          gauge      {item}     items that are not settled; pool, state
//	retry.pool.capacity       gauge      {item}     items that the pool holds at most; pool
//	retry.pool.submitted      counter    {item}     items taken in; pool
//	retry.pool.settled        counter    {item}     items that ended; pool, item outcome
//	retry.pool.retries        counter    {retry}    attempts that began and were not an item's first; pool
//	retry.pool.queue.duration histogram  s          from submission to the first attempt; pool
//	retry.pool.item.duration  histogram  s          from submission to the end; pool, item outcome
//
// (retry.pool.items is an UpDownCounter, which can be summed; Prometheus shows it as a gauge.)
//
//	retry.policy.name   the name of retry.WithName, left out if there is none
//	retry.outcome       succeeded or failed
//	retry.retried       true if there was more than one attempt
//	retry.reason        of a call that failed: exhausted, max_elapsed, context, deadline (the next wait
//	                    would have passed it), permanent, retry_after, budget, or other: a limit of
//	                    retry.WithStop, or a reason that this package does not know
//	retry.budget.name   as given to ObserveBudget, left out if empty
//	retry.pool.name     as given to ObservePool and PoolEvents, left out if empty
//	retry.pool.state    queued, running or parked
//	retry.pool.outcome  succeeded, dead_lettered, failed or canceled
//
// # What it costs in series
//
// The histograms advise these bucket boundaries:
//
//	retry.call.attempts       1 2 3 5
//	retry.call.duration       0.01 0.1 1 10
//	retry.call.wait.duration  0 1 10
//	retry.attempt.duration    0.01 0.1 1 10
//	retry.pool.queue.duration 0.01 0.1 1 10 60 600
//	retry.pool.item.duration  0.01 0.1 1 10 60 600
//
// With them a policy has at most 60 series in Prometheus, a pool 55 and a budget 1: each boundary is
// a series for every combination of labels, and so are the bucket of all, the sum and the count. A
// view of the program can set finer boundaries, or exponential histograms.
//
// These labels are all there are. Names are the program's choice and should be few. After 256
// names of policies a [Recorder] records the others under "_other", and after 256 names of pools
// likewise. A name counts for good, also when its pool is no longer observed. The text of an error
// is never a label, it is on spans alone.
//
// What is recorded of calls and items is recorded with their context, so exemplars lead to the trace
// of whoever made the call or submitted the item. What is observed at a collection has none.
//
// An item of a pool that is canceled before its first attempt is a call that failed by its
// context; retry.pool.settled says that it was canceled.
//
// Every call that ends adds 1 to retry.calls and to the count of each retry.call histogram, one
// that made no attempt too. A pool's retry.pool.submitted, settled and items are of one moment
// in every collection, so that what was submitted is what is settled and what is not.
//
// # Spans
//
// A call's span is a child of the one in the caller's context and is named "retry NAME" by its
// policy, or "retry". (Samplers see "retry": the name is not known yet when they look.) Each
// attempt is a child of it, "retry.attempt", whose attribute retry.attempt.number counts from
// 1, and is the parent of the spans that the function makes. Each wait is an event of the
// call's span, "retry.wait", with the number of the attempt that failed and
// retry.wait.duration in seconds. An attempt that failed has its error as an event and as its
// status. The text of an error on a span is one line of at most a KiB, without characters that
// control a terminal, and an error that panics when it is asked for its text does no harm. At its
// end a call gets the attributes of retry.calls, the number of its attempts as retry.call.attempts,
// and the text of its error as its status.
//
// An attempt that a gate refused has a span too; a call without attempts has its own alone. An
// option at fault makes no call, and nothing is recorded.
//
// # Dashboard and alerts
//
// grafana.json beside this file is a dashboard, and alerts.yaml has Prometheus alert rules: a budget
// denies retries, a policy makes more than 1.5 attempts a call, gives up on too many calls, or a pool
// is full. They use the names that the OpenTelemetry exporter for Prometheus makes by default, such as
// retry_calls_total. The example metrics exposes series for all of them.
//
// # What does not end
//
// A call whose function panics, or ends its goroutine, has no end. It is not counted, and the
// spans of the call and the attempt are not exported; a function that may panic should recover
// and return retry.Permanent of what it was, as retrypool does for its own. Likewise a
// [retry.Run] that is left: its attempts are recorded, the call is not. One that goes on by
// [retry.Policy.Resume] is a new span, and its attempts and duration include the earlier part.
//
// What outlives its attempt, by [retry.KeepContext] or in a goroutine, may go on to make spans:
// their parent is the attempt's, which has ended.
//
// The package imports the OpenTelemetry API and no SDK; where the program sets none up, next
// to nothing is done. It starts no goroutine. All types are safe for concurrent use. Names of
// instruments, spans, events and attributes are stable from v1 on.
package retryotel
