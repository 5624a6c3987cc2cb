package retrysql

import (
	"context"
	"database/sql"

	"github.com/seed-205ff063/retry"
)

// Runner runs functions in transactions, again in new ones while that is safe and worth it.
//
// DB is required, the zero value of every other field is its default. The fields must not be
// changed while InTx runs. A Runner is safe for concurrent use.
type Runner struct {
	// DB is where the transactions are begun.
	DB *sql.DB

	// Policy says how often and how long to retry. What it retries is what Transient matches and
	// what its own WithRetryIf adds; its WithStopIf takes away. An attempt's timeout is for the
	// whole transaction.
	// The default is the core's defaults.
	Policy *retry.Policy

	// TxOptions are the isolation level and whether the transaction only reads. With ReadOnly
	// set no COMMIT is ambiguous, for there is nothing to commit twice: set it only for a driver
	// that holds fn to it, which modernc.org/sqlite does not.
	// The default is the driver's default level, reading and writing.
	TxOptions *sql.TxOptions

	// Idempotent says that fn may safely run again after it may already have been committed, as
	// one may that looks for a row it has left behind. An ambiguous COMMIT is then retried; if
	// no attempt ends better, the error still matches ErrAmbiguousCommit.
	// The default is false: an ambiguous COMMIT ends the call.
	Idempotent bool

	// Settle asks the database whether a COMMIT whose reply was lost took place: if so the call
	// has succeeded, and if not the transaction is run again. It costs a question before each
	// COMMIT. Hooks and the log see the attempt as it was settled; to hear of the question itself,
	// wrap the Settler, which is called in InTx's goroutine. See Postgres.
	// The default is nil: an ambiguous COMMIT is returned as such.
	Settle Settler
}

// InTx runs fn in a transaction and commits it, or rolls back if fn returns an error; again in a
// new transaction while that is safe and worth it, see the package comment. It returns nil once
// a transaction is committed, and otherwise a *retry.Error. One that does not match
// [ErrAmbiguousCommit] means that nothing was committed.
//
// fn must
//   - give its statements the context it gets, and use no connection but tx;
//   - return the first error of a statement, and send nothing after it;
//   - read its rows to the end, and not keep tx;
//   - leave Commit and Rollback to InTx: also in SQL, and by statements that commit unseen, as
//     MySQL's CREATE and ALTER do.
//
// It may run several times, so what it changes outside the database must bear that. For a value,
// let it assign to a variable, or see [InTxValue].
//
// MySQL and MariaDB end the whole transaction by a deadlock, inside of a savepoint too. What fn
// sends after that commits by itself, and so does what follows a statement that commits unseen.
// InTx finds that out with go-sql-driver/mysql if a statement succeeded after the end: the call
// then ends with ErrAmbiguousCommit, whatever fn returned. If fn hides the deadlock and sends
// nothing more, nobody knows: InTx returns nil, and what fn did before is lost.
//
// The context binds up to COMMIT: where it ends before that is sent, the transaction is rolled
// back although fn succeeded.
//
// A panic in fn, or runtime.Goexit, rolls back and goes on. A nil fn or DB is an error that
// matches retry.ErrOption.
func (r *Runner) InTx(ctx context.Context, fn func(ctx context.Context, tx *sql.Tx) error) error {
	return r.inTx(ctx, fn, r.Policy)
}

// InTx is [Runner.InTx] for one transaction, with options in place of a policy.
func InTx(ctx context.Context, db *sql.DB, txOpts *sql.TxOptions, fn func(ctx context.Context, tx *sql.Tx) error, opts ...retry.Option) error {
	r := &Runner{DB: db, TxOptions: txOpts}
	return r.inTx(ctx, fn, opts...)
}

// InTxValue is like [InTx] for a function that returns a value, such as the id of a new row.
// Validators look at the value before COMMIT, and one that they reject is rolled back. When the
// call fails, the value is what fn's last run returned, also if later attempts did not come to
// fn. It may never have been committed.
func InTxValue[T any](ctx context.Context, db *sql.DB, txOpts *sql.TxOptions, fn func(ctx context.Context, tx *sql.Tx) (T, error), opts ...retry.Option) (T, error) {
	r := &Runner{DB: db, TxOptions: txOpts}
	if err := r.faults(fn == nil); err != nil {
		return *new(T), err
	}
	return Transact(ctx, r.transactor(), func(ctx context.Context, s *session) (T, error) { return fn(ctx, s.tx) }, opts...)
}

// faults is what is wrong with the call, nil if nothing is.
func (r *Runner) faults(noFunction bool) error {
	switch {
	case r.DB == nil:
		return fault("DB: nil; give it what sql.Open returned")
	case noFunction:
		return fault("fn: nil function")
	}
	return nil
}

// transactor returns the Transactor that does the work of one call of r.
func (r *Runner) transactor() *Transactor[*session] {
	both := &struct { // one allocation
		transactor Transactor[*session]
		driver     database
	}{driver: database{db: r.DB, opts: r.TxOptions}}
	t := &both.transactor
	*t = Transactor[*session]{
		Driver:     &both.driver,
		ReadOnly:   r.TxOptions != nil && r.TxOptions.ReadOnly,
		Idempotent: r.Idempotent,
	}
	if r.Settle != nil {
		t.Note = func(ctx context.Context, s *session) (string, error) { return r.Settle.Note(ctx, s.tx) }
		t.Settle = func(ctx context.Context, id string) (Outcome, error) { return r.Settle.Settle(ctx, r.DB, id) }
	}
	return t
}

// inTx is InTx with its options.
func (r *Runner) inTx(ctx context.Context, fn func(ctx context.Context, tx *sql.Tx) error, opts ...retry.Option) error {
	if err := r.faults(fn == nil); err != nil {
		return err
	}
	return r.transactor().InTx(ctx, func(ctx context.Context, s *session) error { return fn(ctx, s.tx) }, opts...)
}
