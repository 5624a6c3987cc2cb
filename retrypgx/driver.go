package retrypgx

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrysql"
)

// driver is the TxDriver of one call.
type driver struct {
	db        Beginner
	opts      pgx.TxOptions
	discarded bool // a connection whose server had lost its role
}

// Begin begins a transaction. A connection of its own that is closed stays so.
func (d *driver) Begin(ctx context.Context) (*transaction, error) {
	tx, err := d.db.BeginTx(ctx, d.opts)
	if err == nil {
		return &transaction{Tx: tx}, nil
	}
	if c, ok := d.db.(interface{ IsClosed() bool }); ok && c.IsClosed() {
		err = retry.Permanent(&closedError{err})
	}
	if retrysql.SQLState("25006", "0A000")(retry.Attempt{Err: err}) {
		d.reset() // the pool has the connection back, and would give it to the next attempt
	}
	return nil, err
}

func (d *driver) Commit(ctx context.Context, tx *transaction) error {
	if tx.endedInSQL() {
		_ = tx.end(ctx, tx.Tx.Rollback)
		return errEndedInSQL
	}
	return tx.end(ctx, tx.Tx.Commit)
}

func (d *driver) Rollback(ctx context.Context, tx *transaction) error {
	inSQL := tx.endedInSQL()
	err := tx.end(ctx, tx.Tx.Rollback)
	if inSQL {
		return errEndedInSQL
	}
	return err
}

// Discard closes the connection, which a pool then does not take back. If it is not the first one
// of the call, the pool drops all: they lead to the same server. A connection of its own stays
// open, because there is no other.
func (d *driver) Discard(ctx context.Context, tx *transaction) error {
	if conn := tx.conn(); conn != nil && !isConn(d.db) && !tx.endedInSQL() {
		_ = conn.Close(ctx)
		if d.discarded {
			d.reset()
		}
		d.discarded = true
	}
	return d.Rollback(ctx, tx)
}

// reset has a pool drop its connections.
func (d *driver) reset() {
	if pool, ok := d.db.(interface{ Reset() }); ok {
		pool.Reset()
	}
}

// isConn reports whether db is a single connection, and no pool.
func isConn(db Beginner) bool {
	switch db.(type) {
	case *pgx.Conn, interface{ Conn() *pgx.Conn }: // and *pgxpool.Conn
		return true
	}
	return false
}

// closedError is the error of BEGIN on a connection that is closed.
type closedError struct{ err error }

func (c *closedError) Error() string {
	return "the connection is closed and there is no other, use a pool: " + retry.ErrorText(c.err)
}
func (c *closedError) Unwrap() error { return c.err }

// asker is what can be asked outside of the transaction.
type asker interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

func querier(db any) asker {
	a, _ := db.(asker)
	return a
}

// queryRow asks as retrysql does.
func queryRow(a asker) retrysql.QueryRow {
	return func(ctx context.Context, query string, args []any, dest ...any) error {
		return a.QueryRow(ctx, query, args...).Scan(dest...)
	}
}

// transactor returns the Transactor that does the work of r.
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
			return retrysql.SettlePostgres(ctx, queryRow(querier(r.DB)), id)
		}
	}
	return t
}
