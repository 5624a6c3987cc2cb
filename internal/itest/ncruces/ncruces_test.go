// Package ncruces_test checks that retrysql reads the errors of ncruces/go-sqlite3. It is not a part
// of the tests of retrysql because mattn/go-sqlite3, which is used there, registers the same name with
// database/sql.
package ncruces_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	sqlite3 "github.com/ncruces/go-sqlite3"
	_ "github.com/ncruces/go-sqlite3/driver"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrysql"
)

var quick = retry.MustNew(retry.WithMaxAttempts(3), retry.WithBackoff(retry.Constant(time.Millisecond)))

func transient(err error) bool { return retrysql.Transient(retry.Attempt{Err: err}) }

func open(t *testing.T, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite3", "file:"+filepath.ToSlash(path)+"?_pragma=busy_timeout(0)")
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func must(t *testing.T, err error) {
	t.Helper()
	require.NoError(t, err)
}

// TestCodes reads the driver's codes, which are also errors.
func TestCodes(t *testing.T) {
	t.Parallel()
	for err, want := range map[error]bool{
		sqlite3.BUSY: true, sqlite3.LOCKED: true, sqlite3.BUSY_SNAPSHOT: true, sqlite3.LOCKED_SHAREDCACHE: true,
		sqlite3.CONSTRAINT: false, sqlite3.INTERRUPT: false, sqlite3.CONSTRAINT_UNIQUE: false, sqlite3.IOERR: false,
	} {
		assert.Equal(t, want, transient(err), err)
		assert.Equal(t, want, transient(fmt.Errorf("x: %w", err)), err)
	}
}

// execer is a database or a transaction.
type execer interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

func exec(t *testing.T, db execer, query string) error {
	t.Helper()
	_, err := db.ExecContext(t.Context(), query)
	return err
}

// notes returns two connections to a file with one note.
func notes(t *testing.T) (db, other *sql.DB) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "notes.db")
	db, other = open(t, path), open(t, path)
	must(t, exec(t, db, `CREATE TABLE notes (id INTEGER PRIMARY KEY, n INT)`))
	must(t, exec(t, db, `INSERT INTO notes VALUES (1, 0)`))
	return db, other
}

// TestBusy has another transaction hold the lock. A violated constraint in that transaction is not
// transient.
func TestBusy(t *testing.T) {
	t.Parallel()
	db, other := notes(t)
	tx, err := db.BeginTx(t.Context(), nil)
	must(t, err)
	must(t, exec(t, tx, `UPDATE notes SET n = 1`))
	err = exec(t, other, `UPDATE notes SET n = 2`)
	require.ErrorIs(t, err, sqlite3.BUSY)
	assert.True(t, transient(err), "busy: %T %v", err, err)
	err = exec(t, tx, `INSERT INTO notes VALUES (1, 1)`)
	require.ErrorIs(t, err, sqlite3.CONSTRAINT)
	assert.False(t, transient(err), "constraint: %T %v", err, err)
	must(t, tx.Commit())
}

// TestBusyAtCommit has a reader keep COMMIT from its lock. It is known that nothing was committed.
func TestBusyAtCommit(t *testing.T) {
	t.Parallel()
	db, other := notes(t)
	reader, err := other.BeginTx(t.Context(), nil)
	must(t, err)
	var n int
	must(t, reader.QueryRowContext(t.Context(), `SELECT n FROM notes`).Scan(&n))
	calls := 0
	must(t, retrysql.InTx(t.Context(), db, nil, func(_ context.Context, tx *sql.Tx) error {
		if calls++; calls == 2 {
			_ = reader.Rollback()
		}
		return exec(t, tx, `UPDATE notes SET n = n + 10`)
	}, quick))
	assert.Equal(t, 2, calls)
	must(t, other.QueryRowContext(t.Context(), `SELECT n FROM notes`).Scan(&n))
	assert.Equal(t, 10, n)
}

// TestBusySnapshot has a reader in WAL mode write after another connection has written.
func TestBusySnapshot(t *testing.T) {
	t.Parallel()
	db, other := notes(t)
	must(t, exec(t, db, `PRAGMA journal_mode = WAL`))
	calls := 0
	var seen error
	must(t, retrysql.InTx(t.Context(), db, nil, func(ctx context.Context, tx *sql.Tx) error {
		var n int
		must(t, tx.QueryRowContext(ctx, `SELECT n FROM notes`).Scan(&n))
		if calls++; calls == 1 {
			must(t, exec(t, other, `UPDATE notes SET n = 5`)) // another value: SQLite does not write the same again
		}
		err := exec(t, tx, `UPDATE notes SET n = n + 1`)
		seen = errors.Join(seen, err)
		return err
	}, quick))
	assert.Equal(t, 2, calls)
	assert.ErrorIs(t, seen, sqlite3.BUSY_SNAPSHOT)
}

// TestRefusedCommit checks that a COMMIT which a constraint refuses counts as failed, not as ambiguous.
func TestRefusedCommit(t *testing.T) {
	t.Parallel()
	db := open(t, filepath.Join(t.TempDir(), "notes.db"))
	db.SetMaxOpenConns(1)
	for _, statement := range []string{
		`PRAGMA foreign_keys = ON`,
		`CREATE TABLE parents (id INTEGER PRIMARY KEY)`,
		`CREATE TABLE notes (id INT REFERENCES parents DEFERRABLE INITIALLY DEFERRED)`,
	} {
		_, err := db.ExecContext(t.Context(), statement)
		must(t, err)
	}
	err := retrysql.InTx(t.Context(), db, nil, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO notes VALUES (7)`)
		return err
	}, quick)
	require.ErrorIs(t, err, sqlite3.CONSTRAINT)
	require.ErrorIs(t, err, retry.ErrPermanent)
	require.NotErrorIs(t, err, retrysql.ErrAmbiguousCommit)
}
