package retrysql_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// fakeDB is a database in memory whose every step can be made to fail. A statement inserts its own
// text as a row. "insert or skip X" inserts X if there is no such row. A query returns how many
// rows have its text.
type fakeDB struct {
	// fail is called before each step and returns its error. It gets the step's name (connect,
	// begin, the statement, commit, rollback) and how often that step has run, from 1. If the
	// error is a replyLost, the step takes effect and then fails.
	fail func(ctx context.Context, step string, n int) error

	wrap func(*fakeConn) driver.Conn // returns what database/sql gets; nil: the connection itself

	mu    sync.Mutex
	rows  []string
	log   []string
	count map[string]int
}

// replyLost is the error of a step that took effect.
type replyLost struct{ error }

func (r replyLost) Unwrap() error { return r.error }

func (f *fakeDB) open(t testing.TB) *sql.DB {
	db := sql.OpenDB(f)
	if t != nil {
		t.Cleanup(func() { _ = db.Close() })
	}
	return db
}

// step logs a step and runs do, unless the step fails.
func (f *fakeDB) step(ctx context.Context, name string, do func()) error {
	f.mu.Lock()
	if f.count == nil {
		f.count = map[string]int{}
	}
	f.count[name]++
	n := f.count[name]
	f.log = append(f.log, name)
	f.mu.Unlock()

	var err error
	if f.fail != nil {
		err = f.fail(ctx, name, n)
	}
	lost, tookEffect := err.(replyLost)
	if tookEffect {
		err = lost.error
	}
	if (err == nil || tookEffect) && do != nil {
		f.mu.Lock()
		do()
		f.mu.Unlock()
	}
	return err
}

// steps returns the steps so far, on one line.
func (f *fakeDB) steps() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return strings.Join(f.log, " ")
}

// countRows returns how many rows have this text.
func (f *fakeDB) countRows(row string) (n int) {
	for _, r := range f.rows {
		if r == row {
			n++
		}
	}
	return n
}

func (f *fakeDB) Driver() driver.Driver { return nil }

func (f *fakeDB) Connect(ctx context.Context) (driver.Conn, error) {
	if err := f.step(ctx, "connect", nil); err != nil {
		return nil, err
	}
	c := &fakeConn{fakeDB: f}
	if f.wrap != nil {
		return f.wrap(c), nil
	}
	return c, nil
}

type fakeConn struct {
	*fakeDB
	inTx    bool
	ctx     context.Context // the one that began the transaction, as drivers keep it
	pending []string
}

func (c *fakeConn) Prepare(string) (driver.Stmt, error) { return nil, errors.New("not prepared") }
func (c *fakeConn) Close() error                        { return nil }
func (c *fakeConn) Begin() (driver.Tx, error)           { return nil, errors.New("use BeginTx") }

func (c *fakeConn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	name := "begin"
	if opts.ReadOnly {
		name = "begin-ro"
	}
	if err := c.step(ctx, name, nil); err != nil {
		return nil, err
	}
	c.inTx, c.ctx, c.pending = true, ctx, nil
	return c, nil
}

func (c *fakeConn) Commit() error {
	c.inTx = false
	return c.step(c.ctx, "commit", func() { c.rows = append(c.rows, c.pending...) })
}

func (c *fakeConn) Rollback() error {
	c.inTx = false
	return c.step(c.ctx, "rollback", nil)
}

func (c *fakeConn) ExecContext(ctx context.Context, query string, _ []driver.NamedValue) (driver.Result, error) {
	inserted := 0
	err := c.step(ctx, query, func() {
		row, skip := strings.CutPrefix(query, "insert or skip ")
		if skip && c.countRows(row) > 0 {
			return
		}
		inserted = 1
		if c.inTx {
			c.pending = append(c.pending, row)
		} else {
			c.rows = append(c.rows, row)
		}
	})
	return driver.RowsAffected(inserted), err
}

func (c *fakeConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	for _, arg := range args {
		query += fmt.Sprint(" ", arg.Value)
	}
	var n int
	err := c.step(ctx, query, func() { n = c.countRows(strings.TrimPrefix(query, "count ")) })
	return &fakeRows{value: int64(n)}, err
}

type fakeRows struct {
	value driver.Value
	read  bool
}

func (*fakeRows) Columns() []string { return []string{"n"} }
func (*fakeRows) Close() error      { return nil }

func (r *fakeRows) Next(dest []driver.Value) error {
	if r.read {
		return io.EOF
	}
	r.read = true
	dest[0] = r.value
	return nil
}

// pgError is an error with an SQLSTATE, as pgx and lib/pq return.
type pgError string

func (c pgError) Error() string    { return "ERROR (SQLSTATE " + string(c) + ")" }
func (c pgError) SQLState() string { return string(c) }

// failFirst makes the first n runs of a step fail with err.
func failFirst(step string, n int, err error) func(context.Context, string, int) error {
	return func(_ context.Context, name string, i int) error {
		if name == step && i <= n {
			return err
		}
		return nil
	}
}

// insert returns a function for InTx that inserts the row.
func insert(row string) func(context.Context, *sql.Tx) error {
	return func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, row)
		return err
	}
}

// hangAt makes the n-th run of a step last for d, or until its context ends. Then a step of the
// driver itself fails with the context's error. A statement fails with an error that no classifier
// knows, as with drivers that cancel by a message to the server.
func hangAt(step string, n int, d time.Duration) func(context.Context, string, int) error {
	return func(ctx context.Context, name string, i int) error {
		if name != step || i != n {
			return nil
		}
		select {
		case <-time.After(d):
			return nil
		case <-ctx.Done():
			if step == "connect" || step == "begin" || step == "commit" {
				return ctx.Err()
			}
			return errCanceling
		}
	}
}

var errCanceling = errors.New("canceling statement due to user request")

// inBubble runs f with a new database in a synctest bubble.
func inBubble(t *testing.T, fake *fakeDB, f func(t *testing.T, db *sql.DB)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		db := fake.open(nil)
		f(t, db)
		assert.Zero(t, db.Stats().InUse, "connections in use")
		require.NoError(t, db.Close())
	})
}
