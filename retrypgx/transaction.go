package retrypgx

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/jackc/pgx/v5"

	"github.com/seed-205ff063/retry/retrysql"
)

// transaction is the pgx.Tx that fn gets. It remembers whether it was ended, because the
// connection may then belong to another caller and must not be used.
type transaction struct {
	pgx.Tx
	ended atomic.Bool
}

func (tx *transaction) Commit(ctx context.Context) error {
	tx.ended.Store(true)
	return tx.Tx.Commit(ctx)
}

func (tx *transaction) Rollback(ctx context.Context) error {
	tx.ended.Store(true)
	return tx.Tx.Rollback(ctx)
}

// end ends the transaction by calling f. It returns retrysql.ErrEnded if the transaction had ended.
func (tx *transaction) end(ctx context.Context, f func(context.Context) error) error {
	if tx.ended.Swap(true) {
		return retrysql.ErrEnded
	}
	err := f(ctx)
	if errors.Is(err, pgx.ErrTxClosed) {
		return retrysql.ErrEnded
	}
	return err
}

// conn returns the transaction's connection, or nil if it has none. A transaction that has ended
// has none, and neither has a fake one in a test.
func (tx *transaction) conn() *pgx.Conn {
	if tx.ended.Load() {
		return nil
	}
	return tx.Conn()
}

// checkClosed returns the error of fn. If that is nil, it returns an error if fn left rows open.
func (tx *transaction) checkClosed(err error) error {
	if conn := tx.conn(); err == nil && conn != nil && !conn.IsClosed() && conn.PgConn().IsBusy() {
		return errLeftOpen
	}
	return err
}

var errLeftOpen = errors.New("retrypgx: fn left rows or the results of a batch open; close them before it returns")

// endedInSQL reports whether the server says that no transaction is open.
func (tx *transaction) endedInSQL() bool {
	conn := tx.conn()
	return conn != nil && !conn.IsClosed() && conn.PgConn().TxStatus() == 'I'
}

// errEndedInSQL is the error of a transaction that fn ended by a statement.
var errEndedInSQL error = endedInSQLError{}

type endedInSQLError struct{}

func (endedInSQLError) Error() string {
	return "fn ended the transaction by a statement, and each later statement was committed by itself; leave COMMIT and ROLLBACK to InTx"
}
func (endedInSQLError) Is(target error) bool { return target == retrysql.ErrEnded }
