package retrysql_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrysql"
)

// fakeSettler is a Settler that gives its answers in turn, and then repeats the last one.
type fakeSettler struct {
	note    func(ctx context.Context, tx *sql.Tx) (string, error)
	answers []answer
	asked   []string
}

type answer struct {
	outcome retrysql.Outcome
	err     error
}

func (s *fakeSettler) Note(ctx context.Context, tx *sql.Tx) (string, error) {
	if s.note != nil {
		return s.note(ctx, tx)
	}
	return "id", nil
}

func (s *fakeSettler) Settle(_ context.Context, db *sql.DB, id string) (retrysql.Outcome, error) {
	s.asked = append(s.asked, id)
	if open := db.Stats().InUse; open > 0 {
		return retrysql.Unknown, retry.Permanent(fmt.Errorf("%d connections are still in use", open))
	}
	a := s.answers[min(len(s.asked), len(s.answers))-1]
	return a.outcome, a.err
}

var (
	unknown    = answer{outcome: retrysql.Unknown}
	committed  = answer{outcome: retrysql.Committed}
	rolledBack = answer{outcome: retrysql.RolledBack}
)

// settlements are the rows of TestSettle.
var settlements = []struct {
	name       string
	answers    []answer
	idempotent bool
	calls      int // of fn
	asked      int // 0: any number
	took       time.Duration
	err        error
	ambiguous  bool
}{
	{name: "committed", answers: []answer{committed}, calls: 1, asked: 1},
	{name: "rolled back", answers: []answer{rolledBack}, calls: 2, asked: 1},
	{name: "not known yet", answers: []answer{unknown, unknown, committed}, calls: 1, asked: 3},
	{name: "the server restarts", answers: []answer{{err: errRefused}, {err: pgError("57P03")}, {err: io.ErrUnexpectedEOF}, rolledBack}, calls: 2, asked: 4},
	{name: "invalid outcome", answers: []answer{{outcome: 7}, committed}, calls: 1, asked: 2},
	{name: "never known", answers: []answer{unknown}, calls: 1, took: 29 * time.Second, ambiguous: true},
	{name: "never known, says the settler", answers: []answer{{err: retry.Permanent(errPlain)}}, calls: 1, asked: 1, err: errPlain, ambiguous: true},
	{name: "no permission", answers: []answer{{err: pgError("42501")}}, calls: 1, asked: 1, err: pgError("42501"), ambiguous: true},
	{name: "never known, idempotent", answers: []answer{{err: retry.Permanent(errPlain)}}, idempotent: true, calls: 2, asked: 1},
}

func TestSettle(t *testing.T) {
	t.Parallel()
	for _, test := range settlements {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			f := &fakeDB{fail: failFirst("commit", 1, io.ErrUnexpectedEOF)}
			inBubble(t, f, func(t *testing.T, db *sql.DB) {
				settler := &fakeSettler{answers: test.answers}
				calls := 0
				start := time.Now()
				r := &retrysql.Runner{DB: db, Policy: fast, Settle: settler, Idempotent: test.idempotent}
				err := r.InTx(t.Context(), func(ctx context.Context, tx *sql.Tx) error {
					calls++
					return insert("x")(ctx, tx)
				})
				assert.Equal(t, test.calls, calls)
				assert.GreaterOrEqual(t, time.Since(start), test.took)
				assert.Less(t, time.Since(start), max(30*time.Second, test.took))
				if test.asked > 0 {
					assert.Len(t, settler.asked, test.asked)
				}
				assert.Equal(t, "id", settler.asked[0])
				assert.Equal(t, test.ambiguous, errors.Is(err, retrysql.ErrAmbiguousCommit))
				if !test.ambiguous {
					require.NoError(t, err)
					return
				}
				require.ErrorIs(t, err, io.ErrUnexpectedEOF, "the driver's error")
				if test.err != nil {
					require.ErrorIs(t, err, test.err, "the settler's error")
				}
			})
		})
	}
}

// TestSettleAfterTheEnd checks that Settle runs after the end of the caller's context, but for no
// more than 2 s.
func TestSettleAfterTheEnd(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		answer answer
		took   time.Duration
		is     error
	}{
		"committed":   {answer{outcome: retrysql.Committed}, 3 * time.Second, nil},
		"rolled back": {answer{outcome: retrysql.RolledBack}, 3 * time.Second, context.DeadlineExceeded},
		"not known":   {answer{outcome: retrysql.Unknown}, 5 * time.Second, retrysql.ErrAmbiguousCommit},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := &fakeDB{fail: hangAt("commit", 1, time.Hour)}
			inBubble(t, f, func(t *testing.T, db *sql.DB) {
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				r := &retrysql.Runner{DB: db, Policy: fast, Settle: &fakeSettler{answers: []answer{test.answer}}}
				start := time.Now()
				err := r.InTx(ctx, insert("x"))
				assert.Equal(t, test.took, time.Since(start))
				synctest.Wait()
				if test.is == nil {
					require.NoError(t, err)
					return
				}
				require.ErrorIs(t, err, test.is)
				assert.Equal(t, name == "not known", errors.Is(err, retrysql.ErrAmbiguousCommit))
			})
		})
	}
}

func TestNote(t *testing.T) {
	t.Parallel()
	failed := func(err error) func(context.Context, *sql.Tx) (string, error) {
		n := 0
		return func(context.Context, *sql.Tx) (string, error) {
			if n++; n == 1 {
				return "", err
			}
			return "id", nil
		}
	}
	for _, test := range []struct {
		name  string
		note  func(context.Context, *sql.Tx) (string, error)
		lost  int // replies to COMMIT
		opts  *sql.TxOptions
		steps string
		err   error
	}{
		{name: "within the transaction", note: func(ctx context.Context, tx *sql.Tx) (string, error) {
			_, err := tx.ExecContext(ctx, "note")
			return "id", err
		}, steps: "connect begin x note commit"},
		{name: "nothing changed", note: func(context.Context, *sql.Tx) (string, error) { return "", nil }, lost: 1, steps: "connect begin x commit begin x commit"},
		{name: "read-only", note: failed(errPlain), lost: 1, opts: &sql.TxOptions{ReadOnly: true}, steps: "connect begin-ro x commit begin-ro x commit"},
		{name: "fails", note: failed(pgError("42883")), steps: "connect begin x rollback", err: pgError("42883")},
		{name: "fn hid a failure", note: failed(pgError("25P02")), steps: "connect begin x rollback begin x commit"},
		{name: "fails for now", note: failed(io.ErrUnexpectedEOF), steps: "connect begin x rollback begin x commit"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			f := &fakeDB{fail: failFirst("commit", test.lost, io.ErrUnexpectedEOF)}
			settler := &fakeSettler{note: test.note}
			r := &retrysql.Runner{DB: f.open(t), Policy: fast, Settle: settler, TxOptions: test.opts}
			err := r.InTx(t.Context(), insert("x"))
			assert.Equal(t, test.steps, f.steps())
			assert.Empty(t, settler.asked)
			require.ErrorIs(t, err, test.err)
			if test.err != nil {
				require.NotErrorIs(t, err, retrysql.ErrAmbiguousCommit)
				assert.ErrorContains(t, err, "retrysql: before commit: ")
			}
		})
	}
}

// TestNoteThatOutlastsTheTransaction checks the error if the context ends during Note and
// database/sql rolls back.
func TestNoteThatOutlastsTheTransaction(t *testing.T) {
	t.Parallel()
	f := &fakeDB{}
	inBubble(t, f, func(t *testing.T, db *sql.DB) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		settler := &fakeSettler{note: func(context.Context, *sql.Tx) (string, error) { time.Sleep(time.Minute); return "id", nil }}
		err := (&retrysql.Runner{DB: db, Settle: settler}).InTx(ctx, insert("x"))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.NotErrorIs(t, err, retrysql.ErrAmbiguousCommit)
		assert.Empty(t, settler.asked)
		assert.Equal(t, "connect begin x rollback", f.steps())
	})
}

// TestPanicInASettlerRollsBack checks that the transaction and its connection are released.
func TestPanicInASettlerRollsBack(t *testing.T) {
	t.Parallel()
	f := &fakeDB{}
	db := f.open(t)
	settler := &fakeSettler{note: func(context.Context, *sql.Tx) (string, error) { panic("boom") }}
	assert.PanicsWithValue(t, "boom", func() {
		_ = (&retrysql.Runner{DB: db, Settle: settler}).InTx(t.Context(), insert("x"))
	})
	assert.Equal(t, "connect begin x rollback", f.steps())
	assert.Zero(t, db.Stats().InUse)
}

func TestOutcomeString(t *testing.T) {
	t.Parallel()
	for outcome, want := range map[retrysql.Outcome]string{
		retrysql.Unknown: "unknown", retrysql.Committed: "committed", retrysql.RolledBack: "rolled back", 7: "Outcome(7)",
	} {
		assert.Equal(t, want, outcome.String(), strconv.Itoa(int(outcome)))
	}
}
