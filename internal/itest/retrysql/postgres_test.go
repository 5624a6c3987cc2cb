package retrysql_test

import (
	"database/sql"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry/retrysql"
)

// noted is a transaction that has inserted a note and is about to be committed.
func noted(t *testing.T, d *database) (*sql.Tx, string) {
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

// restart crashes the server and has it up again, with connections that live.
func (d *database) restart(t *testing.T) {
	t.Helper()
	d.server.Restart(t)
	for _, db := range []*sql.DB{d.db, d.direct} {
		db.SetMaxIdleConns(0)
		db.SetMaxIdleConns(2)
	}
}

// settles holds what Postgres says of a transaction.
func settles(t *testing.T, d *database, id string, want retrysql.Outcome, problem string) {
	t.Helper()
	outcome, err := retrysql.Postgres().Settle(t.Context(), d.db, id)
	assert.Equal(t, want, outcome)
	if problem == "" {
		require.NoError(t, err)
		return
	}
	require.ErrorContains(t, err, problem)
}

// TestPostgresAfterCrashes holds that the numbers of transactions which a crash took from the log
// are not mistaken for those of the transactions that get them next.
func TestPostgresAfterCrashes(t *testing.T) {
	t.Parallel()
	for _, s := range []system{pgx, pq} {
		t.Run(s.String(), func(t *testing.T) {
			t.Parallel()
			// The log reaches the disk by commits alone.
			d := s.database(t, []string{"wal_writer_delay=10s", "autovacuum=off"}, `CREATE TABLE notes (id INT NOT NULL)`)
			kept, keptID := noted(t, d)
			require.NoError(t, kept.Commit())
			_, lostID := noted(t, d)
			d.restart(t)

			settles(t, d, keptID, retrysql.Committed, "")
			settles(t, d, lostID, retrysql.RolledBack, "")
			number, _, _ := strings.Cut(lostID, "@")
			taken := false
			for range 10 { // others' transactions
				tx, id := noted(t, d)
				require.NoError(t, tx.Commit())
				taken = taken || strings.HasPrefix(id, number+"@")
				settles(t, d, id, retrysql.Committed, "")
			}
			require.True(t, taken, "another transaction got the number %s", number)
			settles(t, d, keptID, retrysql.Committed, "")
			settles(t, d, lostID, retrysql.RolledBack, "")

			d.exec(t, `CHECKPOINT`) // covers what the recovery found
			settles(t, d, keptID, retrysql.Unknown, "the server has crashed since")
			settles(t, d, lostID, retrysql.Unknown, "the server has crashed since")

			_, open := noted(t, d)
			d.restart(t)
			d.exec(t, `CHECKPOINT`)
			settles(t, d, open, retrysql.RolledBack, "") // a number of the future
		})
	}
}

// TestPostgresStatus holds the plain answers.
func TestPostgresStatus(t *testing.T) {
	t.Parallel()
	d := pgx.database(t, nil, `CREATE TABLE notes (id INT NOT NULL)`, `CREATE ROLE someone LOGIN`)
	tx, id := noted(t, d)
	settles(t, d, id, retrysql.Unknown, "")
	require.NoError(t, tx.Commit())
	settles(t, d, id, retrysql.Committed, "")
	tx, id = noted(t, d)
	require.NoError(t, tx.Rollback())
	settles(t, d, id, retrysql.RolledBack, "")
	// The same number on another timeline may be another's: only that it was not committed is sure.
	settles(t, d, id[:len(id)-1]+"9", retrysql.RolledBack, "")
	tx, id = noted(t, d)
	require.NoError(t, tx.Commit())
	settles(t, d, id[:len(id)-1]+"9", retrysql.Unknown, "the server has crashed since")
	// Statistics that somebody reset are no crash, and may not pass for one.
	d.exec(t, `SELECT pg_sleep(1.1)`)
	d.exec(t, `SELECT pg_stat_reset_shared('bgwriter')`)
	settles(t, d, id, retrysql.Unknown, "the server has crashed since")
	tx, id = noted(t, d)
	require.NoError(t, tx.Rollback())
	_, since, _ := strings.Cut(id, "@")
	settles(t, d, "3@"+since, retrysql.Unknown, "transaction 3 is too old")

	conn, err := sql.Open(d.driver, strings.Replace(d.server.DSN(""), "postgres@", "someone@", 1))
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	outcome, err := retrysql.Postgres().Settle(t.Context(), conn, id)
	require.NoError(t, err, "a role without privileges may ask")
	assert.Equal(t, retrysql.RolledBack, outcome)
}
