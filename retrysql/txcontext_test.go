package retrysql_test

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrysql"
)

func TestEndedContextBeginsNothing(t *testing.T) {
	t.Parallel()
	f := &fakeDB{}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := retrysql.InTx(ctx, f.open(t), nil, insert("x"))
	require.ErrorIs(t, err, context.Canceled)
	require.NotErrorIs(t, err, retrysql.ErrAmbiguousCommit)
	assert.Empty(t, f.steps())
}

// TestContextEndsInAStep checks the error, and that no connection is lost, for each step in which
// the caller's context ends.
func TestContextEndsInAStep(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		step      string
		lasts     time.Duration
		steps     string
		took      time.Duration
		err       bool
		ambiguous bool
	}{
		{step: "connect", lasts: time.Hour, steps: "connect", took: time.Second, err: true},
		{step: "begin", lasts: time.Hour, steps: "connect begin", took: time.Second, err: true},
		{step: "x", lasts: time.Hour, steps: "connect begin x rollback", took: time.Second, err: true},
		// A COMMIT that was sent has 2 s to get its reply.
		{step: "commit", lasts: 2 * time.Second, steps: "connect begin x commit", took: 2 * time.Second},
		{step: "commit", lasts: time.Hour, steps: "connect begin x commit", took: 3 * time.Second, err: true, ambiguous: true},
	} {
		t.Run(test.step, func(t *testing.T) {
			t.Parallel()
			f := &fakeDB{fail: hangAt(test.step, 1, test.lasts)}
			inBubble(t, f, func(t *testing.T, db *sql.DB) {
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				start := time.Now()
				err := retrysql.InTx(ctx, db, nil, insert("x"), fast)
				assert.Equal(t, test.took, time.Since(start))
				synctest.Wait()
				assert.Equal(t, test.steps, f.steps())
				assert.Equal(t, test.ambiguous, errors.Is(err, retrysql.ErrAmbiguousCommit))
				if !test.err {
					require.NoError(t, err)
					return
				}
				require.ErrorIs(t, err, context.DeadlineExceeded)
				require.ErrorIs(t, err, retry.ErrContext)
				require.NotErrorIs(t, err, context.Canceled, "the context was not cancelled")
				var failed *retry.Error
				require.ErrorAs(t, err, &failed)
				assert.LessOrEqual(t, strings.Count(failed.Error(), "deadline"), 2, "the text does not repeat itself")
			})
		})
	}
}

// TestContextEndsDuringBegin checks that fn does not run in a transaction that is being rolled
// back.
func TestContextEndsDuringBegin(t *testing.T) {
	t.Parallel()
	f := &fakeDB{}
	inBubble(t, f, func(t *testing.T, db *sql.DB) {
		ctx, cancel := context.WithCancel(t.Context())
		f.fail = func(_ context.Context, step string, _ int) error {
			if step == "begin" {
				cancel()
				synctest.Wait()
			}
			return nil
		}
		err := retrysql.InTx(ctx, db, nil, func(context.Context, *sql.Tx) error {
			assert.Fail(t, "fn runs")
			return nil
		}, fast)
		require.ErrorIs(t, err, context.Canceled)
		synctest.Wait()
		assert.Equal(t, "connect begin rollback", f.steps())
	})
}

// countingContext is a context that counts the functions that wait for its end.
type countingContext struct {
	context.Context
	callbacks atomic.Int64
}

// Value hides the inner context, which package context would otherwise use in place of AfterFunc.
func (c *countingContext) Value(any) any { return nil }

func (c *countingContext) AfterFunc(f func()) func() bool {
	c.callbacks.Add(1)
	inner := context.AfterFunc(c.Context, f)
	return func() bool { c.callbacks.Add(-1); return inner() }
}

// TestContextCallbacksAreRemoved checks that transactions leave no functions behind on a
// long-lived context.
func TestContextCallbacksAreRemoved(t *testing.T) {
	t.Parallel()
	ctx := &countingContext{Context: t.Context()}
	f := &fakeDB{fail: failFirst("commit", 9, errPlain)}
	r := &retrysql.Runner{DB: f.open(t), Settle: &fakeSettler{answers: []answer{{outcome: retrysql.RolledBack}}}, Policy: fast}
	require.ErrorIs(t, r.InTx(ctx, insert("x")), errPlain)
	assert.Zero(t, ctx.callbacks.Load())
}

// TestContextEndsBeforeCommit checks that COMMIT is then not sent.
func TestContextEndsBeforeCommit(t *testing.T) {
	t.Parallel()
	t.Run("the caller's", func(t *testing.T) {
		t.Parallel()
		f := &fakeDB{}
		inBubble(t, f, func(t *testing.T, db *sql.DB) {
			ctx, cancel := context.WithCancelCause(t.Context())
			err := retrysql.InTx(ctx, db, nil, func(ctx context.Context, tx *sql.Tx) error {
				defer cancel(errPlain)
				return insert("x")(ctx, tx)
			}, fast)
			require.ErrorIs(t, err, context.Canceled)
			require.ErrorIs(t, err, errPlain)
			require.ErrorIs(t, err, retry.ErrContext)
			require.NotErrorIs(t, err, retrysql.ErrAmbiguousCommit)
			assert.Equal(t, "connect begin x rollback", f.steps())
		})
	})
	t.Run("the attempt's", func(t *testing.T) {
		t.Parallel()
		f := &fakeDB{}
		inBubble(t, f, func(t *testing.T, db *sql.DB) {
			calls := 0
			err := retrysql.InTx(t.Context(), db, nil, func(ctx context.Context, tx *sql.Tx) error {
				if calls++; calls == 1 {
					<-ctx.Done()
				}
				return insert("x")(context.WithoutCancel(ctx), tx)
			}, fast, retry.WithAttemptTimeout(time.Second))
			require.NoError(t, err)
			assert.Equal(t, "connect begin x rollback begin x commit", f.steps())
		})
	})
}

// TestRollbackHasItsOwnTime checks that ROLLBACK is sent although the context has ended, and that it
// gets no more than 2 s.
func TestRollbackHasItsOwnTime(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ lasts, want time.Duration }{{time.Second, 2 * time.Second}, {time.Hour, 3 * time.Second}} {
		t.Run(test.lasts.String(), func(t *testing.T) {
			t.Parallel()
			f := &fakeDB{fail: hangAt("rollback", 1, test.lasts)}
			inBubble(t, f, func(t *testing.T, db *sql.DB) {
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				start := time.Now()
				err := retrysql.InTx(ctx, db, nil, func(ctx context.Context, _ *sql.Tx) error {
					<-ctx.Done()
					return ctx.Err()
				}, fast)
				require.ErrorIs(t, err, context.DeadlineExceeded)
				assert.Equal(t, test.want, time.Since(start))
			})
		})
	}
	t.Run("after fn failed", func(t *testing.T) {
		t.Parallel()
		f := &fakeDB{fail: hangAt("rollback", 1, time.Hour)}
		inBubble(t, f, func(t *testing.T, db *sql.DB) {
			start := time.Now()
			err := retrysql.InTx(t.Context(), db, nil, func(context.Context, *sql.Tx) error { return errPlain }, fast)
			require.ErrorIs(t, err, errPlain)
			assert.Equal(t, 2*time.Second, time.Since(start))
		})
	})
}

// TestStatementsWithoutTheContext checks that an fn that ignores its context does not run for ever,
// because its transaction is rolled back.
func TestStatementsWithoutTheContext(t *testing.T) {
	t.Parallel()
	f := &fakeDB{}
	inBubble(t, f, func(t *testing.T, db *sql.DB) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := retrysql.InTx(ctx, db, nil, func(_ context.Context, tx *sql.Tx) error {
			for {
				if _, err := tx.ExecContext(context.Background(), "y"); err != nil {
					return err
				}
				time.Sleep(time.Second)
			}
		}, fast)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.NotErrorIs(t, err, retrysql.ErrAmbiguousCommit)
		assert.Empty(t, f.rows)
	})
}

// TestNothingIsLeftRunning checks that no goroutine or timer outlives a call. The bubble would not
// end with one.
func TestNothingIsLeftRunning(t *testing.T) {
	t.Parallel()
	f := &fakeDB{fail: failFirst("x", 1, pgError("40001"))}
	inBubble(t, f, func(t *testing.T, db *sql.DB) {
		ctx, cancel := context.WithCancel(t.Context())
		require.NoError(t, retrysql.InTx(ctx, db, nil, insert("x"), fast, retry.WithAttemptTimeout(time.Hour)))
		cancel()
		start := time.Now()
		synctest.Wait()
		assert.Zero(t, time.Since(start))
	})
}
