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

func TestTransient(t *testing.T) {
	t.Parallel()
	var nilMySQL *MySQLError
	for _, test := range []struct {
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

		{"40001", coded("40001"), true},
		{"40P01", coded("40P01"), true},
		{"55P03", coded("55P03"), true},
		{"08000", coded("08000"), true},
		{"08001", coded("08001"), true},
		{"08003", coded("08003"), true},
		{"08006", coded("08006"), true},
		{"57P01", coded("57P01"), true},
		{"57P02", coded("57P02"), true},
		{"57P03", coded("57P03"), true},
		{"57P05", coded("57P05"), true},
		{"25P03", coded("25P03"), true},
		{"53300", coded("53300"), true},
		{"40001, wrapped", fmt.Errorf("insert: %w", coded("40001")), true},
		{"40001, joined", errors.Join(errPlain, coded("40001")), true},
		{"08007: resolution unknown", coded("08007"), false},
		{"40003: completion unknown", coded("40003"), false},
		{"57014: cancelled", coded("57014"), false},
		{"53200: out of memory", coded("53200"), false},
		{"55006: in use", coded("55006"), false},
		{"25006: read-only", coded("25006"), false},
		{"22012", coded("22012"), false},
		{"23505", coded("23505"), false},
		{"28P01", coded("28P01"), false},
		{"42601", coded("42601"), false},
		{"25P02: the transaction has failed", coded("25P02"), false},
		{"no code", coded(""), false},

		{"08P01: PgBouncer", coded("08P01"), true},
		{"08004: rejected", coded("08004"), false},
		{"26000: a statement that is gone", coded("26000"), true},
		{"0A000: not supported", coded("0A000"), false},
		{"0A000: stale plan", said{"0A000", "ERROR: cached plan must not change result type (SQLSTATE 0A000)"}, true},
		{"0A000: stale plan, wrapped", fmt.Errorf("x: %w", said{"0A000", "cached plan must not change result type"}), true},
		{"0A000: stale plan, translated", &routine{"0A000", "RevalidateCachedQuery"}, true},
		{"0A000: of another function", &routine{"0A000", "transformStmt"}, false},
		{"stale plan, another code", said{"XX000", "cached plan must not change result type"}, false},

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
		{"mysql, nil", nilMySQL, false},

		{"sqlite 5", sqliteErr(5), true},
		{"sqlite 6", sqliteErr(6), true},
		{"sqlite 261", sqliteErr(261), true},
		{"sqlite 517", sqliteErr(517), true},
		{"sqlite 262", sqliteErr(262), true},
		{"sqlite 5, by its text", locked(5), true},
		{"sqlite 19: constraint", sqliteErr(19), false},
		{"sqlite 9: interrupted", sqliteErr(9), false},
		{"another's 261", hana(261), false},
		{"another's 5, with a state", oracle(5), false},

		{"mssql 1205", numbered(1205), true},
		{"mssql 3960", numbered(3960), true},
		{"mssql 41301", numbered(41301), true},
		{"mssql 41302", numbered(41302), true},
		{"mssql 41305", numbered(41305), true},
		{"mssql 41325", numbered(41325), true},
		{"mssql 40197", numbered(40197), true},
		{"mssql 40501", numbered(40501), true},
		{"mssql 40613", numbered(40613), true},
		{"mssql 49918", numbered(49918), true},
		{"mssql 49919", numbered(49919), true},
		{"mssql 49920", numbered(49920), true},
		{"mssql 10928", numbered(10928), true},
		{"mssql 10929", numbered(10929), true},
		{"mssql 2627: duplicate", numbered(2627), false},
	} {
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
		{"the code", []string{"25006"}, coded("25006"), true},
		{"one of them", []string{"53200", "25006"}, coded("25006"), true},
		{"wrapped", []string{"25006"}, fmt.Errorf("x: %w", coded("25006")), true},
		{"its class", []string{"25"}, coded("25006"), true},
		{"another", []string{"25001"}, coded("25006"), false},
		{"another class", []string{"53"}, coded("25006"), false},
		{"none", nil, coded("25006"), false},
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
	assert.True(t, match(retry.Attempt{Err: coded("25006")}))
}
