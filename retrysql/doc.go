// Package retrysql runs transactions of database/sql, again where that is safe and worth it; on
// the standard library alone, without importing a driver.
//
//	err := retrysql.InTx(ctx, db, nil, func(ctx context.Context, tx *sql.Tx) error {
//		_, err := tx.ExecContext(ctx, `UPDATE accounts SET balance = balance - 10 WHERE id = $1`, id)
//		return err
//	})
//
// Every attempt is a new transaction. What may follow a failure depends on where it happened:
//
//	BEGIN    nothing has happened: retried, unless the error is known to last
//	fn       rolled back: retried if Transient matches, or the attempt's own time ran out
//	COMMIT   if the server itself says that it rolled back: retried
//	         if a deferred constraint or trigger refused it: fails
//	         if the reply was lost: ambiguous, the call ends with ErrAmbiguousCommit; unless it
//	         is read-only, or Runner.Idempotent, or Runner.Settle finds out what happened
//
// A gate's refusal is retried as by the core. The reason of a call that an ambiguous COMMIT ended
// is retry.ErrPermanent: ask for ErrAmbiguousCommit first. No driver's word is taken for an
// ambiguous COMMIT: driver.ErrBadConn and the like promise that nothing was sent, and come after
// commits that took place. The policy says how often and how long to retry. Its WithRetryIf adds
// to what Transient matches, its WithStopIf takes away:
//
//	PostgreSQL      40001 serialization failure, 40P01 deadlock, 55P03 lock not available,
//	                08000 08001 08003 08006 connection, 08P01 PgBouncer's own troubles,
//	                57P01 57P02 57P03 shutdown and start, 57P05 25P03 idle for too long, 53300
//	                too many connections, 26000 and 0A000 "cached plan must not change result
//	                type": a prepared statement that is gone or does not fit any more
//	MySQL, MariaDB  1213 deadlock, 1205 lock wait timeout, 3572 lock not available, 1020 row
//	                changed under snapshot isolation, 3101 rolled back by a plugin (group
//	                replication), 1040 too many connections, 1053 shutdown
//	TiDB            9007 8002 write conflict, 8022 COMMIT rolled back, 8028 schema changed
//	SQLite          5 SQLITE_BUSY, 6 SQLITE_LOCKED, and their extended codes
//	SQL Server      1205 deadlock, 3960 41302 update conflict, 41305 41325 validation failed,
//	                41301 a transaction that this one depends on failed
//	Azure SQL       40197 40501 40613 not available, 49918 49919 49920 10928 10929 limits
//	any             driver.ErrBadConn, a closed or invalid connection, and what retry.Transient
//	                matches: refused, reset, broken off, timed out
//
// At BEGIN every code of class 08 is retried. Of COMMIT, 40001, 40P01, 1213, 3101, TiDB's codes,
// SQL Server's, and SQLite's say that it was rolled back; Azure SQL's and the others do not.
//
// SQLite's own busy_timeout does not help a transaction that read before another wrote
// (SQLITE_BUSY_SNAPSHOT). Limit the patience of writers that contend for a file by
// retry.WithMaxElapsed rather than by attempts.
//
// It reads the codes of pgx, lib/pq and whatever has a method SQLState, go-sql-driver/mysql,
// modernc.org/sqlite, mattn/go-sqlite3, ncruces/go-sqlite3 and go-mssqldb. Not in the table, for
// they may last, are 53200 out of memory and 55006 object in use; add them by
// WithRetryIf(SQLState(…)). 08007 and 40003 say that the outcome is unknown.
//
// # Failover
//
// A server that lost its role refuses writes, and its connections stay in the pool. Add
// WithRetryIf(SQLState("25006")) where that can happen. It matches PostgreSQL's 25006, a BEGIN
// that a standby refuses by 0A000, and MySQL's 1290, 1836 and 3100. After any of them, asked for
// or not, the connection is dropped from the pool, so that the next attempt gets another one. If
// that one's server has lost its role too, all idle connections are dropped. Transactions that
// only read are left out.
//
// # Time
//
// When the context ends before COMMIT was sent, the transaction is rolled back. ROLLBACK, or the
// reply to a COMMIT that is under way, then gets up to 2 s more, and the question of a Settler
// another 2 s. A server that has gone silent holds drivers which do not look at their context at
// every step, such as lib/pq at BEGIN and MySQL's at COMMIT, until their own timeouts. SAVEPOINT
// is not used: it does not cure a serialization failure.
//
// # Bare statements
//
// A bare db.Exec must not be retried unless it may be run twice, and that is not all: database/sql
// runs it again by itself when the driver returns driver.ErrBadConn. lib/pq, and pgx before 5.13,
// return that also when the statement has run and its reply was lost. One INSERT then makes two
// rows and no error.
// A native pgx call or pgx.BeginFunc is no safer: see [Transient] and the module retrypgx.
//
// In a transaction nothing is repeated unseen. To make one that may be run twice, insert a key
// of the operation in the same transaction, do the work only if the key was new, and set
// Runner.Idempotent. See the example.
package retrysql
