// Package retryriver runs the jobs of River under a policy of package retry. River keeps the jobs in
// PostgreSQL, so a job outlives the process that works on it.
//
//	retrier, err := retryriver.New(retryriver.Config{Policy: policy})
//	config := &river.Config{Queues: …, Workers: …}
//	retrier.Install(config)
//	client, err := river.NewClient(riverpgxv5.New(pool), config)
//
// # At least once
//
// A worker must be able to run twice for the same job. A process may be killed, or the database may
// restart, between the work and the statement that stores the end of the job. The job then runs
// again. River stores successes in batches, so a killed process typically leaves about 20 such jobs.
//
// [Key] makes the repetition harmless. It is the same in every attempt of a job. Insert it into a
// table of what is done, in the transaction that does the work:
//
//	err := pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
//		done, err := tx.Exec(ctx, `INSERT INTO done (key) VALUES ($1) ON CONFLICT DO NOTHING`, retryriver.Key(job.JobRow))
//		if err != nil || done.RowsAffected() == 0 {
//			return err // nil if an earlier attempt has done it
//		}
//		return transfer(ctx, tx, job.Args)
//	})
//
// Send Key as the Idempotency-Key to other services. If the work is in River's own database,
// river.JobCompleteTx ends the job in the same transaction, and no table is needed.
//
// # What the policy's settings do
//
// Classifiers, marks and hooks work as in a call of retry.Do. The other settings:
//
//	MaxAttempts      discarded after that many attempts; River's own limit counts if it is lower,
//	                 and the policy's hooks see that limit as the policy's
//	Backoff, Jitter  set scheduled_at; a job never runs sooner
//	MaxDelay         caps the wait, as in a call
//	After, hints     set scheduled_at; a hint above MaxRetryAfter discards the job
//	MaxElapsed       from the first attempt, by the database's clock; then discarded
//	AttemptTimeout   ends the worker's context, as River's JobTimeout does; both are failures
//	Permanent        cancelled, and so are errors that RetryIf or StopIf exclude
//	Budget, Stop     discarded
//	ResetAfter       counts attempts from 1 again; River's MaxAttempts goes on counting
//	Gates            held while the worker runs; a gate that waits holds one of River's MaxWorkers
//	Hooks, Logger    in the process of the attempt; Start runs in each attempt, Done at the end
//	History          of one process
//	Validators       an error of New: a worker returns no value
//
// River keeps cancelled jobs for 24 hours and discarded ones for 7 days, see
// CancelledJobRetentionPeriod and DiscardedJobRetentionPeriod. The stored error says why the policy
// gave up. River's JobRetry begins a new call for the job.
//
// A worker may still answer River itself. JobSnooze is a success to the policy and begins a new
// call. JobCancel is retry.Permanent. A panic is recorded and retried by River whatever the
// classifiers say: after the policy's wait, up to the policy's limit. An attempt does not count if it
// ends because the process stops or because Start's context ends.
//
// # Lost attempts
//
// A job whose process died stays "running" until River's rescuer finds it. That takes
// RescueStuckJobsAfter, by default an hour, and up to 30 seconds more. Set it to less, see below.
// The attempt counts, with [ErrLost] as its error. The job is retried after the policy's wait,
// whatever the classifiers say. At the limit it is discarded without another run of the worker. A
// job that was discarded with ErrLost may have been done.
//
// # Settings of River
//
//	JobTimeout            little more than a job takes; River's default is 1 minute
//	RescueStuckJobsAfter  above JobTimeout, for example by a minute; the same in all clients
//	SoftStopTimeout       how long a process that stops waits for its jobs
//	MaxAttempts           unset, or well above the policy's limit
//	RetryPolicy           set by Install
//
// # Pitfalls
//
//   - Run River v0.48 or newer where you can. Older rescuers may put back a job that ends while they
//     look at it. The job then runs again.
//   - A worker that ignores the end of its context goes on while another one gets its job.
//   - Leave out a worker's own NextRetry. It replaces the policy's wait.
//   - Middleware that you insert before this package's may hide errors from the policy. The
//     middleware of Config.Middleware runs inside, and the policy sees what it returns.
//   - River stores its default of 25 attempts with each job that is inserted. If the policy allows
//     more, set MaxAttempts in clients that insert. [Retrier.Install] sets it in its own client.
//   - A retry is late by up to FetchPollInterval. If the wait is longer than the interval of River's
//     scheduler, it is late by up to 5 seconds. This counts into MaxElapsed, not into the next wait.
//   - A job that failed before the policy was installed begins a new call. Its errors do not count.
//   - The state of a job is in its metadata under "retryriver". A job without errors has none.
//
// # What was tested
//
// River v0.44.1, the newest that builds with Go 1.25.0, on PostgreSQL 15. In a test of this
// repository three processes work on 2,000 jobs, and 31 % of the attempts fail. One process is
// killed and started again. Then PostgreSQL is restarted in its fast and its immediate mode. No job
// was missing, each ended as its attempts say, and no attempt came before its wait. Between 10 and
// 100 attempts a run were lost. About half of them had done their work, and these jobs were done
// twice.
package retryriver
