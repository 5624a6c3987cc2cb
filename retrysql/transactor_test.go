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

// native is a driver of its own kind: a store in memory whose steps fail as told.
type native struct {
	fail  map[string]error // by the step and how often it was made, such as "commit1"
	steps []string
	count map[string]int
	store []string
}

type nativeTx struct {
	rows []string
}

func (n *native) step(name string) error {
	if n.count == nil {
		n.count = map[string]int{}
	}
	n.count[name]++
	n.steps = append(n.steps, name)
	return n.fail[fmt.Sprint(name, n.count[name])]
}

func (n *native) Begin(context.Context) (*nativeTx, error) {
	if err := n.step("begin"); err != nil {
		return nil, err
	}
	return &nativeTx{}, nil
}

func (n *native) Commit(_ context.Context, tx *nativeTx) error {
	err := n.step("commit")
	if err == nil {
		n.store = append(n.store, tx.rows...)
	}
	return err
}

func (n *native) Rollback(context.Context, *nativeTx) error { return n.step("rollback") }
func (n *native) Discard(context.Context, *nativeTx) error  { return n.step("discard") }

func add(row string) func(context.Context, *nativeTx) error {
	return func(_ context.Context, tx *nativeTx) error {
		tx.rows = append(tx.rows, row)
		return nil
	}
}

// TestTransactor holds that the phases are those of InTx.
func TestTransactor(t *testing.T) {
	t.Parallel()
	committed := func(context.Context, string) (retrysql.Outcome, error) { return retrysql.Committed, nil }
	for _, test := range []struct {
		name      string
		fail      map[string]error
		t         retrysql.Transactor[*nativeTx]
		body      error
		steps     []string
		ambiguous bool
		err       error
	}{
		{name: "nothing fails", steps: []string{"begin", "commit"}},
		{name: "begin", fail: map[string]error{"begin1": errPlain}, steps: []string{"begin", "begin", "commit"}},
		{name: "body", body: errPlain, err: errPlain, steps: []string{"begin", "rollback"}},
		{name: "body, its role", body: coded("25006"), err: coded("25006"), steps: []string{"begin", "discard"}},
		{name: "commit", fail: map[string]error{"commit1": coded("40001")}, steps: []string{"begin", "commit", "begin", "commit"}},
		{name: "commit, lost", fail: map[string]error{"commit1": io.ErrUnexpectedEOF}, steps: []string{"begin", "commit"}, ambiguous: true, err: io.ErrUnexpectedEOF},
		{name: "commit, lost, read-only", fail: map[string]error{"commit1": io.ErrUnexpectedEOF}, t: retrysql.Transactor[*nativeTx]{ReadOnly: true}, steps: []string{"begin", "commit", "begin", "commit"}},
		{name: "commit, lost, idempotent", fail: map[string]error{"commit1": io.ErrUnexpectedEOF}, t: retrysql.Transactor[*nativeTx]{Idempotent: true}, steps: []string{"begin", "commit", "begin", "commit"}},
		{name: "commit, lost and settled", fail: map[string]error{"commit1": io.ErrUnexpectedEOF}, t: retrysql.Transactor[*nativeTx]{
			Note: func(context.Context, *nativeTx) (string, error) { return "id", nil }, Settle: committed,
		}, steps: []string{"begin", "commit"}},
		{name: "ended, commit", fail: map[string]error{"commit1": fmt.Errorf("x: %w", retrysql.ErrEnded)}, steps: []string{"begin", "commit"}, ambiguous: true, err: retry.ErrPermanent},
		{name: "ended, rollback", fail: map[string]error{"rollback1": retrysql.ErrEnded}, body: coded("40001"), steps: []string{"begin", "rollback"}, ambiguous: true, err: coded("40001")},
		{name: "ended, discard", fail: map[string]error{"discard1": retrysql.ErrEnded}, body: coded("25006"), steps: []string{"begin", "discard"}, ambiguous: true, err: coded("25006")},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			n := &native{fail: test.fail}
			test.t.Driver = n
			err := test.t.InTx(t.Context(), func(ctx context.Context, tx *nativeTx) error {
				return errors.Join(add("x")(ctx, tx), test.body)
			}, fast)
			assert.Equal(t, test.steps, n.steps)
			assert.Equal(t, test.ambiguous, errors.Is(err, retrysql.ErrAmbiguousCommit), "%v", err)
			require.ErrorIs(t, err, test.err)
		})
	}
}

func TestTransactPanics(t *testing.T) {
	t.Parallel()
	n := &native{}
	assert.PanicsWithValue(t, "boom", func() {
		_ = (&retrysql.Transactor[*nativeTx]{Driver: n}).InTx(t.Context(), func(context.Context, *nativeTx) error { panic("boom") })
	})
	assert.Equal(t, []string{"begin", "rollback"}, n.steps)
}

func TestTransactorFaults(t *testing.T) {
	t.Parallel()
	n := &native{}
	note := func(context.Context, *nativeTx) (string, error) { return "", nil }
	settle := func(context.Context, string) (retrysql.Outcome, error) { return retrysql.Unknown, nil }
	for name, test := range map[string]struct {
		t    *retrysql.Transactor[*nativeTx]
		fn   func(context.Context, *nativeTx) error
		want string
	}{
		"nil":       {nil, add("x"), "retrysql: Transactor: nil"},
		"no driver": {&retrysql.Transactor[*nativeTx]{}, add("x"), "retrysql: Driver: nil; give the Transactor a TxDriver"},
		"no fn":     {&retrysql.Transactor[*nativeTx]{Driver: n}, nil, "retrysql: fn: nil function"},
		"no note":   {&retrysql.Transactor[*nativeTx]{Driver: n, Settle: settle}, add("x"), "retrysql: Note and Settle: one of them is nil; set both or none"},
		"no settle": {&retrysql.Transactor[*nativeTx]{Driver: n, Note: note}, add("x"), "retrysql: Note and Settle: one of them is nil; set both or none"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := test.t.InTx(t.Context(), test.fn)
			require.EqualError(t, err, test.want)
			require.ErrorIs(t, err, retry.ErrOption)
			var fn func(context.Context, *nativeTx) (int, error)
			if test.fn != nil {
				fn = func(context.Context, *nativeTx) (int, error) { return 0, nil }
			}
			_, err = retrysql.Transact(t.Context(), test.t, fn)
			require.EqualError(t, err, test.want)
		})
	}
	assert.Empty(t, n.steps)
}
