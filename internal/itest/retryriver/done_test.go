package retryriver_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry/retryriver"
)

// If a job is run again after its work was done, its key prevents that anything changes.
func TestDoneInTheSameTransaction(t *testing.T) {
	t.Parallel()
	q := newQueue(t)
	_, err := q.pool.Exec(t.Context(), `CREATE TABLE done (key text PRIMARY KEY); CREATE TABLE account (balance int); INSERT INTO account VALUES (100)`)
	require.NoError(t, err)
	var runs atomic.Int32
	work := func(ctx context.Context, job *river.Job[task]) error {
		runs.Add(1)
		return pgx.BeginFunc(ctx, q.pool, func(tx pgx.Tx) error {
			done, err := tx.Exec(ctx, `INSERT INTO done (key) VALUES ($1) ON CONFLICT DO NOTHING`, retryriver.Key(job.JobRow))
			if err != nil || done.RowsAffected() == 0 {
				return err
			}
			_, err = tx.Exec(ctx, `UPDATE account SET balance = balance - 30`)
			return err
		})
	}
	config := retryriver.Config{Policy: quick(3)}
	client := q.client(t, config, work, rescuing)
	id := q.insert(t, client, nil).ID
	q.whileRunning(t, config, work, func() { q.await(t, client, id, rivertype.JobStateCompleted) }, rescuing)
	_, err = q.pool.Exec(t.Context(), `UPDATE river_job SET state = 'running', finalized_at = NULL,
		attempted_at = now() - $2::interval WHERE id = $1`, id, 2*time.Minute) // as if the end was lost
	require.NoError(t, err)
	q.whileRunning(t, config, work, func() { q.await(t, client, id, rivertype.JobStateCompleted) }, rescuing)
	assert.EqualValues(t, 2, runs.Load())
	var balance int
	require.NoError(t, q.pool.QueryRow(t.Context(), `SELECT balance FROM account`).Scan(&balance))
	assert.Equal(t, 70, balance)
}
