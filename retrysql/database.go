package retrysql

import (
	"cmp"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
)

// database is the TxDriver for database/sql, for one call.
type database struct {
	db      *sql.DB
	opts    *sql.TxOptions
	dropped int // connections whose server had lost its role
}

// session is a transaction of database/sql and its connection.
type session struct {
	tx    *sql.Tx
	conn  *sql.Conn // nil if tx has one of its own
	mysql bool      // the server has said that the transaction is under way
}

// Begin takes a connection from the pool and begins on it, so that a connection to a server that
// lost its role can be dropped. If the pool's was dead, database/sql looks for one that is not.
func (d *database) Begin(ctx context.Context) (*session, error) {
	conn, err := d.db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	tx, err := conn.BeginTx(ctx, d.opts)
	if errors.Is(err, driver.ErrBadConn) {
		tx, err = d.db.BeginTx(ctx, d.opts)
		conn = nil
	}
	s := &session{tx: tx, conn: conn}
	if err != nil {
		d.release(ctx, s, nil, err)
		return nil, err
	}
	s.mysql = inMySQLTransaction(conn)
	return s, nil
}

// Commit does not send COMMIT if the server says that there is nothing to commit any more.
func (d *database) Commit(ctx context.Context, s *session) error {
	if s.endedUnseen() {
		d.release(ctx, s, s.tx.Rollback(), nil)
		return errEndedUnseen
	}
	err := s.tx.Commit()
	d.release(ctx, s, err, err)
	return endedBefore(ctx, err)
}

func (d *database) Rollback(ctx context.Context, s *session) error { return d.rollBack(ctx, s, nil) }

// Discard drops the connection, and if it is not the first one of the call, all that are idle:
// they will be to the same server.
func (d *database) Discard(ctx context.Context, s *session) error {
	return d.rollBack(ctx, s, &roleError{errDiscard})
}

var errDiscard = errors.New("the server has lost its role")

func (d *database) rollBack(ctx context.Context, s *session, cause error) error {
	var end error
	if s.endedUnseen() {
		end = errEndedUnseen
	}
	err := s.tx.Rollback()
	d.release(ctx, s, err, cause)
	return cmp.Or(end, endedBefore(ctx, err))
}

// endedUnseen reports whether the server says that the transaction is not under way any more.
func (s *session) endedUnseen() bool { return s.mysql && !inMySQLTransaction(s.conn) }

// endedBefore tells fn that has ended the transaction from a life that has.
func endedBefore(ctx context.Context, err error) error {
	if err == sql.ErrTxDone && ctx.Err() == nil {
		return ErrEnded
	}
	return err
}

// release gives the connection back to the pool once the transaction's end has returned end, or
// drops it because of err.
func (d *database) release(ctx context.Context, s *session, end, err error) {
	switch {
	case s.conn == nil:
	case end == sql.ErrTxDone && ctx.Err() != nil:
		go func() { _ = s.conn.Close() }() // it waits for database/sql, which is still rolling back
	case lostRole(err) || refusedByStandby(err):
		drop(s.conn)
		if d.dropped++; d.dropped > 1 {
			d.dropIdle(ctx)
		}
	default:
		_ = s.conn.Close()
	}
}

func (d *database) dropIdle(ctx context.Context) {
	for range d.db.Stats().Idle {
		conn, err := d.db.Conn(ctx)
		if err != nil {
			return
		}
		drop(conn)
	}
}

// drop closes a connection instead of giving it back to its pool.
func drop(conn *sql.Conn) {
	_ = conn.Raw(func(any) error { return driver.ErrBadConn })
	_ = conn.Close()
}
