package retrysql

import (
	"cmp"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
)

// sqlDriver is the TxDriver for database/sql. Each call has its own.
type sqlDriver struct {
	db      *sql.DB
	opts    *sql.TxOptions
	dropped int // connections whose server refused writes
}

// session is a transaction of database/sql and its connection.
type session struct {
	tx    *sql.Tx
	conn  *sql.Conn // nil if tx manages its own connection
	mysql bool      // the server said after BEGIN that the transaction is open
}

// Begin takes a connection from the pool and begins on it, so that the connection can be dropped
// if its server refuses writes. If the pooled connection is dead, database/sql picks another one.
func (d *sqlDriver) Begin(ctx context.Context) (*session, error) {
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

// Commit does not send COMMIT if the server says that the transaction has ended.
func (d *sqlDriver) Commit(ctx context.Context, s *session) error {
	if s.endedByServer() {
		d.release(ctx, s, s.tx.Rollback(), nil)
		return errEndedByServer
	}
	err := s.tx.Commit()
	d.release(ctx, s, err, err)
	return endedError(ctx, err)
}

func (d *sqlDriver) Rollback(ctx context.Context, s *session) error { return d.rollBack(ctx, s, nil) }

// Discard rolls back and drops the connection. The second time in a call it also drops all idle
// connections, because they lead to the same server.
func (d *sqlDriver) Discard(ctx context.Context, s *session) error {
	return d.rollBack(ctx, s, &readOnlyError{errDiscarded})
}

var errDiscarded = errors.New("the server refuses writes")

// rollBack rolls back because of cause.
func (d *sqlDriver) rollBack(ctx context.Context, s *session, cause error) error {
	var ended error
	if s.endedByServer() {
		ended = errEndedByServer
	}
	err := s.tx.Rollback()
	d.release(ctx, s, err, cause)
	return cmp.Or(ended, endedError(ctx, err))
}

// endedByServer reports whether the server says that the transaction has ended.
func (s *session) endedByServer() bool { return s.mysql && !inMySQLTransaction(s.conn) }

// endedError returns ErrEnded if err says that fn ended the transaction, and otherwise err. The
// same error from database/sql has another cause once ctx has ended.
func endedError(ctx context.Context, err error) error {
	if err == sql.ErrTxDone && ctx.Err() == nil {
		return ErrEnded
	}
	return err
}

// release gives the connection back to the pool after COMMIT or ROLLBACK returned end. It drops
// the connection instead if cause says that the server refuses writes.
func (d *sqlDriver) release(ctx context.Context, s *session, end, cause error) {
	switch {
	case s.conn == nil:
	case end == sql.ErrTxDone && ctx.Err() != nil:
		go func() { _ = s.conn.Close() }() // waits for database/sql, which is still rolling back
	case isReadOnlyServer(cause) || refusedByStandby(cause):
		dropConn(s.conn)
		if d.dropped++; d.dropped > 1 {
			d.dropIdle(ctx)
		}
	default:
		_ = s.conn.Close()
	}
}

// dropIdle drops all idle connections.
func (d *sqlDriver) dropIdle(ctx context.Context) {
	for range d.db.Stats().Idle {
		conn, err := d.db.Conn(ctx)
		if err != nil {
			return
		}
		dropConn(conn)
	}
}

// dropConn closes a connection instead of giving it back to its pool.
func dropConn(conn *sql.Conn) {
	_ = conn.Raw(func(any) error { return driver.ErrBadConn })
	_ = conn.Close()
}
