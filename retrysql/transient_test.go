package retrysql_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrysql"
)

// transientErrors are the rows of TestTransient.
var transientErrors = []struct {
	name string
	err  error
	want bool
}{
	{"no error", nil, false},
	{"plain", errPlain, false},
	{"no rows", sql.ErrNoRows, false},
	{"bad connection", driver.ErrBadConn, true},
	{"bad connection, wrapped", fmt.Errorf("insert: %w", driver.ErrBadConn), true},
	{"pgx: closed", errors.New("conn closed"), true},
	{"mysql: invalid", errors.New("invalid connection"), true},
	{"broke off", io.ErrUnexpectedEOF, true},
	{"end", io.EOF, false},
	{"refused", &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}, true},
	{"no such host", &net.DNSError{IsNotFound: true}, false},
	{"deadline", context.DeadlineExceeded, true},
	{"cancelled", context.Canceled, false},
	{"cancelled, by a driver", errors.Join(context.Canceled, driver.ErrBadConn), false},
	{"ambiguous", fmt.Errorf("%w: %w", retrysql.ErrAmbiguousCommit, driver.ErrBadConn), false},

	{"40001", pgError("40001"), true},
	{"40P01", pgError("40P01"), true},
	{"55P03", pgError("55P03"), true},
	{"08000", pgError("08000"), true},
	{"08001", pgError("08001"), true},
	{"08003", pgError("08003"), true},
	{"08006", pgError("08006"), true},
	{"57P01", pgError("57P01"), true},
	{"57P02", pgError("57P02"), true},
	{"57P03", pgError("57P03"), true},
	{"57P05", pgError("57P05"), true},
	{"25P03", pgError("25P03"), true},
	{"53300", pgError("53300"), true},
	{"40001, wrapped", fmt.Errorf("insert: %w", pgError("40001")), true},
	{"40001, joined", errors.Join(errPlain, pgError("40001")), true},
	{"08007: resolution unknown", pgError("08007"), false},
	{"40003: completion unknown", pgError("40003"), false},
	{"57014: cancelled", pgError("57014"), false},
	{"53200: out of memory", pgError("53200"), false},
	{"55006: in use", pgError("55006"), false},
	{"25006: read-only", pgError("25006"), false},
	{"22012", pgError("22012"), false},
	{"23505", pgError("23505"), false},
	{"28P01", pgError("28P01"), false},
	{"42601", pgError("42601"), false},
	{"25P02: the transaction has failed", pgError("25P02"), false},
	{"no code", pgError(""), false},

	{"08P01: PgBouncer", pgError("08P01"), true},
	{"08004: rejected", pgError("08004"), false},
	{"26000: a statement that is gone", pgError("26000"), true},
	{"0A000: not supported", pgError("0A000"), false},
	{"0A000: stale plan", textError{"0A000", "ERROR: cached plan must not change result type (SQLSTATE 0A000)"}, true},
	{"0A000: stale plan, wrapped", fmt.Errorf("x: %w", textError{"0A000", "cached plan must not change result type"}), true},
	{"0A000: stale plan, translated", &routineError{"0A000", "RevalidateCachedQuery"}, true},
	{"0A000: of another function", &routineError{"0A000", "transformStmt"}, false},
	{"stale plan, another code", textError{"XX000", "cached plan must not change result type"}, false},

	{"mysql 1213", mysqlError(1213), true},
	{"mysql 1205", mysqlError(1205), true},
	{"tidb 9007", mysqlError(9007), true},
	{"tidb 8002", mysqlError(8002), true},
	{"tidb 8022", mysqlError(8022), true},
	{"tidb 8028", mysqlError(8028), true},
	{"tidb 8004: too large", mysqlError(8004), false},
	{"mysql 1290: read-only", mysqlError(1290), false},
	{"mysql 1836: read-only", mysqlError(1836), false},
	{"mysql 3100: a hook", mysqlError(3100), false},
	{"mysql 3572", mysqlError(3572), true},
	{"mysql 1020", mysqlError(1020), true},
	{"mysql 3101", mysqlError(3101), true},
	{"mysql 1040", mysqlError(1040), true},
	{"mysql 1053", mysqlError(1053), true},
	{"mysql 1213, wrapped", fmt.Errorf("insert: %w", mysqlError(1213)), true},
	{"mysql 1062: duplicate", mysqlError(1062), false},
	{"mysql 1317: interrupted", mysqlError(1317), false},
	{"mysql, nil", (*MySQLError)(nil), false},

	{"sqlite 5", sqliteError(5), true},
	{"sqlite 6", sqliteError(6), true},
	{"sqlite 261", sqliteError(261), true},
	{"sqlite 517", sqliteError(517), true},
	{"sqlite 262", sqliteError(262), true},
	{"sqlite 5, by its text", sqliteLocked(5), true},
	{"sqlite 19: constraint", sqliteError(19), false},
	{"sqlite 9: interrupted", sqliteError(9), false},
	{"another's 261", hanaError(261), false},
	{"another's 5, with a state", oracleError(5), false},

	{"mssql 1205", mssqlError(1205), true},
	{"mssql 3960", mssqlError(3960), true},
	{"mssql 41301", mssqlError(41301), true},
	{"mssql 41302", mssqlError(41302), true},
	{"mssql 41305", mssqlError(41305), true},
	{"mssql 41325", mssqlError(41325), true},
	{"mssql 40197", mssqlError(40197), true},
	{"mssql 40501", mssqlError(40501), true},
	{"mssql 40613", mssqlError(40613), true},
	{"mssql 49918", mssqlError(49918), true},
	{"mssql 49919", mssqlError(49919), true},
	{"mssql 49920", mssqlError(49920), true},
	{"mssql 10928", mssqlError(10928), true},
	{"mssql 10929", mssqlError(10929), true},
	{"mssql 2627: duplicate", mssqlError(2627), false},
}

func TestTransient(t *testing.T) {
	t.Parallel()
	for _, test := range transientErrors {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, test.want, retrysql.Transient(retry.Attempt{Err: test.err}))
		})
	}
}

func TestSQLState(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		codes []string
		err   error
		want  bool
	}{
		{"the code", []string{"25006"}, pgError("25006"), true},
		{"one of them", []string{"53200", "25006"}, pgError("25006"), true},
		{"wrapped", []string{"25006"}, fmt.Errorf("x: %w", pgError("25006")), true},
		{"its class", []string{"25"}, pgError("25006"), true},
		{"another", []string{"25001"}, pgError("25006"), false},
		{"another class", []string{"53"}, pgError("25006"), false},
		{"none", nil, pgError("25006"), false},
		{"mysql", []string{"23000"}, mysqlState(1062, "23000"), true},
		{"mysql that is read-only, as 25006", []string{"25006"}, mysqlError(1290), true},
		{"mysql that is super read-only, as 25006", []string{"25006"}, mysqlError(1836), true},
		{"mysql that may not write, as class 25", []string{"25"}, mysqlError(3100), true},
		{"mysql of another number", []string{"25006"}, mysqlError(1213), false},
		{"mysql without one", []string{"", "23000"}, mysqlError(1062), false},
		{"a short one", []string{"2"}, mysqlStateOf("2"), false},
		{"no code", []string{"25006", ""}, errPlain, false},
		{"no error", []string{"25006", ""}, nil, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, test.want, retrysql.SQLState(test.codes...)(retry.Attempt{Err: test.err}))
		})
	}
}

func TestSQLStateKeepsItsOwnList(t *testing.T) {
	t.Parallel()
	codes := []string{"25006"}
	match := retrysql.SQLState(codes...)
	codes[0] = ""
	assert.True(t, match(retry.Attempt{Err: pgError("25006")}))
}
