package retrysql_test

import (
	"context"
	"database/sql"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/internal/itest/servers"
	"github.com/seed-205ff063/retry/retrysql"
)

// TestLostRole has a pool whose idle connections lead to a standby. New connections lead to the primary,
// as after a failover. A call must come to the primary within two retries.
func TestLostRole(t *testing.T) {
	t.Parallel()
	failover := retry.WithRetryIf(retrysql.SQLState("25006"))
	for _, s := range []system{pgx, pq} {
		for name, opts := range map[string]*sql.TxOptions{"plain": nil, "serializable": {Isolation: sql.LevelSerializable}} {
			for _, idle := range []int{1, 10} {
				t.Run(name+", "+s.String(), func(t *testing.T) {
					t.Parallel()
					d := s.database(t, nil, `CREATE TABLE notes (id INT NOT NULL)`)
					standby := servers.Standby(t, d.server)
					d.proxy.SwitchTo(standby.Addr)
					d.fillPool(t, idle)
					note := func(ctx context.Context, tx *sql.Tx) error {
						_, err := tx.ExecContext(ctx, `INSERT INTO notes VALUES (1)`)
						return err
					}
					var seen codes
					require.Error(t, retrysql.InTx(t.Context(), d.db, opts, note, quick, seen.option(func() {})))
					t.Log(seen.list)
					assert.Len(t, seen.list, 1, "25006 is not retried unless you ask for it")
					d.fillPool(t, idle)

					d.proxy.SwitchTo(d.server.Addr)
					require.NoError(t, retrysql.InTx(t.Context(), d.db, opts, note, quick, failover, seen.option(func() {})))
					assert.Len(t, seen.list, 1+min(idle, 2), "attempts that failed")
					assert.Equal(t, 1, d.count(t, `SELECT count(*) FROM notes`))
					assert.Equal(t, 1, d.db.Stats().OpenConnections, "no connection leads to the standby")
				})
			}
		}
	}
}

// TestPromoted makes the primary read-only and promotes its standby.
func TestPromoted(t *testing.T) {
	t.Parallel()
	d := pgx.database(t, nil, `CREATE TABLE notes (id INT NOT NULL)`)
	standby := servers.Standby(t, d.server)
	d.fillPool(t, 2)
	d.exec(t, `ALTER SYSTEM SET default_transaction_read_only = on`) // the old primary is fenced
	d.exec(t, `SELECT pg_reload_conf()`)
	other := d.open(t, standby.Addr)
	_, err := other.ExecContext(t.Context(), `SELECT pg_promote()`)
	require.NoError(t, err)
	d.proxy.SwitchTo(standby.Addr)
	calls := 0
	require.NoError(t, retrysql.InTx(t.Context(), d.db, nil, func(ctx context.Context, tx *sql.Tx) error {
		calls++
		_, err := tx.ExecContext(ctx, `INSERT INTO notes VALUES (1)`)
		return err
	}, quick, retry.WithRetryIf(retrysql.SQLState("25006"))))
	assert.LessOrEqual(t, calls, 3)
	var n int
	require.NoError(t, other.QueryRowContext(t.Context(), `SELECT count(*) FROM notes`).Scan(&n))
	assert.Equal(t, 1, n)
}

// fillPool makes the pool hold the given number of idle connections.
func (d *database) fillPool(t *testing.T, idle int) {
	t.Helper()
	d.db.SetMaxIdleConns(idle)
	var conns []*sql.Conn
	for range idle {
		conn, err := d.db.Conn(t.Context())
		require.NoError(t, err)
		require.NoError(t, conn.PingContext(t.Context()))
		conns = append(conns, conn)
	}
	for _, conn := range conns {
		require.NoError(t, conn.Close())
	}
	require.Equal(t, idle, d.db.Stats().Idle)
}

// TestStalePlans makes the driver's prepared statements invalid. The next attempt succeeds.
func TestStalePlans(t *testing.T) {
	t.Parallel()
	d := pgx.database(t, nil, `CREATE TABLE notes (id INT NOT NULL)`)
	d.db.SetMaxOpenConns(1)
	var seen codes
	read := func() {
		require.NoError(t, retrysql.InTx(t.Context(), d.db, nil, func(ctx context.Context, tx *sql.Tx) error {
			rows, err := tx.QueryContext(ctx, `SELECT * FROM notes WHERE id = $1`, 1) //nolint:unqueryvet // its plan becomes stale
			if err != nil {
				return err
			}
			defer rows.Close()
			for rows.Next() {
			}
			return rows.Err()
		}, quick, seen.option(func() {})))
	}
	read()
	require.Empty(t, seen.list)
	d.exec(t, `ALTER TABLE notes ADD COLUMN text TEXT`)
	read()
	assert.Equal(t, []string{"0A000"}, seen.list)
	_, err := d.db.ExecContext(t.Context(), `DEALLOCATE ALL`)
	require.NoError(t, err)
	read()
	assert.Equal(t, []string{"0A000", "26000"}, seen.list)
}
