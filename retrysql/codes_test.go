package retrysql_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/internal/errtree"
	"github.com/seed-205ff063/retry/retrysql"
)

// Errors with the methods and fields of drivers' errors. internal/itest tests the drivers themselves.
type (
	// MySQLError has the name and fields of go-sql-driver/mysql's error.
	MySQLError struct {
		Number   uint16
		SQLState [5]byte
		Message  string
	}
	mssqlError   int32 // go-mssqldb
	sqliteError  int   // modernc.org/sqlite
	sqliteLocked int   // another driver for SQLite, known by the error's text
	hanaError    int   // SAP HANA
	oracleError  int   // godror
)

func (e *MySQLError) Error() string        { return fmt.Sprint("Error ", e.Number, ": ", e.Message) }
func (mssqlError) Error() string           { return "mssql: error" }
func (n mssqlError) SQLErrorNumber() int32 { return int32(n) }
func (sqliteError) Error() string          { return "error" }
func (c sqliteError) Code() int            { return int(c) }
func (sqliteLocked) Error() string         { return "database is locked" }
func (c sqliteLocked) Code() int           { return int(c) }
func (hanaError) Error() string            { return "invalid index name" }
func (c hanaError) Code() int              { return int(c) }
func (oracleError) Error() string          { return "ORA" }
func (c oracleError) Code() int            { return int(c) }
func (oracleError) SQLState() string       { return "" }
func mysqlError(number uint16) error       { return &MySQLError{Number: number} }
func mysqlState(n uint16, s string) error {
	return &MySQLError{Number: n, SQLState: [5]byte([]byte(s))}
}

// textError is an error with an SQLSTATE and any text. routineError also has the name of the
// server's function, as the errors of pgx and lib/pq have.
type textError struct{ state, text string }

func (s textError) Error() string    { return s.text }
func (s textError) SQLState() string { return s.state }

type routineError struct{ state, Routine string }

func (r *routineError) Error() string    { return "Fehler" }
func (r *routineError) SQLState() string { return r.state }

// panickingError is an error whose every method panics.
type panickingError struct{}

func (panickingError) Error() string    { panic("Error") }
func (panickingError) SQLState() string { panic("SQLState") }
func (panickingError) Unwrap() error    { panic("Unwrap") }
func (panickingError) Is(error) bool    { panic("Is") }
func (panickingError) As(any) bool      { panic("As") }
func (panickingError) Timeout() bool    { panic("Timeout") }

// textlessError is an error with only methods that panic.
type textlessError struct{}

func (textlessError) Error() string    { panic("Error") }
func (textlessError) SQLState() string { panic("SQLState") }

// TestErrorsThatPanic checks that errors whose methods panic, and typed nils, count as plain errors
// and do not hide the errors joined with them.
func TestErrorsThatPanic(t *testing.T) {
	t.Parallel()
	var nilPointer *pointerError
	var nilPgError *pgError
	for name, bad := range map[string]error{"panics": panickingError{}, "textless": textlessError{}, "nil pointer": nilPointer, "nil pointer to a value": nilPgError} {
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
				for _, err := range []error{errors.Join(bad, pgError("40001")), errors.Join(wrap(bad), pgError("40001"))} {
					assert.True(t, retrysql.Transient(retry.Attempt{Err: err}))
					assert.True(t, retrysql.SQLState("40001")(retry.Attempt{Err: err}))
				}
				// Not by database/sql, which does not survive all of these errors.
				for _, step := range []string{"fn", "begin", "commit", "rollback"} {
					n := &memoryDriver{fail: map[string]error{step + "1": wrap(bad)}}
					err := (&retrysql.Transactor[*memoryTx]{Driver: n}).InTx(t.Context(), func(context.Context, *memoryTx) error {
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

// panickingWrapper is an error whose methods panic. It wraps another error.
type panickingWrapper struct{ err error }

func (panickingWrapper) Error() string    { panic("Error") }
func (panickingWrapper) SQLState() string { panic("SQLState") }
func (a panickingWrapper) Unwrap() error  { return a.err }

func TestErrorWrappedInOneThatPanics(t *testing.T) {
	t.Parallel()
	assert.True(t, retrysql.Transient(retry.Attempt{Err: panickingWrapper{pgError("40001")}}))
	assert.False(t, retrysql.Transient(retry.Attempt{Err: panickingWrapper{pgError("23505")}}))
}

type pointerError struct{ state string }

func (s *pointerError) Error() string    { return "stateful" }
func (s *pointerError) SQLState() string { return s.state }

func TestTransientTypedNil(t *testing.T) {
	t.Parallel()
	var state *pointerError
	assert.False(t, retrysql.Transient(retry.Attempt{Err: state}))
}

// mysqlStateOf returns an error with a state that may be too short.
func mysqlStateOf(s string) error {
	e := &MySQLError{}
	copy(e.SQLState[:], s)
	return e
}
