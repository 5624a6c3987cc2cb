// Package retrysql runs transactions of database/sql and retries them where that is safe. It
// imports no driver, and nothing beyond the standard library and package retry.
//
//	err := retrysql.InTx(ctx, db, nil, func(ctx context.Context, tx *sql.Tx) error {
//		_, err := tx.ExecContext(ctx, `UPDATE accounts SET balance = balance - 10 WHERE id = $1`, id)
//		return err
//	})
//
// [InTxValue] also returns a value. A [Runner] keeps the settings for many transactions.
//
// # What is retried
//
// Every attempt is a new transaction. What follows a failure depends on the step that failed:
//
//	BEGIN    nothing has happened: retried, unless the error is known to last
//	fn       rolled back: retried if Transient matches, or if the attempt timed out
//	COMMIT   the server says that it rolled back: retried
//	         a deferred constraint or trigger refused it: fails
//	         the reply was lost: ambiguous, see below
//
// [Transient] lists the codes of each database. At BEGIN every SQLSTATE of class 08 is retried as
// well. A gate's refusal is retried as in package retry. The policy says how often and how long
// to retry. Its WithRetryIf adds to what Transient matches, and its WithStopIf takes away.
//
// # Ambiguous commits
//
// A transaction whose COMMIT got no reply may or may not have been committed. A read-only one is
// retried. If Runner.Settle is set, the database is asked what happened. If that gives no answer
// and Runner.Idempotent is set, the transaction is retried. Otherwise the call ends with
// [ErrAmbiguousCommit].
//
// # Failover
//
// After a failover the old primary refuses writes, and its connections stay in the pool. Where
// that can happen, add WithRetryIf(SQLState("25006")). It matches PostgreSQL's 25006, a BEGIN
// that a standby refuses with 0A000, and MySQL's 1290, 1836 and 3100.
//
// After each of these errors, retried or not, the connection is dropped from the pool. The next
// attempt gets another one. If that one's server refuses writes too, all idle connections are
// dropped. This does not apply to read-only transactions.
//
// # Time
//
// If the context ends before COMMIT is sent, the transaction is rolled back. ROLLBACK, or the
// reply to a COMMIT that was sent, gets up to 2 s more. A Settler's question gets another 2 s.
// Some drivers do not check their context at every step, such as lib/pq at BEGIN and MySQL's at
// COMMIT. A silent server holds them until their own timeouts.
//
// # Statements outside a transaction
//
// Do not retry a bare db.Exec unless the statement may run twice. Even without a retry,
// database/sql runs it again when the driver returns driver.ErrBadConn. lib/pq, and pgx before
// 5.13, also return that error when the statement has run and its reply was lost. One INSERT then
// makes two rows and no error. A native pgx call or pgx.BeginFunc is no safer: see [Transient]
// and the module retrypgx.
//
// In a transaction database/sql repeats nothing. To make a transaction that may run twice, insert
// a key of the operation in it, and do the work only if the key is new. Then set
// Runner.Idempotent. See the example BareStatement.
package retrysql
