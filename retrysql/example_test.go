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
