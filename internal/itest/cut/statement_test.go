package cut_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry/internal/itest/cut"
)

// connect cuts connections while they are opened.
func connect(t *testing.T, r *rig) {
	db := open(t, r.driver, r.dsn)
	r.CutNext(cut.BeforeFirstByte, 100)
	for _, end := range ends {
		_, err := db.Driver().Open(r.dsn)
		require.Error(t, err)
		t.Logf("%s, %s: %s", cut.BeforeFirstByte, end, describe(err))
	}
	err := db.PingContext(t.Context())
	require.Error(t, err)
	t.Logf("the same with database/sql: %s", describe(err))
	assert.GreaterOrEqual(t, r.Cuts()[cut.BeforeFirstByte], 3)
	r.waitUntilSettled(t)

	r.CutNext(cut.BeforeFirstByte, 0)
	require.NoError(t, db.PingContext(t.Context()))
}

// statement cuts statements outside of a transaction.
func statement(t *testing.T, r *rig) {
	i := 0
	for _, test := range []struct {
		at        cut.Point
		arguments bool // the statement has arguments
		want      int  // rows at the end
	}{
		{cut.BeforeStatement, false, 0},
		{cut.BeforeStatement, true, 0},
		{cut.MidStatement, false, 0},
		{cut.MidStatement, true, 0},
		{cut.AfterStatement, false, 1},
		{cut.AfterStatement, true, 1},
		{cut.AfterPrepare, true, 0},
	} {
		if test.at == cut.AfterPrepare && !r.prepares {
			continue
		}
		for _, end := range ends {
			i++
			conn := r.conn(t)
			before := r.Cuts()[test.at]
			r.CutNext(test.at, 1)
			var err error
			if test.arguments {
				_, err = conn.ExecContext(t.Context(), r.insert, i)
			} else {
				_, err = conn.ExecContext(t.Context(), fmt.Sprintf("INSERT INTO n VALUES (%d)", i))
			}
			require.Error(t, err, test.at)
			t.Logf("%s, %s, with arguments %v: %s", test.at, end, test.arguments, describe(err))
			assert.Equal(t, before+1, r.Cuts()[test.at])
			assert.Equal(t, test.want, r.countOf(t, i), test.at)

			require.Error(t, conn.PingContext(t.Context()), "the connection is still good")
		}
	}
	assert.Len(t, r.Cuts(), map[bool]int{true: 4, false: 3}[r.prepares])
}

// pool loses the reply to a statement on a connection of a pool. If the driver says that nothing was
// executed, database/sql makes another attempt by itself. The test logs how often the statement was
// executed. It does not check whether the driver was right.
func pool(t *testing.T, r *rig) {
	db := open(t, r.driver, r.dsn)
	i := 0
	for _, arguments := range []bool{false, true} {
		for _, end := range ends {
			i++
			r.CutNext(cut.AfterStatement, 1)
			var err error
			if arguments {
				_, err = db.ExecContext(t.Context(), r.insert, i)
			} else {
				_, err = db.ExecContext(t.Context(), fmt.Sprintf("INSERT INTO n VALUES (%d)", i))
			}
			db.SetMaxIdleConns(-1) // countOf waits until no connection is open
			n := r.countOf(t, i)
			db.SetMaxIdleConns(2)
			assert.Positive(t, n)
			t.Logf("%s, with arguments %v: executed %d times, and the error is %v", end, arguments, n, err)
		}
	}
	assert.Len(t, r.Cuts(), 1)
	assert.Equal(t, 4, r.Cuts()[cut.AfterStatement])
}

// copies checks that a cut after COPY does not wait for the end of it: the server asks for the data
// first.
func copies(t *testing.T, r *rig) {
	if r.driver != "postgres" {
		t.Skip("only pq sends COPY as a statement")
	}
	tx, err := r.conn(t).BeginTx(t.Context(), nil)
	require.NoError(t, err)
	r.CutNext(cut.AfterStatement, 1)
	start := time.Now()
	stmt, err := tx.PrepareContext(t.Context(), "COPY n (i) FROM STDIN")
	if err == nil {
		defer stmt.Close()
	}
	require.Error(t, err)
	assert.Less(t, time.Since(start), 5*time.Second) // the proxy waits up to 10 s for a reply
}
