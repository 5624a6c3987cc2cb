package retrysql_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrysql"
	"github.com/seed-205ff063/retry/retrytest"
)

var (
	fast     = retry.MustNew(retry.WithBackoff(retry.Constant(0)), retry.WithMaxAttempts(3))
	errPlain = errors.New("plain")
	refused  = &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
)

// TestPhases has a step fail and says what follows.
func TestPhases(t *testing.T) {
	t.Parallel()
	readOnly := &sql.TxOptions{ReadOnly: true}
	const once = "connect begin x commit"
	for _, test := range []struct {
		name       string
		step       string
		times      int
		err        error
		opts       *sql.TxOptions
		idempotent bool
		steps      string
		rows       int
		reason     error // nil: success
		ambiguous  bool
	}{
		{name: "nothing fails", steps: once, rows: 1},

		{name: "begin: refused", step: "begin", times: 2, err: refused, steps: "connect begin begin begin x commit", rows: 1},
		{name: "begin: of a kind not known", step: "begin", times: 2, err: errPlain, steps: "connect begin begin begin x commit", rows: 1},
		{name: "begin: always", step: "begin", times: 9, err: errPlain, steps: "connect begin begin begin", reason: retry.ErrExhausted},
		{name: "connect: refused", step: "connect", times: 2, err: refused, steps: "connect connect connect begin x commit", rows: 1},
		{name: "connect: starting up", step: "connect", times: 2, err: coded("57P03"), steps: "connect connect connect begin x commit", rows: 1},
		{name: "connect: PgBouncer's trouble", step: "connect", times: 2, err: coded("08P01"), steps: "connect connect connect begin x commit", rows: 1},
		{name: "connect: rejected", step: "connect", times: 2, err: coded("08004"), steps: "connect connect connect begin x commit", rows: 1},
		{name: "begin: resolution unknown", step: "begin", times: 2, err: coded("08007"), steps: "connect begin begin begin x commit", rows: 1},
		{name: "begin: dead connection", step: "begin", times: 1, err: driver.ErrBadConn, steps: "connect begin connect begin x commit", rows: 1},
		{name: "connect: wrong password", step: "connect", times: 2, err: coded("28P01"), steps: "connect", reason: retry.ErrPermanent},
		{name: "connect: no such host", step: "connect", times: 2, err: &net.DNSError{IsNotFound: true}, steps: "connect", reason: retry.ErrPermanent},
		{name: "begin: level not supported", step: "begin", times: 2, err: errors.New("sql: driver does not support non-default isolation level"), steps: "connect begin", reason: retry.ErrPermanent},
		{name: "begin: cancelled by somebody", step: "begin", times: 2, err: context.Canceled, steps: "connect begin", reason: retry.ErrPermanent},

		{name: "body: serialization failure", step: "x", times: 2, err: coded("40001"), steps: "connect begin x rollback begin x rollback begin x commit", rows: 1},
		{name: "body: connection lost", step: "x", times: 1, err: io.ErrUnexpectedEOF, steps: "connect begin x rollback begin x commit", rows: 1},
		{name: "body: bad connection", step: "x", times: 1, err: driver.ErrBadConn, steps: "connect begin x rollback begin x commit", rows: 1},
		{name: "body: bad connection after it ran", step: "x", times: 1, err: done{driver.ErrBadConn}, steps: "connect begin x rollback begin x commit", rows: 1},
		{name: "body: unique violation", step: "x", times: 1, err: coded("23505"), steps: "connect begin x rollback", reason: retry.ErrPermanent},
		{name: "body: an error of its own", step: "x", times: 1, err: errPlain, steps: "connect begin x rollback", reason: retry.ErrPermanent},
		{name: "body: always", step: "x", times: 9, err: coded("40001"), steps: "connect begin x rollback begin x rollback begin x rollback", reason: retry.ErrExhausted},
		{name: "body: resolution unknown", step: "x", times: 1, err: coded("08007"), steps: "connect begin x rollback", reason: retry.ErrPermanent},

		{name: "commit: serialization failure", step: "commit", times: 1, err: coded("40001"), steps: "connect begin x commit begin x commit", rows: 1},
		{name: "commit: deadlock", step: "commit", times: 1, err: coded("40P01"), steps: "connect begin x commit begin x commit", rows: 1},
		{name: "commit: pgx says rolled back", step: "commit", times: 1, err: errors.New("commit unexpectedly resulted in rollback"), steps: "connect begin x commit begin x commit", rows: 1},
		{name: "commit: lib/pq says rolled back", step: "commit", times: 1, err: errors.New("pq: could not complete operation in a failed transaction"), steps: "connect begin x commit begin x commit", rows: 1},
		{name: "commit: lib/pq, by the tag", step: "commit", times: 1, err: errors.New("unexpected command tag ROLLBACK"), steps: "connect begin x commit begin x commit", rows: 1},
		{name: "commit: deferred constraint", step: "commit", times: 1, err: coded("23503"), steps: once, reason: retry.ErrPermanent},
		{name: "commit: deferred trigger", step: "commit", times: 1, err: coded("P0001"), steps: once, reason: retry.ErrPermanent},
		{name: "commit: constraint violation rollback", step: "commit", times: 1, err: coded("40002"), steps: once, reason: retry.ErrPermanent},

		{name: "commit: lost, and committed", step: "commit", times: 1, err: done{io.ErrUnexpectedEOF}, steps: once, rows: 1, reason: retry.ErrPermanent, ambiguous: true},
		{name: "commit: lost, and not committed", step: "commit", times: 1, err: io.ErrUnexpectedEOF, steps: once, reason: retry.ErrPermanent, ambiguous: true},
		{name: "commit: bad connection", step: "commit", times: 1, err: done{driver.ErrBadConn}, steps: once, rows: 1, reason: retry.ErrPermanent, ambiguous: true},
		{name: "commit: safe to retry, says the driver", step: "commit", times: 1, err: done{errors.New("conn closed")}, steps: once, rows: 1, reason: retry.ErrPermanent, ambiguous: true},
		{name: "commit: the server shuts down", step: "commit", times: 1, err: done{coded("57P01")}, steps: once, rows: 1, reason: retry.ErrPermanent, ambiguous: true},
		{name: "commit: completion unknown", step: "commit", times: 1, err: coded("40003"), steps: once, reason: retry.ErrPermanent, ambiguous: true},
		{name: "commit: resolution unknown", step: "commit", times: 1, err: coded("08007"), steps: once, reason: retry.ErrPermanent, ambiguous: true},
		{name: "commit: the driver's context ended", step: "commit", times: 1, err: context.DeadlineExceeded, steps: once, reason: retry.ErrPermanent, ambiguous: true},
		{name: "commit: anything else", step: "commit", times: 1, err: errPlain, steps: once, reason: retry.ErrPermanent, ambiguous: true},

		{name: "commit: lost, read-only", step: "commit", times: 1, err: io.ErrUnexpectedEOF, opts: readOnly, steps: "connect begin-ro x commit begin-ro x commit", rows: 1},
		{name: "commit: anything else, read-only", step: "commit", times: 1, err: errPlain, opts: readOnly, steps: "connect begin-ro x commit begin-ro x commit", rows: 1},
		{name: "commit: lost, idempotent", step: "commit", times: 1, err: errPlain, idempotent: true, steps: "connect begin x commit begin x commit", rows: 1},
		{name: "commit: always lost, idempotent", step: "commit", times: 9, err: errPlain, idempotent: true, steps: "connect begin x commit begin x commit begin x commit", reason: retry.ErrExhausted, ambiguous: true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			f := &fake{fail: failing(test.step, test.times, test.err)}
			db := f.open(t)
			r := &retrysql.Runner{DB: db, Policy: fast, TxOptions: test.opts, Idempotent: test.idempotent}
			err := r.InTx(t.Context(), insert("x"))
			assert.Equal(t, test.steps, f.steps())
			assert.Len(t, f.rows, test.rows)
			assert.Zero(t, db.Stats().InUse, "connections in use")
			assert.Equal(t, test.ambiguous, errors.Is(err, retrysql.ErrAmbiguousCommit), "%v", err)
			if test.reason == nil {
				require.NoError(t, err)
				return
			}
			var failed *retry.Error
			require.ErrorAs(t, err, &failed)
			assert.Equal(t, test.reason, failed.Reason)
			want := test.err
			if d, ok := want.(done); ok {
				want = d.error
			}
			require.ErrorIs(t, err, want, "what the driver said")
		})
	}
}

func TestTextOfErrors(t *testing.T) {
	t.Parallel()
	for step, want := range map[string]string{
		"begin":  "retrysql: begin: plain",
		"x":      "plain",
		"commit": "retrysql: commit: outcome unknown: plain",
	} {
		f := &fake{fail: failing(step, 1, errPlain)}
		err := retrysql.InTx(t.Context(), f.open(t), nil, insert("x"), retry.WithMaxAttempts(1))
		var failed *retry.Error
		require.ErrorAs(t, err, &failed)
		assert.EqualError(t, failed.Err, want)
	}
}

func TestOptionsAddAndTakeAway(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		err  error
		opt  retry.Option
		want int
	}{
		{"added", errPlain, retry.WithRetryIf(retry.Is(errPlain)), 3},
		{"added, of the table all the same", coded("40001"), retry.WithRetryIf(retry.Is(errPlain)), 3},
		{"added, of another class", coded("53200"), retry.WithRetryIf(retrysql.SQLState("53")), 3},
		{"taken away", coded("40001"), retry.WithStopIf(retrysql.SQLState("40001")), 1},
		{"permanent", retry.Permanent(coded("40001")), retry.WithRetryIf(retry.Is(errPlain)), 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			f := &fake{fail: failing("x", 9, test.err)}
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

func TestOptionsAreNotWrittenTo(t *testing.T) {
	t.Parallel()
	opts := append(make([]retry.Option, 0, 4), fast)
	_ = retrysql.InTx(t.Context(), (&fake{}).open(t), nil, insert("x"), opts...)
	assert.Nil(t, opts[:2][1])
}

func TestFaults(t *testing.T) {
	t.Parallel()
	f := &fake{}
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

// TestFnThatEndsTheTransaction holds that such a one is never run again: it may have been committed.
func TestFnThatEndsTheTransaction(t *testing.T) {
	t.Parallel()
	end := map[string]func(*sql.Tx) error{"commit": (*sql.Tx).Commit, "rollback": (*sql.Tx).Rollback}
	for name, end := range end {
		for _, result := range []error{nil, coded("40001")} {
			for _, readOnly := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s, returns %v, read-only %v", name, result, readOnly), func(t *testing.T) {
					t.Parallel()
					f := &fake{}
					calls := 0
					r := &retrysql.Runner{DB: f.open(t), Policy: fast, Idempotent: true, TxOptions: &sql.TxOptions{ReadOnly: readOnly}}
					err := r.InTx(t.Context(), func(_ context.Context, tx *sql.Tx) error {
						calls++
						return errors.Join(end(tx), result)
					})
					if readOnly && result != nil {
						require.ErrorIs(t, err, retry.ErrExhausted)
						return
					}
					assert.Equal(t, 1, calls)
					require.ErrorIs(t, err, retry.ErrPermanent)
					assert.Equal(t, !readOnly, errors.Is(err, retrysql.ErrAmbiguousCommit))
					assert.ErrorContains(t, err, "leave Commit and Rollback to InTx")
					if result != nil {
						assert.ErrorIs(t, err, result)
					}
				})
			}
		}
	}
}

func TestPanicRollsBack(t *testing.T) {
	t.Parallel()
	f := &fake{}
	db := f.open(t)
	assert.PanicsWithValue(t, "boom", func() {
		_ = retrysql.InTx(t.Context(), db, nil, func(context.Context, *sql.Tx) error { panic("boom") })
	})
	assert.Equal(t, "connect begin rollback", f.steps())
	assert.Zero(t, db.Stats().InUse)
}

func TestGoexitRollsBack(t *testing.T) {
	t.Parallel()
	f := &fake{}
	db := f.open(t)
	over := make(chan struct{})
	go func() {
		defer close(over)
		_ = retrysql.InTx(t.Context(), db, nil, func(context.Context, *sql.Tx) error { runtime.Goexit(); return nil })
	}()
	<-over
	assert.Equal(t, "connect begin rollback", f.steps())
	assert.Zero(t, db.Stats().InUse)
}

// TestEarlierAmbiguity holds that a call does not claim to have left nothing behind when it lost
// a COMMIT on the way.
func TestEarlierAmbiguity(t *testing.T) {
	t.Parallel()
	f := &fake{fail: func(_ context.Context, step string, n int) error {
		switch {
		case step == "commit":
			return done{io.ErrUnexpectedEOF}
		case step == "x" && n == 2:
			return coded("23505")
		}
		return nil
	}}
	var seen *retry.Error
	r := &retrysql.Runner{DB: f.open(t), Idempotent: true, Policy: retry.MustNew(fast,
		retry.WithHooks(retry.Hooks{Done: func(_ context.Context, o retry.Outcome) { seen = o.Err }}))}
	err := r.InTx(t.Context(), insert("x"))
	require.ErrorIs(t, err, retrysql.ErrAmbiguousCommit)
	require.ErrorIs(t, err, coded("23505"))
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	require.ErrorIs(t, err, retry.ErrPermanent)
	assert.ErrorContains(t, err, "an earlier attempt may have been committed: ERROR (SQLSTATE 23505)")
	require.ErrorIs(t, seen, retrysql.ErrAmbiguousCommit, "hooks hear of it too")
	var failed *retry.Error
	require.ErrorAs(t, err, &failed)
	assert.Equal(t, 2, failed.Attempts)
	assert.Len(t, failed.History(), 2)
}

// TestEarlierAmbiguityIsNoEnd holds that what passes is retried after it as before.
func TestEarlierAmbiguityIsNoEnd(t *testing.T) {
	t.Parallel()
	f := &fake{fail: func(_ context.Context, step string, n int) error {
		switch {
		case step == "commit" && n == 1:
			return io.ErrUnexpectedEOF
		case step == "x" && n == 2:
			return coded("40001")
		}
		return nil
	}}
	r := &retrysql.Runner{DB: f.open(t), Idempotent: true, Policy: fast}
	require.NoError(t, r.InTx(t.Context(), insert("x")))
	assert.Equal(t, "connect begin x commit begin x rollback begin x commit", f.steps())
}

// TestEarlierAmbiguityAndAGate holds the same where the last attempt was a gate's refusal.
func TestEarlierAmbiguityAndAGate(t *testing.T) {
	t.Parallel()
	f := &fake{fail: failing("commit", 1, done{io.ErrUnexpectedEOF})}
	var seen *retry.Error
	r := &retrysql.Runner{DB: f.open(t), Idempotent: true, Policy: retry.MustNew(fast,
		retry.WithGate(func(_ context.Context, a retry.Attempt) (func(error), error) {
			if a.Number > 1 {
				return nil, errPlain
			}
			return nil, nil
		}),
		retry.WithHooks(retry.Hooks{Done: func(_ context.Context, o retry.Outcome) { seen = o.Err }}))}
	err := r.InTx(t.Context(), insert("x"))
	require.ErrorIs(t, err, retry.ErrExhausted, "a gate's refusal is retried")
	require.ErrorIs(t, err, errPlain)
	require.ErrorIs(t, err, retrysql.ErrAmbiguousCommit)
	require.NotErrorIs(t, seen, retrysql.ErrAmbiguousCommit, "what a hook holds is not written to")
}

// TestGatesRefusal holds that it is retried, whatever its error, but for that of fn.
func TestGatesRefusal(t *testing.T) {
	t.Parallel()
	f := &fake{fail: failing("x", 1, errPlain)}
	refusals := 0
	err := retrysql.InTx(t.Context(), f.open(t), nil, insert("x"), fast,
		retry.WithGate(func(_ context.Context, a retry.Attempt) (func(error), error) {
			if a.Number == 1 {
				refusals++
				return nil, errors.New("too many")
			}
			return nil, nil
		}))
	require.ErrorIs(t, err, errPlain)
	require.ErrorIs(t, err, retry.ErrPermanent)
	assert.Equal(t, 1, refusals)
	assert.Equal(t, "connect begin x rollback", f.steps())
}

// TestCallsInHooksAndGates holds that their values are not taken for the transaction's.
func TestCallsInHooksAndGates(t *testing.T) {
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
			f := &fake{}
			v, err := retrysql.InTxValue(t.Context(), f.open(t), nil, func(ctx context.Context, tx *sql.Tx) (int, error) {
				return 7, insert("x")(ctx, tx)
			}, fast, opt)
			require.NoError(t, err)
			assert.Equal(t, 7, v)
			assert.Equal(t, "connect begin x commit", f.steps())
		})
	}
}

// TestNestedAmbiguity holds that a call within fn that ended so is not run again, also when the
// attempt around it ran out of time.
func TestNestedAmbiguity(t *testing.T) {
	t.Parallel()
	inner := (&fake{fail: failing("commit", 9, errPlain)}).open(t)
	f := &fake{}
	calls := 0
	err := retrysql.InTx(t.Context(), f.open(t), nil, func(ctx context.Context, _ *sql.Tx) error {
		calls++
		err := retrysql.InTx(ctx, inner, nil, insert("y"))
		<-ctx.Done()
		return err
	}, fast, retry.WithAttemptTimeout(time.Millisecond*50))
	require.ErrorIs(t, err, retrysql.ErrAmbiguousCommit)
	assert.Equal(t, 1, calls)
}

// TestRejectedAfterFnEnded holds that a rejected value does not hide that fn ended the transaction.
func TestRejectedAfterFnEnded(t *testing.T) {
	t.Parallel()
	f := &fake{}
	_, err := retrysql.InTxValue(t.Context(), f.open(t), nil, func(ctx context.Context, tx *sql.Tx) (int, error) {
		return 1, errors.Join(insert("x")(ctx, tx), tx.Commit())
	}, fast, retry.WithValidator(func(int, retry.Attempt) error { return errPlain }))
	require.ErrorIs(t, err, retrysql.ErrAmbiguousCommit)
	require.ErrorIs(t, err, errPlain)
	assert.Equal(t, []string{"x"}, f.rows)
}

func TestValue(t *testing.T) {
	t.Parallel()
	f := &fake{fail: failing("commit", 1, coded("40001"))}
	calls := 0
	v, err := retrysql.InTxValue(t.Context(), f.open(t), nil, func(ctx context.Context, tx *sql.Tx) (int, error) {
		calls++
		return calls, insert("x")(ctx, tx)
	}, fast)
	require.NoError(t, err)
	assert.Equal(t, 2, v)
	assert.Equal(t, []string{"x"}, f.rows)
}

// TestDeadConnectionCostsNoAttempt holds that a connection that died in the pool is replaced
// within the attempt, as database/sql does.
func TestDeadConnectionCostsNoAttempt(t *testing.T) {
	t.Parallel()
	f := &fake{fail: failing("begin", 1, driver.ErrBadConn)}
	require.NoError(t, retrysql.InTx(t.Context(), f.open(t), nil, insert("x"), retry.WithMaxAttempts(1)))
	assert.Equal(t, "connect begin connect begin x commit", f.steps())
}

// TestValueOfFnsLastRun holds that it comes out of a failure whose last attempt did not come to fn.
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
			return coded("40001")
		case step == "begin" && n == 2:
			return coded("28000")
		}
		return nil
	}
	for name, opt := range map[string]retry.Option{"begin": fast, "gate": gate} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := &fake{fail: refuseSecond}
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
	v, err := retrysql.InTxValue(t.Context(), (&fake{}).open(t), nil, func(context.Context, *sql.Tx) (int, error) {
		return 7, errPlain
	})
	require.ErrorIs(t, err, errPlain)
	assert.Equal(t, 7, v, "what fn's last run returned")
}

// TestValidatorsComeBeforeCommit holds that a value which they reject is not committed.
func TestValidatorsComeBeforeCommit(t *testing.T) {
	t.Parallel()
	f := &fake{}
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

func TestValidatorsAndCommitThatFails(t *testing.T) {
	t.Parallel()
	f := &fake{fail: failing("commit", 1, coded("40001"))}
	accept := retry.WithValidator(func(string, retry.Attempt) error { return nil })
	v, err := retrysql.InTxValue(t.Context(), f.open(t), nil, func(ctx context.Context, tx *sql.Tx) (string, error) {
		return "v", insert("x")(ctx, tx)
	}, fast, accept)
	require.NoError(t, err)
	assert.Equal(t, "v", v)
	assert.Equal(t, "connect begin x commit begin x commit", f.steps())
}

func TestPanicInAValidatorRollsBack(t *testing.T) {
	t.Parallel()
	f := &fake{}
	db := f.open(t)
	assert.PanicsWithValue(t, "boom", func() {
		_, _ = retrysql.InTxValue(t.Context(), db, nil, func(ctx context.Context, tx *sql.Tx) (string, error) {
			return "v", insert("x")(ctx, tx)
		}, retry.WithValidator(func(string, retry.Attempt) error { panic("boom") }))
	})
	assert.Equal(t, "connect begin x rollback", f.steps())
	assert.Zero(t, db.Stats().InUse)
}

// TestValidatorsOfCallsAround holds that each call's validators look at its own value: neither
// those of a call within fn are taken for the transaction's, nor those around it.
func TestValidatorsOfCallsAround(t *testing.T) {
	t.Parallel()
	never := retry.WithValidator(func(v string, _ retry.Attempt) error {
		if v == "outer" || v == "inner" {
			return nil
		}
		return errPlain
	})
	f := &fake{fail: failing("x", 1, coded("40001"))}
	db := f.open(t)
	outer, err := retry.DoValue(t.Context(), func(ctx context.Context) (string, error) {
		v, err := retrysql.InTxValue(ctx, db, nil, func(ctx context.Context, tx *sql.Tx) (string, error) {
			inner, err := retry.DoValue(ctx, func(context.Context) (string, error) { return "inner", nil }, never)
			assert.Equal(t, "inner", inner)
			return "transaction", errors.Join(err, insert("x")(ctx, tx))
		}, fast)
		assert.Equal(t, "transaction", v)
		return "outer", err
	}, never)
	require.NoError(t, err)
	assert.Equal(t, "outer", outer)
	assert.Equal(t, "connect begin x rollback begin x commit", f.steps())
}

func TestPolicyIsInForce(t *testing.T) {
	t.Parallel()
	f := &fake{fail: failing("x", 9, coded("40001"))}
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

// Validators see an attempt that goes on: how long it has run so far, without COMMIT.
func TestValidatorsSeeTheAttemptsTime(t *testing.T) {
	t.Parallel()
	const s = time.Second
	f := &fake{}
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
