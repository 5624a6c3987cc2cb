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

// TestFnThatEndsTheTransaction checks that such a transaction never runs again, because it may have
// been committed.
func TestFnThatEndsTheTransaction(t *testing.T) {
	t.Parallel()
	end := map[string]func(*sql.Tx) error{"commit": (*sql.Tx).Commit, "rollback": (*sql.Tx).Rollback}
	for name, end := range end {
		for _, result := range []error{nil, pgError("40001")} {
			for _, readOnly := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s, returns %v, read-only %v", name, result, readOnly), func(t *testing.T) {
					t.Parallel()
					f := &fakeDB{}
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

// TestEarlierAmbiguity checks that a call's error is ambiguous if the reply to an earlier
// attempt's COMMIT was lost.
func TestEarlierAmbiguity(t *testing.T) {
	t.Parallel()
	f := &fakeDB{fail: func(_ context.Context, step string, n int) error {
		switch {
		case step == "commit":
			return replyLost{io.ErrUnexpectedEOF}
		case step == "x" && n == 2:
			return pgError("23505")
		}
		return nil
	}}
	var seen *retry.Error
	r := &retrysql.Runner{DB: f.open(t), Idempotent: true, Policy: retry.MustNew(fast,
		retry.WithHooks(retry.Hooks{Done: func(_ context.Context, o retry.Outcome) { seen = o.Err }}))}
	err := r.InTx(t.Context(), insert("x"))
	require.ErrorIs(t, err, retrysql.ErrAmbiguousCommit)
	require.ErrorIs(t, err, pgError("23505"))
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	require.ErrorIs(t, err, retry.ErrPermanent)
	assert.ErrorContains(t, err, "an earlier attempt may have been committed: ERROR (SQLSTATE 23505)")
	require.ErrorIs(t, seen, retrysql.ErrAmbiguousCommit, "hooks see it too")
	var failed *retry.Error
	require.ErrorAs(t, err, &failed)
	assert.Equal(t, 2, failed.Attempts)
	assert.Len(t, failed.History(), 2)
}

// TestRetryAfterEarlierAmbiguity checks that a transient error is still retried after an
// ambiguous COMMIT.
func TestRetryAfterEarlierAmbiguity(t *testing.T) {
	t.Parallel()
	f := &fakeDB{fail: func(_ context.Context, step string, n int) error {
		switch {
		case step == "commit" && n == 1:
			return io.ErrUnexpectedEOF
		case step == "x" && n == 2:
			return pgError("40001")
		}
		return nil
	}}
	r := &retrysql.Runner{DB: f.open(t), Idempotent: true, Policy: fast}
	require.NoError(t, r.InTx(t.Context(), insert("x")))
	assert.Equal(t, "connect begin x commit begin x rollback begin x commit", f.steps())
}

// TestEarlierAmbiguityAndGate checks that the call's error is ambiguous if a gate refused the last
// attempt.
func TestEarlierAmbiguityAndGate(t *testing.T) {
	t.Parallel()
	f := &fakeDB{fail: failFirst("commit", 1, replyLost{io.ErrUnexpectedEOF})}
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
	require.NotErrorIs(t, seen, retrysql.ErrAmbiguousCommit, "the error that a hook holds is not changed")
}

// TestNestedAmbiguity checks that fn does not run again after an ambiguous call within it, even if
// the attempt timed out.
func TestNestedAmbiguity(t *testing.T) {
	t.Parallel()
	inner := (&fakeDB{fail: failFirst("commit", 9, errPlain)}).open(t)
	f := &fakeDB{}
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
