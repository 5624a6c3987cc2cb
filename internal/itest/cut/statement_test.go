package cut_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry/internal/itest/cut"
)

func connect(t *testing.T, r *rig) {
	db := open(t, r.driver, r.dsn)
	r.CutNext(cut.BeforeFirstByte, 100)
	for _, end := range ends {
		_, err := db.Driver().Open(r.dsn)
		require.Error(t, err)
		t.Logf("%s, %s: %s", cut.BeforeFirstByte, end, shown(err))
	}
	err := db.PingContext(t.Context())
	require.Error(t, err)
	t.Logf("the same by database/sql: %s", shown(err))
	assert.GreaterOrEqual(t, r.Cuts()[cut.BeforeFirstByte], 3)
	r.settled(t)

	r.CutNext(cut.BeforeFirstByte, 0)
	require.NoError(t, db.PingContext(t.Context()))
}

// statement cuts statements that commit themselves.
func statement(t *testing.T, r *rig) {
	i := 0
	for _, test := range []struct {
		at        cut.Point
		arguments bool // the statement has them, and is prepared
		want      int  // rows
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
			t.Logf("%s, %s, with arguments %v: %s", test.at, end, test.arguments, shown(err))
			assert.Equal(t, before+1, r.Cuts()[test.at])
			assert.Equal(t, test.want, r.has(t, i), test.at)

			require.Error(t, conn.PingContext(t.Context()), "the connection is still good")
		}
	}
	assert.Len(t, r.Cuts(), map[bool]int{true: 4, false: 3}[r.prepares])
}

// pool loses the reply to a statement on a connection of a pool, which tries again by itself if
// the driver says that nothing was executed. It logs how often the statement was executed then:
// whether a driver is right to say so is not for this package to hold.
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
			db.SetMaxIdleConns(-1) // so that it can settle
			n := r.has(t, i)
			db.SetMaxIdleConns(2)
			assert.Positive(t, n)
			t.Logf("%s, with arguments %v: executed %d times, and the error is %v", end, arguments, n, err)
		}
	}
	assert.Len(t, r.Cuts(), 1)
	assert.Equal(t, 4, r.Cuts()[cut.AfterStatement])
}

// copies holds that COPY, which the server answers by asking for what to copy, is not waited for.
func copies(t *testing.T, r *rig) {
	if r.driver != "postgres" {
		t.Skip("pq sends it as it is")
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
	assert.Less(t, time.Since(start), 5*time.Second) // others are waited for 10 s
}
