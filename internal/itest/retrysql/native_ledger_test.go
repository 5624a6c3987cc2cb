package retrysql_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	pgx5 "github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/seed-205ff063/retry/retrypgx"
)

// byRetrypgx makes the ledger use retrypgx.
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

// countedPool counts the server's answers when retrypgx asks what became of a transaction.
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
