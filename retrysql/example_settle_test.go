package retrysql_test

import (
	"context"
	"database/sql"
	"fmt"
	"io"

	"github.com/seed-205ff063/retry/retrysql"
)

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

func ExampleOutcome() {
	outcome, err := receipts{}.Settle(context.Background(), (&fake{}).open(nil), "9")
	fmt.Println(outcome == retrysql.RolledBack, err)
	// Output: true <nil>
}

func ExampleOutcome_String() {
	fmt.Println(retrysql.Unknown, retrysql.Committed, retrysql.RolledBack)
	// Output: unknown committed rolled back
}

func ExamplePostgres() {
	runner := &retrysql.Runner{DB: nil, Settle: retrysql.Postgres()} // with the DB of PostgreSQL
	fmt.Println(runner.InTx(context.Background(), func(context.Context, *sql.Tx) error { return nil }))
	// Output: retrysql: DB: nil; give it what sql.Open returned
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
