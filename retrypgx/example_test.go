package retrypgx_test

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/jackc/pgx/v5"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrypgx"
	"github.com/seed-205ff063/retry/retrysql"
)

// These examples use a pool in memory whose steps fail as the example says.

func Example() {
	pool := &fakePool{fail: map[string]error{"commit1": pgError("40001")}} // a serialization failure

	err := retrypgx.InTx(context.Background(), pool, pgx.TxOptions{IsoLevel: pgx.Serializable},
		func(ctx context.Context, tx pgx.Tx) error {
			_, err := tx.Exec(ctx, "insert order 1")
			return err
		})
	fmt.Println(err, "after", len(pool.steps)/3, "attempts")
	// Output: <nil> after 2 attempts
}

func ExampleInTx() {
	pool := &fakePool{fail: map[string]error{"order1": pgError("23505")}}
	err := retrypgx.InTx(context.Background(), pool, pgx.TxOptions{}, func(ctx context.Context, tx pgx.Tx) error {
		_, err := tx.Exec(ctx, "order")
		return err
	}, retry.WithName("order"), retry.WithMaxAttempts(3))
	var failed *retry.Error
	fmt.Println(errors.As(err, &failed), failed.Reason, failed.Err)
	// Output: true retry: permanent error ERROR: failed (SQLSTATE 23505)
}

func ExampleInTxValue() {
	rows, err := retrypgx.InTxValue(context.Background(), &fakePool{}, pgx.TxOptions{}, func(ctx context.Context, tx pgx.Tx) (int, error) {
		if _, err := tx.Exec(ctx, "order"); err != nil {
			return 0, err
		}
		return 1, nil
	})
	fmt.Println(rows, err)
	// Output: 1 <nil>
}

func ExampleRunner() {
	pool := &fakePool{fail: map[string]error{"order1": pgError("25006")}} // the server has become a standby
	transactions := &retrypgx.Runner{
		DB:     pool,
		Policy: retry.MustNew(retry.WithMaxAttempts(8), retry.WithRetryIf(retrysql.SQLState("25006"))),
		Settle: true,
	}
	err := transactions.InTx(context.Background(), insert("order"))
	fmt.Println(err, pool.rows)
	// Output: <nil> [order]
}

func ExampleRunner_InTx() {
	pool := &fakePool{fail: map[string]error{"commit1": io.ErrUnexpectedEOF}}
	err := (&retrypgx.Runner{DB: pool}).InTx(context.Background(), insert("order"))
	if errors.Is(err, retrysql.ErrAmbiguousCommit) {
		fmt.Println("check whether the order is there before you try again")
	}
	// Output: check whether the order is there before you try again
}

func ExampleBeginner() {
	var db retrypgx.Beginner = &fakePool{} // or a *pgxpool.Pool
	tx, err := db.BeginTx(context.Background(), pgx.TxOptions{})
	fmt.Println(tx.Rollback(context.Background()), err)
	// Output: <nil> <nil>
}
