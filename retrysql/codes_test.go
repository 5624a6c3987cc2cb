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

type stateful struct{ state string }

func (s *stateful) Error() string    { return "stateful" }
func (s *stateful) SQLState() string { return s.state }

func TestTransientOfATypedNil(t *testing.T) {
	t.Parallel()
	var state *stateful
	assert.False(t, retrysql.Transient(retry.Attempt{Err: state}))
}

// mysqlStateOf is an error whose state was cut short.
func mysqlStateOf(s string) error {
	e := &MySQLError{}
	copy(e.SQLState[:], s)
	return e
}
