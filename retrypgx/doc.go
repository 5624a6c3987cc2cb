// Package retrypgx runs transactions of native pgx (github.com/jackc/pgx/v5) and retries them
// where that is safe.
//
//	err := retrypgx.InTx(ctx, pool, pgx.TxOptions{}, func(ctx context.Context, tx pgx.Tx) error {
//		_, err := tx.Exec(ctx, `UPDATE accounts SET balance = balance - 10 WHERE id = $1`, id)
//		return err
//	})
//
// [InTxValue] also returns a value. A [Runner] keeps the settings for many transactions.
//
// # What is retried
//
// The rules are those of package retrysql, and retrysql.Transient lists the errors that are
// retried. Every attempt is a new transaction:
//
//	BEGIN    nothing has happened: retried, unless the error is known to last
//	fn       rolled back: retried if retrysql.Transient matches, or if the attempt timed out
//	COMMIT   the server says that it rolled back: retried
//	         a deferred constraint or trigger refused it: fails
//	         the reply was lost: ambiguous
//
// After an ambiguous COMMIT a read-only transaction is retried. If Runner.Settle is set, the
// server is asked what happened. If that gives no answer and Runner.Idempotent is set, the
// transaction is retried. Otherwise the call ends with retrysql.ErrAmbiguousCommit.
//
// InTx does not rely on pgconn.SafeToRetry after COMMIT was sent, because it has returned true for
// a COMMIT that took place. For the same reason do not put retry.Do around pgx.BeginFunc or
// pool.Exec: it would commit twice.
//
// # Batches and CopyFrom
//
// Both work inside fn, and are part of its transaction. Make the pgx.Batch and the
// pgx.CopyFromSource in fn, because a source is empty once an earlier attempt has read it. Close
// the results of a batch, and return the error of Close: it may be the only one that reports a
// statement that failed. If fn leaves results or rows open, the transaction is rolled back and the
// call fails.
//
// # Pools and connections
//
// Use a *pgxpool.Pool. A *pgx.Conn works too, but there is no other connection once it is lost.
// The call then fails at the next BEGIN, without further attempts.
//
// After a failover the old primary refuses writes. Where that can happen, add
// retry.WithRetryIf(retrysql.SQLState("25006")). The connection to such a server is closed, so
// that the pool's next connection leads to another server. If that server refuses writes too, the
// pool is Reset.
//
// # Time
//
// If the context ends during a statement, pgx closes the connection, and the server rolls back.
// ROLLBACK at other times, and the reply to a COMMIT that was sent, get up to 2 s more.
package retrypgx
