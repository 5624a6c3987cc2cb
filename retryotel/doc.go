// Package retryotel records what package retry does, as OpenTelemetry metrics and traces.
//
//	recorder, err := retryotel.New(retryotel.Config{})
//	policy := retry.MustNew(retry.WithName("fetch"), retry.WithHooks(recorder.Hooks()))
//	err = policy.Do(ctx, fetch)
//
// This counts the call, measures its attempts and waits, and makes spans, which [Recorder.Hooks]
// describes. [Recorder.ObserveBudget] adds the tokens of a budget. [Recorder.ObservePool] and
// [PoolEvents] add a pool of package retrypool.
//
// # Instruments
//
//	retry.calls               counter    {call}     calls that ended; policy, outcome, retried, reason
//	retry.call.attempts       histogram  {attempt}  attempts of a call; policy
//	retry.call.duration       histogram  s          duration of a call, waits included; policy, outcome
//	retry.call.wait.duration  histogram  s          all waits of a call together, 0 if none; policy
//	retry.attempt.duration    histogram  s          duration of an attempt; policy, outcome
//	retry.budget.denials      counter    {denial}   retries that a budget denied; policy
//	retry.budget.tokens       gauge      {token}    tokens in a budget: retries it allows now; budget
//	retry.pool.items          gauge      {item}     items that are not settled; pool, state
//	retry.pool.capacity       gauge      {item}     items that the pool holds at most; pool
//	retry.pool.submitted      counter    {item}     items taken in; pool
//	retry.pool.settled        counter    {item}     items that ended; pool, item outcome
//	retry.pool.retries        counter    {retry}    attempts begun, first attempts not counted; pool
//	retry.pool.queue.duration histogram  s          from submission to the first attempt; pool
//	retry.pool.item.duration  histogram  s          from submission to the end; pool, item outcome
//
// retry.pool.items is an UpDownCounter, so it can be summed. Prometheus shows it as a gauge.
//
// # Attributes
//
//	retry.policy.name   the name of retry.WithName, left out if empty
//	retry.outcome       succeeded or failed
//	retry.retried       true if there was more than one attempt
//	retry.reason        why a call failed: exhausted, max_elapsed, context, deadline, permanent,
//	                    retry_after, budget or other
//	retry.budget.name   the name given to ObserveBudget, left out if empty
//	retry.pool.name     the name given to ObservePool and PoolEvents, left out if empty
//	retry.pool.state    queued, running or parked
//	retry.pool.outcome  succeeded, dead_lettered, failed or canceled
//
// The reason is deadline if the next wait would have passed the context's deadline. It is other
// for a limit of retry.WithStop, and for reasons that this package does not know.
//
// Names should be few and fixed, because each makes time series; [Recorder] says how many. The
// text of an error is never an attribute of a metric. It is on spans only.
//
// # Dashboard and alerts
//
// In this directory, grafana.json is a dashboard and alerts.yaml has Prometheus alert rules. They
// warn of denied retries, of more than 1.5 attempts a call, of too many calls that give up, and of
// full pools. Both files use the names that the OpenTelemetry exporter for Prometheus makes by
// default, such as retry_calls_total. The example program "metrics" exposes series for all of them.
//
// # Dependencies and stability
//
// The package imports the OpenTelemetry API and no SDK. If the program sets up no SDK, recording
// does almost nothing. The package starts no goroutine. All types are safe for concurrent use.
// Names of instruments, spans, events and attributes are stable from v1 on.
package retryotel
