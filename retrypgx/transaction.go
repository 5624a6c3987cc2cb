package retrypgx

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/jackc/pgx/v5"

	"github.com/seed-205ff063/retry/retrysql"
)

// transaction is what fn gets. It remembers whether fn ended it: the connection may then be
// somebody else's already and must not be looked at.
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

// end ends the transaction unless fn has.
func (tx *transaction) end(ctx context.Context, end func(context.Context) error) error {
	if tx.ended.Swap(true) {
		return retrysql.ErrEnded
	}
	err := end(ctx)
	if errors.Is(err, pgx.ErrTxClosed) {
		return retrysql.ErrEnded
	}
	return err
}

// conn is the transaction's connection while it has one. A test's double has none.
func (tx *transaction) conn() *pgx.Conn {
	if tx.ended.Load() {
		return nil
	}
	return tx.Conn()
}

// finished returns err, or what is wrong with the connection after fn returned nil.
func (tx *transaction) finished(err error) error {
	if conn := tx.conn(); err == nil && conn != nil && !conn.IsClosed() && conn.PgConn().IsBusy() {
		return errOpen
	}
	return err
}

var errOpen = errors.New("retrypgx: fn left rows or the results of a batch open; close them before it returns")

// endedInSQL reports whether the server says that no transaction is under way.
func (tx *transaction) endedInSQL() bool {
	conn := tx.conn()
	return conn != nil && !conn.IsClosed() && conn.PgConn().TxStatus() == 'I'
}

// errEndedInSQL is the error of a transaction that fn ended by a statement.
var errEndedInSQL error = endedInSQLError{}

type endedInSQLError struct{}

func (endedInSQLError) Error() string {
	return "fn ended the transaction by a statement, and what it sent after that was committed by itself; leave COMMIT and ROLLBACK to InTx"
}
func (endedInSQLError) Is(target error) bool { return target == retrysql.ErrEnded }
