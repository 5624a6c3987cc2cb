package retrysql_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrysql"
)

var (
	fast       = retry.MustNew(retry.WithBackoff(retry.Constant(0)), retry.WithMaxAttempts(3))
	errPlain   = errors.New("plain")
	errRefused = &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
)

func TestOptionsAddAndTakeAway(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		err  error
		opt  retry.Option
		want int
	}{
		{"added", errPlain, retry.WithRetryIf(retry.Is(errPlain)), 3},
		{"added, and in the table", pgError("40001"), retry.WithRetryIf(retry.Is(errPlain)), 3},
		{"added, of another class", pgError("53200"), retry.WithRetryIf(retrysql.SQLState("53")), 3},
		{"taken away", pgError("40001"), retry.WithStopIf(retrysql.SQLState("40001")), 1},
		{"permanent", retry.Permanent(pgError("40001")), retry.WithRetryIf(retry.Is(errPlain)), 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			f := &fakeDB{fail: failFirst("x", 9, test.err)}
			calls := 0
			err := retrysql.InTx(t.Context(), f.open(t), nil, func(ctx context.Context, tx *sql.Tx) error {
				calls++
				return insert("x")(ctx, tx)
			}, fast, test.opt)
			require.ErrorContains(t, err, test.err.Error())
			assert.Equal(t, test.want, calls)
		})
	}
}

func TestOptionsAreNotModified(t *testing.T) {
	t.Parallel()
	opts := append(make([]retry.Option, 0, 4), fast)
	_ = retrysql.InTx(t.Context(), (&fakeDB{}).open(t), nil, insert("x"), opts...)
	assert.Nil(t, opts[:2][1])
}

func TestBadArguments(t *testing.T) {
	t.Parallel()
	f := &fakeDB{}
	db := f.open(t)
	validator := retry.WithValidator(func(string, retry.Attempt) error { return nil })
	none := func(context.Context, *sql.Tx) (int, error) { return 0, nil }
	for name, call := range map[string]func() error{
		"nil DB":              func() error { return (&retrysql.Runner{}).InTx(t.Context(), insert("x")) },
		"nil fn":              func() error { return (&retrysql.Runner{DB: db}).InTx(t.Context(), nil) },
		"option":              func() error { return retrysql.InTx(t.Context(), db, nil, insert("x"), retry.WithMaxAttempts(0)) },
		"validator, no value": func() error { return retrysql.InTx(t.Context(), db, nil, insert("x"), validator) },
		"value, nil fn":       func() error { _, err := retrysql.InTxValue[int](t.Context(), db, nil, nil); return err },
		"value, nil DB":       func() error { _, err := retrysql.InTxValue(t.Context(), nil, nil, none); return err },
		"value, validator":    func() error { _, err := retrysql.InTxValue(t.Context(), db, nil, none, validator); return err },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := call()
			require.ErrorIs(t, err, retry.ErrOption)
			assert.NotErrorIs(t, err, retrysql.ErrAmbiguousCommit)
			t.Log(err)
		})
	}
	t.Cleanup(func() { assert.Empty(t, f.steps(), "nothing was begun") })
}

func TestValue(t *testing.T) {
	t.Parallel()
	f := &fakeDB{fail: failFirst("commit", 1, pgError("40001"))}
	calls := 0
	v, err := retrysql.InTxValue(t.Context(), f.open(t), nil, func(ctx context.Context, tx *sql.Tx) (int, error) {
		calls++
		return calls, insert("x")(ctx, tx)
	}, fast)
	require.NoError(t, err)
	assert.Equal(t, 2, v)
	assert.Equal(t, []string{"x"}, f.rows)
}

// TestValueOfFnsLastRun checks that a failed call returns the value of fn's last run, even if a
// later attempt did not get as far as fn.
func TestValueOfFnsLastRun(t *testing.T) {
	t.Parallel()
	gate := retry.WithGate(func(_ context.Context, a retry.Attempt) (func(error), error) {
		if a.Number > 1 {
			return nil, retry.Permanent(errPlain)
		}
		return nil, nil
	})
	refuseSecond := func(_ context.Context, step string, n int) error {
		switch {
		case step == "commit":
			return pgError("40001")
		case step == "begin" && n == 2:
			return pgError("28000")
		}
		return nil
	}
	for name, opt := range map[string]retry.Option{"begin": fast, "gate": gate} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := &fakeDB{fail: refuseSecond}
			n := 40
			v, err := retrysql.InTxValue(t.Context(), f.open(t), nil, func(ctx context.Context, tx *sql.Tx) (int, error) {
				n++
				return n, insert("x")(ctx, tx)
			}, fast, opt)
			require.ErrorIs(t, err, retry.ErrPermanent)
			assert.Equal(t, 41, v)
		})
	}
}

func TestValueOfAFailure(t *testing.T) {
	t.Parallel()
	v, err := retrysql.InTxValue(t.Context(), (&fakeDB{}).open(t), nil, func(context.Context, *sql.Tx) (int, error) {
		return 7, errPlain
	})
	require.ErrorIs(t, err, errPlain)
	assert.Equal(t, 7, v, "what fn's last run returned")
}

func TestPolicyApplies(t *testing.T) {
	t.Parallel()
	f := &fakeDB{fail: failFirst("x", 9, pgError("40001"))}
	var log []string
	r := &retrysql.Runner{DB: f.open(t), Policy: retry.MustNew(
		retry.WithName("transfer"), retry.WithMaxAttempts(2), retry.WithBackoff(retry.Constant(0)),
		retry.WithHooks(retry.Hooks{BeforeAttempt: func(ctx context.Context, a retry.Attempt) context.Context {
			log = append(log, fmt.Sprint(a.Number))
			return context.WithValue(ctx, ctxKey{}, a.Number)
		}}))}
	err := r.InTx(t.Context(), func(ctx context.Context, tx *sql.Tx) error {
		log = append(log, fmt.Sprint("in ", ctx.Value(ctxKey{})))
		return insert("x")(ctx, tx)
	})
	assert.ErrorContains(t, err, "retry: transfer: attempts exhausted after 2 attempts")
	assert.Equal(t, []string{"1", "in 1", "2", "in 2"}, log)
}

type ctxKey struct{}
