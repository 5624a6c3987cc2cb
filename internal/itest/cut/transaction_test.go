package cut_test

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry/internal/itest/cut"
)

// transaction cuts transactions.
func transaction(t *testing.T, r *rig) {
	i := 0
	for _, test := range []struct {
		at   cut.Point
		want int // rows
	}{
		{cut.BeforeStatement, 0},
		{cut.MidStatement, 0},
		{cut.AfterStatement, 0},
		{cut.BeforeCommit, 0},
		{cut.AfterCommit, 1},
	} {
		for _, end := range ends {
			i++
			tx, err := r.conn(t).BeginTx(t.Context(), nil)
			require.NoError(t, err)
			r.CutNext(test.at, 1)
			_, err = tx.ExecContext(t.Context(), r.insert, i)
			if test.at == cut.BeforeCommit || test.at == cut.AfterCommit {
				require.NoError(t, err)
				err = tx.Commit()
			}
			require.Error(t, err, test.at)
			t.Logf("%s, %s: %s", test.at, end, describe(err))
			if err := tx.Rollback(); err != nil {
				t.Logf("and then Rollback: %s", describe(err))
			}
			assert.Equal(t, test.want, r.countOf(t, i), test.at)
		}
		assert.Equal(t, 2, r.Cuts()[test.at])
	}

	// A transaction without a cut commits.
	tx, err := r.conn(t).BeginTx(t.Context(), nil)
	require.NoError(t, err)
	_, err = tx.ExecContext(t.Context(), r.insert, 0)
	require.NoError(t, err)
	require.NoError(t, tx.Commit())
}

// begin checks that BEGIN is a statement.
func begin(t *testing.T, r *rig) {
	for _, at := range []cut.Point{cut.BeforeStatement, cut.AfterStatement} {
		for _, end := range ends {
			conn := r.conn(t)
			r.CutNext(at, 1)
			_, err := conn.BeginTx(t.Context(), nil)
			require.Error(t, err)
			t.Logf("%s, %s: %s", at, end, describe(err))
		}
	}
}

// everywhere reports whether there were cuts at all points that this target passes.
func (r *rig) everywhere() bool {
	cuts := r.Cuts()
	for _, at := range cut.Points {
		if cuts[at] == 0 && (at != cut.AfterPrepare || r.prepares) {
			return false
		}
	}
	return true
}

// random cuts transactions at random. The table must have every row whose commit the caller was told
// of, and no row whose COMMIT did not reach the server.
func random(t *testing.T, r *rig) {
	db := open(t, r.driver, r.dsn)
	r.Random(0.05, 1)
	var mu sync.Mutex
	var committed, unknown []int
	var wg sync.WaitGroup
	for client := range 4 {
		wg.Go(func() {
			for i := client; i < 5000 && !r.everywhere(); i += 4 {
				tx, err := db.BeginTx(t.Context(), nil)
				if err != nil {
					continue
				}
				if _, err := tx.ExecContext(t.Context(), r.insert, i); err != nil {
					_ = tx.Rollback()
					continue
				}
				err = tx.Commit()
				mu.Lock()
				if err == nil {
					committed = append(committed, i)
				} else {
					unknown = append(unknown, i)
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	r.Random(0, 0)
	require.NoError(t, db.PingContext(t.Context()))
	require.NoError(t, db.Close())
	assert.NotEmpty(t, committed)
	cuts := r.Cuts()
	t.Log(cuts)
	assert.True(t, r.everywhere())
	assert.Equal(t, len(unknown), cuts[cut.BeforeCommit]+cuts[cut.AfterCommit])
	r.waitUntilSettled(t)
	for _, i := range committed {
		assert.Equal(t, 1, r.countOf(t, i))
	}
	var total int
	require.NoError(t, r.direct.QueryRow("SELECT count(*) FROM n").Scan(&total))
	assert.Equal(t, len(committed)+cuts[cut.AfterCommit], total)
}
