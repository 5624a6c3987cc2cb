package retrypgx

import (
	"context"
	"reflect"

	"github.com/jackc/pgx/v5"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrysql"
)

// Beginner begins transactions. It is a *pgxpool.Pool or a *pgx.Conn.
type Beginner interface {
	BeginTx(ctx context.Context, o pgx.TxOptions) (pgx.Tx, error)
}

// Runner runs functions in transactions and retries them where that is safe. Most callers should
// set DB and Policy, and call InTx.
//
// DB is required. The zero value of every other field is its default. Do not change the fields
// while InTx runs. A Runner is safe for concurrent use if DB is, as a pool is.
type Runner struct {
	// DB is where the transactions begin: a *pgxpool.Pool or a *pgx.Conn.
	DB Beginner

	// Policy says how often and how long to retry. Its WithRetryIf adds to what
	// retrysql.Transient matches, and its WithStopIf takes away. An attempt's timeout is for the
	// whole transaction.
	// The default is the defaults of package retry.
	Policy *retry.Policy

	// TxOptions are the options with which pgx begins the transaction. With AccessMode
	// pgx.ReadOnly no COMMIT is ambiguous, because there is nothing to commit twice.
	// The default is the server's default level, reading and writing.
	TxOptions pgx.TxOptions

	// Idempotent says that fn may run again after it may already have been committed. That is so
	// if fn looks for a row that it has left behind. An ambiguous COMMIT is then retried. If no
	// later attempt succeeds, the error still matches retrysql.ErrAmbiguousCommit.
	// The default is false: an ambiguous COMMIT ends the call.
	Idempotent bool

	// Settle asks the server, over another connection of the pool, whether a COMMIT whose reply
	// was lost took place. If it did, the call succeeds. If it did not, the transaction runs
	// again. Settle needs PostgreSQL 13 or later and costs one query before each COMMIT. See
	// retrysql.Postgres for what it can and cannot tell.
	// The default is false: an ambiguous COMMIT ends the call.
	Settle bool
}

// InTx runs fn in a transaction and commits it. If fn returns an error, InTx rolls back. It
// retries in a new transaction where that is safe, see the package comment. It returns nil once a
// transaction is committed, and otherwise a *retry.Error. If the error does not match
// retrysql.ErrAmbiguousCommit, nothing was committed.
//
// fn must
//   - give its statements the context it gets, and use no connection but tx's;
//   - return the first error of a statement;
//   - close its rows and the results of its batches, and not keep tx;
//   - leave Commit and Rollback to InTx, also in SQL.
//
// fn may run several times, so what it changes outside the database must be safe to repeat. To
// get a value out, let fn assign to a variable, or see [InTxValue]. tx.Begin makes a savepoint,
// which does not cure a serialization failure.
//
// A panic or runtime.Goexit in fn rolls back and continues. A nil fn or DB is an error that
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
		return tx.checkClosed(fn(ctx, tx))
	}, opts...)
}

// InTxValue is like [InTx] for a function that returns a value, such as the id of a new row.
// Validators check the value before COMMIT. If they reject it, the transaction is rolled back.
//
// If the call fails, InTxValue returns the value of fn's last run. That value may never have been
// committed.
func InTxValue[T any](ctx context.Context, db Beginner, o pgx.TxOptions, fn func(ctx context.Context, tx pgx.Tx) (T, error), opts ...retry.Option) (T, error) {
	r := &Runner{DB: db, TxOptions: o}
	if err := r.check(fn == nil); err != nil {
		return *new(T), err
	}
	return retrysql.Transact(ctx, r.transactor(), func(ctx context.Context, tx *transaction) (T, error) {
		v, err := fn(ctx, tx)
		return v, tx.checkClosed(err)
	}, opts...)
}

// check returns an error if a required argument is missing, or if Settle cannot work.
func (r *Runner) check(noFunction bool) error {
	switch {
	case isNil(r.DB):
		return optionError("DB: nil; give it a *pgxpool.Pool")
	case noFunction:
		return optionError("fn: nil function")
	case r.Settle && (queryerOf(r.DB) == nil || isConn(r.DB)):
		return optionError("Settle: DB has no other connection to ask over; give it a *pgxpool.Pool")
	}
	return nil
}

// transactor returns a Transactor for one call of r.
func (r *Runner) transactor() *retrysql.Transactor[*transaction] {
	t := &retrysql.Transactor[*transaction]{
		Driver:     &driver{db: r.DB, opts: r.TxOptions},
		ReadOnly:   r.TxOptions.AccessMode == pgx.ReadOnly,
		Idempotent: r.Idempotent,
	}
	if r.Settle {
		t.Note = func(ctx context.Context, tx *transaction) (string, error) {
			return retrysql.NotePostgres(ctx, queryRow(tx))
		}
		t.Settle = func(ctx context.Context, id string) (retrysql.Outcome, error) {
			return retrysql.SettlePostgres(ctx, queryRow(queryerOf(r.DB)), id)
		}
	}
	return t
}

// isNil reports whether db is nil or a nil pointer.
func isNil(db Beginner) bool {
	if db == nil {
		return true
	}
	v := reflect.ValueOf(db)
	return v.Kind() == reflect.Pointer && v.IsNil()
}

// optionError says what is wrong with the arguments of a call.
type optionError string

func (e optionError) Error() string        { return "retrypgx: " + string(e) }
func (e optionError) Is(target error) bool { return target == retry.ErrOption }
