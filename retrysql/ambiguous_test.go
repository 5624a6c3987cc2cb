package retrysql_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrysql"
)

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
