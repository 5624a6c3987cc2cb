package retrysql_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrysql"
)

// The database of these examples is one in memory that fails as told.

func Example() {
	db := (&fake{fail: failing("commit", 1, coded("40001"))}).open(nil) // a serialization failure
	defer func() { _ = db.Close() }()

	attempts := 0
	err := retrysql.InTx(context.Background(), db, &sql.TxOptions{Isolation: sql.LevelSerializable},
		func(ctx context.Context, tx *sql.Tx) error {
			attempts++
			_, err := tx.ExecContext(ctx, "insert order 1")
			return err
		})
	fmt.Println(err, "after", attempts, "attempts")
	// Output: <nil> after 2 attempts
}

// A bare statement is repeated by database/sql itself, without a word. A key in the same transaction
// makes work that may be run twice.
func Example_bareStatement() {
	ctx := context.Background()
	lost := done{driver.ErrBadConn} // the statement ran, the reply was lost, and the driver says so

	bare := &fake{fail: failing("order", 1, lost)}
	db := bare.open(nil)
	defer func() { _ = db.Close() }()
	_, err := db.ExecContext(ctx, "order")
	fmt.Println("bare statement:", err, bare.rows)

	kept := &fake{fail: failing("commit", 1, lost)}
	db = kept.open(nil)
	defer func() { _ = db.Close() }()
	runner := &retrysql.Runner{DB: db, Idempotent: true} // because of the key
	err = runner.InTx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		result, err := tx.ExecContext(ctx, "insert or skip key 7")
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); n == 0 || err != nil {
			return err // an earlier attempt has done it
		}
		_, err = tx.ExecContext(ctx, "order")
		return err
	})
	fmt.Println("with a key:", err, kept.rows)
	// Output:
	// bare statement: <nil> [order order]
	// with a key: <nil> [key 7 order]
}

func ExampleInTx() {
	db := (&fake{fail: failing("order", 9, coded("23505"))}).open(nil)
	defer func() { _ = db.Close() }()

	err := retrysql.InTx(context.Background(), db, nil, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "order")
		return err
	}, retry.WithName("order"), retry.WithMaxAttempts(3))
	var failed *retry.Error
	fmt.Println(errors.As(err, &failed), failed.Reason, failed.Err)
	// Output: true retry: permanent error ERROR (SQLSTATE 23505)
}

func ExampleInTxValue() {
	db := (&fake{}).open(nil)
	defer func() { _ = db.Close() }()

	rows, err := retrysql.InTxValue(context.Background(), db, nil, func(ctx context.Context, tx *sql.Tx) (int64, error) {
		result, err := tx.ExecContext(ctx, "order")
		if err != nil {
			return 0, err
		}
		return result.RowsAffected()
	})
	fmt.Println(rows, err)
	// Output: 1 <nil>
}

func ExampleRunner() {
	db := (&fake{fail: failing("begin", 1, coded("57P03"))}).open(nil) // the server starts up
	defer func() { _ = db.Close() }()

	transactions := &retrysql.Runner{
		DB:        db,
		Policy:    retry.MustNew(retry.WithMaxAttempts(8), retry.WithRetryIf(retrysql.SQLState("25006"))),
		TxOptions: &sql.TxOptions{Isolation: sql.LevelSerializable},
	}
	err := transactions.InTx(context.Background(), func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "order")
		return err
	})
	fmt.Println(err)
	// Output: <nil>
}

func ExampleRunner_InTx() {
	db := (&fake{fail: failing("commit", 1, io.ErrUnexpectedEOF)}).open(nil)
	defer func() { _ = db.Close() }()

	runner := &retrysql.Runner{DB: db}
	err := runner.InTx(context.Background(), func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "order")
		return err
	})
	if errors.Is(err, retrysql.ErrAmbiguousCommit) {
		fmt.Println("look whether the order is there before you try again")
	}
	// Output: look whether the order is there before you try again
}

func ExampleTransient() {
	for _, err := range []error{coded("40P01"), coded("23505"), driver.ErrBadConn} {
		fmt.Println(retrysql.Transient(retry.Attempt{Err: err}), err)
	}
	// Output:
	// true ERROR (SQLSTATE 40P01)
	// false ERROR (SQLSTATE 23505)
	// true driver: bad connection
}

func ExampleSQLState() {
	failover := retrysql.SQLState("25006", "57P") // read-only, or of the class 57P
	fmt.Println(failover(retry.Attempt{Err: coded("25006")}), failover(retry.Attempt{Err: coded("23505")}))
	// Output: true false
}

// receipts is a Settler for any database: a row that is there if and only if the transaction was
// committed. To ask is to insert the row: that waits for a transaction which is still under way,
// and if it succeeds, the transaction cannot be committed any more.
type receipts struct{}

func (receipts) Note(ctx context.Context, tx *sql.Tx) (string, error) {
	const id = "7" // a new one for each transaction, such as crypto/rand.Text()
	_, err := tx.ExecContext(ctx, "receipt "+id)
	return id, err
}

func (receipts) Settle(ctx context.Context, db *sql.DB, id string) (retrysql.Outcome, error) {
	result, err := db.ExecContext(ctx, "insert or skip receipt "+id)
	if err != nil {
		return retrysql.Unknown, err
	}
	if n, err := result.RowsAffected(); n > 0 || err != nil {
		return retrysql.RolledBack, err
	}
	return retrysql.Committed, nil
}

func ExampleSettler() {
	db := (&fake{fail: failing("commit", 1, done{io.ErrUnexpectedEOF})}).open(nil) // committed, and the reply lost
	defer func() { _ = db.Close() }()

	runner := &retrysql.Runner{DB: db, Settle: receipts{}}
	attempts := 0
	err := runner.InTx(context.Background(), func(ctx context.Context, tx *sql.Tx) error {
		attempts++
		_, err := tx.ExecContext(ctx, "order")
		return err
	})
	fmt.Println(err, "after", attempts, "attempt")
	// Output: <nil> after 1 attempt
}

func ExamplePostgres() {
	runner := &retrysql.Runner{DB: nil, Settle: retrysql.Postgres()} // with the DB of PostgreSQL
	fmt.Println(runner.InTx(context.Background(), func(context.Context, *sql.Tx) error { return nil }))
	// Output: retrysql: DB: nil; give it what sql.Open returned
}

func ExampleOutcome_String() {
	fmt.Println(retrysql.Unknown, retrysql.Committed, retrysql.RolledBack)
	// Output: unknown committed rolled back
}

func ExampleOutcome() {
	outcome, err := receipts{}.Settle(context.Background(), (&fake{}).open(nil), "9")
	fmt.Println(outcome == retrysql.RolledBack, err)
	// Output: true <nil>
}

// A driver of another kind than database/sql's brings four methods, and gets the phases.
func ExampleTransactor() {
	n := &native{fail: map[string]error{"commit1": coded("40001")}} // the first COMMIT meets a conflict
	transactions := &retrysql.Transactor[*nativeTx]{Driver: n}
	err := transactions.InTx(context.Background(), add("order"))
	fmt.Println(err, n.store, n.steps)
	// Output: <nil> [order] [begin commit begin commit]
}

func ExampleTransactor_InTx() {
	n := &native{fail: map[string]error{"commit1": io.ErrUnexpectedEOF}}
	err := (&retrysql.Transactor[*nativeTx]{Driver: n}).InTx(context.Background(), add("order"))
	fmt.Println(errors.Is(err, retrysql.ErrAmbiguousCommit))
	// Output: true
}

func ExampleTransact() {
	n := &native{}
	rows, err := retrysql.Transact(context.Background(), &retrysql.Transactor[*nativeTx]{Driver: n},
		func(_ context.Context, tx *nativeTx) (int, error) {
			tx.rows = append(tx.rows, "order")
			return len(tx.rows), nil
		})
	fmt.Println(rows, err)
	// Output: 1 <nil>
}

// A native driver's package implements it; see retrypgx for one.
func ExampleTxDriver() {
	var driver retrysql.TxDriver[*nativeTx] = &native{}
	tx, err := driver.Begin(context.Background())
	fmt.Println(tx.rows, err, driver.Commit(context.Background(), tx))
	// Output: [] <nil> <nil>
}

// A driver says by ErrEnded that fn has sent COMMIT itself.
func Example_endedByFn() {
	n := &native{fail: map[string]error{"commit1": retrysql.ErrEnded}} // fn has sent COMMIT itself
	err := (&retrysql.Transactor[*nativeTx]{Driver: n}).InTx(context.Background(), add("order"), retry.WithHistorySize(0))
	var failed *retry.Error
	fmt.Println(errors.As(err, &failed), failed.Err)
	// Output: true retrysql: fn ended the transaction itself; leave Commit and Rollback to InTx
}

// answers is a QueryRow of a server that answers each query so.
func answers(values ...string) retrysql.QueryRow {
	return func(_ context.Context, _ string, _ []any, dest ...any) error {
		for i, d := range dest {
			*d.(*sql.NullString) = sql.NullString{String: values[i], Valid: true}
		}
		return nil
	}
}

func ExampleNotePostgres() {
	id, err := retrysql.NotePostgres(context.Background(), answers("742", "20250101/00000001"))
	fmt.Println(id, err)
	// Output: 742@20250101/00000001 <nil>
}

func ExampleSettlePostgres() {
	outcome, err := retrysql.SettlePostgres(context.Background(), answers("committed"), "742@20250101/00000001")
	fmt.Println(outcome, err)
	// Output: committed <nil>
}

func ExampleQueryRow() {
	var status sql.NullString
	query := answers("in progress")
	err := query(context.Background(), "SELECT pg_xact_status($1::text::xid8)", []any{"742"}, &status)
	fmt.Println(status.String, err)
	// Output: in progress <nil>
}
