package retrysql_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/internal/itest/cut"
	"github.com/seed-205ff063/retry/retrysql"
)

// TestLedger has workers enter operations into a ledger. Meanwhile connections are cut at random,
// transactions collide and deadlock, deadlines pass, and the server is restarted. At the end the ledger
// must agree with what each caller was told:
//
//   - acknowledged: exactly one row
//   - failed: no row
//   - ambiguous: no row or one
//
// The table has no key that would hide a second row.
func TestLedger(t *testing.T) {
	for _, test := range []struct {
		system
		settle, native bool
	}{
		{pgx, false, false},
		{pgx, true, false},
		{pgx, false, true},
		{pgx, true, true},
		{pq, false, false},
		{pq, true, false},
		{mariadb, false, false},
	} {
		name := test.String()
		if test.native {
			name += ", by retrypgx"
		}
		if test.settle {
			name += ", settling"
		}
		t.Run(name, func(t *testing.T) {
			l := newLedger(t, test.system)
			if test.native {
				l.byRetrypgx(t, test.settle)
			} else {
				l.byRetrysql(test.settle)
			}
			l.run(t, test.settle)
		})
	}
}

const (
	workers    = 8
	operations = 100 // in each of the two parts
	lost       = 10  // connections that are cut before COMMIT, and as many after it, in each part
	refusal    = -1  // an amount that the ledger refuses
)

func newLedger(t *testing.T, s system) *ledger {
	t.Helper()
	l := &ledger{
		database: s.database(t, nil,
			`CREATE TABLE ledger (op INT NOT NULL, amount INT NOT NULL CHECK (amount > 0))`,
			`CREATE TABLE totals (id INT PRIMARY KEY, n INT NOT NULL)`,
			`INSERT INTO totals VALUES (0, 0), (1, 0), (2, 0), (3, 0)`,
		),
		told:  make([]string, 2*operations),
		codes: map[string]int{},
	}
	l.policy = retry.MustNew(
		retry.WithMaxAttempts(6), // few enough for some operations to fail
		retry.WithBackoff(retry.Exponential(5*time.Millisecond, 2)),
		retry.WithHooks(retry.Hooks{AfterAttempt: l.noteAttempt}),
	)
	return l
}

// byRetrysql makes the ledger use retrysql.
func (l *ledger) byRetrysql(settle bool) {
	l.db.SetMaxOpenConns(2 * workers)
	r := &retrysql.Runner{DB: l.db, TxOptions: &sql.TxOptions{Isolation: sql.LevelSerializable}, Policy: l.policy}
	if settle {
		l.settler.Settler = retrysql.Postgres()
		r.Settle = &l.settler
		l.outcomes = func() (committed, rolledBack int64) { return l.settler.committed.Load(), l.settler.rolledBack.Load() }
	}
	l.inTx = func(ctx context.Context, fn func(ctx context.Context, tx statements) error) error {
		return r.InTx(ctx, func(ctx context.Context, tx *sql.Tx) error { return fn(ctx, sqlStatements{l.system, tx}) })
	}
	l.inUse = func() int { return l.db.Stats().InUse }
}

// statements executes the statements of a transaction, with database/sql or with pgx.
type statements interface {
	exec(ctx context.Context, query string, args ...any) error
	number(ctx context.Context, query string, args ...any) (int, error)
}

type sqlStatements struct {
	system
	tx *sql.Tx
}

func (s sqlStatements) exec(ctx context.Context, query string, args ...any) error {
	_, err := s.tx.ExecContext(ctx, s.sql(query), args...)
	return err
}

func (s sqlStatements) number(ctx context.Context, query string, args ...any) (n int, err error) {
	err = s.tx.QueryRowContext(ctx, s.sql(query), args...).Scan(&n)
	return n, err
}

// run does all operations and audits the ledger.
func (l *ledger) run(t *testing.T, settle bool) {
	t.Helper()
	l.proxy.Random(0.01, 1)
	l.work(0, operations, true)
	assert.Eventually(t, func() bool { return l.inUse() == 0 }, 5*time.Second, time.Millisecond, "connections in use")
	restarted := make(chan struct{})
	time.AfterFunc(50*time.Millisecond, func() { // in the middle of the second part
		defer close(restarted)
		l.server.Restart(t)
	})
	l.work(operations, 2*operations, false)
	<-restarted
	assert.Eventually(t, func() bool { return l.inUse() == 0 }, 5*time.Second, time.Millisecond, "connections in use")
	l.proxy.Random(0, 0)
	l.waitUntilSettled(t)
	l.audit(t, settle)
}

// ledger is a database and what the callers were told about their operations.
type ledger struct {
	*database
	policy   *retry.Policy
	inTx     func(ctx context.Context, fn func(ctx context.Context, tx statements) error) error
	inUse    func() int // connections that are not in the pool
	settler  countingSettler
	outcomes func() (committed, rolledBack int64) // what the server answered to Settle
	told     []string                             // by operation: acknowledged, failed or ambiguous

	mu       sync.Mutex
	codes    map[string]int // how often an attempt failed with each code
	attempts int
}

func (l *ledger) noteAttempt(_ context.Context, a retry.Attempt) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.attempts++
	if code := codeOf(a.Err); code != "" {
		l.codes[code]++
	}
}

// work has the workers do the operations with from <= op < to.
func (l *ledger) work(from, to int, deadlines bool) {
	l.proxy.CutNext(cut.BeforeCommit, lost)
	l.proxy.CutNext(cut.AfterCommit, lost)
	var next atomic.Int64
	next.Store(int64(from))
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for {
				op := int(next.Add(1)) - 1
				if op >= to {
					return
				}
				l.told[op] = l.operate(op, deadlines && op%4 == 0)
			}
		})
	}
	wg.Wait()
}

// operate does one operation and returns what the caller is told. A hurried one has a deadline within
// 20 ms.
func (l *ledger) operate(op int, hurried bool) string {
	ctx, cancel := context.WithCancel(context.Background())
	if hurried {
		ctx, cancel = context.WithTimeout(ctx, time.Duration(rand.IntN(20_000))*time.Microsecond)
	}
	defer cancel()
	err := l.inTx(ctx, func(ctx context.Context, tx statements) error { return l.enter(ctx, tx, op) })
	switch {
	case err == nil:
		return "acknowledged"
	case errors.Is(err, retrysql.ErrAmbiguousCommit):
		return "ambiguous"
	}
	return "failed"
}

// enter is the transaction. It enters the operation and adds 1 to two totals. It reads each total first,
// so that transactions collide, and in different orders, so that they deadlock. Every tenth operation
// ends with an entry that the ledger refuses.
func (l *ledger) enter(ctx context.Context, tx statements, op int) error {
	if err := tx.exec(ctx, `INSERT INTO ledger VALUES ($1, $2)`, op, 1); err != nil {
		return err
	}
	first := op % 4
	for _, id := range []int{first, (first + 1 + 2*(op/4%2)) % 4} {
		if _, err := tx.number(ctx, `SELECT n FROM totals WHERE id = $1`, id); err != nil {
			return err
		}
		if err := tx.exec(ctx, `UPDATE totals SET n = n + 1 WHERE id = $1`, id); err != nil {
			return err
		}
	}
	if op%10 == 9 {
		return tx.exec(ctx, `INSERT INTO ledger VALUES ($1, $2)`, op, refusal)
	}
	return nil
}

// audit compares what the callers were told with what the ledger says.
func (l *ledger) audit(t *testing.T, settle bool) {
	t.Helper()
	rows, entries := l.rows(t)
	count := map[string]int{}
	for op, told := range l.told {
		count[told]++
		switch n := rows[op]; told {
		case "acknowledged":
			assert.Equal(t, 1, n, "rows of operation %d, which was acknowledged", op)
		case "failed":
			assert.Zero(t, n, "rows of operation %d, which failed", op)
		case "ambiguous":
			count[fmt.Sprintf("ambiguous, %d rows", n)]++
			assert.LessOrEqual(t, n, 1, "rows of operation %d, which is ambiguous", op)
		}
	}
	assert.Equal(t, 2*entries, l.count(t, `SELECT sum(n) FROM totals`), "transactions are all or nothing")
	t.Logf("told %v; %d attempts; cuts %v; codes %v", count, l.attempts, l.proxy.Cuts(), l.codes)
	assert.NotZero(t, count["acknowledged"])
	assert.NotZero(t, count["failed"])
	assert.Equal(t, settle, count["ambiguous"] == 0)
	l.checkTroubles(t)
	if settle {
		committed, rolledBack := l.outcomes()
		t.Logf("settled: %d committed, %d rolled back", committed, rolledBack)
		assert.NotZero(t, committed)
		assert.NotZero(t, rolledBack)
	}
}

// rows returns how many rows each operation has, and the sum.
func (l *ledger) rows(t *testing.T) (rows []int, entries int) {
	t.Helper()
	rows = make([]int, len(l.told))
	result, err := l.direct.QueryContext(t.Context(), `SELECT op FROM ledger`)
	require.NoError(t, err)
	defer func() { _ = result.Close() }()
	for result.Next() {
		var op int
		require.NoError(t, result.Scan(&op))
		rows[op]++
		entries++
	}
	require.NoError(t, result.Err())
	return rows, entries
}

// checkTroubles checks that the run had cuts at all points, collisions and deadlocks.
func (l *ledger) checkTroubles(t *testing.T) {
	t.Helper()
	for _, point := range []cut.Point{cut.BeforeFirstByte, cut.BeforeStatement, cut.MidStatement, cut.AfterStatement, cut.BeforeCommit, cut.AfterCommit} {
		assert.NotZero(t, l.proxy.Cuts()[point], "cuts %v", point)
	}
	collisions, deadlocks := l.codes["40001"], l.codes["40P01"]
	if l.driver == "mysql" {
		deadlocks = collisions // one code for both
	}
	assert.NotZero(t, collisions, "serialization failures")
	assert.NotZero(t, deadlocks, "deadlocks")
}
