package retrysql_test

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrysql"
)

// TestReadOnlyServer checks that a connection is not used again if its server refuses writes, and
// that SQLState("25006") matches the codes of each kind of server.
func TestReadOnlyServer(t *testing.T) {
	t.Parallel()
	failover := retry.WithRetryIf(retrysql.SQLState("25006"))
	const again = "connect begin x rollback connect begin x commit"
	for _, test := range []struct {
		name, step string
		err        error
		opts       *sql.TxOptions
		opt        retry.Option
		steps      string
		fails      bool
	}{
		{name: "PostgreSQL", step: "x", err: pgError("25006"), opt: failover, steps: again},
		{name: "PostgreSQL, at BEGIN", step: "begin", err: pgError("25006"), opt: failover, steps: "connect begin connect begin x commit"},
		{name: "a standby, at BEGIN", step: "begin", err: pgError("0A000"), opt: failover, steps: "connect begin connect begin x commit"},
		{name: "a standby, at BEGIN, by its own code", step: "begin", err: pgError("0A000"), opt: retry.WithRetryIf(retrysql.SQLState("0A000")), steps: "connect begin connect begin x commit"},
		{name: "MySQL 1290", step: "x", err: mysqlError(1290), opt: failover, steps: again},
		{name: "MySQL 1836", step: "x", err: mysqlError(1836), opt: failover, steps: again},
		{name: "MySQL 3100", step: "x", err: mysqlError(3100), opt: failover, steps: again},
		{name: "MySQL, joined", step: "x", err: errors.Join(errPlain, mysqlError(1290)), opt: failover, steps: again},
		{name: "another error", step: "x", err: pgError("40001"), opt: failover, steps: "connect begin x rollback begin x commit"},
		{name: "not supported", step: "x", err: pgError("0A000"), opt: retry.WithRetryIf(retrysql.SQLState("0A000")), steps: "connect begin x rollback begin x commit"},
		{name: "a transaction that only reads", step: "x", err: pgError("25006"), opts: &sql.TxOptions{ReadOnly: true}, opt: failover, steps: "connect begin-ro x rollback begin-ro x commit"},
		{name: "not asked for", step: "x", err: pgError("25006"), opt: fast, steps: "connect begin x rollback", fails: true},
		{name: "not asked for, at BEGIN", step: "begin", err: pgError("0A000"), opt: fast, steps: "connect begin", fails: true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			f := &fakeDB{fail: failFirst(test.step, 1, test.err)}
			db := f.open(t)
			err := retrysql.InTx(t.Context(), db, test.opts, insert("x"), fast, test.opt)
			assert.Equal(t, test.steps, f.steps())
			assert.Equal(t, test.fails, err != nil, "%v", err)
			assert.Zero(t, db.Stats().InUse)
			if test.fails {
				require.ErrorIs(t, err, test.err)
				assert.Zero(t, db.Stats().Idle, "the next call gets another connection too")
			}
		})
	}
}

// TestReadOnlyServerWithManyConnections checks that the third attempt gets a new connection,
// however many connections to the old server are idle.
func TestReadOnlyServerWithManyConnections(t *testing.T) {
	t.Parallel()
	const idle = 20
	f := &fakeDB{}
	db := f.open(t)
	db.SetMaxIdleConns(idle)
	var conns []*sql.Conn
	for range idle {
		conn, err := db.Conn(t.Context())
		require.NoError(t, err)
		conns = append(conns, conn)
	}
	for _, conn := range conns {
		require.NoError(t, conn.Close())
	}
	require.Equal(t, idle, db.Stats().Idle)
	f.fail = func(context.Context, string, int) error {
		if strings.Count(f.steps(), "connect") == idle && strings.HasSuffix(f.steps(), "x") {
			return pgError("25006") // all connections are still the old ones
		}
		return nil
	}
	require.NoError(t, retrysql.InTx(t.Context(), db, nil, insert("x"), fast, retry.WithRetryIf(retrysql.SQLState("25006"))))
	assert.Equal(t, "begin x rollback begin x rollback connect begin x commit", strings.TrimPrefix(f.steps(), strings.Repeat("connect ", idle)))
	assert.Equal(t, 1, db.Stats().Idle)
}
