// Package retryriver runs the jobs of River, which keeps them in PostgreSQL, under a policy of
// package retry. The policy's classifiers, marks, hooks, budget and limits work as in a call of
// retry.Do, and a job outlives the process that works on it.
//
//	retrier, err := retryriver.New(retryriver.Config{Policy: policy})
//	config := &river.Config{Queues: …, Workers: …}
//	retrier.Install(config)
//	client, err := river.NewClient(riverpgxv5.New(pool), config)
//
// # At least once
//
// A job may be worked on again although its work is done: when the process is killed or the
// database restarts between the work and the statement that stores its end. River stores
// the ends of successful jobs in batches, so a killed process typically leaves about 20 of
// them. A worker must be able to run twice.
//
// [Key] makes that harmless. It is the same in every attempt of a job, so a worker can keep it in a
// table of what is done, in the transaction of the work itself:
//
//	err := pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
//		done, err := tx.Exec(ctx, `INSERT INTO done (key) VALUES ($1) ON CONFLICT DO NOTHING`, retryriver.Key(job.JobRow))
//		if err != nil || done.RowsAffected() == 0 {
//			return err // nil if an earlier attempt has done it
//		}
//		return transfer(ctx, tx, job.Args)
//	})
//
// Elsewhere, pass Key on as an Idempotency-Key. Where the work is in River's database,
// river.JobCompleteTx ends the job in the transaction of the work, and no table is needed.
//
// # What the policy's settings become
//
//	MaxAttempts      discarded after that many attempts, before River's own MaxAttempts if it is
//	                 higher; otherwise River's limit holds, and the policy's hooks see it as theirs
//	Backoff, Jitter  scheduled_at; a job is never worked on sooner
//	MaxDelay         caps the wait, as in a call
//	After, hints     scheduled_at too; above MaxRetryAfter the job is discarded
//	MaxElapsed       counts from the first attempt, by the database's clock; discarded
//	AttemptTimeout   ends the worker's context, as does River's JobTimeout; both are failures
//	Permanent        cancelled; so is what RetryIf and StopIf do not want repeated
//	Budget, Stop     discarded
//	ResetAfter       begins a new series; River's MaxAttempts goes on counting
//	Gates            held while the worker runs; a waiting gate holds one of River's MaxWorkers
//	Hooks, Logger    in the process that makes the attempt. Start runs in each attempt, Done at the end
//	History          of one process
//	Validators       refused by New: a worker returns no value
//
// Of the ways to end, River keeps cancelled jobs for 24 hours and discarded ones for 7 days, see
// CancelledJobRetentionPeriod and DiscardedJobRetentionPeriod. The stored error has the policy's
// reason. River's JobRetry begins a new call for the job.
//
// What a worker returns to River itself keeps its meaning: JobSnooze is a success to the
// policy and begins a new call, JobCancel is retry.Permanent. A panic is recorded and retried by
// River whatever the classifiers say, after the policy's wait and up to its limit. An attempt that
// ends because the process stops, or because Start's context ends, does not count.
//
// # Lost attempts
//
// Jobs of a process that died stay "running" until River's rescuer finds them: after
// RescueStuckJobsAfter, an hour by default, and up to 30 seconds. Such an attempt counts, with [ErrLost]
// as its error. Its job is retried after the policy's wait, whatever the classifiers say. At the
// limit the job is discarded without another run of the worker, and a job that was discarded with
// ErrLost may have been done.
//
// # Traps
//
//   - Set RescueStuckJobsAfter to little more than JobTimeout, and JobTimeout to little more than a
//     job takes. With the defaults a killed process delays its jobs by an hour.
//   - Run River v0.48 or newer where you can. Older rescuers may put back a job that ended while
//     they looked at it, and it is worked on again.
//   - A worker that ignores the end of its context goes on while its job is given to another one.
//   - A worker's own NextRetry wins over the policy's wait. Leave it out.
//   - Middleware that you put before this package's by hand can hide errors from the policy. The
//     middleware of Config.Middleware runs inside, and what it returns is what is decided on.
//   - River's default of 25 attempts is stored with the job when it is inserted. A policy that
//     allows more needs MaxAttempts in the clients that insert; [Retrier.Install] sets it in its
//     own.
//   - A retry is late by up to FetchPollInterval, and by up to 5 seconds where the wait is longer than
//     River's scheduler interval. The lateness counts into MaxElapsed and not into the next wait.
//   - Jobs that failed before the policy was installed begin a new call. Their errors do not count.
//   - The state of a job is in its metadata under "retryriver". A job without errors has none.
//
// # Settings of River
//
//	JobTimeout            the longest that a job may take; River's default is 1 minute
//	RescueStuckJobsAfter  above JobTimeout, for example by a minute; the same in all clients
//	SoftStopTimeout       how long a process that stops waits for its jobs
//	MaxAttempts           leave it unset, or well above the policy's limit
//	RetryPolicy           set by Install
//
// # What it was tested with
//
// River v0.44.1, the newest that builds with Go 1.25.0, on PostgreSQL 15. In the test that is part
// of this repository three processes work on 2,000 jobs of which 31 % of the attempts fail. One
// process is killed and started again, then PostgreSQL is restarted in its fast and its
// immediate mode. No job was missing, each ended as its attempts say, and no attempt came before
// its wait. Some 10 to 100 attempts a run were lost, and about half of those had done their work: they
// were the jobs that were done twice.
package retryriver
