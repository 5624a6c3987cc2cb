package retrysql_test

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrysql"
)

// A driver that does not use database/sql implements the four methods of TxDriver.
func ExampleTransactor() {
	n := &memoryDriver{fail: map[string]error{"commit1": pgError("40001")}} // the first COMMIT fails
	transactions := &retrysql.Transactor[*memoryTx]{Driver: n}
	err := transactions.InTx(context.Background(), add("order"))
	fmt.Println(err, n.store, n.steps)
	// Output: <nil> [order] [begin commit begin commit]
}

func ExampleTransactor_InTx() {
	n := &memoryDriver{fail: map[string]error{"commit1": io.ErrUnexpectedEOF}}
	err := (&retrysql.Transactor[*memoryTx]{Driver: n}).InTx(context.Background(), add("order"))
	fmt.Println(errors.Is(err, retrysql.ErrAmbiguousCommit))
	// Output: true
}

func ExampleTransact() {
	n := &memoryDriver{}
	rows, err := retrysql.Transact(context.Background(), &retrysql.Transactor[*memoryTx]{Driver: n},
		func(_ context.Context, tx *memoryTx) (int, error) {
			tx.rows = append(tx.rows, "order")
			return len(tx.rows), nil
		})
	fmt.Println(rows, err)
	// Output: 1 <nil>
}

// The package for a driver implements TxDriver, as retrypgx does.
func ExampleTxDriver() {
	var driver retrysql.TxDriver[*memoryTx] = &memoryDriver{}
	tx, err := driver.Begin(context.Background())
	fmt.Println(tx.rows, err, driver.Commit(context.Background(), tx))
	// Output: [] <nil> <nil>
}

// A driver returns ErrEnded if fn has sent COMMIT itself.
func Example_endedByFn() {
	n := &memoryDriver{fail: map[string]error{"commit1": retrysql.ErrEnded}}
	err := (&retrysql.Transactor[*memoryTx]{Driver: n}).InTx(context.Background(), add("order"), retry.WithHistorySize(0))
	var failed *retry.Error
	fmt.Println(errors.As(err, &failed), failed.Err)
	// Output: true retrysql: fn ended the transaction itself; leave Commit and Rollback to InTx
}
