package retrysql_test

import (
	"context"
	"database/sql"
	"fmt"
	"io"

	"github.com/seed-205ff063/retry/retrysql"
)

// receipts is a Settler for any database. Note writes a receipt: a row that exists if and only if
// the transaction was committed. Settle inserts the same row. That waits for a transaction that is
// still running. If it inserts the row, the transaction can no longer be committed.
type receipts struct{}

func (receipts) Note(ctx context.Context, tx *sql.Tx) (string, error) {
	const id = "7" // use a new one for each transaction, such as crypto/rand.Text()
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
	db := (&fakeDB{fail: failFirst("commit", 1, replyLost{io.ErrUnexpectedEOF})}).open(nil) // committed, but the reply is lost
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

func ExampleOutcome() {
	outcome, err := receipts{}.Settle(context.Background(), (&fakeDB{}).open(nil), "9")
	fmt.Println(outcome == retrysql.RolledBack, err)
	// Output: true <nil>
}

func ExampleOutcome_String() {
	fmt.Println(retrysql.Unknown, retrysql.Committed, retrysql.RolledBack)
	// Output: unknown committed rolled back
}

func ExamplePostgres() {
	runner := &retrysql.Runner{DB: nil, Settle: retrysql.Postgres()} // DB must be a PostgreSQL database
	fmt.Println(runner.InTx(context.Background(), func(context.Context, *sql.Tx) error { return nil }))
	// Output: retrysql: DB: nil; give it what sql.Open returned
}

// queryRowOf returns a QueryRow that answers each query with these values.
func queryRowOf(values ...string) retrysql.QueryRow {
	return func(_ context.Context, _ string, _ []any, dest ...any) error {
		for i, d := range dest {
			*d.(*sql.NullString) = sql.NullString{String: values[i], Valid: true}
		}
		return nil
	}
}

func ExampleNotePostgres() {
	id, err := retrysql.NotePostgres(context.Background(), queryRowOf("742", "20250101/00000001"))
	fmt.Println(id, err)
	// Output: 742@20250101/00000001 <nil>
}

func ExampleSettlePostgres() {
	outcome, err := retrysql.SettlePostgres(context.Background(), queryRowOf("committed"), "742@20250101/00000001")
	fmt.Println(outcome, err)
	// Output: committed <nil>
}

func ExampleQueryRow() {
	var status sql.NullString
	query := queryRowOf("in progress")
	err := query(context.Background(), "SELECT pg_xact_status($1::text::xid8)", []any{"742"}, &status)
	fmt.Println(status.String, err)
	// Output: in progress <nil>
}
