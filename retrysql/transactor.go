package retrysql

import (
	"context"

	"github.com/seed-205ff063/retry"
)

// Transactor runs functions in transactions of a driver that does not go through database/sql.
// It is the extension point for packages that support such a driver, as retrypgx does. If you use
// database/sql, use [Runner].
//
// Tx is the driver's transaction. What is retried is in the package comment.
//
// Driver is required. The zero value of every other field is its default. Do not change the
// fields while a call runs. A Transactor is safe for concurrent use if its fields are.
type Transactor[Tx any] struct {
	// Driver begins and ends the transactions.
	Driver TxDriver[Tx]

	// ReadOnly says that there is nothing to commit, so that no COMMIT is ambiguous. Set it
	// only if the database enforces it.
	// The default is false.
	ReadOnly bool

	// Idempotent is [Runner].Idempotent.
	// The default is false.
	Idempotent bool

	// Note is [Settler].Note for Tx. Set Note and Settle together.
	// The default is nil: an ambiguous COMMIT ends the call.
	Note func(ctx context.Context, tx Tx) (id string, err error)

	// Settle is [Settler].Settle. It must use another connection than the transaction's.
	// The default is nil: an ambiguous COMMIT ends the call.
	Settle func(ctx context.Context, id string) (Outcome, error)
}

// TxDriver begins and ends transactions for a [Transactor].
//
// The context of its methods has the values of the attempt's context but lives up to 2 s longer.
// So a COMMIT can get its reply, and a ROLLBACK can be sent, after the attempt's time is up. Each
// transaction ends by one call of Commit, Rollback or Discard, also when fn panics.
type TxDriver[Tx any] interface {
	// Begin begins a transaction. If it fails, it must leave nothing open.
	Begin(ctx context.Context) (Tx, error)

	// Commit commits. The SQLSTATE or other code of an error says what became of the transaction.
	// An error without a code is ambiguous. An error that matches [ErrEnded] says that fn has
	// ended the transaction.
	Commit(ctx context.Context, tx Tx) error

	// Rollback rolls back. Its error is ignored unless it matches [ErrEnded].
	Rollback(ctx context.Context, tx Tx) error

	// Discard rolls back on a connection whose server refuses writes, and makes the pool drop
	// that connection. Its error is ignored unless it matches [ErrEnded].
	Discard(ctx context.Context, tx Tx) error
}

// InTx is [Runner.InTx] for the driver's transactions, with options in place of a policy.
func (t *Transactor[Tx]) InTx(ctx context.Context, fn func(ctx context.Context, tx Tx) error, opts ...retry.Option) error {
	if err := t.check(fn == nil); err != nil {
		return err
	}
	c := call[Tx]{Transactor: t, ctx: ctx}
	err := retry.Do(ctx, func(ctx context.Context) error { return c.runAttempt(ctx, fn) }, c.options(opts)...)
	return c.finalError(err)
}

// Transact is [InTxValue] for the transactions of a [Transactor].
func Transact[Tx, T any](ctx context.Context, t *Transactor[Tx], fn func(ctx context.Context, tx Tx) (T, error), opts ...retry.Option) (T, error) {
	var last T // what fn's last run returned, even if a later attempt does not get as far as fn
	if err := t.check(fn == nil); err != nil {
		return last, err
	}
	c := call[Tx]{Transactor: t, ctx: ctx}
	_, err := retry.DoValue(ctx, func(ctx context.Context) (T, error) {
		err := c.runAttempt(ctx, func(ctx context.Context, tx Tx) (err error) {
			last, err = fn(ctx, tx)
			return err
		})
		return last, err
	}, c.options(opts)...)
	return last, c.finalError(err)
}

// check returns an error if the Transactor is incomplete or the function is missing.
func (t *Transactor[Tx]) check(noFunction bool) error {
	switch {
	case t == nil:
		return optionError("Transactor: nil")
	case t.Driver == nil:
		return optionError("Driver: nil; give the Transactor a TxDriver")
	case (t.Note == nil) != (t.Settle == nil):
		return optionError("Note and Settle: one of them is nil; set both or none")
	case noFunction:
		return optionError("fn: nil function")
	}
	return nil
}
