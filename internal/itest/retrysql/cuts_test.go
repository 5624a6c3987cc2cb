package retrysql_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/internal/itest/cut"
	"github.com/seed-205ff063/retry/retrysql"
)

var quick = retry.MustNew(retry.WithMaxAttempts(3), retry.WithBackoff(retry.Constant(time.Millisecond)))

// cutTest is a cut of a transaction's connection, and what must follow.
type cutTest struct {
	at         cut.Point
	idempotent bool // the caller says that the transaction may be committed twice
	settle     bool // the server is asked whether it has committed
	rows       int  // in the table at the end
	ambiguous  bool // the caller gets ErrAmbiguousCommit
}

var cutTests = []cutTest{
	{at: cut.BeforeFirstByte, rows: 1},
	{at: cut.AfterPrepare, rows: 1},
	{at: cut.BeforeStatement, rows: 1},
	{at: cut.MidStatement, rows: 1},
	{at: cut.AfterStatement, rows: 1},
	{at: cut.BeforeCommit, rows: 0, ambiguous: true},
	{at: cut.AfterCommit, rows: 1, ambiguous: true},
	{at: cut.BeforeCommit, idempotent: true, rows: 1},
	{at: cut.AfterCommit, idempotent: true, rows: 2}, // the caller was wrong
	{at: cut.BeforeCommit, settle: true, rows: 1},
	{at: cut.AfterCommit, settle: true, rows: 1},
}

// TestCuts checks what the caller is told after a cut, and what the database has.
func TestCuts(t *testing.T) {
	t.Parallel()
	for _, s := range systems {
		t.Run(s.String(), func(t *testing.T) {
			t.Parallel()
			d := s.database(t, nil, `CREATE TABLE notes (id INT NOT NULL)`)
			d.eachCut(t, func(t *testing.T, test cutTest) error {
				if test.settle && s.driver == mariadb.driver {
					t.Skip("only PostgreSQL can be asked")
				}
				db := d.open(t, d.proxy.Addr)
				r := &retrysql.Runner{DB: db, Policy: quick, Idempotent: test.idempotent}
				if test.settle {
					r.Settle = retrysql.Postgres()
				}
				d.proxy.CutNext(test.at, 1)
				err := r.InTx(t.Context(), func(ctx context.Context, tx *sql.Tx) error {
					_, err := tx.ExecContext(ctx, s.sql(`INSERT INTO notes VALUES ($1)`), 1) // an argument, so that it is prepared
					return err
				})
				d.proxy.CutNext(test.at, 0)
				assert.Zero(t, db.Stats().InUse)
				return err
			})
		})
	}
}

// eachCut runs every cutTest. The function inserts a note in a transaction whose connection is cut.
func (d *database) eachCut(t *testing.T, insert func(t *testing.T, test cutTest) error) {
	t.Helper()
	for _, test := range cutTests {
		for _, reset := range []bool{false, true} { // the proxy closes a connection and resets it by turns
			t.Run(fmt.Sprintf("%v, idempotent %v, settle %v, %v", test.at, test.idempotent, test.settle, reset), func(t *testing.T) {
				d.exec(t, `DELETE FROM notes`)
				err := insert(t, test)
				d.waitUntilSettled(t)
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

// TestDeadlines checks that a call returns soon after its context ends if the server does not answer,
// and that it leaks no connection. The test uses pgx, because only pgx can be interrupted everywhere.
// lib/pq ignores the context after it has dialed, at BEGIN, and while it waits for the reply to a
// cancelled statement. MySQL's driver ignores it at COMMIT and ROLLBACK.
func TestDeadlines(t *testing.T) {
	t.Parallel()
	d := pgx.database(t, nil, `CREATE TABLE notes (id INT NOT NULL)`)
	for _, at := range []cut.Point{cut.BeforeFirstByte, cut.AfterPrepare, cut.AfterStatement, cut.AfterCommit} {
		t.Run(at.String(), func(t *testing.T) {
			db := d.open(t, d.proxy.Addr)
			d.proxy.HoldNext(at, 1)
			held := d.proxy.Cuts()[at] + 1
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			var start time.Time
			go func() { // cancels the call once its connection is held
				assert.Eventually(t, func() bool { return d.proxy.Cuts()[at] == held }, 20*time.Second, time.Millisecond)
				start = time.Now()
				cancel()
			}()
			err := retrysql.InTx(ctx, db, nil, func(ctx context.Context, tx *sql.Tx) error {
				_, err := tx.ExecContext(ctx, `INSERT INTO notes VALUES ($1)`, 1)
				return err
			}, quick)
			took := time.Since(start)
			require.ErrorIs(t, err, context.Canceled)
			assert.Less(t, took, 10*time.Second)
			assert.Equal(t, at == cut.AfterCommit, errors.Is(err, retrysql.ErrAmbiguousCommit))
			t.Log(took, err)
			assert.Eventually(t, func() bool { return db.Stats().InUse == 0 }, 5*time.Second, time.Millisecond)
			d.waitUntilSettled(t)
		})
	}
}

// TestRollbackKeepsTheConnection checks that a connection stays in the pool if the context ends between
// two statements.
func TestRollbackKeepsTheConnection(t *testing.T) {
	t.Parallel()
	for _, s := range []system{pgx, pq} {
		t.Run(s.String(), func(t *testing.T) {
			t.Parallel()
			d := s.database(t, nil)
			d.db.SetMaxOpenConns(1)
			pid := func() (pid int) {
				require.NoError(t, d.db.QueryRowContext(t.Context(), `SELECT pg_backend_pid()`).Scan(&pid))
				return pid
			}
			before := pid()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			err := retrysql.InTx(ctx, d.db, nil, func(ctx context.Context, _ *sql.Tx) error {
				cancel()
				return ctx.Err()
			}, quick)
			require.ErrorIs(t, err, context.Canceled)
			assert.Equal(t, before, pid())
		})
	}
}

// TestSwallowedError has fn hide that a statement failed. The server then answers COMMIT with ROLLBACK,
// and the driver returns an error of its own. The transaction is retried.
func TestSwallowedError(t *testing.T) {
	t.Parallel()
	for _, s := range []system{pgx, pq} {
		t.Run(s.String(), func(t *testing.T) {
			t.Parallel()
			d := s.database(t, nil, `CREATE TABLE notes (id INT NOT NULL)`)
			calls := 0
			err := retrysql.InTx(t.Context(), d.db, nil, func(ctx context.Context, tx *sql.Tx) error {
				if calls++; calls == 1 {
					_, _ = tx.ExecContext(ctx, `SELECT 1/0`)
				}
				_, _ = tx.ExecContext(ctx, `INSERT INTO notes VALUES (1)`)
				return nil
			}, quick)
			require.NoError(t, err)
			assert.Equal(t, 2, calls)
			assert.Equal(t, 1, d.count(t, `SELECT count(*) FROM notes`))
		})
	}
}

// TestDeferredConstraint checks that a COMMIT which a constraint refuses counts as failed, not as
// ambiguous.
func TestDeferredConstraint(t *testing.T) {
	t.Parallel()
	for _, s := range []system{pgx, pq} {
		t.Run(s.String(), func(t *testing.T) {
			t.Parallel()
			d := s.database(t, nil, `CREATE TABLE notes (id INT UNIQUE DEFERRABLE INITIALLY DEFERRED)`)
			calls := 0
			err := retrysql.InTx(t.Context(), d.db, nil, func(ctx context.Context, tx *sql.Tx) error {
				calls++
				_, err := tx.ExecContext(ctx, `INSERT INTO notes VALUES (1), (1)`)
				return err
			}, quick)
			require.ErrorIs(t, err, retry.ErrPermanent)
			require.NotErrorIs(t, err, retrysql.ErrAmbiguousCommit)
			assert.Equal(t, "23505", codeOf(err))
			assert.Equal(t, 1, calls)
		})
	}
}

// TestSettleNeedsNoNumber checks that a transaction which changed nothing is run again after its reply
// was lost, without asking the server.
func TestSettleNeedsNoNumber(t *testing.T) {
	t.Parallel()
	d := pgx.database(t, nil)
	d.proxy.CutNext(cut.AfterCommit, 1)
	calls := 0
	settler := &countingSettler{Settler: retrysql.Postgres()}
	r := &retrysql.Runner{DB: d.db, Policy: quick, Settle: settler}
	require.NoError(t, r.InTx(t.Context(), func(ctx context.Context, tx *sql.Tx) error {
		calls++
		_, err := tx.ExecContext(ctx, `SELECT 1`)
		return err
	}))
	assert.Equal(t, 2, calls)
	assert.Zero(t, settler.committed.Load()+settler.rolledBack.Load())
}
