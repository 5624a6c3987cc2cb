package retrynats

import (
	"context"
	"errors"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/seed-205ff063/retry"
)

// outcome is what came of an attempt: the attempt, if another is to follow it, or the error that
// is the end. After a success it is neither.
type outcome struct {
	next *retry.Attempt
	err  error
}

// attempt runs the handler under the policy and settles the message.
func (c *consumption) attempt(d *delivery, last retry.Attempt) {
	var o outcome
	began, returned := time.Now(), false
	defer func() {
		if !returned {
			o = c.brokenOff(last, began, errGoexit) // the goroutine is ending
		}
		c.settle(d, o)
	}()
	o = c.try(d, last, began)
	returned = true
}

// try makes the step. A panic of a part of the policy ends the message as one of the handler does.
func (c *consumption) try(d *delivery, last retry.Attempt, began time.Time) (o outcome) {
	defer func() {
		if v := recover(); v != nil {
			o = c.brokenOff(last, began, v)
		}
	}()
	d.running.Store(true)
	run := c.cfg.Policy.Resume(c.jobs, last)
	_, again := run.Try(func(ctx context.Context) error { return c.cfg.redacted(c.handle(ctx, d.msg)) })
	if again {
		a := run.Last()
		return outcome{next: &a}
	}
	return outcome{err: run.Err()}
}

// handle runs the handler; a panic becomes a permanent error.
func (c *consumption) handle(ctx context.Context, msg jetstream.Msg) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = retry.Permanent(newPanicError(v))
		}
	}()
	return c.handler(ctx, msg)
}

// brokenOff is the outcome of a step that did not return.
func (c *consumption) brokenOff(last retry.Attempt, began time.Time, value any) outcome {
	return outcome{err: &retry.Error{
		Reason: retry.ErrPermanent, Attempts: last.Number + 1,
		Elapsed: last.Elapsed + last.Delay + time.Since(began), Err: c.cfg.redacted(newPanicError(value)),
	}}
}

// stopped reports whether err is the end of the process and not of the message.
func (c *consumption) stopped(err error) bool {
	var e *retry.Error
	return errors.As(err, &e) && e.Reason == retry.ErrContext && c.jobs.Err() != nil
}
