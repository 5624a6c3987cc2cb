package retrysql

import (
	"context"
	"database/sql"

	"github.com/seed-205ff063/retry"
)

// Runner runs functions in transactions and retries them where that is safe. Most callers should
// set DB and Policy, and call InTx.
//
// DB is required. The zero value of every other field is its default. Do not change the fields
// while InTx runs. A Runner is safe for concurrent use.
type Runner struct {
	// DB is where the transactions begin.
	DB *sql.DB

	// Policy says how often and how long to retry. Its WithRetryIf adds to what [Transient]
	// matches, and its WithStopIf takes away. An attempt's timeout is for the whole transaction.
	// The default is the defaults of package retry.
	Policy *retry.Policy

	// TxOptions set the isolation level and whether the transaction only reads. With ReadOnly no
	// COMMIT is ambiguous, because there is nothing to commit twice. Set ReadOnly only for a
	// driver that enforces it. modernc.org/sqlite does not.
	// The default is the driver's default level, reading and writing.
	TxOptions *sql.TxOptions

	// Idempotent says that fn may run again after it may already have been committed. That is so
	// if fn looks for a row that it has left behind. An ambiguous COMMIT is then retried. If no
	// later attempt succeeds, the error still matches [ErrAmbiguousCommit].
	// The default is false: an ambiguous COMMIT ends the call.
	Idempotent bool

	// Settle asks the database whether a COMMIT whose reply was lost took place. If it did, the
	// call succeeds. If it did not, the transaction runs again. Settle costs one query before each
	// COMMIT. Hooks and the log see the attempt as it was settled. To observe the query itself,
	// wrap the Settler, which is called in InTx's goroutine. See [Postgres].
	// The default is nil: an ambiguous COMMIT ends the call.
	Settle Settler
}

// InTx runs fn in a transaction and commits it. If fn returns an error, InTx rolls back. It
// retries in a new transaction where that is safe, see the package comment. It returns nil once a
// transaction is committed, and otherwise a *retry.Error. If the error does not match
// [ErrAmbiguousCommit], nothing was committed.
//
// fn must
//   - give its statements the context it gets, and use no connection but tx;
//   - return the first error of a statement, and send nothing after it;
//   - read its rows to the end, and not keep tx;
//   - leave Commit and Rollback to InTx. That includes COMMIT and ROLLBACK in SQL, and statements
//     that commit implicitly, such as MySQL's CREATE and ALTER.
//
// fn may run several times, so what it changes outside the database must be safe to repeat. To
// get a value out, let fn assign to a variable, or see [InTxValue]. InTx does not use SAVEPOINT,
// which does not cure a serialization failure.
//
// If the context ends before COMMIT is sent, the transaction is rolled back although fn
// succeeded.
//
// A panic or runtime.Goexit in fn rolls back and continues. A nil fn or DB is an error that
// matches retry.ErrOption.
//
// In MySQL and MariaDB a deadlock ends the whole transaction, even inside a savepoint. Each
// statement that fn sends after that commits by itself, as it does after a statement that commits
// implicitly. With go-sql-driver/mysql, InTx detects this if a later statement succeeded: the
// call ends with ErrAmbiguousCommit, whatever fn returned. If fn hides the deadlock and sends
// nothing more, InTx cannot detect it. InTx then returns nil, and what fn did before is lost.
func (r *Runner) InTx(ctx context.Context, fn func(ctx context.Context, tx *sql.Tx) error) error {
	return r.inTx(ctx, fn, r.Policy)
}

// InTx is [Runner.InTx] for one transaction, with options in place of a policy.
func InTx(ctx context.Context, db *sql.DB, txOpts *sql.TxOptions, fn func(ctx context.Context, tx *sql.Tx) error, opts ...retry.Option) error {
	r := &Runner{DB: db, TxOptions: txOpts}
	return r.inTx(ctx, fn, opts...)
}

// InTxValue is like [InTx] for a function that returns a value, such as the id of a new row.
// Validators check the value before COMMIT. If they reject it, the transaction is rolled back.
//
// If the call fails, InTxValue returns the value of fn's last run, even if later attempts did not
// get as far as fn. That value may never have been committed.
func InTxValue[T any](ctx context.Context, db *sql.DB, txOpts *sql.TxOptions, fn func(ctx context.Context, tx *sql.Tx) (T, error), opts ...retry.Option) (T, error) {
	r := &Runner{DB: db, TxOptions: txOpts}
	if err := r.check(fn == nil); err != nil {
		return *new(T), err
	}
	return Transact(ctx, r.transactor(), func(ctx context.Context, s *session) (T, error) { return fn(ctx, s.tx) }, opts...)
}

func (r *Runner) inTx(ctx context.Context, fn func(ctx context.Context, tx *sql.Tx) error, opts ...retry.Option) error {
	if err := r.check(fn == nil); err != nil {
		return err
	}
	return r.transactor().InTx(ctx, func(ctx context.Context, s *session) error { return fn(ctx, s.tx) }, opts...)
}

// check returns an error if a required argument is missing.
func (r *Runner) check(noFunction bool) error {
	switch {
	case r.DB == nil:
		return optionError("DB: nil; give it what sql.Open returned")
	case noFunction:
		return optionError("fn: nil function")
	}
	return nil
}

// transactor returns a Transactor for one call of r.
func (r *Runner) transactor() *Transactor[*session] {
	both := &struct { // one allocation
		transactor Transactor[*session]
		driver     sqlDriver
	}{driver: sqlDriver{db: r.DB, opts: r.TxOptions}}
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
