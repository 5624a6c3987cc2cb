package retrysql_test

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/internal/itest/cut"
	"github.com/seed-205ff063/retry/internal/itest/servers"
	"github.com/seed-205ff063/retry/retrysql"
)

// pooled is a PostgreSQL server behind a proxy, and PgBouncer in front of both.
type pooled struct {
	*database
	addr   string // of the pooler
	pooler *sql.DB
}

func (s system) pooled(t *testing.T, settings ...string) *pooled {
	t.Helper()
	p := &pooled{database: s.database(t, nil, `CREATE TABLE notes (id INT NOT NULL)`)}
	bouncer := servers.PgBouncer(t, p.proxy.Addr, append([]string{"server_login_retry = 0.05"}, settings...)...)
	p.addr, p.pooler = bouncer.Addr, p.open(t, bouncer.Addr)
	return p
}

// codes collects the codes of failed attempts.
type codes struct {
	mu   sync.Mutex
	list []string
}

// option returns the option that collects. It calls before before each wait.
func (c *codes) option(before func()) retry.Option {
	return retry.WithHooks(retry.Hooks{
		AfterAttempt: func(_ context.Context, a retry.Attempt) {
			if a.Err != nil {
				c.mu.Lock()
				c.list = append(c.list, codeOf(a.Err))
				c.mu.Unlock()
			}
		},
		BeforeWait: func(context.Context, retry.Attempt) { before() },
	})
}

// TestPgBouncer checks that PgBouncer's own errors, which all have the code 08P01, are retried.
func TestPgBouncer(t *testing.T) {
	t.Parallel()
	patient := retry.MustNew(retry.WithMaxAttempts(20), retry.WithBackoff(retry.Constant(50*time.Millisecond)))
	for _, test := range []struct {
		name     string
		settings []string
		// trouble makes PgBouncer fail, and returns what ends that
		trouble func(t *testing.T, p *pooled) func()
		inBody  bool // the trouble starts in fn
	}{
		{"the server is down", []string{"client_login_timeout = 0.3"}, func(t *testing.T, p *pooled) func() {
			p.proxy.SwitchTo("127.0.0.1:1")
			return func() { p.proxy.SwitchTo(p.server.Addr) }
		}, false},
		{"query_wait_timeout", []string{"default_pool_size = 1", "query_wait_timeout = 0.2"}, hold, false},
		{"max_client_conn", []string{"max_client_conn = 2"}, holdAll, false},
		{"the server's connection breaks", nil, func(t *testing.T, p *pooled) func() {
			p.proxy.CutNext(cut.AfterStatement, 1)
			return func() {}
		}, true},
	} {
		for _, s := range []system{pgx, pq} {
			t.Run(test.name+", "+s.String(), func(t *testing.T) {
				t.Parallel()
				p := s.pooled(t, test.settings...)
				var seen codes
				var end func()
				if !test.inBody {
					end = test.trouble(t, p)
				}
				calls := 0
				db := p.open(t, p.addr)
				require.NoError(t, retrysql.InTx(t.Context(), db, nil, func(ctx context.Context, tx *sql.Tx) error {
					if calls++; calls == 1 && test.inBody {
						end = test.trouble(t, p)
					}
					_, err := tx.ExecContext(ctx, `INSERT INTO notes VALUES (1)`)
					return err
				}, patient, seen.option(func() { end() })))
				t.Log(seen.list)
				require.NotEmpty(t, seen.list)
				if s.driver == pq.driver && seen.list[0] == "" {
					seen.list = []string{"08P01"} // pq returns driver.ErrBadConn if the connection ends
				}
				assert.Contains(t, seen.list, "08P01")
				assert.Equal(t, 1, p.count(t, `SELECT count(*) FROM notes`))
			})
		}
	}
}

// hold keeps a client's connection to the pooler, and with it the pooler's connection to the server.
func hold(t *testing.T, p *pooled) func() {
	t.Helper()
	conn, err := p.pooler.Conn(t.Context())
	require.NoError(t, err)
	_, err = conn.ExecContext(t.Context(), `SELECT 1`)
	require.NoError(t, err)
	p.pooler.SetMaxIdleConns(0)
	return func() { _ = conn.Close() }
}

// holdAll keeps as many clients' connections as the pooler allows.
func holdAll(t *testing.T, p *pooled) func() {
	t.Helper()
	p.pooler.SetMaxIdleConns(0)
	var held []*sql.Conn
	for {
		conn, err := p.pooler.Conn(t.Context())
		if err != nil {
			assert.Equal(t, "08P01", codeOf(err))
			break
		}
		held = append(held, conn)
		require.Less(t, len(held), 5)
	}
	return func() {
		for _, conn := range held {
			_ = conn.Close()
		}
	}
}

// TestPgBouncerAtCommit checks that PgBouncer's error at COMMIT does not count as proof of a rollback.
func TestPgBouncerAtCommit(t *testing.T) {
	t.Parallel()
	for _, s := range []system{pgx, pq} {
		t.Run(s.String(), func(t *testing.T) {
			t.Parallel()
			p := s.pooled(t)
			for at, rows := range map[cut.Point]int{cut.BeforeCommit: 0, cut.AfterCommit: 1} { //nolint:exhaustive // the two around COMMIT
				p.exec(t, `DELETE FROM notes`)
				p.proxy.CutNext(at, 1)
				var seen codes
				err := retrysql.InTx(t.Context(), p.pooler, nil, func(ctx context.Context, tx *sql.Tx) error {
					_, err := tx.ExecContext(ctx, `INSERT INTO notes VALUES (1)`)
					return err
				}, quick, seen.option(func() {}))
				p.waitUntilSettled(t)
				t.Log(seen.list, err)
				assert.True(t, errors.Is(err, retrysql.ErrAmbiguousCommit))
				assert.Equal(t, rows, p.count(t, `SELECT count(*) FROM notes`))
			}
		})
	}
}
