package retryriver

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"github.com/seed-205ff063/retry"
)

// Work makes one attempt of the job under its policy. River calls it.
func (e *engine) Work(ctx context.Context, job *rivertype.JobRow, work func(context.Context) error) error {
	a := attempt{engine: e, ctx: ctx, job: job, past: e.recall(job)}
	a.policy = a.within(e.policyOf(job.Kind))
	return a.run(work)
}

// attempt is one attempt of a job.
type attempt struct {
	*engine
	past

	ctx    context.Context
	job    *rivertype.JobRow
	policy *retry.Policy
	snooze error // what the worker returned to be asked again later
}

// within returns the policy under River's own limit for the job, where that ends it sooner.
func (a *attempt) within(p *retry.Policy) *retry.Policy {
	if a.job.Attempt < a.job.MaxAttempts {
		return p
	}
	limit := a.last.Number + 1
	if a.lost > 0 && a.job.Attempt > a.job.MaxAttempts {
		limit = a.last.Number // NextRetry let the rescuer go beyond the limit
	}
	if n := p.MaxAttempts(); n != retry.Unlimited && n <= limit {
		return p
	}
	lower, err := retry.New(p, retry.WithMaxAttempts(limit), retry.WithResetAfter(0))
	if err != nil {
		return p
	}
	return lower
}

// run makes the step and tells River what comes of it.
func (a *attempt) run(work func(context.Context) error) error {
	run := a.policy.Resume(endless{a.ctx}, a.last)
	returned := false
	defer func() {
		if returned {
			return
		}
		a.brokenOff()
		if a.redact == nil {
			return // it goes on to River untouched
		}
		if v := recover(); v != nil {
			panic(a.redactPanic(v))
		}
	}()
	_, again := run.Try(func(ctx context.Context) error { return a.outcome(work(ctx)) })
	returned = true
	return a.settle(run, again)
}

// outcome is what the policy is told of what the worker returned.
func (a *attempt) outcome(err error) error {
	if snooze := new(river.JobSnoozeError); errors.As(err, &snooze) {
		a.snooze = err
		return nil
	}
	err = a.redacted(err)
	if cancel := new(river.JobCancelError); errors.As(err, &cancel) {
		return retry.Permanent(err)
	}
	return err
}

// settle tells River how to go on after the step.
func (a *attempt) settle(run *retry.Run, again bool) error {
	if again {
		last := run.Last()
		a.keep(a.after(last))
		return stored(last.Err, last.Err)
	}
	err := run.Err()
	if err == nil {
		return a.succeeded()
	}
	var e *retry.Error
	if !errors.As(err, &e) {
		return err
	}
	switch e.Reason {
	case retry.ErrContext:
		return river.JobSnooze(0) // the process stops: the attempt does not count
	case retry.ErrPermanent:
		a.end(e.Attempts)
		return stored(err, river.JobCancel(err))
	}
	a.discard(e.Attempts)
	return stored(err, err)
}

// after is the state once another attempt is to follow last.
func (a *attempt) after(last retry.Attempt) state {
	began := a.began
	if last.Number <= a.last.Number { // a new series, see retry.WithResetAfter
		began = fetchedAt(a.job)
	}
	return state{Attempt: a.job.Attempt, Number: last.Number, Delay: last.Delay, Began: began}
}

// succeeded ends the policy's call. A job that is snoozed begins a new one.
func (a *attempt) succeeded() error {
	if a.snooze != nil && a.last.Number > 0 {
		a.keep(state{Attempt: a.job.Attempt - 1, Ended: true}) // River takes back the number
	}
	return a.snooze
}

// end notes that the call is over after n attempts.
func (a *attempt) end(n int) {
	s := a.after(retry.Attempt{Number: n})
	s.Ended = true
	a.keep(s)
}

// discard makes River end the job, after n attempts.
func (a *attempt) discard(n int) {
	a.end(n)
	a.job.MaxAttempts = min(a.job.MaxAttempts, a.job.Attempt) // in memory, which is where River looks
}

// brokenOff decides what follows an attempt that panicked. River retries it, by the policy's
// waits and up to its limit.
func (a *attempt) brokenOff() {
	n := a.last.Number + 1
	if most := a.policy.MaxAttempts(); most != retry.Unlimited && n >= most {
		a.discard(n)
		return
	}
	wait := a.policy.Wait(retry.Attempt{Number: n, Waited: a.last.Delay})
	a.keep(a.after(retry.Attempt{Number: n, Delay: wait}))
}

// keep stores s with the statement that ends the attempt, and where NextRetry finds it.
func (a *attempt) keep(s state) {
	s.Version = stateVersion
	putState(a.job, s)
	if err := river.MetadataSet(a.ctx, stateKey, s); err != nil {
		a.log.Error("retryriver: job state is not stored",
			slog.String("job", Key(a.job)), slog.String("error", retry.ErrorText(err)))
	}
}

// endless is a context without the deadline of the process: the wait after an attempt may
// outlive it.
type endless struct{ context.Context }

func (endless) Deadline() (time.Time, bool) { return time.Time{}, false }
