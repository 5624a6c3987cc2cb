package retrynats

import (
	"context"
	"errors"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/seed-205ff063/retry"
)

// outcome is how an attempt ended. After a success both fields are nil.
type outcome struct {
	next *retry.Attempt // the failed attempt, if another one follows
	err  error          // the policy's error, if the message ends
}

// attempt makes one attempt under the policy and settles the message.
func (c *consumption) attempt(d *delivery, last retry.Attempt) {
	var o outcome
	began, returned := time.Now(), false
	defer func() {
		if !returned {
			o = c.panicked(last, began, errGoexit) // the goroutine is ending
		}
		c.settle(d, o)
	}()
	o = c.try(d, last, began)
	returned = true
}

// try makes the attempt. A panic in a part of the policy ends the message, like one in the handler.
func (c *consumption) try(d *delivery, last retry.Attempt, began time.Time) (o outcome) {
	defer func() {
		if v := recover(); v != nil {
			o = c.panicked(last, began, v)
		}
	}()
	d.running.Store(true)
	run := c.cfg.Policy.Resume(c.handlerCtx, last)
	_, again := run.Try(func(ctx context.Context) error { return c.cfg.redactError(c.handle(ctx, d.msg)) })
	if again {
		a := run.Last()
		return outcome{next: &a}
	}
	return outcome{err: run.Err()}
}

// handle calls the handler. A panic becomes a permanent error.
func (c *consumption) handle(ctx context.Context, msg jetstream.Msg) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = retry.Permanent(newPanicError(v))
		}
	}()
	return c.handler(ctx, msg)
}

// panicked returns the outcome of an attempt that panicked with value.
func (c *consumption) panicked(last retry.Attempt, began time.Time, value any) outcome {
	return outcome{err: &retry.Error{
		Reason: retry.ErrPermanent, Attempts: last.Number + 1,
		Elapsed: last.Elapsed + last.Delay + time.Since(began), Err: c.cfg.redactError(newPanicError(value)),
	}}
}

// stopped reports whether err came from the end of the process. The message then goes on.
func (c *consumption) stopped(err error) bool {
	var e *retry.Error
	return errors.As(err, &e) && e.Reason == retry.ErrContext && c.handlerCtx.Err() != nil
}
