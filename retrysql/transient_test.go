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

// The forms of drivers' errors; internal/itest has the drivers themselves.
type (
	// MySQLError has the name and the fields of go-sql-driver/mysql's.
	MySQLError struct {
		Number   uint16
		SQLState [5]byte
		Message  string
	}
	numbered  int32 // go-mssqldb
	sqliteErr int   // modernc.org/sqlite
	locked    int   // another one for SQLite
	hana      int   // SAP HANA
	oracle    int   // godror
)

func (e *MySQLError) Error() string      { return fmt.Sprint("Error ", e.Number, ": ", e.Message) }
func (numbered) Error() string           { return "mssql: error" }
func (n numbered) SQLErrorNumber() int32 { return int32(n) }
func (sqliteErr) Error() string          { return "error" }
func (c sqliteErr) Code() int            { return int(c) }
func (locked) Error() string             { return "database is locked" }
func (c locked) Code() int               { return int(c) }
func (hana) Error() string               { return "invalid index name" }
func (c hana) Code() int                 { return int(c) }
func (oracle) Error() string             { return "ORA" }
func (c oracle) Code() int               { return int(c) }
func (oracle) SQLState() string          { return "" }
func mysqlError(number uint16) error     { return &MySQLError{Number: number} }
func mysqlState(n uint16, s string) error {
	return &MySQLError{Number: n, SQLState: [5]byte([]byte(s))}
}

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

		{"mysql 1213", mysqlError(1213), true},
		{"mysql 1205", mysqlError(1205), true},
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
		{"mssql 2627: duplicate", numbered(2627), false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, test.want, retrysql.Transient(retry.Attempt{Err: test.err}))
		})
	}
}

func TestTransientOfATypedNil(t *testing.T) {
	t.Parallel()
	var state *stateful
	assert.False(t, retrysql.Transient(retry.Attempt{Err: state}))
}

type stateful struct{ state string }

func (s *stateful) Error() string    { return "stateful" }
func (s *stateful) SQLState() string { return s.state }

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

// mysqlStateOf is an error whose state was cut short.
func mysqlStateOf(s string) error {
	e := &MySQLError{}
	copy(e.SQLState[:], s)
	return e
}

func TestSQLStateKeepsItsOwnList(t *testing.T) {
	t.Parallel()
	codes := []string{"25006"}
	match := retrysql.SQLState(codes...)
	codes[0] = ""
	assert.True(t, match(retry.Attempt{Err: coded("25006")}))
}

// TestCommitByNumber has COMMIT fail with the errors of drivers without an SQLSTATE.
func TestCommitByNumber(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
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
		{"sqlite busy", sqliteErr(5), 2, false},
		{"sqlite locked", sqliteErr(262), 2, false},
		{"sqlite constraint", sqliteErr(787), 1, false},
		{"sqlite I/O", sqliteErr(10), 1, true},
		{"mssql 1205", numbered(1205), 2, false},
		{"mssql 1213", numbered(1213), 1, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			f := &fake{fail: failing("commit", 1, test.err)}
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
