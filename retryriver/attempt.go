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
func (m *middleware) Work(ctx context.Context, job *rivertype.JobRow, work func(context.Context) error) error {
	a := attempt{middleware: m, ctx: ctx, job: job, progress: m.progressOf(job)}
	a.policy = a.withRiversLimit(m.policyOf(job.Kind))
	return a.run(work)
}

// attempt is one attempt of a job.
type attempt struct {
	*middleware
	progress

	ctx    context.Context
	job    *rivertype.JobRow
	policy *retry.Policy
	snooze error // the worker's JobSnooze
}

// withRiversLimit returns p, with River's own limit for the job if that is lower.
func (a *attempt) withRiversLimit(p *retry.Policy) *retry.Policy {
	if a.job.Attempt < a.job.MaxAttempts {
		return p
	}
	limit := a.last.Number + 1
	if a.lost > 0 && a.job.Attempt > a.job.MaxAttempts {
		limit = a.last.Number // NextRetry let the rescuer exceed the limit
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

// run makes the attempt and returns what River is to do.
func (a *attempt) run(work func(context.Context) error) error {
	run := a.policy.Resume(noDeadline{a.ctx}, a.last)
	returned := false
	defer func() {
		if returned {
			return
		}
		a.panicked()
		if a.redact == nil {
			return // River gets the panic unchanged
		}
		if v := recover(); v != nil {
			panic(a.redactPanic(v))
		}
	}()
	_, again := run.Try(func(ctx context.Context) error { return a.policyError(work(ctx)) })
	returned = true
	return a.settle(run, again)
}

// policyError returns what the policy sees of the worker's error.
func (a *attempt) policyError(err error) error {
	if snooze := new(river.JobSnoozeError); errors.As(err, &snooze) {
		a.snooze = err
		return nil
	}
	err = a.redactError(err)
	if cancel := new(river.JobCancelError); errors.As(err, &cancel) {
		return retry.Permanent(err)
	}
	return err
}

// settle stores the policy's decision and returns what River is to do.
func (a *attempt) settle(run *retry.Run, again bool) error {
	if again {
		last := run.Last()
		a.saveState(a.stateAfter(last))
		return withText(last.Err, last.Err)
	}
	err := run.Err()
	if err == nil {
		return a.succeed()
	}
	var e *retry.Error
	if !errors.As(err, &e) {
		return err
	}
	switch e.Reason {
	case retry.ErrContext:
		return river.JobSnooze(0) // the process stops: the attempt does not count
	case retry.ErrPermanent:
		a.endCall(e.Attempts)
		return withText(err, river.JobCancel(err))
	}
	a.discard(e.Attempts)
	return withText(err, err)
}

// stateAfter returns the state if another attempt follows last.
func (a *attempt) stateAfter(last retry.Attempt) state {
	began := a.began
	if last.Number <= a.last.Number { // attempts count from 1 again, see retry.WithResetAfter
		began = fetchedAt(a.job)
	}
	return state{Attempt: a.job.Attempt, Number: last.Number, Delay: last.Delay, Began: began}
}

// succeed ends the policy's call. A snoozed job begins a new one.
func (a *attempt) succeed() error {
	if a.snooze != nil && a.last.Number > 0 {
		a.saveState(state{Attempt: a.job.Attempt - 1, Ended: true}) // River takes back the number
	}
	return a.snooze
}

// endCall stores that the call has ended after n attempts.
func (a *attempt) endCall(n int) {
	s := a.stateAfter(retry.Attempt{Number: n})
	s.Ended = true
	a.saveState(s)
}

// discard makes River discard the job after n attempts.
func (a *attempt) discard(n int) {
	a.endCall(n)
	a.job.MaxAttempts = min(a.job.MaxAttempts, a.job.Attempt) // River looks at the row in memory
}

// panicked decides what follows an attempt that panicked. River retries it: after the policy's wait,
// up to the policy's limit.
func (a *attempt) panicked() {
	n := a.last.Number + 1
	if limit := a.policy.MaxAttempts(); limit != retry.Unlimited && n >= limit {
		a.discard(n)
		return
	}
	wait := a.policy.Wait(retry.Attempt{Number: n, Waited: a.last.Delay})
	a.saveState(a.stateAfter(retry.Attempt{Number: n, Delay: wait}))
}

// saveState puts s into the row in memory, for NextRetry, and into the statement that ends the
// attempt.
func (a *attempt) saveState(s state) {
	s.Version = stateVersion
	putState(a.job, s)
	if err := river.MetadataSet(a.ctx, stateKey, s); err != nil {
		a.log.Error("retryriver: job state is not stored",
			slog.String("job", Key(a.job)), slog.String("error", retry.ErrorText(err)))
	}
}

// noDeadline is a context without the deadline of the process. The wait after an attempt may outlive
// the process.
type noDeadline struct{ context.Context }

func (noDeadline) Deadline() (time.Time, bool) { return time.Time{}, false }
