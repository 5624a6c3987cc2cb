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
	"github.com/seed-205ff063/retry/internal/itest/servers"
	"github.com/seed-205ff063/retry/retrypgx"
	"github.com/seed-205ff063/retry/retrysql"
)

// TestCutsOfNativePgx is TestCuts for retrypgx.
func TestCutsOfNativePgx(t *testing.T) {
	t.Parallel()
	d := pgx.database(t, nil, `CREATE TABLE notes (id INT NOT NULL)`)
	d.eachCut(t, func(t *testing.T, test cutTest) error {
		pool := d.pool(t, d.proxy.Addr)
		r := &retrypgx.Runner{DB: pool, Policy: quick, Idempotent: test.idempotent, Settle: test.settle}
		d.proxy.CutNext(test.at, 1)
		err := r.InTx(t.Context(), func(ctx context.Context, tx pgx5.Tx) error {
			_, err := tx.Exec(ctx, `INSERT INTO notes VALUES ($1)`, 1) // an argument, so that it is prepared
			return err
		})
		d.proxy.CutNext(test.at, 0)
		checkPoolIdle(t, pool)
		return err
	})
}

// TestNativeConn uses a connection without a pool. Transient errors are retried on it. After the
// connection is lost there are no more attempts.
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

// TestLostRoleOfNativePgx is TestLostRole for retrypgx.
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

// TestNativeDeadlines checks that a call returns soon after its context ends if the server does not
// answer.
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
			d.waitUntilSettled(t) // pgx waits for the server to close the connection
			checkPoolIdle(t, pool)
		})
	}
}
