package retrypgx_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrypgx"
	"github.com/seed-205ff063/retry/retrysql"
)

var (
	fast     = retry.MustNew(retry.WithBackoff(retry.Constant(0)), retry.WithMaxAttempts(3))
	errPlain = errors.New("plain")
)

// phases are the rows of TestPhases.
var phases = []struct {
	name      string
	fail      map[string]error
	runner    retrypgx.Runner
	policy    []retry.Option
	steps     string
	reason    error // nil: success
	ambiguous bool
	reset     int
}{
	{name: "nothing fails", steps: "begin x commit"},
	{name: "begin", fail: map[string]error{"begin1": errPlain}, steps: "begin begin x commit"},
	{name: "begin: PgBouncer", fail: map[string]error{"begin1": pgError("08P01")}, steps: "begin begin x commit"},
	{name: "begin: wrong password", fail: map[string]error{"begin1": pgError("28P01")}, steps: "begin", reason: retry.ErrPermanent},
	{name: "fn: conflict", fail: map[string]error{"x1": pgError("40001")}, steps: "begin x rollback begin x commit"},
	{name: "fn: unique", fail: map[string]error{"x1": pgError("23505")}, steps: "begin x rollback", reason: retry.ErrPermanent},
	{name: "fn: rollback fails too", fail: map[string]error{"x1": pgError("40001"), "rollback1": errPlain}, steps: "begin x rollback begin x commit"},
	{name: "commit: conflict", fail: map[string]error{"commit1": pgError("40001")}, steps: "begin x commit begin x commit"},
	{name: "commit: rolled back", fail: map[string]error{"commit1": pgx.ErrTxCommitRollback}, steps: "begin x commit begin x commit"},
	{name: "commit: constraint", fail: map[string]error{"commit1": pgError("23503")}, steps: "begin x commit", reason: retry.ErrPermanent},
	{name: "commit: lost", fail: map[string]error{"commit1": io.ErrUnexpectedEOF}, steps: "begin x commit", reason: retry.ErrPermanent, ambiguous: true},
	{name: "commit: safe to retry, says pgx", fail: map[string]error{"commit1": safeError{}}, steps: "begin x commit", reason: retry.ErrPermanent, ambiguous: true},
	{name: "commit: lost, idempotent", fail: map[string]error{"commit1": io.ErrUnexpectedEOF}, runner: retrypgx.Runner{Idempotent: true}, steps: "begin x commit begin x commit"},
	{name: "commit: lost, read-only", fail: map[string]error{"commit1": io.ErrUnexpectedEOF}, runner: retrypgx.Runner{TxOptions: pgx.TxOptions{AccessMode: pgx.ReadOnly}}, steps: "begin x commit begin x commit"},
	{name: "commit: lost, settled", fail: map[string]error{"commit1": io.ErrUnexpectedEOF}, runner: retrypgx.Runner{Settle: true}, steps: "begin x note commit settle"},
	{name: "settling fails", fail: map[string]error{"commit1": io.ErrUnexpectedEOF, "settle1": pgError("42501")}, runner: retrypgx.Runner{Settle: true}, steps: "begin x note commit settle", reason: retry.ErrPermanent, ambiguous: true},
	{name: "read-only server", fail: map[string]error{"x1": pgError("25006")}, policy: []retry.Option{retry.WithRetryIf(retrysql.SQLState("25006"))}, steps: "begin x rollback begin x commit"},
	{name: "read-only server at BEGIN", fail: map[string]error{"begin1": pgError("0A000")}, policy: []retry.Option{retry.WithRetryIf(retrysql.SQLState("25006"))}, steps: "begin begin x commit", reset: 1},
}

// TestPhases makes a step fail and checks the steps that follow. internal/itest does so with real
// servers.
func TestPhases(t *testing.T) {
	t.Parallel()
	for _, test := range phases {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			f := &fakePool{fail: test.fail}
			test.runner.DB, test.runner.Policy = f, retry.MustNew(append(test.policy, fast)...)
			err := test.runner.InTx(t.Context(), insert("x"))
			assert.Equal(t, "["+test.steps+"]", fmt.Sprint(f.steps))
			assert.Equal(t, test.ambiguous, errors.Is(err, retrysql.ErrAmbiguousCommit), "%v", err)
			assert.Equal(t, test.runner.TxOptions, f.opts)
			assert.Equal(t, test.reset, f.reset)
			if test.reason == nil {
				require.NoError(t, err)
				return
			}
			var failed *retry.Error
			require.ErrorAs(t, err, &failed)
			assert.Equal(t, test.reason, failed.Reason)
		})
	}
}

// safeError is an error of pgconn that promises that nothing was sent.
type safeError struct{}

func (safeError) Error() string     { return "conn closed" }
func (safeError) SafeToRetry() bool { return true }

// TestFnThatEndsTheTransaction checks that such a transaction never runs again.
func TestFnThatEndsTheTransaction(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(pgx.Tx, context.Context) error{"commit": pgx.Tx.Commit, "rollback": pgx.Tx.Rollback} {
		for _, result := range []error{nil, pgError("40001")} {
			t.Run(fmt.Sprint(name, ", returns ", result), func(t *testing.T) {
				t.Parallel()
				f := &fakePool{}
				err := retrypgx.InTx(t.Context(), f, pgx.TxOptions{}, func(ctx context.Context, tx pgx.Tx) error {
					return errors.Join(end(tx, ctx), result)
				}, fast)
				require.ErrorIs(t, err, retrysql.ErrAmbiguousCommit)
				require.ErrorIs(t, err, retry.ErrPermanent)
				assert.ErrorContains(t, err, "leave Commit and Rollback to InTx")
				assert.Equal(t, []string{"begin", name}, f.steps)
			})
		}
	}
}

func TestValue(t *testing.T) {
	t.Parallel()
	f := &fakePool{fail: map[string]error{"commit1": pgError("40001")}}
	n := 0
	atLeast := retry.WithValidator(func(v int, _ retry.Attempt) error {
		if v < 2 {
			return errPlain
		}
		return nil
	})
	v, err := retrypgx.InTxValue(t.Context(), f, pgx.TxOptions{}, func(ctx context.Context, tx pgx.Tx) (int, error) {
		n++
		return n, insert("x")(ctx, tx)
	}, fast, atLeast)
	require.NoError(t, err)
	assert.Equal(t, 3, v)
	assert.Equal(t, "[begin x rollback begin x commit begin x commit]", fmt.Sprint(f.steps))
	assert.Equal(t, []string{"x"}, f.rows)
}

func TestPanicRollsBack(t *testing.T) {
	t.Parallel()
	f := &fakePool{}
	assert.PanicsWithValue(t, "boom", func() {
		_ = retrypgx.InTx(t.Context(), f, pgx.TxOptions{}, func(context.Context, pgx.Tx) error { panic("boom") })
	})
	assert.Equal(t, []string{"begin", "rollback"}, f.steps)
}

func TestBadArguments(t *testing.T) {
	t.Parallel()
	f := &fakePool{}
	var none *fakePool
	value := func(context.Context, pgx.Tx) (int, error) { return 0, nil }
	for name, test := range map[string]struct {
		call func() error
		want string
	}{
		"no DB":        {func() error { return (&retrypgx.Runner{}).InTx(t.Context(), insert("x")) }, "retrypgx: DB: nil; give it a *pgxpool.Pool"},
		"nil pointer":  {func() error { return (&retrypgx.Runner{DB: none}).InTx(t.Context(), insert("x")) }, "retrypgx: DB: nil; give it a *pgxpool.Pool"},
		"no fn":        {func() error { return (&retrypgx.Runner{DB: f}).InTx(t.Context(), nil) }, "retrypgx: fn: nil function"},
		"value, no fn": {func() error { _, err := retrypgx.InTxValue[int](t.Context(), f, pgx.TxOptions{}, nil); return err }, "retrypgx: fn: nil function"},
		"value, no DB": {func() error { _, err := retrypgx.InTxValue(t.Context(), nil, pgx.TxOptions{}, value); return err }, "retrypgx: DB: nil; give it a *pgxpool.Pool"},
		"settle by a connection": {
			func() error { return (&retrypgx.Runner{DB: &pgx.Conn{}, Settle: true}).InTx(t.Context(), insert("x")) },
			"retrypgx: Settle: DB has no other connection to ask over; give it a *pgxpool.Pool",
		},
		"option": {
			func() error {
				return retrypgx.InTx(t.Context(), f, pgx.TxOptions{}, insert("x"), retry.WithMaxAttempts(0))
			},
			"retry: WithMaxAttempts: 0 is below 1",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := test.call()
			require.ErrorIs(t, err, retry.ErrOption)
			require.NotErrorIs(t, err, retrysql.ErrAmbiguousCommit)
			assert.ErrorContains(t, err, test.want)
		})
	}
	assert.Empty(t, f.steps, "nothing was begun")
}
