package retrysql_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrysql"
)

// memoryDriver is a TxDriver for a store in memory. Its steps can be made to fail.
type memoryDriver struct {
	fail  map[string]error // by the step and how often it has run, such as "commit1"
	steps []string
	count map[string]int
	store []string
}

type memoryTx struct {
	rows []string
}

func (d *memoryDriver) step(name string) error {
	if d.count == nil {
		d.count = map[string]int{}
	}
	d.count[name]++
	d.steps = append(d.steps, name)
	return d.fail[fmt.Sprint(name, d.count[name])]
}

func (d *memoryDriver) Begin(context.Context) (*memoryTx, error) {
	if err := d.step("begin"); err != nil {
		return nil, err
	}
	return &memoryTx{}, nil
}

func (d *memoryDriver) Commit(_ context.Context, tx *memoryTx) error {
	err := d.step("commit")
	if err == nil {
		d.store = append(d.store, tx.rows...)
	}
	return err
}

func (d *memoryDriver) Rollback(context.Context, *memoryTx) error { return d.step("rollback") }
func (d *memoryDriver) Discard(context.Context, *memoryTx) error  { return d.step("discard") }

func add(row string) func(context.Context, *memoryTx) error {
	return func(_ context.Context, tx *memoryTx) error {
		tx.rows = append(tx.rows, row)
		return nil
	}
}

// TestTransactor checks that a Transactor retries as InTx does.
func TestTransactor(t *testing.T) {
	t.Parallel()
	committed := func(context.Context, string) (retrysql.Outcome, error) { return retrysql.Committed, nil }
	for _, test := range []struct {
		name      string
		fail      map[string]error
		t         retrysql.Transactor[*memoryTx]
		fnErr     error
		steps     []string
		ambiguous bool
		err       error
	}{
		{name: "nothing fails", steps: []string{"begin", "commit"}},
		{name: "begin", fail: map[string]error{"begin1": errPlain}, steps: []string{"begin", "begin", "commit"}},
		{name: "fn", fnErr: errPlain, err: errPlain, steps: []string{"begin", "rollback"}},
		{name: "fn, read-only server", fnErr: pgError("25006"), err: pgError("25006"), steps: []string{"begin", "discard"}},
		{name: "commit", fail: map[string]error{"commit1": pgError("40001")}, steps: []string{"begin", "commit", "begin", "commit"}},
		{name: "commit, lost", fail: map[string]error{"commit1": io.ErrUnexpectedEOF}, steps: []string{"begin", "commit"}, ambiguous: true, err: io.ErrUnexpectedEOF},
		{name: "commit, lost, read-only", fail: map[string]error{"commit1": io.ErrUnexpectedEOF}, t: retrysql.Transactor[*memoryTx]{ReadOnly: true}, steps: []string{"begin", "commit", "begin", "commit"}},
		{name: "commit, lost, idempotent", fail: map[string]error{"commit1": io.ErrUnexpectedEOF}, t: retrysql.Transactor[*memoryTx]{Idempotent: true}, steps: []string{"begin", "commit", "begin", "commit"}},
		{name: "commit, lost and settled", fail: map[string]error{"commit1": io.ErrUnexpectedEOF}, t: retrysql.Transactor[*memoryTx]{
			Note: func(context.Context, *memoryTx) (string, error) { return "id", nil }, Settle: committed,
		}, steps: []string{"begin", "commit"}},
		{name: "ended, commit", fail: map[string]error{"commit1": fmt.Errorf("x: %w", retrysql.ErrEnded)}, steps: []string{"begin", "commit"}, ambiguous: true, err: retry.ErrPermanent},
		{name: "ended, rollback", fail: map[string]error{"rollback1": retrysql.ErrEnded}, fnErr: pgError("40001"), steps: []string{"begin", "rollback"}, ambiguous: true, err: pgError("40001")},
		{name: "ended, discard", fail: map[string]error{"discard1": retrysql.ErrEnded}, fnErr: pgError("25006"), steps: []string{"begin", "discard"}, ambiguous: true, err: pgError("25006")},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			n := &memoryDriver{fail: test.fail}
			test.t.Driver = n
			err := test.t.InTx(t.Context(), func(ctx context.Context, tx *memoryTx) error {
				return errors.Join(add("x")(ctx, tx), test.fnErr)
			}, fast)
			assert.Equal(t, test.steps, n.steps)
			assert.Equal(t, test.ambiguous, errors.Is(err, retrysql.ErrAmbiguousCommit), "%v", err)
			require.ErrorIs(t, err, test.err)
		})
	}
}

func TestTransactorPanicRollsBack(t *testing.T) {
	t.Parallel()
	n := &memoryDriver{}
	assert.PanicsWithValue(t, "boom", func() {
		_ = (&retrysql.Transactor[*memoryTx]{Driver: n}).InTx(t.Context(), func(context.Context, *memoryTx) error { panic("boom") })
	})
	assert.Equal(t, []string{"begin", "rollback"}, n.steps)
}

func TestTransactorBadArguments(t *testing.T) {
	t.Parallel()
	n := &memoryDriver{}
	note := func(context.Context, *memoryTx) (string, error) { return "", nil }
	settle := func(context.Context, string) (retrysql.Outcome, error) { return retrysql.Unknown, nil }
	for name, test := range map[string]struct {
		t    *retrysql.Transactor[*memoryTx]
		fn   func(context.Context, *memoryTx) error
		want string
	}{
		"nil":       {nil, add("x"), "retrysql: Transactor: nil"},
		"no driver": {&retrysql.Transactor[*memoryTx]{}, add("x"), "retrysql: Driver: nil; give the Transactor a TxDriver"},
		"no fn":     {&retrysql.Transactor[*memoryTx]{Driver: n}, nil, "retrysql: fn: nil function"},
		"no note":   {&retrysql.Transactor[*memoryTx]{Driver: n, Settle: settle}, add("x"), "retrysql: Note and Settle: one of them is nil; set both or none"},
		"no settle": {&retrysql.Transactor[*memoryTx]{Driver: n, Note: note}, add("x"), "retrysql: Note and Settle: one of them is nil; set both or none"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := test.t.InTx(t.Context(), test.fn)
			require.EqualError(t, err, test.want)
			require.ErrorIs(t, err, retry.ErrOption)
			var fn func(context.Context, *memoryTx) (int, error)
			if test.fn != nil {
				fn = func(context.Context, *memoryTx) (int, error) { return 0, nil }
			}
			_, err = retrysql.Transact(t.Context(), test.t, fn)
			require.EqualError(t, err, test.want)
		})
	}
	assert.Empty(t, n.steps)
}
