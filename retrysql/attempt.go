package retrysql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/internal/judging"
)

// call is one call of InTx: what its attempts share.
type call struct {
	*Runner
	ctx    context.Context // the caller's
	slot   *judging.Slot   // of a call with a value
	ran    bool            // the attempt came as far as here, and was not refused by a gate
	unsure error           // a COMMIT that may have taken effect, although attempts went on
}

// attempt runs body in a new transaction. Its error says by its type whether another attempt
// is worth it, see worth, and whether that is safe, see retry.Permanent.
func (c *call) attempt(ctx context.Context, body func(ctx context.Context, tx *sql.Tx) error) error {
	c.ran = true
	err := c.transact(ctx, body)
	if err == nil || c.unsure == nil || errors.Is(err, ErrAmbiguousCommit) {
		return err
	}
	doubtful := c.doubtful(err)
	if worth(err) {
		return &again{doubtful}
	}
	return doubtful
}

// transact is attempt but for what attempts before it have left in doubt.
func (c *call) transact(ctx context.Context, body func(ctx context.Context, tx *sql.Tx) error) error {
	t, err := c.begin(ctx)
	if err != nil {
		return err
	}
	defer func() { t.abandon() }() // also when body panics or calls Goexit
	err = body(ctx, t.tx)
	if err == nil && c.slot != nil && c.slot.Taken() {
		own := t
		t = nil
		c.slot.Leave(own.end)
		return nil
	}
	return t.end(err)
}

// transaction is an attempt that has begun.
type transaction struct {
	*call
	ctx   context.Context // the attempt's
	tx    *sql.Tx
	life  *life
	ended bool
}

// begin begins a transaction. One that did not begin has done nothing, so every failure may be
// retried; those that are known to last are not worth it.
func (c *call) begin(ctx context.Context) (*transaction, error) {
	life := newLife(ctx)
	tx, err := c.DB.BeginTx(life, c.TxOptions)
	if err == nil && !life.outlive(ctx) {
		_ = tx.Rollback()
		err = ctx.Err()
	}
	if err == nil {
		return &transaction{call: c, ctx: ctx, tx: tx, life: life}, nil
	}
	life.close()
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		err = context.Cause(ctx) // and not the life's
	}
	err = fmt.Errorf("retrysql: begin: %w", err)
	if connectable(err) {
		return nil, &again{err}
	}
	return nil, c.timedOut(ctx, err)
}

// end commits if err is nil and otherwise rolls back, and returns the attempt's error.
func (t *transaction) end(err error) error {
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
func (t *transaction) abandon() {
	if t == nil || t.ended {
		return
	}
	t.ended = true
	defer t.life.close()
	_ = t.undo()
}

// undo sends ROLLBACK. An error of that is of no interest: the connection is lost then, and
// with it the transaction. But ErrTxDone is: fn ended the transaction itself.
func (t *transaction) undo() error {
	limit := time.AfterFunc(grace, t.life.end)
	defer limit.Stop()
	return t.tx.Rollback()
}

// rollBack rolls back because of err and returns the attempt's error.
func (t *transaction) rollBack(err error) error {
	if t.endedBefore(t.undo()) && !t.readOnly() {
		return t.endedByFn(err)
	}
	return t.timedOut(t.ctx, err)
}

// endedBefore reports whether err, of ROLLBACK or COMMIT, says that the transaction had already
// ended, and not because its life had.
func (t *transaction) endedBefore(err error) bool { return err == sql.ErrTxDone && t.life.Err() == nil }

// readOnly reports whether there is nothing to commit.
func (c *call) readOnly() bool { return c.TxOptions != nil && c.TxOptions.ReadOnly }

// timedOut marks an attempt's error as worth another attempt if the attempt's own time ran out,
// for drivers report that in many ways.
func (c *call) timedOut(ctx context.Context, err error) error {
	if ctx.Err() == nil || c.ctx.Err() != nil || errors.Is(err, ErrAmbiguousCommit) {
		return err // of a call within fn, the last
	}
	cause := context.Cause(ctx)
	if !errors.Is(err, cause) {
		err = fmt.Errorf("%w (%w)", err, cause)
	}
	if errors.Is(cause, context.DeadlineExceeded) {
		err = &again{err}
	}
	return err
}

// again says of an attempt's error that another attempt may end better, whatever its text. It
// adds none.
type again struct{ err error }

func (a *again) Error() string { return a.err.Error() }
func (a *again) Unwrap() error { return a.err }

// worth is the classifier of InTx. What a gate refused has done nothing.
func (c *call) worth(a retry.Attempt) bool {
	refused := !c.ran
	c.ran = false
	return refused || worth(a.Err)
}

// worth says the same of the error of an attempt that was made.
func worth(err error) bool {
	_, ok := err.(*again)
	return ok || transient(err)
}
