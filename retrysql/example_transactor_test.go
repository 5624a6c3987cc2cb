package retrysql_test

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrysql"
)

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
