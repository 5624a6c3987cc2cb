package retryriver_test

import (
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry/internal/itest/servers"
	"github.com/seed-205ff063/retry/retryriver"
)

const jobs = 2000

// Three processes work on 2,000 jobs; 31 % of the attempts fail. A process is killed and started
// again. Then the server is restarted twice, first by a fast shutdown and then by a crash. No job may
// be lost. The ledger of the workers must explain how each job ended.
func TestKillsAndRestarts(t *testing.T) {
	server := servers.Postgres(t)
	q := openQueue(t, server.DSN(""))
	ledgers, logs := t.TempDir(), t.TempDir()
	insertTasks(t, q)
	start := time.Now()

	var processes []*process
	for range 3 {
		processes = append(processes, startProcess(t, q.dsn, ledgers, logs))
	}
	q.waitForFinished(t, jobs/5)
	processes[0].kill()
	processes[0] = startProcess(t, q.dsn, ledgers, logs)
	q.waitForFinished(t, 2*jobs/5)
	server.RestartFast(t)
	q.waitForFinished(t, 3*jobs/5)
	server.Restart(t)
	q.waitForFinished(t, jobs)
	var stops sync.WaitGroup
	for _, p := range processes {
		stops.Go(p.stop)
	}
	stops.Wait()
	t.Logf("%v for %d jobs", time.Since(start).Round(time.Millisecond), jobs)

	rows := q.rows(t)
	require.Len(t, rows, jobs, "jobs that are missing")
	allRuns := readLedgers(t, ledgers)
	var sum counts
	for _, row := range rows {
		sum.check(t, row, allRuns[row.ID])
	}
	t.Logf("%+v", sum)
	assert.Positive(t, sum.Lost, "the killed process was in the middle of attempts")
	assert.Less(t, sum.Overlapped, jobs/20, "attempts may overlap only around a restart")
	log := readLogs(t, logs)
	assert.NotContains(t, log, secret)
	if i := strings.Index(log, "panic: "); i >= 0 {
		t.Log(log[i:min(len(log), i+1000)])
	}
}

func insertTasks(t *testing.T, q *queue) {
	t.Helper()
	client := q.client(t, retryriver.Config{}, nil)
	many := make([]river.InsertManyParams, jobs)
	for i := range many {
		many[i] = river.InsertManyParams{Args: task{i}}
	}
	_, err := client.InsertManyFast(t.Context(), many)
	require.NoError(t, err)
}

// waitForFinished waits until n jobs are finished.
func (q *queue) waitForFinished(t *testing.T, n int) {
	t.Helper()
	require.Eventually(t, func() bool {
		var have int
		err := q.pool.QueryRow(t.Context(), `SELECT count(*) FROM river_job WHERE finalized_at IS NOT NULL`).Scan(&have)
		return err == nil && have >= n // the server may be about to restart
	}, 55*time.Second, 10*time.Millisecond, "%d jobs", n)
}

// rows returns all jobs.
func (q *queue) rows(t *testing.T) (rows []*rivertype.JobRow) {
	t.Helper()
	found, err := q.pool.Query(t.Context(),
		`SELECT id, attempt, state, to_jsonb(errors), row_to_json(j)::text FROM river_job j ORDER BY id`)
	require.NoError(t, err)
	for found.Next() {
		var row rivertype.JobRow
		var all string
		var records []byte
		require.NoError(t, found.Scan(&row.ID, &row.Attempt, &row.State, &records, &all))
		if records != nil {
			require.NoError(t, json.Unmarshal(records, &row.Errors))
		}
		require.NotContains(t, all, secret)
		rows = append(rows, &row)
	}
	require.NoError(t, found.Err())
	return rows
}

// counts is what happened.
type counts struct {
	Attempts                        int // runs of the worker
	Lost                            int // attempts that River gave up for lost
	Repeated                        int // lost attempts that had succeeded, or failed with a permanent error
	Completed, Discarded, Cancelled int // jobs
	Overlapped                      int // jobs with an attempt that ended after River gave it up
	EndedLost                       int // jobs that were discarded without a run of the worker
}

// check compares the state of a job with its runs. Every attempt must be a run, or must be recorded as
// lost. The policy's rules then determine the job's state.
func (c *counts) check(t *testing.T, row *rivertype.JobRow, runs jobRuns) {
	t.Helper()
	c.countState(row.State)
	c.Attempts += len(runs)
	assert.LessOrEqual(t, len(runs), row.Attempt, "job %d has runs that River does not know", row.ID)
	rescued, late := rescuedAttempts(row)
	c.countLost(rescued, runs)
	if late || endedLate(row, rescued, runs) {
		c.Overlapped++
		assert.True(t, explained(row.State, runs), "job %d: %+v", row.ID, row)
		return
	}
	assert.Equal(t, c.derive(t, row, rescued, runs), row.State, "job %d: %+v", row.ID, row)
}

// derive returns the state that follows from the runs.
func (c *counts) derive(t *testing.T, row *rivertype.JobRow, rescued map[int]time.Time, runs jobRuns) (state rivertype.JobState) {
	t.Helper()
	var due time.Time // the earliest start of the next attempt
	for attempt := 1; attempt <= row.Attempt; attempt++ {
		run, wait := runs[attempt], waits[min(attempt, len(waits))-1]
		gaveUp, isLost := rescued[attempt]
		require.Empty(t, state, "job %d goes on after its end: %+v", row.ID, row)
		if attempt == len(waits)+2 {
			assert.Nil(t, run, "job %d: attempt %d runs beyond the limit", row.ID, attempt)
			c.EndedLost++
			return rivertype.JobStateDiscarded
		}
		require.True(t, run != nil || isLost, "job %d: attempt %d is missing: %+v", row.ID, attempt, row)
		if run != nil {
			assert.False(t, run.begin.Before(due), "job %d: attempt %d is %v too soon: %+v", row.ID, attempt, due.Sub(run.begin), row)
		}
		if isLost {
			due = gaveUp.Add(wait)
			continue
		}
		require.NotZero(t, run.end, "job %d: attempt %d has no end", row.ID, attempt)
		state, due = outcome(run, attempt), run.end.Add(wait)
	}
	return state
}

// rescuedAttempts returns when River gave up which attempts for lost. It also reports whether one of these
// attempts has another record. If the server was down, the end of an attempt may be stored after River
// gave the attempt up, and River before v0.48 may give up an attempt that has ended. Two workers then
// run the job, and the first to end it wins.
func rescuedAttempts(row *rivertype.JobRow) (at map[int]time.Time, late bool) {
	at = map[int]time.Time{}
	records := map[int]int{}
	for _, e := range row.Errors {
		records[e.Attempt]++
		if strings.HasPrefix(e.Error, "Stuck job rescued") {
			at[e.Attempt] = e.At
		}
	}
	for attempt := range at {
		late = late || records[attempt] > 1
	}
	return at, late
}

// endedLate reports whether the job's state is that of a success which was stored after River gave up
// the attempt. A success leaves no record.
func endedLate(row *rivertype.JobRow, rescued map[int]time.Time, runs jobRuns) bool {
	if row.State != rivertype.JobStateCompleted || runs[row.Attempt] != nil && runs[row.Attempt].outcome == "ok" {
		return false
	}
	for attempt := range rescued {
		if run := runs[attempt]; run != nil && run.outcome == "ok" {
			return true
		}
	}
	return false
}

// explained reports whether one of the runs leads to the state.
func explained(state rivertype.JobState, runs jobRuns) bool {
	for attempt, run := range runs {
		if outcome(run, attempt) == state {
			return true
		}
	}
	return false
}

// countLost counts the lost attempts, and how many of these had ended the job.
func (c *counts) countLost(rescued map[int]time.Time, runs jobRuns) {
	c.Lost += len(rescued)
	for attempt := range rescued {
		if run := runs[attempt]; run != nil && (run.outcome == "ok" || run.outcome == "permanent") {
			c.Repeated++
		}
	}
}

// outcome returns the job's state after a run that is the policy's n-th attempt. It is empty if another
// attempt follows.
func outcome(run *run, n int) rivertype.JobState {
	switch {
	case run.outcome == "ok":
		return rivertype.JobStateCompleted
	case run.outcome == "permanent":
		return rivertype.JobStateCancelled
	case n > len(waits):
		return rivertype.JobStateDiscarded
	}
	return ""
}

func (c *counts) countState(s rivertype.JobState) {
	switch s {
	case rivertype.JobStateCompleted:
		c.Completed++
	case rivertype.JobStateDiscarded:
		c.Discarded++
	case rivertype.JobStateCancelled:
		c.Cancelled++
	}
}
