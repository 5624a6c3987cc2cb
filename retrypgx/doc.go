// Package retrypgx runs transactions of native pgx (github.com/jackc/pgx/v5), again where that is
// safe and worth it.
//
//	err := retrypgx.InTx(ctx, pool, pgx.TxOptions{}, func(ctx context.Context, tx pgx.Tx) error {
//		_, err := tx.Exec(ctx, `UPDATE accounts SET balance = balance - 10 WHERE id = $1`, id)
//		return err
//	})
//
// The rules are those of retrysql, phase by phase; its package comment has them, and the table of
// errors that another attempt may not meet:
//
//	BEGIN    nothing has happened: retried, unless the error is known to last
//	fn       rolled back: retried if retrysql.Transient matches, or the attempt's own time ran out
//	COMMIT   if the server itself says that it rolled back: retried
//	         if a deferred constraint or trigger refused it: fails
//	         if the reply was lost: ambiguous, the call ends with retrysql.ErrAmbiguousCommit;
//	         unless it is read-only, or Runner.Idempotent, or Runner.Settle finds out what happened
//
// pgx's own word counts for nothing after COMMIT was sent: pgconn.SafeToRetry has been seen to be
// true for a COMMIT that took place. For the same reason do not put retry.Do around pgx.BeginFunc
// or pool.Exec: it would commit twice.
//
// # Batches and CopyFrom
//
// Both work inside fn, and are part of its transaction. Make the pgx.Batch and the
// pgx.CopyFromSource in fn: a source is empty once an earlier attempt has read it. Close the
// results of a batch, and return the error of Close: it may be the only one that tells of a
// statement that failed. If fn leaves results or rows open, the transaction is rolled back and the
// call fails.
//
// # Pools and connections
//
// Give it a *pgxpool.Pool. A *pgx.Conn works too, but there is no other connection once it is
// lost: the call then fails at the next BEGIN, without further attempts.
//
// Where a server can lose its role, add retry.WithRetryIf(retrysql.SQLState("25006")). The
// connection to such a server is closed, so that the pool's next one leads to another server. If
// that one does not either, the pool is Reset.
//
// When the context ends amid a statement, pgx closes the connection, and the server rolls back.
// ROLLBACK at other times, and the reply to a COMMIT that is under way, get up to 2 s more.
package retrypgx
