package retrysql_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	pgx5 "github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/internal/itest/cut"
	"github.com/seed-205ff063/retry/internal/itest/servers"
	"github.com/seed-205ff063/retry/retrypgx"
	"github.com/seed-205ff063/retry/retrysql"
)

// pool opens one through the address.
func (d *database) pool(t *testing.T, addr string, change ...func(*pgxpool.Config)) *pgxpool.Pool {
	t.Helper()
	cfg, err := pgxpool.ParseConfig(d.server.DSN(addr))
	require.NoError(t, err)
	for _, change := range change {
		change(cfg)
	}
	pool, err := pgxpool.NewWithConfig(t.Context(), cfg)
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	return pool
}

// noConnection holds that every connection is back in the pool.
func noConnection(t *testing.T, pool *pgxpool.Pool) {
	t.Helper()
	assert.Eventually(t, func() bool { return pool.Stat().AcquiredConns() == 0 }, 5*time.Second, time.Millisecond, "connections in use")
}

// byRetrypgx has the ledger kept by native pgx.
func (l *ledger) byRetrypgx(t *testing.T, settle bool) {
	t.Helper()
	pool := l.pool(t, l.proxy.Addr, func(c *pgxpool.Config) { c.MaxConns = 2 * workers })
	counted := &countedPool{Pool: pool}
	r := &retrypgx.Runner{DB: counted, TxOptions: pgx5.TxOptions{IsoLevel: pgx5.Serializable}, Policy: l.policy, Settle: settle}
	l.inTx = func(ctx context.Context, fn func(ctx context.Context, tx statements) error) error {
		return r.InTx(ctx, func(ctx context.Context, tx pgx5.Tx) error { return fn(ctx, nativeStatements{tx}) })
	}
	l.inUse = func() int { return int(pool.Stat().AcquiredConns()) }
	l.outcomes = func() (committed, rolledBack int64) { return counted.committed.Load(), counted.rolledBack.Load() }
}

type nativeStatements struct{ tx pgx5.Tx }

func (s nativeStatements) exec(ctx context.Context, query string, args ...any) error {
	_, err := s.tx.Exec(ctx, query, args...)
	return err
}

func (s nativeStatements) number(ctx context.Context, query string, args ...any) (n int, err error) {
	err = s.tx.QueryRow(ctx, query, args...).Scan(&n)
	return n, err
}

// countedPool counts what retrypgx asked it for, which is what became of transactions.
type countedPool struct {
	*pgxpool.Pool
	committed, rolledBack atomic.Int64
}

func (c *countedPool) QueryRow(ctx context.Context, query string, args ...any) pgx5.Row {
	return countedRow{c, c.Pool.QueryRow(ctx, query, args...)}
}

type countedRow struct {
	*countedPool
	row pgx5.Row
}

func (c countedRow) Scan(dest ...any) error {
	err := c.row.Scan(dest...)
	text := fmt.Sprint(err)
	if err == nil {
		text = fmt.Sprintf("%+v", dest[0])
	}
	switch {
	case strings.Contains(text, "committed"):
		c.committed.Add(1)
	case strings.Contains(text, "aborted"), strings.Contains(text, "22023"):
		c.rolledBack.Add(1)
	}
	return err
}

// TestCutsOfNativePgx is TestCuts for retrypgx.
func TestCutsOfNativePgx(t *testing.T) {
	t.Parallel()
	d := pgx.database(t, nil, `CREATE TABLE notes (id INT NOT NULL)`)
	for id, test := range []struct {
		at                 cut.Point
		idempotent, settle bool
		rows               int
		ambiguous          bool
	}{
		{at: cut.BeforeFirstByte, rows: 1},
		{at: cut.AfterPrepare, rows: 1},
		{at: cut.BeforeStatement, rows: 1},
		{at: cut.MidStatement, rows: 1},
		{at: cut.AfterStatement, rows: 1},
		{at: cut.BeforeCommit, rows: 0, ambiguous: true},
		{at: cut.AfterCommit, rows: 1, ambiguous: true},
		{at: cut.BeforeCommit, idempotent: true, rows: 1},
		{at: cut.AfterCommit, idempotent: true, rows: 2}, // the caller's word was not true
		{at: cut.BeforeCommit, settle: true, rows: 1},
		{at: cut.AfterCommit, settle: true, rows: 1},
	} {
		for _, reset := range []bool{false, true} { // cuts are orderly and resets by turns
			t.Run(fmt.Sprintf("%v, idempotent %v, settle %v, %v", test.at, test.idempotent, test.settle, reset), func(t *testing.T) {
				pool := d.pool(t, d.proxy.Addr)
				d.exec(t, `DELETE FROM notes`)
				d.proxy.CutNext(test.at, 1)
				r := &retrypgx.Runner{DB: pool, Policy: quick, Idempotent: test.idempotent, Settle: test.settle}
				err := r.InTx(t.Context(), func(ctx context.Context, tx pgx5.Tx) error {
					_, err := tx.Exec(ctx, `INSERT INTO notes VALUES ($1)`, id)
					return err
				})
				d.proxy.CutNext(test.at, 0)
				noConnection(t, pool)
				d.settled(t)
				assert.Equal(t, test.rows, d.count(t, `SELECT count(*) FROM notes`))
				assert.Equal(t, test.ambiguous, errors.Is(err, retrysql.ErrAmbiguousCommit))
				if !test.ambiguous {
					require.NoError(t, err)
				}
				t.Log(err)
			})
		}
	}
	for _, at := range cut.Points {
		assert.NotZero(t, d.proxy.Cuts()[at], "cuts %v", at)
	}
}

// TestBatchesAndCopies has both in fn: they are part of the transaction, and run again with it.
func TestBatchesAndCopies(t *testing.T) {
	t.Parallel()
	d := pgx.database(t, nil, `CREATE TABLE notes (id INT PRIMARY KEY)`)
	pool := d.pool(t, d.proxy.Addr)
	batch := func(ctx context.Context, tx pgx5.Tx) error {
		b := &pgx5.Batch{}
		for id := range 3 {
			b.Queue(`INSERT INTO notes VALUES ($1)`, id)
		}
		return tx.SendBatch(ctx, b).Close()
	}
	copied := func(ctx context.Context, tx pgx5.Tx) error {
		n, err := tx.CopyFrom(ctx, pgx5.Identifier{"notes"}, []string{"id"}, pgx5.CopyFromRows([][]any{{0}, {1}, {2}}))
		if err == nil && n != 3 {
			err = fmt.Errorf("copied %d rows", n)
		}
		return err
	}
	for name, fn := range map[string]func(context.Context, pgx5.Tx) error{"batch": batch, "copy": copied} {
		for _, at := range []cut.Point{cut.BeforeStatement, cut.AfterStatement, cut.MidStatement} {
			t.Run(fmt.Sprint(name, " ", at), func(t *testing.T) {
				d.exec(t, `DELETE FROM notes`)
				calls := 0
				require.NoError(t, retrypgx.InTx(t.Context(), pool, pgx5.TxOptions{}, func(ctx context.Context, tx pgx5.Tx) error {
					if calls++; calls == 1 {
						d.proxy.CutNext(at, 1)
					}
					return fn(ctx, tx)
				}, quick))
				assert.Equal(t, 2, calls)
				assert.Equal(t, 3, d.count(t, `SELECT count(*) FROM notes`))
			})
		}
		t.Run(name+", a unique violation", func(t *testing.T) {
			d.exec(t, `DELETE FROM notes`)
			d.exec(t, `INSERT INTO notes VALUES (2)`)
			err := retrypgx.InTx(t.Context(), pool, pgx5.TxOptions{}, fn, quick)
			require.ErrorIs(t, err, retry.ErrPermanent)
			require.NotErrorIs(t, err, retrysql.ErrAmbiguousCommit)
			assert.Equal(t, "23505", codeOf(err))
			assert.Equal(t, 1, d.count(t, `SELECT count(*) FROM notes`))
		})
		t.Run(name+", with its COMMIT lost", func(t *testing.T) {
			d.exec(t, `DELETE FROM notes`)
			d.proxy.CutNext(cut.AfterCommit, 1)
			require.NoError(t, (&retrypgx.Runner{DB: pool, Policy: quick, Settle: true}).InTx(t.Context(), fn))
			assert.Equal(t, 3, d.count(t, `SELECT count(*) FROM notes`))
		})
	}
	noConnection(t, pool)
}

// TestWhatFnLeaves has fn leave things undone, hide errors, or end the transaction.
func TestWhatFnLeaves(t *testing.T) {
	t.Parallel()
	d := pgx.database(t, nil, `CREATE TABLE notes (id INT NOT NULL)`)
	pool := d.pool(t, d.proxy.Addr)
	for _, test := range []struct {
		name      string
		fn        func(ctx context.Context, tx pgx5.Tx) error
		rows      int
		ambiguous bool
		text      string // of the error; "": success at the second call
	}{
		{"rows open", func(ctx context.Context, tx pgx5.Tx) error {
			_, err := tx.Query(ctx, `SELECT generate_series(1, 10)`) //nolint:sqlclosecheck // what the test is about
			return err
		}, 0, false, "fn left rows or the results of a batch open"},
		{"a batch open", func(ctx context.Context, tx pgx5.Tx) error {
			b := &pgx5.Batch{}
			b.Queue(`INSERT INTO notes VALUES (2)`)
			tx.SendBatch(ctx, b)
			return nil
		}, 0, false, "fn left rows or the results of a batch open"},
		{"a hidden error", func(ctx context.Context, tx pgx5.Tx) error {
			_, _ = tx.Exec(ctx, `SELECT 1/0`)
			return nil
		}, 1, false, ""},
		{"commits", func(ctx context.Context, tx pgx5.Tx) error { return tx.Commit(ctx) }, 1, true, "leave Commit and Rollback to InTx"},
		{"rolls back", func(ctx context.Context, tx pgx5.Tx) error { return tx.Rollback(ctx) }, 0, true, "leave Commit and Rollback to InTx"},
		{"commits in SQL", func(ctx context.Context, tx pgx5.Tx) error {
			_, err := tx.Exec(ctx, `COMMIT`)
			return err
		}, 1, true, "leave COMMIT and ROLLBACK to InTx"},
		{"commits in SQL and fails", func(ctx context.Context, tx pgx5.Tx) error {
			_, err := tx.Exec(ctx, `COMMIT`)
			return errors.Join(err, retry.Permanent(errors.New("own")))
		}, 1, true, "leave COMMIT and ROLLBACK to InTx"},
		{"a savepoint", func(ctx context.Context, tx pgx5.Tx) error {
			return pgx5.BeginFunc(ctx, tx, func(pgx5.Tx) error { return nil })
		}, 1, false, "-"},
	} {
		t.Run(test.name, func(t *testing.T) {
			d.exec(t, `DELETE FROM notes`)
			calls := 0
			err := retrypgx.InTx(t.Context(), pool, pgx5.TxOptions{}, func(ctx context.Context, tx pgx5.Tx) error {
				_, err := tx.Exec(ctx, `INSERT INTO notes VALUES (1)`)
				if calls++; err != nil || calls > 1 {
					return err
				}
				return test.fn(ctx, tx)
			}, quick)
			noConnection(t, pool)
			assert.Equal(t, test.rows, d.count(t, `SELECT count(*) FROM notes`))
			assert.Equal(t, test.ambiguous, errors.Is(err, retrysql.ErrAmbiguousCommit), "%v", err)
			switch test.text {
			case "", "-":
				require.NoError(t, err)
				assert.Equal(t, test.text == "", calls == 2)
			default:
				require.ErrorContains(t, err, test.text)
				assert.Equal(t, 1, calls)
			}
		})
	}
}

// TestNativeConn has a connection without a pool: what passes is retried on it, and once it is lost
// there is no point in more attempts.
func TestNativeConn(t *testing.T) {
	t.Parallel()
	d := pgx.database(t, nil, `CREATE TABLE notes (id INT NOT NULL)`)
	conn, err := pgx5.Connect(t.Context(), d.server.DSN(d.proxy.Addr))
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	calls := 0
	fn := func(ctx context.Context, tx pgx5.Tx) error {
		if calls++; calls == 1 {
			_, err := tx.Exec(ctx, `DO $$ BEGIN RAISE 'x' USING ERRCODE = '40001'; END $$`)
			return err
		}
		_, err := tx.Exec(ctx, `INSERT INTO notes VALUES (1)`)
		return err
	}
	require.NoError(t, retrypgx.InTx(t.Context(), conn, pgx5.TxOptions{}, fn, quick))
	assert.Equal(t, 2, calls)
	assert.Equal(t, 1, d.count(t, `SELECT count(*) FROM notes`))

	d.proxy.CutNext(cut.BeforeStatement, 1)
	err = retrypgx.InTx(t.Context(), conn, pgx5.TxOptions{}, fn, quick)
	require.ErrorIs(t, err, retry.ErrPermanent)
	require.NotErrorIs(t, err, retrysql.ErrAmbiguousCommit)
	assert.ErrorContains(t, err, "the connection is closed and there is no other, use a pool")
	assert.Equal(t, 2, calls, "the cut was at BEGIN")
}

// TestLostRoleOfNativePgx is TestLostRole for a pool of pgx.
func TestLostRoleOfNativePgx(t *testing.T) {
	t.Parallel()
	for _, level := range []pgx5.TxIsoLevel{"", pgx5.Serializable} {
		for _, idle := range []int{1, 10} {
			t.Run(fmt.Sprint(level, " ", idle), func(t *testing.T) {
				t.Parallel()
				d := pgx.database(t, nil, `CREATE TABLE notes (id INT NOT NULL)`)
				standby := servers.Standby(t, d.server)
				d.proxy.SwitchTo(standby.Addr)
				pool := d.pool(t, d.proxy.Addr, func(c *pgxpool.Config) { c.MaxConns = 10 })
				var conns []*pgxpool.Conn
				for range idle {
					conn, err := pool.Acquire(t.Context())
					require.NoError(t, err)
					conns = append(conns, conn)
				}
				for _, conn := range conns {
					conn.Release()
				}
				d.proxy.SwitchTo(d.server.Addr)
				var seen codes
				require.NoError(t, retrypgx.InTx(t.Context(), pool, pgx5.TxOptions{IsoLevel: level}, func(ctx context.Context, tx pgx5.Tx) error {
					_, err := tx.Exec(ctx, `INSERT INTO notes VALUES (1)`)
					return err
				}, quick, retry.WithRetryIf(retrysql.SQLState("25006")), seen.option(func() {})))
				t.Log(seen.list)
				assert.NotEmpty(t, seen.list)
				assert.LessOrEqual(t, len(seen.list), 2)
				assert.Equal(t, 1, d.count(t, `SELECT count(*) FROM notes`))
			})
		}
	}
}

// TestNativeDeadlines holds that a server that does not answer holds a call for as long as its
// context and a little.
func TestNativeDeadlines(t *testing.T) {
	t.Parallel()
	d := pgx.database(t, nil, `CREATE TABLE notes (id INT NOT NULL)`)
	for _, at := range []cut.Point{cut.AfterStatement, cut.AfterCommit} {
		t.Run(at.String(), func(t *testing.T) {
			pool := d.pool(t, d.proxy.Addr)
			require.NoError(t, pool.Ping(t.Context()))
			d.proxy.HoldNext(at, 1)
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			defer cancel()
			start := time.Now()
			err := retrypgx.InTx(ctx, pool, pgx5.TxOptions{}, func(ctx context.Context, tx pgx5.Tx) error {
				_, err := tx.Exec(ctx, `INSERT INTO notes VALUES (1)`)
				return err
			}, quick)
			require.ErrorIs(t, err, context.DeadlineExceeded)
			assert.Less(t, time.Since(start), 8*time.Second)
			assert.Equal(t, at == cut.AfterCommit, errors.Is(err, retrysql.ErrAmbiguousCommit))
			t.Log(err)
			d.settled(t) // pgx waits for the server to close the connection
			noConnection(t, pool)
		})
	}
}
