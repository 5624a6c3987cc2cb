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
	discarded bool // a connection was closed because its server refused writes
}

// Begin begins a transaction. If DB is a single connection that is closed, the error is permanent.
func (d *driver) Begin(ctx context.Context) (*transaction, error) {
	tx, err := d.db.BeginTx(ctx, d.opts)
	if err == nil {
		return &transaction{Tx: tx}, nil
	}
	if c, ok := d.db.(interface{ IsClosed() bool }); ok && c.IsClosed() {
		err = retry.Permanent(&closedError{err})
	}
	if retrysql.SQLState("25006", "0A000")(retry.Attempt{Err: err}) {
		d.resetPool() // it has the connection back, and would give it to the next attempt
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

// Discard closes the connection, so that the pool does not take it back. The second time in a
// call it also resets the pool, because its other connections lead to the same server. If DB is a
// single connection, Discard leaves it open, because there is no other.
func (d *driver) Discard(ctx context.Context, tx *transaction) error {
	if conn := tx.conn(); conn != nil && !isConn(d.db) && !tx.endedInSQL() {
		_ = conn.Close(ctx)
		if d.discarded {
			d.resetPool()
		}
		d.discarded = true
	}
	return d.Rollback(ctx, tx)
}

// resetPool makes a pool drop its connections.
func (d *driver) resetPool() {
	if pool, ok := d.db.(interface{ Reset() }); ok {
		pool.Reset()
	}
}

// isConn reports whether db is a single connection and not a pool.
func isConn(db Beginner) bool {
	switch db.(type) {
	case *pgx.Conn, interface{ Conn() *pgx.Conn }: // the latter is *pgxpool.Conn
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

// queryer runs queries. Pools, connections and transactions do.
type queryer interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// queryerOf returns db as a queryer, or nil if it is none.
func queryerOf(db any) queryer {
	q, _ := db.(queryer)
	return q
}

// queryRow returns q as a retrysql.QueryRow.
func queryRow(q queryer) retrysql.QueryRow {
	return func(ctx context.Context, query string, args []any, dest ...any) error {
		return q.QueryRow(ctx, query, args...).Scan(dest...)
	}
}
