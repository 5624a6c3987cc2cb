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

// mysqlConn has the name and the flags of go-sql-driver/mysql's connection, see internal/itest for
// the driver itself. After a statement named "deadlock" its server has ended the transaction.
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
		c.gone = true // which no flag of the reply tells
		c.inTx, c.pending = false, nil
		return nil, mysqlError(1213)
	}
	if c.gone {
		c.status = 2
	}
	return c.fakeConn.ExecContext(ctx, query, args)
}

// rawConn is a connection as packages that trace one hand it on.
type rawConn struct{ driver.Conn }

func (r rawConn) Raw() driver.Conn { return r.Conn }
func (r rawConn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	return r.Conn.(*mysqlConn).BeginTx(ctx, opts)
}

func (r rawConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	return r.Conn.(*mysqlConn).ExecContext(ctx, query, args)
}

// TestStatementsAfterADeadlock holds that a transaction that MySQL has ended is not taken for one
// that was committed, nor for one that left nothing behind, if fn went on.
func TestStatementsAfterADeadlock(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
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
	} {
		for _, wrapped := range []bool{false, true} {
			t.Run(test.name, func(t *testing.T) {
				t.Parallel()
				f := &fake{wrap: func(c *fakeConn) driver.Conn {
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
