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

// These examples use a database in memory whose steps fail as the example says.

func Example() {
	db := (&fakeDB{fail: failFirst("commit", 1, pgError("40001"))}).open(nil) // a serialization failure
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

// database/sql repeats a bare statement by itself, and the order is inserted twice. With a key in
// the same transaction the work may run twice.
func Example_bareStatement() {
	ctx := context.Background()
	lost := replyLost{driver.ErrBadConn} // the statement ran, but its reply is lost

	bare := &fakeDB{fail: failFirst("order", 1, lost)}
	db := bare.open(nil)
	defer func() { _ = db.Close() }()
	_, err := db.ExecContext(ctx, "order")
	fmt.Println("bare statement:", err, bare.rows)

	keyed := &fakeDB{fail: failFirst("commit", 1, lost)}
	db = keyed.open(nil)
	defer func() { _ = db.Close() }()
	runner := &retrysql.Runner{DB: db, Idempotent: true} // safe because of the key
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
	fmt.Println("with a key:", err, keyed.rows)
	// Output:
	// bare statement: <nil> [order order]
	// with a key: <nil> [key 7 order]
}

func ExampleInTx() {
	db := (&fakeDB{fail: failFirst("order", 9, pgError("23505"))}).open(nil)
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
	db := (&fakeDB{}).open(nil)
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
	db := (&fakeDB{fail: failFirst("begin", 1, pgError("57P03"))}).open(nil) // the server is starting up
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
	db := (&fakeDB{fail: failFirst("commit", 1, io.ErrUnexpectedEOF)}).open(nil)
	defer func() { _ = db.Close() }()

	runner := &retrysql.Runner{DB: db}
	err := runner.InTx(context.Background(), func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "order")
		return err
	})
	if errors.Is(err, retrysql.ErrAmbiguousCommit) {
		fmt.Println("check whether the order is there before you try again")
	}
	// Output: check whether the order is there before you try again
}

func ExampleTransient() {
	for _, err := range []error{pgError("40P01"), pgError("23505"), driver.ErrBadConn} {
		fmt.Println(retrysql.Transient(retry.Attempt{Err: err}), err)
	}
	// Output:
	// true ERROR (SQLSTATE 40P01)
	// false ERROR (SQLSTATE 23505)
	// true driver: bad connection
}

func ExampleSQLState() {
	failover := retrysql.SQLState("25006", "57") // read-only, or of class 57
	fmt.Println(failover(retry.Attempt{Err: pgError("25006")}), failover(retry.Attempt{Err: pgError("23505")}))
	// Output: true false
}
