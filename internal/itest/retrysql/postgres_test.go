package retrysql_test

import (
	"context"
	"database/sql"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry/retrysql"
)

// insertNote returns an open transaction that has inserted a note, and its ID for the Settler.
func insertNote(t *testing.T, d *database) (*sql.Tx, string) {
	t.Helper()
	tx, err := d.direct.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	t.Cleanup(func() { _ = tx.Rollback() })
	_, err = tx.ExecContext(t.Context(), `INSERT INTO notes VALUES (1)`)
	require.NoError(t, err)
	id, err := retrysql.Postgres().Note(t.Context(), tx)
	require.NoError(t, err)
	return tx, id
}

// restart crashes the server and starts it again. It drops the dead connections from the pools.
func (d *database) restart(t *testing.T) {
	t.Helper()
	d.server.Restart(t)
	for _, db := range []*sql.DB{d.db, d.direct} {
		db.SetMaxIdleConns(0)
		db.SetMaxIdleConns(2)
	}
}

// checkSettle checks the answer of retrysql.Postgres about a transaction.
func checkSettle(t *testing.T, d *database, id string, want retrysql.Outcome, problem string) {
	t.Helper()
	outcome, err := retrysql.Postgres().Settle(t.Context(), d.db, id)
	assert.Equal(t, want, outcome)
	if problem == "" {
		require.NoError(t, err)
		return
	}
	require.ErrorContains(t, err, problem)
}

// TestPostgresAfterCrashes checks transactions whose numbers a crash has removed from the log. They must
// not be mistaken for later transactions with the same numbers.
func TestPostgresAfterCrashes(t *testing.T) {
	t.Parallel()
	for _, s := range []system{pgx, pq} {
		t.Run(s.String(), func(t *testing.T) {
			t.Parallel()
			// Only commits write the log to disk.
			d := s.database(t, []string{"wal_writer_delay=10s", "autovacuum=off"}, `CREATE TABLE notes (id INT NOT NULL)`)
			kept, keptID := insertNote(t, d)
			require.NoError(t, kept.Commit())
			_, lostID := insertNote(t, d)
			d.restart(t)

			checkSettle(t, d, keptID, retrysql.Committed, "")
			checkSettle(t, d, lostID, retrysql.RolledBack, "")
			number, _, _ := strings.Cut(lostID, "@")
			taken := false
			for range 10 { // later transactions
				tx, id := insertNote(t, d)
				require.NoError(t, tx.Commit())
				taken = taken || strings.HasPrefix(id, number+"@")
				checkSettle(t, d, id, retrysql.Committed, "")
			}
			require.True(t, taken, "another transaction got the number %s", number)
			checkSettle(t, d, keptID, retrysql.Committed, "")
			checkSettle(t, d, lostID, retrysql.RolledBack, "")

			d.exec(t, `CHECKPOINT`) // overwrites what the recovery has found
			checkSettle(t, d, keptID, retrysql.Unknown, "the server has crashed since")
			checkSettle(t, d, lostID, retrysql.Unknown, "the server has crashed since")

			_, open := insertNote(t, d)
			d.restart(t)
			d.exec(t, `CHECKPOINT`)
			checkSettle(t, d, open, retrysql.RolledBack, "") // no transaction has got this number again
		})
	}
}

// TestPostgresStatus checks the answers without a crash.
func TestPostgresStatus(t *testing.T) {
	t.Parallel()
	d := pgx.database(t, nil, `CREATE TABLE notes (id INT NOT NULL)`, `CREATE ROLE someone LOGIN`)
	tx, id := insertNote(t, d)
	checkSettle(t, d, id, retrysql.Unknown, "")
	require.NoError(t, tx.Commit())
	checkSettle(t, d, id, retrysql.Committed, "")
	tx, id = insertNote(t, d)
	require.NoError(t, tx.Rollback())
	checkSettle(t, d, id, retrysql.RolledBack, "")
	// On another timeline the number may belong to another transaction. "Not committed" is sure even
	// then, but "committed" is not.
	checkSettle(t, d, id[:len(id)-1]+"9", retrysql.RolledBack, "")
	tx, id = insertNote(t, d)
	require.NoError(t, tx.Commit())
	checkSettle(t, d, id[:len(id)-1]+"9", retrysql.Unknown, "the server has crashed since")
	// If somebody resets the statistics, it looks like a crash, and the answer is Unknown.
	d.exec(t, `SELECT pg_sleep(1.1)`)
	d.exec(t, `SELECT pg_stat_reset_shared('bgwriter')`)
	checkSettle(t, d, id, retrysql.Unknown, "the server has crashed since")
	tx, id = insertNote(t, d)
	require.NoError(t, tx.Rollback())
	_, since, _ := strings.Cut(id, "@")
	checkSettle(t, d, "3@"+since, retrysql.Unknown, "transaction 3 is too old")

	conn, err := sql.Open(d.driver, strings.Replace(d.server.DSN(""), "postgres@", "someone@", 1))
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	outcome, err := retrysql.Postgres().Settle(t.Context(), conn, id)
	require.NoError(t, err, "a role without privileges may ask")
	assert.Equal(t, retrysql.RolledBack, outcome)
}

// countingSettler counts its answers.
type countingSettler struct {
	retrysql.Settler
	committed, rolledBack atomic.Int64
}

func (c *countingSettler) Settle(ctx context.Context, db *sql.DB, id string) (retrysql.Outcome, error) {
	outcome, err := c.Settler.Settle(ctx, db, id)
	switch outcome {
	case retrysql.Committed:
		c.committed.Add(1)
	case retrysql.RolledBack:
		c.rolledBack.Add(1)
	}
	return outcome, err
}
