package retrysql_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	pgx5 "github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/internal/itest/cut"
	"github.com/seed-205ff063/retry/retrypgx"
	"github.com/seed-205ff063/retry/retrysql"
)

// pool opens a pool of native pgx.
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

// checkPoolIdle checks that every connection is back in the pool.
func checkPoolIdle(t *testing.T, pool *pgxpool.Pool) {
	t.Helper()
	assert.Eventually(t, func() bool { return pool.Stat().AcquiredConns() == 0 }, 5*time.Second, time.Millisecond, "connections in use")
}

// insertBatch inserts three notes in a batch.
func insertBatch(ctx context.Context, tx pgx5.Tx) error {
	b := &pgx5.Batch{}
	for id := range 3 {
		b.Queue(`INSERT INTO notes VALUES ($1)`, id)
	}
	return tx.SendBatch(ctx, b).Close()
}

// copyRows inserts three notes with COPY.
func copyRows(ctx context.Context, tx pgx5.Tx) error {
	n, err := tx.CopyFrom(ctx, pgx5.Identifier{"notes"}, []string{"id"}, pgx5.CopyFromRows([][]any{{0}, {1}, {2}}))
	if err == nil && n != 3 {
		err = fmt.Errorf("copied %d rows", n)
	}
	return err
}

// TestBatchesAndCopies checks that a batch and a COPY in fn are a part of the transaction and run again
// with it.
func TestBatchesAndCopies(t *testing.T) {
	t.Parallel()
	d := pgx.database(t, nil, `CREATE TABLE notes (id INT PRIMARY KEY)`)
	pool := d.pool(t, d.proxy.Addr)
	for name, fn := range map[string]func(context.Context, pgx5.Tx) error{"batch": insertBatch, "copy": copyRows} {
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
	checkPoolIdle(t, pool)
}

// fnLeaves are functions that leave things undone, hide errors, or end the transaction.
var fnLeaves = []struct {
	name      string
	fn        func(ctx context.Context, tx pgx5.Tx) error
	rows      int
	ambiguous bool
	text      string // of the error; "" is success at the second call, "-" at the first
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
}

// TestWhatFnLeaves checks what InTx returns if fn does not do as it should.
func TestWhatFnLeaves(t *testing.T) {
	t.Parallel()
	d := pgx.database(t, nil, `CREATE TABLE notes (id INT NOT NULL)`)
	pool := d.pool(t, d.proxy.Addr)
	for _, test := range fnLeaves {
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
			checkPoolIdle(t, pool)
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
