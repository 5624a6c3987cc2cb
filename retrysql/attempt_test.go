package retrysql_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrysql"
)

// phases are the rows of TestPhases.
var phases = []struct {
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
	{name: "nothing fails", steps: "connect begin x commit", rows: 1},

	{name: "begin: refused", step: "begin", times: 2, err: errRefused, steps: "connect begin begin begin x commit", rows: 1},
	{name: "begin: unknown error", step: "begin", times: 2, err: errPlain, steps: "connect begin begin begin x commit", rows: 1},
	{name: "begin: always", step: "begin", times: 9, err: errPlain, steps: "connect begin begin begin", reason: retry.ErrExhausted},
	{name: "connect: refused", step: "connect", times: 2, err: errRefused, steps: "connect connect connect begin x commit", rows: 1},
	{name: "connect: starting up", step: "connect", times: 2, err: pgError("57P03"), steps: "connect connect connect begin x commit", rows: 1},
	{name: "connect: PgBouncer", step: "connect", times: 2, err: pgError("08P01"), steps: "connect connect connect begin x commit", rows: 1},
	{name: "connect: rejected", step: "connect", times: 2, err: pgError("08004"), steps: "connect connect connect begin x commit", rows: 1},
	{name: "begin: resolution unknown", step: "begin", times: 2, err: pgError("08007"), steps: "connect begin begin begin x commit", rows: 1},
	{name: "begin: dead connection", step: "begin", times: 1, err: driver.ErrBadConn, steps: "connect begin connect begin x commit", rows: 1},
	{name: "connect: wrong password", step: "connect", times: 2, err: pgError("28P01"), steps: "connect", reason: retry.ErrPermanent},
	{name: "connect: no such host", step: "connect", times: 2, err: &net.DNSError{IsNotFound: true}, steps: "connect", reason: retry.ErrPermanent},
	{name: "begin: level not supported", step: "begin", times: 2, err: errors.New("sql: driver does not support non-default isolation level"), steps: "connect begin", reason: retry.ErrPermanent},
	{name: "begin: cancelled, but not by the caller", step: "begin", times: 2, err: context.Canceled, steps: "connect begin", reason: retry.ErrPermanent},

	{name: "fn: serialization failure", step: "x", times: 2, err: pgError("40001"), steps: "connect begin x rollback begin x rollback begin x commit", rows: 1},
	{name: "fn: connection lost", step: "x", times: 1, err: io.ErrUnexpectedEOF, steps: "connect begin x rollback begin x commit", rows: 1},
	{name: "fn: bad connection", step: "x", times: 1, err: driver.ErrBadConn, steps: "connect begin x rollback begin x commit", rows: 1},
	{name: "fn: bad connection after it ran", step: "x", times: 1, err: replyLost{driver.ErrBadConn}, steps: "connect begin x rollback begin x commit", rows: 1},
	{name: "fn: unique violation", step: "x", times: 1, err: pgError("23505"), steps: "connect begin x rollback", reason: retry.ErrPermanent},
	{name: "fn: an error of its own", step: "x", times: 1, err: errPlain, steps: "connect begin x rollback", reason: retry.ErrPermanent},
	{name: "fn: always", step: "x", times: 9, err: pgError("40001"), steps: "connect begin x rollback begin x rollback begin x rollback", reason: retry.ErrExhausted},
	{name: "fn: resolution unknown", step: "x", times: 1, err: pgError("08007"), steps: "connect begin x rollback", reason: retry.ErrPermanent},

	{name: "commit: serialization failure", step: "commit", times: 1, err: pgError("40001"), steps: "connect begin x commit begin x commit", rows: 1},
	{name: "commit: deadlock", step: "commit", times: 1, err: pgError("40P01"), steps: "connect begin x commit begin x commit", rows: 1},
	{name: "commit: pgx says rolled back", step: "commit", times: 1, err: errors.New("commit unexpectedly resulted in rollback"), steps: "connect begin x commit begin x commit", rows: 1},
	{name: "commit: lib/pq says rolled back", step: "commit", times: 1, err: errors.New("pq: could not complete operation in a failed transaction"), steps: "connect begin x commit begin x commit", rows: 1},
	{name: "commit: lib/pq, by the tag", step: "commit", times: 1, err: errors.New("unexpected command tag ROLLBACK"), steps: "connect begin x commit begin x commit", rows: 1},
	{name: "commit: deferred constraint", step: "commit", times: 1, err: pgError("23503"), steps: "connect begin x commit", reason: retry.ErrPermanent},
	{name: "commit: deferred trigger", step: "commit", times: 1, err: pgError("P0001"), steps: "connect begin x commit", reason: retry.ErrPermanent},
	{name: "commit: constraint violation rollback", step: "commit", times: 1, err: pgError("40002"), steps: "connect begin x commit", reason: retry.ErrPermanent},

	{name: "commit: lost, and committed", step: "commit", times: 1, err: replyLost{io.ErrUnexpectedEOF}, steps: "connect begin x commit", rows: 1, reason: retry.ErrPermanent, ambiguous: true},
	{name: "commit: lost, and not committed", step: "commit", times: 1, err: io.ErrUnexpectedEOF, steps: "connect begin x commit", reason: retry.ErrPermanent, ambiguous: true},
	{name: "commit: bad connection", step: "commit", times: 1, err: replyLost{driver.ErrBadConn}, steps: "connect begin x commit", rows: 1, reason: retry.ErrPermanent, ambiguous: true},
	{name: "commit: safe to retry, says the driver", step: "commit", times: 1, err: replyLost{errors.New("conn closed")}, steps: "connect begin x commit", rows: 1, reason: retry.ErrPermanent, ambiguous: true},
	{name: "commit: the server shuts down", step: "commit", times: 1, err: replyLost{pgError("57P01")}, steps: "connect begin x commit", rows: 1, reason: retry.ErrPermanent, ambiguous: true},
	{name: "commit: completion unknown", step: "commit", times: 1, err: pgError("40003"), steps: "connect begin x commit", reason: retry.ErrPermanent, ambiguous: true},
	{name: "commit: resolution unknown", step: "commit", times: 1, err: pgError("08007"), steps: "connect begin x commit", reason: retry.ErrPermanent, ambiguous: true},
	{name: "commit: the driver's context ended", step: "commit", times: 1, err: context.DeadlineExceeded, steps: "connect begin x commit", reason: retry.ErrPermanent, ambiguous: true},
	{name: "commit: anything else", step: "commit", times: 1, err: errPlain, steps: "connect begin x commit", reason: retry.ErrPermanent, ambiguous: true},

	{name: "commit: lost, read-only", step: "commit", times: 1, err: io.ErrUnexpectedEOF, opts: &sql.TxOptions{ReadOnly: true}, steps: "connect begin-ro x commit begin-ro x commit", rows: 1},
	{name: "commit: anything else, read-only", step: "commit", times: 1, err: errPlain, opts: &sql.TxOptions{ReadOnly: true}, steps: "connect begin-ro x commit begin-ro x commit", rows: 1},
	{name: "commit: lost, idempotent", step: "commit", times: 1, err: errPlain, idempotent: true, steps: "connect begin x commit begin x commit", rows: 1},
	{name: "commit: always lost, idempotent", step: "commit", times: 9, err: errPlain, idempotent: true, steps: "connect begin x commit begin x commit begin x commit", reason: retry.ErrExhausted, ambiguous: true},
}

// TestPhases makes a step fail and checks the steps that follow.
func TestPhases(t *testing.T) {
	t.Parallel()
	for _, test := range phases {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			f := &fakeDB{fail: failFirst(test.step, test.times, test.err)}
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
			if d, ok := want.(replyLost); ok {
				want = d.error
			}
			require.ErrorIs(t, err, want, "the driver's error")
		})
	}
}

func TestPanicRollsBack(t *testing.T) {
	t.Parallel()
	f := &fakeDB{}
	db := f.open(t)
	assert.PanicsWithValue(t, "boom", func() {
		_ = retrysql.InTx(t.Context(), db, nil, func(context.Context, *sql.Tx) error { panic("boom") })
	})
	assert.Equal(t, "connect begin rollback", f.steps())
	assert.Zero(t, db.Stats().InUse)
}

func TestGoexitRollsBack(t *testing.T) {
	t.Parallel()
	f := &fakeDB{}
	db := f.open(t)
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = retrysql.InTx(t.Context(), db, nil, func(context.Context, *sql.Tx) error { runtime.Goexit(); return nil })
	}()
	<-done
	assert.Equal(t, "connect begin rollback", f.steps())
	assert.Zero(t, db.Stats().InUse)
}

// TestGateRefusal checks that a gate's refusal is retried whatever its error, and that it does not
// make a later error of fn retryable.
func TestGateRefusal(t *testing.T) {
	t.Parallel()
	f := &fakeDB{fail: failFirst("x", 1, errPlain)}
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

// TestGateRefusalAfterARejectedValue checks that a gate's refusal is retried also after an attempt
// whose value was rejected.
func TestGateRefusalAfterARejectedValue(t *testing.T) {
	t.Parallel()
	f := &fakeDB{}
	v, err := retrysql.InTxValue(t.Context(), f.open(t), nil, func(ctx context.Context, tx *sql.Tx) (int, error) {
		return 7, insert("x")(ctx, tx)
	}, fast,
		retry.WithValidator(func(_ int, a retry.Attempt) error {
			if a.Number == 1 {
				return errPlain
			}
			return nil
		}),
		retry.WithGate(func(_ context.Context, a retry.Attempt) (func(error), error) {
			if a.Number == 2 {
				return nil, errors.New("too many")
			}
			return nil, nil
		}))
	require.NoError(t, err)
	assert.Equal(t, 7, v)
	assert.Equal(t, "connect begin x rollback begin x commit", f.steps())
}

// TestAttemptTimesOutInAStep checks that an attempt that timed out is retried, however the driver
// reports it, unless COMMIT had been sent.
func TestAttemptTimesOutInAStep(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		step, steps string
		took        time.Duration
		ambiguous   bool
	}{
		{step: "connect", steps: "connect connect begin x commit", took: time.Second},
		{step: "begin", steps: "connect begin begin x commit", took: time.Second},
		{step: "x", steps: "connect begin x rollback begin x commit", took: time.Second},
		{step: "commit", steps: "connect begin x commit", took: 3 * time.Second, ambiguous: true},
	} {
		t.Run(test.step, func(t *testing.T) {
			t.Parallel()
			f := &fakeDB{fail: hangAt(test.step, 1, time.Hour)}
			inBubble(t, f, func(t *testing.T, db *sql.DB) {
				start := time.Now()
				err := retrysql.InTx(t.Context(), db, nil, insert("x"), fast, retry.WithAttemptTimeout(time.Second))
				assert.Equal(t, test.took, time.Since(start))
				assert.Equal(t, test.steps, f.steps())
				if test.ambiguous {
					require.ErrorIs(t, err, retrysql.ErrAmbiguousCommit)
					return
				}
				require.NoError(t, err)
			})
		})
	}
}

func TestTextOfTimedOutAttempt(t *testing.T) {
	t.Parallel()
	f := &fakeDB{fail: hangAt("x", 1, time.Hour)}
	inBubble(t, f, func(t *testing.T, db *sql.DB) {
		err := retrysql.InTx(t.Context(), db, nil, insert("x"), retry.WithMaxAttempts(1), retry.WithAttemptTimeout(time.Second))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorIs(t, err, retry.ErrExhausted)
		assert.ErrorContains(t, err, "canceling statement due to user request (retry: attempt timed out)")
	})
}
