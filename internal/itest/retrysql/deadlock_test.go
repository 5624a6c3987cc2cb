package retrysql_test

import (
	"context"
	"database/sql"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry/retrysql"
)

// TestStatementsAfterADeadlock has fn go on after a deadlock, which makes MariaDB end its transaction.
// A statement that fn sends then is committed. So the call must not succeed, and must not say that
// nothing was committed.
func TestStatementsAfterADeadlock(t *testing.T) {
	t.Parallel()
	own := errors.New("own refusal")
	for _, test := range []struct {
		name      string
		after     func(ctx context.Context, tx *sql.Tx, deadlock error) error
		ambiguous bool
		rows      int // rows that were inserted after the deadlock
		calls     int
	}{
		{"returned", func(_ context.Context, _ *sql.Tx, deadlock error) error { return deadlock }, false, 0, 2},
		{"returned with the savepoint's error", func(ctx context.Context, tx *sql.Tx, deadlock error) error {
			_, err := tx.ExecContext(ctx, `ROLLBACK TO SAVEPOINT s`)
			return errors.Join(err, deadlock)
		}, false, 0, 2},
		{"swallowed", func(ctx context.Context, tx *sql.Tx, _ error) error { return after(ctx, tx, nil) }, true, 1, 1},
		{"swallowed, by a prepared statement", func(ctx context.Context, tx *sql.Tx, _ error) error {
			_, err := tx.ExecContext(ctx, `INSERT INTO notes VALUES (?)`, "after")
			return err
		}, true, 1, 1},
		{"swallowed, another error", func(ctx context.Context, tx *sql.Tx, _ error) error { return after(ctx, tx, own) }, true, 1, 1},
		{"returned after a clean-up", after, true, 1, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			d := mariadb.database(t, nil, `CREATE TABLE totals (id INT PRIMARY KEY, n INT)`, `INSERT INTO totals VALUES (1, 0), (2, 0)`,
				`CREATE TABLE notes (text VARCHAR(20))`)
			calls := 0
			err := retrysql.InTx(t.Context(), d.db, nil, func(ctx context.Context, tx *sql.Tx) error {
				must(t, tx, `UPDATE totals SET n = n + 1 WHERE id = 1`)
				must(t, tx, `SAVEPOINT s`)
				if calls++; calls > 1 {
					_, err := tx.ExecContext(ctx, `UPDATE totals SET n = n + 1 WHERE id = 2`)
					return err
				}
				return test.after(ctx, tx, d.deadlock(t, tx))
			}, quick)
			t.Log(err)
			assert.Equal(t, test.calls, calls)
			assert.Equal(t, test.ambiguous, errors.Is(err, retrysql.ErrAmbiguousCommit))
			assert.Equal(t, test.rows, d.count(t, `SELECT count(*) FROM notes WHERE text = 'after'`))
			if !test.ambiguous {
				require.NoError(t, err)
				assert.Equal(t, 2, d.count(t, `SELECT sum(n) FROM totals`), "the transaction is whole")
			}
			d.checkIdle(t)
		})
	}
}

// after inserts a note and returns result.
func after(ctx context.Context, tx *sql.Tx, result error) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO notes VALUES ('after')`)
	return errors.Join(err, result)
}

// deadlock makes tx, which has locked the first row, the victim of a deadlock.
func (d *database) deadlock(t *testing.T, tx *sql.Tx) error {
	t.Helper()
	rival, err := d.direct.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	for range 50 { // the transaction that has changed less is the victim
		must(t, rival, `INSERT INTO notes VALUES ('rival')`)
	}
	must(t, rival, `SELECT n FROM totals WHERE id = 2 FOR UPDATE`)
	done := make(chan error, 1)
	go func() {
		_, err := rival.ExecContext(t.Context(), `SELECT n FROM totals WHERE id = 1 FOR UPDATE`)
		done <- errors.Join(err, rival.Rollback())
	}()
	_, err = tx.ExecContext(t.Context(), `UPDATE totals SET n = n + 1 WHERE id = 2`)
	require.ErrorContains(t, err, "1213")
	require.NoError(t, <-done)
	return err
}
