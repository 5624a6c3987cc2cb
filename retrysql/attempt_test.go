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

// TestAttemptTimesOutInAStep holds that an attempt's own timeout is retried, however the driver
// reports it, unless it struck a COMMIT.
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
			f := &fake{fail: hang(test.step, 1, time.Hour)}
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

func TestTimedOutAttemptSaysSo(t *testing.T) {
	t.Parallel()
	f := &fake{fail: hang("x", 1, time.Hour)}
	inBubble(t, f, func(t *testing.T, db *sql.DB) {
		err := retrysql.InTx(t.Context(), db, nil, insert("x"), retry.WithMaxAttempts(1), retry.WithAttemptTimeout(time.Second))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorIs(t, err, retry.ErrExhausted)
		assert.ErrorContains(t, err, "canceling statement due to user request (retry: attempt timed out)")
	})
}
