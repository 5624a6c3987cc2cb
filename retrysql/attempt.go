package retrysql

import (
	"context"
	"slices"
	"time"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/internal/errtree"
	"github.com/seed-205ff063/retry/internal/judging"
)

// call is one call of InTx. Its fields are shared by the attempts.
type call[Tx any] struct {
	*Transactor[Tx]
	ctx       context.Context  // the caller's
	open      *transaction[Tx] // the running attempt's, from the end of fn to finishAttempt
	fnErr     error            // what fn returned in that attempt
	ran       bool             // the attempt ran: no gate refused it
	ambiguous error            // an ambiguous COMMIT that was retried
}

// options returns the call's own options, followed by its caller's. The core calls finishAttempt
// once validators have seen fn's value, so that a rejected value is never committed.
func (c *call[Tx]) options(opts []retry.Option) []retry.Option {
	finish, _ := judging.NewOption(c.finishAttempt).(retry.Option)
	return slices.Concat([]retry.Option{finish, retry.WithRetryIf(c.classify)}, opts)
}

// runAttempt runs fn in a new transaction and leaves it open for finishAttempt.
func (c *call[Tx]) runAttempt(ctx context.Context, fn func(ctx context.Context, tx Tx) error) error {
	c.ran, c.open, c.fnErr = true, nil, nil
	t, err := c.begin(ctx)
	if err != nil {
		return err
	}
	returned := false
	defer func() {
		if !returned { // fn panicked or called Goexit
			t.rollBackIfOpen()
		}
	}()
	c.fnErr = fn(ctx, t.tx)
	c.open, returned = t, true
	return c.fnErr
}

// finishAttempt commits if err is nil and otherwise rolls back. err is the error of runAttempt, or
// why a validator rejected fn's value. It returns the attempt's error. A retryable error says so,
// see isRetryable. One that is not safe to retry is marked by retry.Permanent.
func (c *call[Tx]) finishAttempt(_ context.Context, err error) error {
	verdict, rejected := err, c.open != nil && c.fnErr == nil && err != nil
	if t := c.open; t != nil {
		defer t.rollBackIfOpen() // a Settler may panic
		err = t.end(err)
	}
	if rejected && err == verdict {
		c.ran = false // classify is not asked about a rejected value
	}
	if err == nil || rejected || c.ambiguous == nil || isAmbiguous(err) {
		return err
	}
	retryable := isRetryable(err)
	err = c.afterAmbiguous(err)
	if retryable {
		return &retryableError{err}
	}
	return err
}

// transaction is an attempt that has begun.
type transaction[Tx any] struct {
	*call[Tx]
	ctx   context.Context // the attempt's
	tx    Tx
	txCtx *txContext
	ended bool
}

// begin begins a transaction. If it fails, nothing has happened, so every error is safe to retry.
// An error that is known to last is not retryable.
func (c *call[Tx]) begin(ctx context.Context) (*transaction[Tx], error) {
	txCtx := newTxContext(ctx)
	tx, err := c.Driver.Begin(txCtx)
	if err == nil && !txCtx.extend(ctx) {
		_ = c.Driver.Rollback(txCtx, tx)
		err = ctx.Err()
	}
	if err == nil {
		return &transaction[Tx]{call: c, ctx: ctx, tx: tx, txCtx: txCtx}, nil
	}
	txCtx.close()
	return nil, c.beginError(ctx, err)
}

// beginError returns the attempt's error after BEGIN failed with err.
func (c *call[Tx]) beginError(ctx context.Context, err error) error {
	if ctx.Err() != nil && errtree.Is(err, context.Canceled) {
		err = context.Cause(ctx) // err is the end of the txContext
	}
	if refusedByStandby(err) {
		err = &readOnlyError{err}
	}
	err = &stepError{"retrysql: begin", err}
	if mayConnectLater(err) {
		return &retryableError{err}
	}
	return c.markTimeout(ctx, err)
}

// end commits if err is nil and otherwise rolls back. It returns the attempt's error.
func (t *transaction[Tx]) end(err error) error {
	if err == nil {
		err = context.Cause(t.ctx) // COMMIT must not be sent after the context has ended
	}
	var id string
	if err == nil {
		id, err = t.note()
	}
	if err == nil {
		err = t.txCtx.Err()
	}
	t.ended = true
	defer t.txCtx.close()
	if err != nil {
		return t.rollBack(err)
	}
	return t.commit(id)
}

// rollBackIfOpen rolls back a transaction that has not ended.
func (t *transaction[Tx]) rollBackIfOpen() {
	if t == nil || t.ended {
		return
	}
	t.ended = true
	defer t.txCtx.close()
	_ = t.sendRollback(nil)
}

// rollBack rolls back because of err and returns the attempt's error.
func (t *transaction[Tx]) rollBack(err error) error {
	if end := t.sendRollback(err); errtree.Is(end, ErrEnded) && !t.ReadOnly {
		return t.endedByFn(end, err)
	}
	return t.markTimeout(t.ctx, err)
}

// sendRollback sends ROLLBACK because of cause. If ROLLBACK fails, the connection is lost and the
// transaction with it, so callers need its error only for ErrEnded.
func (t *transaction[Tx]) sendRollback(cause error) error {
	limit := time.AfterFunc(gracePeriod, t.txCtx.cancel)
	defer limit.Stop()
	if isReadOnlyServer(cause) && !t.ReadOnly {
		return t.Driver.Discard(t.txCtx, t.tx)
	}
	return t.Driver.Rollback(t.txCtx, t.tx)
}

// markTimeout marks err as retryable if the attempt's own timeout has ended ctx. Drivers report a
// timeout in many ways.
func (c *call[Tx]) markTimeout(ctx context.Context, err error) error {
	if ctx.Err() == nil || c.ctx.Err() != nil || isAmbiguous(err) {
		return err // an ambiguous error comes from a call within fn
	}
	cause := context.Cause(ctx)
	if !errtree.Is(err, cause) {
		err = &timeoutError{err, cause}
	}
	if errtree.Is(cause, context.DeadlineExceeded) {
		err = &retryableError{err}
	}
	return err
}

// classify is the classifier of InTx. An attempt that a gate refused has done nothing.
func (c *call[Tx]) classify(a retry.Attempt) bool {
	refusedByGate := !c.ran
	c.ran = false
	return refusedByGate || isRetryable(a.Err)
}

// isRetryable reports whether the error of an attempt that ran is worth another attempt.
func isRetryable(err error) bool {
	_, ok := err.(*retryableError)
	return ok || isTransient(err)
}
