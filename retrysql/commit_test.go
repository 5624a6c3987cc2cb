package retrysql_test

import (
	"context"
	"database/sql"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/seed-205ff063/retry/retrysql"
)

// commitNumbers are the rows of TestCommitByNumber.
var commitNumbers = []struct {
	name      string
	err       error
	calls     int
	ambiguous bool
}{
	{"mysql 1213", mysqlError(1213), 2, false},
	{"mysql 3101: a plugin rolled back", mysqlError(3101), 2, false},
	{"mysql 1205: the statement alone", mysqlError(1205), 1, true},
	{"mysql 1180: error during commit", mysqlError(1180), 1, true},
	{"mysql 1053", mysqlError(1053), 1, true},
	{"sqlite busy", sqliteError(5), 2, false},
	{"sqlite locked", sqliteError(262), 2, false},
	{"sqlite constraint", sqliteError(787), 1, false},
	{"sqlite I/O", sqliteError(10), 1, true},
	{"tidb 9007", mysqlError(9007), 2, false},
	{"tidb 8002", mysqlError(8002), 2, false},
	{"tidb 8022", mysqlError(8022), 2, false},
	{"tidb 8028", mysqlError(8028), 2, false},
	{"tidb 8004: too large", mysqlError(8004), 1, true},
	{"mysql 3100: a hook", mysqlError(3100), 1, true},
	{"PgBouncer", pgError("08P01"), 1, true},
	{"mssql 1205", mssqlError(1205), 2, false},
	{"mssql 3960", mssqlError(3960), 2, false},
	{"mssql 41301", mssqlError(41301), 2, false},
	{"mssql 41302", mssqlError(41302), 2, false},
	{"mssql 41305", mssqlError(41305), 2, false},
	{"mssql 41325", mssqlError(41325), 2, false},
	{"mssql 40197", mssqlError(40197), 1, true},
	{"mssql 40501", mssqlError(40501), 1, true},
	{"mssql 40613", mssqlError(40613), 1, true},
	{"mssql 1213", mssqlError(1213), 1, true},
}

// TestCommitByNumber makes COMMIT fail with the errors of each database, most of them numbers.
func TestCommitByNumber(t *testing.T) {
	t.Parallel()
	for _, test := range commitNumbers {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			f := &fakeDB{fail: failFirst("commit", 1, test.err)}
			calls := 0
			err := retrysql.InTx(t.Context(), f.open(t), nil, func(ctx context.Context, tx *sql.Tx) error {
				calls++
				return insert("x")(ctx, tx)
			}, fast)
			assert.Equal(t, test.calls, calls)
			assert.Equal(t, test.ambiguous, errors.Is(err, retrysql.ErrAmbiguousCommit))
			if test.calls == 1 {
				assert.ErrorIs(t, err, test.err)
			}
		})
	}
}
