package retrysql

import (
	"context"
	"time"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/internal/errtree"
	"github.com/seed-205ff063/retry/internal/judging"
)

// call is one call of InTx: what its attempts share.
type call[Tx any] struct {
	*Transactor[Tx]
	ctx    context.Context // the caller's
	slot   *judging.Slot   // of a call with a value
	ran    bool            // the attempt was made, and not refused by a gate
	unsure error           // a COMMIT that may have taken effect, although attempts went on
}

// attempt runs fn in a new transaction. Its error says by its type whether another attempt is
// worth it, see worth, and whether that is safe, see retry.Permanent.
func (c *call[Tx]) attempt(ctx context.Context, fn func(ctx context.Context, tx Tx) error) error {
	c.ran = true
	err := c.transact(ctx, fn)
	if err == nil || c.unsure == nil || isAmbiguous(err) {
		return err
	}
	doubtful := c.doubtful(err)
	if worth(err) {
		return &again{doubtful}
	}
	return doubtful
}

// transact is attempt but for what attempts before it have left in doubt.
func (c *call[Tx]) transact(ctx context.Context, fn func(ctx context.Context, tx Tx) error) error {
	t, err := c.begin(ctx)
	if err != nil {
		return err
	}
	defer func() { t.abandon() }() // also when fn panics or calls Goexit
	err = fn(ctx, t.tx)
	if err == nil && c.slot != nil && c.slot.Taken() {
		own := t
		t = nil
		c.slot.Leave(own.end)
		return nil
	}
	return t.end(err)
}

// transaction is an attempt that has begun.
type transaction[Tx any] struct {
	*call[Tx]
	ctx   context.Context // the attempt's
	tx    Tx
	life  *life
	ended bool
}

// begin begins a transaction. One that did not begin has done nothing, so every failure may be
// retried; those that are known to last are not worth it.
func (c *call[Tx]) begin(ctx context.Context) (*transaction[Tx], error) {
	life := newLife(ctx)
	tx, err := c.Driver.Begin(life)
	if err == nil && !life.outlive(ctx) {
		_ = c.Driver.Rollback(life, tx)
		err = ctx.Err()
	}
	if err == nil {
		return &transaction[Tx]{call: c, ctx: ctx, tx: tx, life: life}, nil
	}
	life.close()
	if ctx.Err() != nil && errtree.Is(err, context.Canceled) {
		err = context.Cause(ctx) // and not the life's
	}
	if refusedByStandby(err) {
		err = &roleError{err}
	}
	err = &stepError{"retrysql: begin", err}
	if connectable(err) {
		return nil, &again{err}
	}
	return nil, c.timedOut(ctx, err)
}

// end commits if err is nil and otherwise rolls back, and returns the attempt's error.
func (t *transaction[Tx]) end(err error) error {
	if err == nil {
		err = context.Cause(t.ctx) // nil, or else it is too late to begin with COMMIT
	}
	var id string
	if err == nil {
		id, err = t.note()
	}
	if err == nil {
		err = t.life.Err()
	}
	t.ended = true
	defer t.life.close()
	if err != nil {
		return t.rollBack(err)
	}
	return t.commit(id)
}

// abandon rolls back a transaction that nobody ended.
func (t *transaction[Tx]) abandon() {
	if t == nil || t.ended {
		return
	}
	t.ended = true
	defer t.life.close()
	_ = t.undo(nil)
}

// undo sends ROLLBACK because of cause. If that fails, the connection is lost and the
// transaction with it. Only ErrEnded is of interest.
func (t *transaction[Tx]) undo(cause error) error {
	limit := time.AfterFunc(grace, t.life.end)
	defer limit.Stop()
	if lostRole(cause) && !t.ReadOnly {
		return t.Driver.Discard(t.life, t.tx)
	}
	return t.Driver.Rollback(t.life, t.tx)
}

// rollBack rolls back because of err and returns the attempt's error.
func (t *transaction[Tx]) rollBack(err error) error {
	if end := t.undo(err); errtree.Is(end, ErrEnded) && !t.ReadOnly {
		return t.endedByFn(end, err)
	}
	return t.timedOut(t.ctx, err)
}

// timedOut marks an attempt's error as worth another attempt if the attempt's own time ran out.
// Drivers report that in many ways.
func (c *call[Tx]) timedOut(ctx context.Context, err error) error {
	if ctx.Err() == nil || c.ctx.Err() != nil || isAmbiguous(err) {
		return err // an ambiguous one is of a call within fn
	}
	cause := context.Cause(ctx)
	if !errtree.Is(err, cause) {
		err = &timeoutError{err, cause}
	}
	if errtree.Is(cause, context.DeadlineExceeded) {
		err = &again{err}
	}
	return err
}

// worth is the classifier of InTx. What a gate refused has done nothing.
func (c *call[Tx]) worth(a retry.Attempt) bool {
	refused := !c.ran
	c.ran = false
	return refused || worth(a.Err)
}

// worth says the same of the error of an attempt that was made.
func worth(err error) bool {
	_, ok := err.(*again)
	return ok || transient(err)
}
