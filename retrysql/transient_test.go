package retrysql_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/internal/errtree"
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

func TestTransientOfATypedNil(t *testing.T) {
	t.Parallel()
	var state *stateful
	assert.False(t, retrysql.Transient(retry.Attempt{Err: state}))
}

// said is an error with a text of its own, and routine one that tells the server's function, as
// those of pgx and lib/pq do.
type said struct{ state, text string }

func (s said) Error() string    { return s.text }
func (s said) SQLState() string { return s.state }

type routine struct{ state, Routine string }

func (r *routine) Error() string    { return "Fehler" }
func (r *routine) SQLState() string { return r.state }

// panics is an error whose every method does.
type panics struct{}

func (panics) Error() string    { panic("Error") }
func (panics) SQLState() string { panic("SQLState") }
func (panics) Unwrap() error    { panic("Unwrap") }
func (panics) Is(error) bool    { panic("Is") }
func (panics) As(any) bool      { panic("As") }
func (panics) Timeout() bool    { panic("Timeout") }

// mute is an error that says nothing.
type mute struct{}

func (mute) Error() string    { panic("Error") }
func (mute) SQLState() string { panic("SQLState") }

// TestErrorsThatPanic holds that they and typed nils are looked at as the errors that they are, and
// hide nothing beside them.
func TestErrorsThatPanic(t *testing.T) {
	t.Parallel()
	var nilState *stateful
	var nilCoded *coded
	for name, bad := range map[string]error{"panics": panics{}, "mute": mute{}, "nil pointer": nilState, "nil pointer to a value": nilCoded} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, wrap := range []func(error) error{
				func(err error) error { return err },
				retry.Permanent,
				func(err error) error { return fmt.Errorf("x: %w", err) },
				func(err error) error { return errors.Join(err, retry.Permanent(err)) },
			} {
				assert.False(t, retrysql.Transient(retry.Attempt{Err: wrap(bad)}))
				assert.False(t, retrysql.SQLState("40001")(retry.Attempt{Err: wrap(bad)}))
				for _, err := range []error{errors.Join(bad, coded("40001")), errors.Join(wrap(bad), coded("40001"))} {
					assert.True(t, retrysql.Transient(retry.Attempt{Err: err}))
					assert.True(t, retrysql.SQLState("40001")(retry.Attempt{Err: err}))
				}
				// A native driver: database/sql itself does not survive all of them.
				for _, step := range []string{"fn", "begin", "commit", "rollback"} {
					n := &native{fail: map[string]error{step + "1": wrap(bad)}}
					err := (&retrysql.Transactor[*nativeTx]{Driver: n}).InTx(t.Context(), func(context.Context, *nativeTx) error {
						switch step {
						case "fn":
							return wrap(bad)
						case "rollback":
							return errPlain
						}
						return nil
					}, fast)
					if step == "begin" && len(n.steps) == 3 {
						require.NoError(t, err, "nothing has happened")
						continue
					}
					var failed *retry.Error
					require.True(t, errtree.Is(err, retry.ErrPermanent), step)
					failed, _ = errtree.As[*retry.Error](err)
					require.NotNil(t, failed)
					assert.NotEmpty(t, failed.Error())
					assert.Equal(t, step == "commit", errtree.Is(err, retrysql.ErrAmbiguousCommit), step)
				}
			}
		})
	}
}

// above is an error whose method panics, around another one.
type above struct{ err error }

func (above) Error() string    { panic("Error") }
func (above) SQLState() string { panic("SQLState") }
func (a above) Unwrap() error  { return a.err }

func TestErrorBeneathOneThatPanics(t *testing.T) {
	t.Parallel()
	assert.True(t, retrysql.Transient(retry.Attempt{Err: above{coded("40001")}}))
	assert.False(t, retrysql.Transient(retry.Attempt{Err: above{coded("23505")}}))
}

// TestTextsOfServers holds that what a server says is one bounded line without control characters.
func TestTextsOfServers(t *testing.T) {
	t.Parallel()
	for _, step := range []string{"connect", "begin", "x", "commit"} {
		t.Run(step, func(t *testing.T) {
			t.Parallel()
			text := "first\nsecond \x1b[31m\u202e" + strings.Repeat("long", 1<<20)
			f := &fake{fail: failing(step, 9, said{"XX000", text})}
			err := retrysql.InTx(t.Context(), f.open(t), nil, insert("x"), retry.WithMaxAttempts(1), retry.WithRetryIf(retrysql.SQLState("XX")))
			var failed *retry.Error
			require.ErrorAs(t, err, &failed)
			for _, text := range []string{failed.Error(), retry.ErrorText(failed.Err)} {
				assert.LessOrEqual(t, len(text), 1024)
				assert.NotContains(t, text, "\n")
				assert.NotContains(t, text, "\x1b")
				assert.NotContains(t, text, "\u202e")
			}
			if step != "x" { // that error is fn's own
				assert.LessOrEqual(t, len(failed.Err.Error()), 1024)
				assert.NotContains(t, failed.Err.Error(), "\x1b")
			}
		})
	}
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
		{"tidb 9007", mysqlError(9007), 2, false},
		{"tidb 8002", mysqlError(8002), 2, false},
		{"tidb 8022", mysqlError(8022), 2, false},
		{"tidb 8028", mysqlError(8028), 2, false},
		{"tidb 8004: too large", mysqlError(8004), 1, true},
		{"mysql 3100: a hook", mysqlError(3100), 1, true},
		{"PgBouncer", coded("08P01"), 1, true},
		{"mssql 1205", numbered(1205), 2, false},
		{"mssql 3960", numbered(3960), 2, false},
		{"mssql 41301", numbered(41301), 2, false},
		{"mssql 41302", numbered(41302), 2, false},
		{"mssql 41305", numbered(41305), 2, false},
		{"mssql 41325", numbered(41325), 2, false},
		{"mssql 40197", numbered(40197), 1, true},
		{"mssql 40501", numbered(40501), 1, true},
		{"mssql 40613", numbered(40613), 1, true},
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
