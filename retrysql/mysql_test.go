package retrysql_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrysql"
)

// mysqlConn has the name and the flags of go-sql-driver/mysql's connection. internal/itest tests
// the driver itself. The statement "deadlock" ends the transaction.
type mysqlConn struct {
	*fakeConn
	status uint16
	gone   bool
}

func (c *mysqlConn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	c.status, c.gone = 1, false
	_, err := c.fakeConn.BeginTx(ctx, opts)
	return c, err
}

func (c *mysqlConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	if query == "deadlock" {
		c.gone = true // no flag of this reply says so
		c.inTx, c.pending = false, nil
		return nil, mysqlError(1213)
	}
	if c.gone {
		c.status = 2
	}
	return c.fakeConn.ExecContext(ctx, query, args)
}

// rawConn wraps a connection as packages for tracing do.
type rawConn struct{ driver.Conn }

func (r rawConn) Raw() driver.Conn { return r.Conn }
func (r rawConn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	return r.Conn.(*mysqlConn).BeginTx(ctx, opts)
}

func (r rawConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	return r.Conn.(*mysqlConn).ExecContext(ctx, query, args)
}

// deadlocks are the rows of TestStatementsAfterADeadlock.
var deadlocks = []struct {
	name      string
	sends     []string
	result    error
	ambiguous bool
	rows      int
	steps     string
}{
	{name: "nothing fails", sends: []string{"x"}, rows: 1, steps: "connect begin x commit"},
	{name: "returned", sends: []string{"x", "deadlock"}, result: mysqlError(1213), rows: 1, steps: "connect begin x rollback begin x commit"},
	{name: "swallowed", sends: []string{"x", "deadlock", "x"}, ambiguous: true, rows: 1, steps: "connect begin x x rollback"},
	{name: "swallowed, then another error", sends: []string{"x", "deadlock", "x"}, result: errPlain, ambiguous: true, rows: 1, steps: "connect begin x x rollback"},
	{name: "returned after more", sends: []string{"x", "deadlock", "x"}, result: mysqlError(1213), ambiguous: true, rows: 1, steps: "connect begin x x rollback"},
}

// TestStatementsAfterADeadlock checks that InTx returns an ambiguous error if fn sends statements
// after MySQL has ended the transaction.
func TestStatementsAfterADeadlock(t *testing.T) {
	t.Parallel()
	for _, test := range deadlocks {
		for _, wrapped := range []bool{false, true} {
			t.Run(test.name, func(t *testing.T) {
				t.Parallel()
				f := &fakeDB{wrap: func(c *fakeConn) driver.Conn {
					if wrapped {
						return rawConn{&mysqlConn{fakeConn: c}}
					}
					return &mysqlConn{fakeConn: c}
				}}
				db := f.open(t)
				calls := 0
				err := retrysql.InTx(t.Context(), db, nil, func(ctx context.Context, tx *sql.Tx) error {
					calls++
					for _, query := range test.sends {
						if calls == 1 || query != "deadlock" {
							_, _ = tx.ExecContext(ctx, query)
						}
					}
					if calls == 1 {
						return test.result
					}
					return nil
				}, fast)
				assert.Equal(t, test.steps, f.steps())
				assert.Len(t, f.rows, test.rows)
				assert.Equal(t, test.ambiguous, errors.Is(err, retrysql.ErrAmbiguousCommit), "%v", err)
				assert.Zero(t, db.Stats().InUse)
				if !test.ambiguous {
					require.NoError(t, err)
					return
				}
				require.ErrorIs(t, err, retry.ErrPermanent)
				assert.ErrorContains(t, err, "return the first error of a statement")
				if test.result != nil {
					assert.ErrorIs(t, err, test.result)
				}
			})
		}
	}
}
