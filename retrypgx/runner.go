package retrypgx

import (
	"context"
	"reflect"

	"github.com/jackc/pgx/v5"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrysql"
)

// Beginner is what transactions are begun on: a *pgxpool.Pool, or a *pgx.Conn.
type Beginner interface {
	BeginTx(ctx context.Context, o pgx.TxOptions) (pgx.Tx, error)
}

// Runner runs functions in transactions, again in new ones while that is safe and worth it.
//
// DB is required. The zero value of every other field is its default. The fields must not be
// changed while InTx runs. A Runner is safe for concurrent use if DB is, as a pool is.
type Runner struct {
	// DB is where the transactions are begun: a *pgxpool.Pool, or a *pgx.Conn.
	DB Beginner

	// Policy says how often and how long to retry. What it retries is what retrysql.Transient
	// matches and what its own WithRetryIf adds; its WithStopIf takes away. An attempt's timeout
	// is for the whole transaction.
	// The default is the core's defaults.
	Policy *retry.Policy

	// TxOptions are what pgx begins the transaction with. With AccessMode pgx.ReadOnly no COMMIT
	// is ambiguous, because there is nothing to commit twice.
	// The default is the server's default level, reading and writing.
	TxOptions pgx.TxOptions

	// Idempotent says that fn may safely run again after it may already have been committed, as
	// it may if it looks for a row that it has left behind. An ambiguous COMMIT is then retried.
	// If no attempt ends better, the error still matches retrysql.ErrAmbiguousCommit.
	// The default is false: an ambiguous COMMIT ends the call.
	Idempotent bool

	// Settle asks the server what became of a COMMIT whose reply was lost, over another
	// connection of the pool. If it took place the call has succeeded, and if not the
	// transaction is run again. It needs PostgreSQL 13 or later and costs a question before
	// each COMMIT. See retrysql.Postgres for what it can and cannot tell.
	// The default is false: an ambiguous COMMIT is returned as such.
	Settle bool
}

// InTx runs fn in a transaction and commits it, or rolls back if fn returns an error; again in a
// new transaction while that is safe and worth it, see the package comment. It returns nil once
// a transaction is committed, and otherwise a *retry.Error. An error that does not match
// retrysql.ErrAmbiguousCommit means that nothing was committed.
//
// fn must
//   - give its statements the context it gets, and use no connection but tx's;
//   - return the first error of a statement;
//   - close its rows and the results of its batches, and not keep tx;
//   - leave Commit and Rollback to InTx, also in SQL.
//
// It may run several times, so what it changes outside the database must bear that. For a value,
// let it assign to a variable, or see [InTxValue]. tx.Begin makes a savepoint, which does not cure
// a serialization failure.
//
// A panic in fn, or runtime.Goexit, rolls back and goes on. A nil fn or DB is an error that
// matches retry.ErrOption.
func (r *Runner) InTx(ctx context.Context, fn func(ctx context.Context, tx pgx.Tx) error) error {
	return r.inTx(ctx, fn, r.Policy)
}

// InTx is [Runner.InTx] for one transaction, with options in place of a policy.
func InTx(ctx context.Context, db Beginner, o pgx.TxOptions, fn func(ctx context.Context, tx pgx.Tx) error, opts ...retry.Option) error {
	r := &Runner{DB: db, TxOptions: o}
	return r.inTx(ctx, fn, opts...)
}

func (r *Runner) inTx(ctx context.Context, fn func(ctx context.Context, tx pgx.Tx) error, opts ...retry.Option) error {
	if err := r.check(fn == nil); err != nil {
		return err
	}
	return r.transactor().InTx(ctx, func(ctx context.Context, tx *transaction) error {
		return tx.finished(fn(ctx, tx))
	}, opts...)
}

// InTxValue is like [InTx] for a function that returns a value, such as the id of a new row.
// Validators look at the value before COMMIT, and one that they reject is rolled back. When the
// call fails, the value is what fn's last run returned, and it may never have been committed.
func InTxValue[T any](ctx context.Context, db Beginner, o pgx.TxOptions, fn func(ctx context.Context, tx pgx.Tx) (T, error), opts ...retry.Option) (T, error) {
	r := &Runner{DB: db, TxOptions: o}
	if err := r.check(fn == nil); err != nil {
		return *new(T), err
	}
	return retrysql.Transact(ctx, r.transactor(), func(ctx context.Context, tx *transaction) (T, error) {
		v, err := fn(ctx, tx)
		return v, tx.finished(err)
	}, opts...)
}

// check returns what is wrong with the call, nil if nothing is.
func (r *Runner) check(noFunction bool) error {
	switch {
	case isNil(r.DB):
		return optionError("DB: nil; give it a *pgxpool.Pool")
	case noFunction:
		return optionError("fn: nil function")
	case r.Settle && (querier(r.DB) == nil || isConn(r.DB)):
		return optionError("Settle: DB has no other connection to ask over; give it a *pgxpool.Pool")
	}
	return nil
}

func isNil(db Beginner) bool {
	if db == nil {
		return true
	}
	v := reflect.ValueOf(db)
	return v.Kind() == reflect.Pointer && v.IsNil()
}

// optionError says what is wrong with a call.
type optionError string

func (e optionError) Error() string        { return "retrypgx: " + string(e) }
func (e optionError) Is(target error) bool { return target == retry.ErrOption }
