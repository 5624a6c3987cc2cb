package retrysql

import (
	"context"
	"slices"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/internal/judging"
)

// Transactor runs functions in transactions of a driver that does not go through database/sql.
// It is the extension point for packages that support such a driver; retrypgx is one. Code that
// uses database/sql has [Runner].
//
// The phases and rules are those of the package comment. Tx is the driver's transaction.
// Driver is required. The zero value of every other field is its default. The fields must not
// be changed while a call runs. A Transactor is safe for concurrent use if its parts are.
type Transactor[Tx any] struct {
	// Driver begins and ends the transactions.
	Driver TxDriver[Tx]

	// ReadOnly says that there is nothing to commit, so that no COMMIT is ambiguous. Set it
	// only if the database keeps fn to it.
	// The default is false.
	ReadOnly bool

	// Idempotent is [Runner].Idempotent.
	// The default is false.
	Idempotent bool

	// Note is [Settler].Note for Tx. It is called if Settle is set.
	// The default is nil: an ambiguous COMMIT is returned as such.
	Note func(ctx context.Context, tx Tx) (id string, err error)

	// Settle is [Settler].Settle. It must ask over another connection than the transaction's.
	// It is called if Note is set.
	// The default is nil: an ambiguous COMMIT is returned as such.
	Settle func(ctx context.Context, id string) (Outcome, error)
}

// TxDriver begins and ends transactions for a [Transactor].
//
// The context of its methods has the values of the attempt's context but lives up to 2 s longer,
// so that a COMMIT can get its reply, and a ROLLBACK can be sent, when the attempt's time is up.
// Each transaction is ended by one call of Commit, Rollback or Discard, also when fn panics.
type TxDriver[Tx any] interface {
	// Begin begins a transaction. When it fails nothing may be left open.
	Begin(ctx context.Context) (Tx, error)

	// Commit commits. An error is read by its SQLSTATE, or the like, for what became of the
	// transaction; an error without one is ambiguous. An error that matches [ErrEnded] says
	// that fn has ended the transaction.
	Commit(ctx context.Context, tx Tx) error

	// Rollback rolls back. Its error is of no interest unless it matches [ErrEnded].
	Rollback(ctx context.Context, tx Tx) error

	// Discard is Rollback for a connection that must not be used again, because its server has
	// lost its role: a pool drops it.
	Discard(ctx context.Context, tx Tx) error
}

// InTx is [Runner.InTx] for the driver's transactions, with options as the policy.
func (t *Transactor[Tx]) InTx(ctx context.Context, fn func(ctx context.Context, tx Tx) error, opts ...retry.Option) error {
	if err := t.faults(fn == nil); err != nil {
		return err
	}
	c := call[Tx]{Transactor: t, ctx: ctx}
	opts = slices.Concat([]retry.Option{retry.WithRetryIf(c.worth)}, opts)
	err := retry.Do(ctx, func(ctx context.Context) error { return c.attempt(ctx, fn) }, opts...)
	return c.result(err)
}

// Transact is [InTxValue] for the transactions of a [Transactor].
func Transact[Tx, T any](ctx context.Context, t *Transactor[Tx], fn func(ctx context.Context, tx Tx) (T, error), opts ...retry.Option) (T, error) {
	var last T // what fn's last run returned, also when a later attempt does not come to fn
	if err := t.faults(fn == nil); err != nil {
		return last, err
	}
	c := call[Tx]{Transactor: t, ctx: ctx}
	slot, ctx := judging.NewSlot(ctx)
	c.slot = slot
	begin := retry.WithHooks(retry.Hooks{Start: func(context.Context) context.Context { slot.Shut(); return nil }})
	opts = slices.Concat([]retry.Option{begin, retry.WithRetryIf(c.worth)}, opts)
	_, err := retry.DoValue(ctx, func(ctx context.Context) (T, error) {
		err := c.attempt(ctx, func(ctx context.Context, tx Tx) (err error) {
			last, err = fn(ctx, tx)
			return err
		})
		return last, err
	}, opts...)
	return last, c.result(err)
}

// faults is what is wrong with the call, nil if nothing is.
func (t *Transactor[Tx]) faults(noFunction bool) error {
	switch {
	case t == nil:
		return fault("Transactor: nil")
	case t.Driver == nil:
		return fault("Driver: nil; give the Transactor a TxDriver")
	case (t.Note == nil) != (t.Settle == nil):
		return fault("Note and Settle: one of them is nil; set both or none")
	case noFunction:
		return fault("fn: nil function")
	}
	return nil
}

// fault is something that is wrong with a call.
type fault string

func (f fault) Error() string        { return "retrysql: " + string(f) }
func (f fault) Is(target error) bool { return target == retry.ErrOption }
