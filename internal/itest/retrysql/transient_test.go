package retrysql_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	mssql "github.com/microsoft/go-mssqldb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/internal/itest/cut"
	"github.com/seed-205ff063/retry/retrysql"
)

func transient(err error) bool { return retrysql.Transient(retry.Attempt{Err: err}) }

// TestTableOfPostgres makes the server raise each code, and classifies the drivers' errors.
func TestTableOfPostgres(t *testing.T) {
	t.Parallel()
	for _, s := range []system{pgx, pq} {
		t.Run(s.String(), func(t *testing.T) {
			t.Parallel()
			d := s.database(t, nil)
			for code, want := range map[string]bool{
				"40001": true, "40P01": true, "55P03": true,
				"08000": true, "08001": true, "08003": true, "08006": true,
				"57P01": true, "57P02": true, "57P03": true, "57P05": true, "25P03": true, "53300": true,
				"53200": false, "55006": false, "25006": false, "08007": false, "40003": false,
				"08P01": true, "26000": true, "0A000": false, "08004": false,
				"57014": false, "22012": false, "23505": false, "28P01": false, "42601": false,
			} {
				_, err := d.direct.ExecContext(t.Context(), fmt.Sprintf(`DO $$ BEGIN RAISE 'x' USING ERRCODE = '%s'; END $$`, code))
				require.Error(t, err)
				if err != driver.ErrBadConn { // lib/pq returns it for some codes
					assert.Equal(t, code, codeOf(err))
				}
				assert.Equal(t, want, transient(err), "%s: %v", code, err)
				assert.Equal(t, codeOf(err) == code, retrysql.SQLState(code)(retry.Attempt{Err: err}), "%s: %v", code, err)
			}
		})
	}
}

// TestTableOfMariaDB does the same with MariaDB's numbers.
func TestTableOfMariaDB(t *testing.T) {
	t.Parallel()
	d := mariadb.database(t, nil)
	for number, want := range map[int]bool{
		1213: true, 1205: true, 3572: true, 1020: true, 3101: true, 1040: true, 1053: true,
		9007: true, 8002: true, 8022: true, 8028: true, 8004: false, 1836: false, 3100: false, // the first are TiDB's
		1062: false, 1064: false, 1146: false, 1317: false, 3024: false, 1290: false,
	} {
		_, err := d.direct.ExecContext(t.Context(), fmt.Sprintf(`SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = %d, MESSAGE_TEXT = 'x'`, number))
		var e *mysql.MySQLError
		require.ErrorAs(t, err, &e)
		require.Equal(t, number, int(e.Number))
		assert.Equal(t, want, transient(err), "%v", err)
		assert.True(t, retrysql.SQLState("HY000")(retry.Attempt{Err: err}))
	}
}

// TestTableOfSQLServer classifies values of the driver's error type, because there is no server.
func TestTableOfSQLServer(t *testing.T) {
	t.Parallel()
	for _, number := range []int32{
		1205, 3960, 41301, 41302, 41305, 41325, 40197, 40501, 40613, 49918, 49919, 49920, 10928, 10929,
	} {
		assert.True(t, transient(fmt.Errorf("update: %w", mssql.Error{Number: number})), number)
		assert.True(t, transient(&mssql.Error{Number: number}), number)
	}
	assert.False(t, transient(mssql.Error{Number: 2627}))
}

// postgresCauses are transient failures, and how to bring them about in transactions a and b.
var postgresCauses = map[string]struct {
	code string
	fail func(t *testing.T, d *database, a, b *sql.Tx) error
}{
	"serialization failure": {"40001", func(t *testing.T, _ *database, a, b *sql.Tx) error {
		_ = number(t, a, `SELECT n FROM notes WHERE id = 1`)
		must(t, b, `UPDATE notes SET n = n + 1 WHERE id = 1`)
		require.NoError(t, b.Commit())
		return run(t, a, `UPDATE notes SET n = n + 1 WHERE id = 1`)
	}},
	"deadlock": {"40P01", func(t *testing.T, _ *database, a, b *sql.Tx) error {
		must(t, a, `SELECT pg_advisory_xact_lock(1)`)
		must(t, b, `SELECT pg_advisory_xact_lock(2)`)
		other := make(chan error, 1)
		go func() { other <- run(t, b, `SELECT pg_advisory_xact_lock(1)`) }()
		return errors.Join(run(t, a, `SELECT pg_advisory_xact_lock(2)`), <-other)
	}},
	"lock not available": {"55P03", func(t *testing.T, _ *database, a, b *sql.Tx) error {
		must(t, a, `SELECT 1 FROM notes WHERE id = 1 FOR UPDATE`)
		return run(t, b, `SELECT 1 FROM notes WHERE id = 1 FOR UPDATE NOWAIT`)
	}},
	"terminated": {"57P01", func(t *testing.T, _ *database, a, b *sql.Tx) error {
		must(t, b, fmt.Sprint(`SELECT pg_terminate_backend(`, number(t, a, `SELECT pg_backend_pid()`), `)`))
		return run(t, a, `SELECT 1`)
	}},
	"idle in a transaction": {"25P03", func(t *testing.T, d *database, a, _ *sql.Tx) error {
		pid := number(t, a, `SELECT pg_backend_pid()`) // first, because a must be idle after the next statement
		must(t, a, `SET LOCAL idle_in_transaction_session_timeout = 1`)
		d.waitUntilClosed(t, pid)
		return run(t, a, `SELECT 1`)
	}},
}

// TestCausesInPostgres brings about the failures for which the codes stand.
func TestCausesInPostgres(t *testing.T) {
	t.Parallel()
	for _, s := range []system{pgx, pq} {
		t.Run(s.String(), func(t *testing.T) {
			t.Parallel()
			d := s.database(t, nil, `CREATE TABLE notes (id INT PRIMARY KEY, n INT)`, `INSERT INTO notes VALUES (1, 0), (2, 0)`)
			serializable := &sql.TxOptions{Isolation: sql.LevelSerializable}
			for name, test := range postgresCauses {
				t.Run(name, func(t *testing.T) {
					a, err := d.db.BeginTx(t.Context(), serializable)
					require.NoError(t, err)
					defer func() { _ = a.Rollback() }()
					number(t, a, `SELECT 1`)
					b, err := d.db.BeginTx(t.Context(), serializable)
					require.NoError(t, err)
					defer func() { _ = b.Rollback() }()
					err = test.fail(t, d, a, b)
					require.Error(t, err)
					if code := codeOf(err); code != "" { // a driver may notice first that the connection is closed
						assert.Equal(t, test.code, code)
					}
					assert.True(t, transient(err), "%T %v", err, err)
				})
			}
		})
	}
}

// waitUntilClosed waits until the server has closed a connection.
func (d *database) waitUntilClosed(t *testing.T, pid int) {
	t.Helper()
	require.Eventually(t, func() bool {
		return d.count(t, `SELECT count(*) FROM pg_stat_activity WHERE pid = $1`, pid) == 0
	}, 10*time.Second, time.Millisecond)
}

// TestTooManyConnections has a server with few connections. It refuses a connection until others are
// closed.
func TestTooManyConnections(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		system
		setting string
	}{
		{pgx, "max_connections=4"}, {pq, "max_connections=4"}, {mariadb, "max_connections=10"}, // MariaDB's minimum
	} {
		t.Run(test.String(), func(t *testing.T) {
			t.Parallel()
			d := &database{system: test.system, server: test.start(t, test.setting)}
			d.db = d.open(t, "")
			var held []*sql.Conn
			for {
				conn, err := d.db.Conn(t.Context())
				if err != nil {
					require.True(t, transient(err), "%T %v", err, err)
					t.Log(err)
					break
				}
				held = append(held, conn)
				require.Less(t, len(held), 20)
			}
			refused := retry.WithHooks(retry.Hooks{BeforeWait: func(_ context.Context, a retry.Attempt) {
				for _, conn := range held {
					_ = conn.Close()
				}
			}})
			require.NoError(t, retrysql.InTx(t.Context(), d.db, nil, func(context.Context, *sql.Tx) error { return nil }, refused))
		})
	}
}

// TestCausesInMariaDB brings about the failures for which the numbers stand.
func TestCausesInMariaDB(t *testing.T) {
	t.Parallel()
	d := mariadb.database(t, nil, `CREATE TABLE notes (id INT PRIMARY KEY, n INT)`, `INSERT INTO notes VALUES (1, 0), (2, 0)`)
	begin := func(t *testing.T) *sql.Tx {
		tx, err := d.db.BeginTx(t.Context(), nil)
		require.NoError(t, err)
		t.Cleanup(func() { _ = tx.Rollback() })
		return tx
	}
	for name, test := range map[string]struct {
		number int
		fail   func(t *testing.T, a, b *sql.Tx) error
	}{
		"deadlock": {1213, func(t *testing.T, a, b *sql.Tx) error {
			must(t, a, `UPDATE notes SET n = 1 WHERE id = 1`)
			must(t, b, `UPDATE notes SET n = 1 WHERE id = 2`)
			other := make(chan error, 1)
			go func() { other <- run(t, b, `UPDATE notes SET n = 1 WHERE id = 1`) }()
			return errors.Join(run(t, a, `UPDATE notes SET n = 1 WHERE id = 2`), <-other)
		}},
		"lock wait timeout": {1205, func(t *testing.T, a, b *sql.Tx) error {
			must(t, a, `UPDATE notes SET n = 1 WHERE id = 1`)
			return run(t, b, `SELECT 1 FROM notes WHERE id = 1 FOR UPDATE NOWAIT`)
		}},
		"row changed": {1020, func(t *testing.T, a, b *sql.Tx) error {
			must(t, a, `SET SESSION innodb_snapshot_isolation = ON`)
			number(t, a, `SELECT count(*) FROM notes`)
			must(t, b, `UPDATE notes SET n = n + 1 WHERE id = 1`)
			require.NoError(t, b.Commit())
			return run(t, a, `UPDATE notes SET n = n + 1 WHERE id = 1`)
		}},
		"killed": {0, func(t *testing.T, a, b *sql.Tx) error {
			must(t, b, fmt.Sprint(`KILL `, number(t, a, `SELECT connection_id()`)))
			return run(t, a, `SELECT 1`)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			err := test.fail(t, begin(t), begin(t))
			require.Error(t, err)
			var e *mysql.MySQLError
			if test.number > 0 && assert.ErrorAs(t, err, &e) {
				assert.Equal(t, test.number, int(e.Number))
			}
			assert.True(t, transient(err), "%T %v", err, err)
			t.Log(err)
		})
	}
}

// TestLostConnections classifies the drivers' errors if a connection breaks during a statement, and in
// later statements.
func TestLostConnections(t *testing.T) {
	t.Parallel()
	for _, s := range systems {
		t.Run(s.String(), func(t *testing.T) {
			t.Parallel()
			d := s.database(t, nil)
			for _, at := range []cut.Point{cut.BeforeStatement, cut.MidStatement, cut.AfterStatement} {
				for range 2 { // an orderly end and a reset
					tx, err := d.db.BeginTx(t.Context(), nil)
					require.NoError(t, err)
					d.proxy.CutNext(at, 1)
					for range 2 {
						err = run(t, tx, `SELECT 1`)
						require.Error(t, err)
						assert.True(t, transient(err), "%v: %T %v", at, err, err)
					}
					_ = tx.Rollback()
				}
			}
			d.proxy.CutNext(cut.BeforeFirstByte, 20)
			for range 2 {
				db := d.open(t, d.proxy.Addr)
				err := db.PingContext(t.Context())
				require.Error(t, err)
				// lib/pq returns io.EOF. Transient does not know it, because it is mostly not a failure. InTx
				// retries it at BEGIN.
				assert.True(t, transient(err) || err == io.EOF, "%T %v", err, err)
			}
		})
	}
}

func run(t *testing.T, tx *sql.Tx, query string) error {
	t.Helper()
	_, err := tx.ExecContext(t.Context(), query)
	return err
}

func must(t *testing.T, tx *sql.Tx, query string) {
	t.Helper()
	require.NoError(t, run(t, tx, query), query)
}

func number(t *testing.T, tx *sql.Tx, query string) (n int) {
	t.Helper()
	require.NoError(t, tx.QueryRowContext(t.Context(), query).Scan(&n), query)
	return n
}
