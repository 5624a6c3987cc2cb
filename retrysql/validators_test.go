package retrysql_test

import (
	"context"
	"database/sql"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrysql"
	"github.com/seed-205ff063/retry/retrytest"
)

// TestValidatorsComeBeforeCommit checks that a rejected value is not committed.
func TestValidatorsComeBeforeCommit(t *testing.T) {
	t.Parallel()
	f := &fakeDB{}
	db := f.open(t)
	asked := 0
	atLeast := func(n int) retry.Option {
		return retry.WithValidator(func(v int, a retry.Attempt) error {
			asked++
			assert.Equal(t, v, a.Number)
			assert.Equal(t, 1, db.Stats().InUse, "the transaction is open")
			if v < n {
				return errPlain
			}
			return nil
		})
	}
	number := func() func(ctx context.Context, tx *sql.Tx) (int, error) {
		n := 0
		return func(ctx context.Context, tx *sql.Tx) (int, error) { n++; return n, insert("x")(ctx, tx) }
	}

	v, err := retrysql.InTxValue(t.Context(), db, nil, number(), fast, atLeast(2))
	require.NoError(t, err)
	assert.Equal(t, 2, v)
	assert.Equal(t, 2, asked, "once an attempt")
	assert.Equal(t, "connect begin x rollback begin x commit", f.steps())

	v, err = retrysql.InTxValue(t.Context(), db, nil, number(), fast, atLeast(9))
	require.ErrorIs(t, err, retry.ErrExhausted)
	require.ErrorIs(t, err, retry.ErrRejected)
	require.ErrorIs(t, err, errPlain)
	assert.Equal(t, 3, v)
	var rejected *retry.ValidationError[int]
	require.ErrorAs(t, err, &rejected)
	assert.Equal(t, []int{1, 2, 3}, rejected.Values)
	assert.Equal(t, []string{"x"}, f.rows)
	assert.Zero(t, db.Stats().InUse)
}

func TestCommitFailsAfterValidation(t *testing.T) {
	t.Parallel()
	f := &fakeDB{fail: failFirst("commit", 1, pgError("40001"))}
	accept := retry.WithValidator(func(string, retry.Attempt) error { return nil })
	v, err := retrysql.InTxValue(t.Context(), f.open(t), nil, func(ctx context.Context, tx *sql.Tx) (string, error) {
		return "v", insert("x")(ctx, tx)
	}, fast, accept)
	require.NoError(t, err)
	assert.Equal(t, "v", v)
	assert.Equal(t, "connect begin x commit begin x commit", f.steps())
}

// TestRejectedAfterFnEnded checks that a rejected value does not hide that fn ended the transaction.
func TestRejectedAfterFnEnded(t *testing.T) {
	t.Parallel()
	f := &fakeDB{}
	_, err := retrysql.InTxValue(t.Context(), f.open(t), nil, func(ctx context.Context, tx *sql.Tx) (int, error) {
		return 1, errors.Join(insert("x")(ctx, tx), tx.Commit())
	}, fast, retry.WithValidator(func(int, retry.Attempt) error { return errPlain }))
	require.ErrorIs(t, err, retrysql.ErrAmbiguousCommit)
	require.ErrorIs(t, err, errPlain)
	assert.Equal(t, []string{"x"}, f.rows)
}

func TestPanicInAValidatorRollsBack(t *testing.T) {
	t.Parallel()
	f := &fakeDB{}
	db := f.open(t)
	assert.PanicsWithValue(t, "boom", func() {
		_, _ = retrysql.InTxValue(t.Context(), db, nil, func(ctx context.Context, tx *sql.Tx) (string, error) {
			return "v", insert("x")(ctx, tx)
		}, retry.WithValidator(func(string, retry.Attempt) error { panic("boom") }))
	})
	assert.Equal(t, "connect begin x rollback", f.steps())
	assert.Zero(t, db.Stats().InUse)
}

// TestValidatorsOfNestedCalls checks that each call's validators get its own value. Validators of
// calls within fn and around the transaction do not get the transaction's value.
func TestValidatorsOfNestedCalls(t *testing.T) {
	t.Parallel()
	onlyOuterAndInner := retry.WithValidator(func(v string, _ retry.Attempt) error {
		if v == "outer" || v == "inner" {
			return nil
		}
		return errPlain
	})
	f := &fakeDB{fail: failFirst("x", 1, pgError("40001"))}
	db := f.open(t)
	outer, err := retry.DoValue(t.Context(), func(ctx context.Context) (string, error) {
		v, err := retrysql.InTxValue(ctx, db, nil, func(ctx context.Context, tx *sql.Tx) (string, error) {
			inner, err := retry.DoValue(ctx, func(context.Context) (string, error) { return "inner", nil }, onlyOuterAndInner)
			assert.Equal(t, "inner", inner)
			return "transaction", errors.Join(err, insert("x")(ctx, tx))
		}, fast)
		assert.Equal(t, "transaction", v)
		return "outer", err
	}, onlyOuterAndInner)
	require.NoError(t, err)
	assert.Equal(t, "outer", outer)
	assert.Equal(t, "connect begin x rollback begin x commit", f.steps())
}

// TestNestedCallsInHooksAndGates checks that calls in hooks and gates do not affect the
// transaction's value.
func TestNestedCallsInHooksAndGates(t *testing.T) {
	t.Parallel()
	call := func(ctx context.Context) {
		v, err := retry.DoValue(ctx, func(context.Context) (int, error) { return 1, nil },
			retry.WithValidator(func(int, retry.Attempt) error { return nil }))
		assert.NoError(t, err)
		assert.Equal(t, 1, v)
	}
	for name, opt := range map[string]retry.Option{
		"gate": retry.WithGate(func(ctx context.Context, _ retry.Attempt) (func(error), error) { call(ctx); return nil, nil }),
		"start": retry.WithHooks(retry.Hooks{Start: func(ctx context.Context) context.Context {
			call(ctx)
			return ctx
		}}),
		"before": retry.WithHooks(retry.Hooks{BeforeAttempt: func(ctx context.Context, _ retry.Attempt) context.Context {
			call(ctx)
			return ctx
		}}),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := &fakeDB{}
			v, err := retrysql.InTxValue(t.Context(), f.open(t), nil, func(ctx context.Context, tx *sql.Tx) (int, error) {
				return 7, insert("x")(ctx, tx)
			}, fast, opt)
			require.NoError(t, err)
			assert.Equal(t, 7, v)
			assert.Equal(t, "connect begin x commit", f.steps())
		})
	}
}

// TestValidatorsSeeTheAttemptsTime checks that Duration is the time before COMMIT.
func TestValidatorsSeeTheAttemptsTime(t *testing.T) {
	t.Parallel()
	const s = time.Second
	f := &fakeDB{}
	db := f.open(t)
	var clk retrytest.Clock
	var seen []retry.Attempt
	n := 0
	_, err := retrysql.InTxValue(t.Context(), db, nil, func(context.Context, *sql.Tx) (int, error) {
		n++
		clk.Advance(time.Duration(n) * s)
		return n, nil
	}, retry.WithClock(&clk), retry.WithBackoff(retry.Constant(10*s)), retry.WithName("tx"),
		retry.WithValidator(func(v int, a retry.Attempt) error {
			seen = append(seen, a)
			clk.Advance(s)
			if v < 3 {
				return errPlain
			}
			return nil
		}))
	require.NoError(t, err)
	begin := time.Date(2000, time.January, 1, 0, 0, 0, 0, time.UTC)
	assert.Equal(t, []retry.Attempt{
		{Name: "tx", Number: 1, Start: begin, Duration: s, Elapsed: s},
		{Name: "tx", Number: 2, Start: begin.Add(12 * s), Waited: 10 * s, Duration: 2 * s, Elapsed: 14 * s},
		{Name: "tx", Number: 3, Start: begin.Add(25 * s), Waited: 10 * s, Duration: 3 * s, Elapsed: 28 * s},
	}, seen)
}
