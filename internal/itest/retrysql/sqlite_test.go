package retrysql_test

import (
	"bufio"
	"context"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrysql"
)

// sqlites are the drivers for SQLite. Each function returns the DSN of a file, with which the driver
// does not wait for locks.
var sqlites = map[string]func(path string) string{
	"sqlite": func(path string) string {
		return "file:" + filepath.ToSlash(path) + "?_pragma=busy_timeout(0)"
	},
}

func openSQLite(t *testing.T, driver, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open(driver, sqlites[driver](path))
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// eachSQLite runs a test with each driver, on two connections to a file with one note.
func eachSQLite(t *testing.T, test func(t *testing.T, db, other *sql.DB)) {
	t.Helper()
	for driver := range sqlites {
		t.Run(driver, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "notes.db")
			db, other := openSQLite(t, driver, path), openSQLite(t, driver, path)
			for _, statement := range []string{`CREATE TABLE notes (id INTEGER PRIMARY KEY, n INT)`, `INSERT INTO notes VALUES (1, 0)`} {
				_, err := db.ExecContext(t.Context(), statement)
				require.NoError(t, err)
			}
			test(t, db, other)
		})
	}
}

func begin(t *testing.T, db *sql.DB) *sql.Tx {
	t.Helper()
	tx, err := db.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	t.Cleanup(func() { _ = tx.Rollback() })
	return tx
}

// TestSQLiteBusy has another transaction hold the lock.
func TestSQLiteBusy(t *testing.T) {
	t.Parallel()
	eachSQLite(t, func(t *testing.T, db, other *sql.DB) {
		must(t, begin(t, db), `UPDATE notes SET n = 1`)
		err := run(t, begin(t, other), `UPDATE notes SET n = 2`)
		assert.True(t, transient(err), "%T %v", err, err)
	})
}

// TestSQLiteBusyAtCommit has a reader keep COMMIT from its lock. It is known that nothing was
// committed.
func TestSQLiteBusyAtCommit(t *testing.T) {
	t.Parallel()
	eachSQLite(t, func(t *testing.T, db, other *sql.DB) {
		reader := begin(t, other)
		number(t, reader, `SELECT n FROM notes`)
		calls := 0
		require.NoError(t, retrysql.InTx(t.Context(), db, nil, func(_ context.Context, tx *sql.Tx) error {
			if calls++; calls == 2 {
				_ = reader.Rollback()
			}
			must(t, tx, `UPDATE notes SET n = n + 10`)
			return nil
		}, quick))
		assert.Equal(t, 2, calls)
		var n int
		require.NoError(t, other.QueryRowContext(t.Context(), `SELECT n FROM notes`).Scan(&n))
		assert.Equal(t, 10, n)
	})
}

// TestSQLiteBusySnapshot has a reader in WAL mode write after another connection has written. In its
// transaction every further statement would be busy; a new transaction is not.
func TestSQLiteBusySnapshot(t *testing.T) {
	t.Parallel()
	eachSQLite(t, func(t *testing.T, db, other *sql.DB) {
		_, err := db.ExecContext(t.Context(), `PRAGMA journal_mode = WAL`)
		require.NoError(t, err)
		calls := 0
		require.NoError(t, retrysql.InTx(t.Context(), db, nil, func(ctx context.Context, tx *sql.Tx) error {
			number(t, tx, `SELECT n FROM notes`)
			if calls++; calls == 1 {
				_, err := other.ExecContext(ctx, `UPDATE notes SET n = 5`) // another value: SQLite does not write the same again
				require.NoError(t, err)
			}
			err := run(t, tx, `UPDATE notes SET n = n + 1`)
			if calls == 1 {
				require.Error(t, err)
				require.Equal(t, err.Error(), run(t, tx, `UPDATE notes SET n = n + 1`).Error())
			}
			return err
		}, quick))
		assert.Equal(t, 2, calls)
	})
}

// TestSQLiteConstraint violates a constraint, which is not transient.
func TestSQLiteConstraint(t *testing.T) {
	t.Parallel()
	eachSQLite(t, func(t *testing.T, db, _ *sql.DB) {
		err := run(t, begin(t, db), `INSERT INTO notes VALUES (1, 1)`)
		require.Error(t, err)
		assert.False(t, transient(err), "%T %v", err, err)
	})
}

// TestSQLiteDeferredConstraint checks that a COMMIT which a constraint refuses counts as failed, not as
// ambiguous.
func TestSQLiteDeferredConstraint(t *testing.T) {
	t.Parallel()
	for driver := range sqlites {
		t.Run(driver, func(t *testing.T) {
			t.Parallel()
			db := openSQLite(t, driver, filepath.Join(t.TempDir(), "notes.db"))
			db.SetMaxOpenConns(1)
			for _, statement := range []string{
				`PRAGMA foreign_keys = ON`,
				`CREATE TABLE parents (id INTEGER PRIMARY KEY)`,
				`CREATE TABLE notes (id INT REFERENCES parents DEFERRABLE INITIALLY DEFERRED)`,
			} {
				_, err := db.ExecContext(t.Context(), statement)
				require.NoError(t, err)
			}
			err := retrysql.InTx(t.Context(), db, nil, func(ctx context.Context, tx *sql.Tx) error {
				_, err := tx.ExecContext(ctx, `INSERT INTO notes VALUES (7)`)
				return err
			}, quick)
			require.ErrorIs(t, err, retry.ErrPermanent)
			require.NotErrorIs(t, err, retrysql.ErrAmbiguousCommit)
		})
	}
}

// writerFile is an environment variable. It makes a copy of this test binary write to the file that it
// names.
const writerFile = "RETRYSQL_WRITER_FILE"

// TestSQLiteWriter is not a test but a process of TestSQLiteLedger. It enters operations until it is
// killed. For each it prints that it begins, and that it was acknowledged.
func TestSQLiteWriter(t *testing.T) {
	path := os.Getenv(writerFile)
	if path == "" {
		t.Skip("a part of TestSQLiteLedger, which runs it as a process")
	}
	write(t, path, "b", func(line string) bool {
		_, err := fmt.Println(line)
		return err == nil
	})
}

// write enters operations of the writer into the ledger until say returns false.
func write(t *testing.T, path, writer string, say func(line string) bool) {
	t.Helper()
	db := openSQLite(t, "sqlite", path)
	patient := retry.MustNew(retry.WithMaxAttempts(retry.Unlimited), retry.WithMaxElapsed(time.Minute),
		retry.WithBackoff(retry.Exponential(time.Millisecond, 2)), retry.WithMaxDelay(20*time.Millisecond))
	for op := 0; say(fmt.Sprintf("begun %d", op)); op++ {
		calls := 0
		err := retrysql.InTx(t.Context(), db, nil, func(ctx context.Context, tx *sql.Tx) error {
			calls++
			_, err := tx.ExecContext(ctx, `INSERT INTO ledger VALUES (?, ?)`, writer, op)
			return err
		}, patient)
		if err != nil {
			say(fmt.Sprintf("failed %d %v", op, err))
			return
		}
		if !say(fmt.Sprintf("acknowledged %d %d", op, calls)) {
			return
		}
	}
}

// TestSQLiteLedger has two processes write to one file, and kills one of them. Each acknowledged
// operation must have exactly one row. The operation that was not finished may have one or none.
func TestSQLiteLedger(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "ledger.db")
	db := openSQLite(t, "sqlite", path)
	_, err := db.ExecContext(t.Context(), `CREATE TABLE ledger (writer TEXT NOT NULL, op INT NOT NULL)`)
	require.NoError(t, err)

	other := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestSQLiteWriter$", "-test.v")
	other.Env = append(os.Environ(), writerFile+"="+path)
	output, err := other.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, other.Start())

	const enough = 60
	told := map[string]*account{"a": {}, "b": {}}
	killed := make(chan struct{})
	go func() { // the other process, until it is killed
		defer close(killed)
		lines := bufio.NewScanner(output)
		for lines.Scan() {
			told["b"].note(lines.Text())
			if told["b"].acknowledged == enough {
				_ = other.Process.Kill()
			}
		}
	}()
	after := 0 // what this process has said since the other was killed
	write(t, path, "a", func(line string) bool {
		told["a"].note(line)
		select {
		case <-killed:
			after++
		default:
		}
		return after < enough
	})
	<-killed
	require.Error(t, other.Wait(), "it was killed")

	for writer, account := range told {
		account.audit(t, db, writer)
	}
	assert.GreaterOrEqual(t, told["b"].acknowledged, enough)
	assert.Greater(t, told["a"].attempts+told["b"].attempts, told["a"].acknowledged+told["b"].acknowledged, "the writers collided")
}

// account sums up what a writer said.
type account struct {
	begun, acknowledged, attempts int
	failed                        string
}

func (a *account) note(line string) {
	switch word, rest, _ := strings.Cut(line, " "); word {
	case "begun":
		a.begun++
	case "acknowledged":
		a.acknowledged++
		_, calls, _ := strings.Cut(rest, " ")
		n, _ := strconv.Atoi(calls)
		a.attempts += n
	case "failed":
		a.failed = rest
	}
}

// audit compares what the writer said with what it has in the ledger.
func (a *account) audit(t *testing.T, db *sql.DB, writer string) {
	t.Helper()
	require.Empty(t, a.failed)
	var rows, distinct, acknowledged int
	require.NoError(t, db.QueryRowContext(t.Context(), `SELECT count(*), count(DISTINCT op), count(DISTINCT op) FILTER (WHERE op < ?)
		FROM ledger WHERE writer = ?`, a.acknowledged, writer).Scan(&rows, &distinct, &acknowledged))
	assert.Equal(t, a.acknowledged, acknowledged, "every operation that was acknowledged is there")
	assert.Equal(t, distinct, rows, "and none of them twice")
	assert.LessOrEqual(t, rows, a.begun)
	t.Logf("writer %s: %d begun, %d acknowledged, %d rows, %d attempts", writer, a.begun, a.acknowledged, rows, a.attempts)
}
