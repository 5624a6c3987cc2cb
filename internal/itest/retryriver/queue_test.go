package retryriver_test

import (
	"context"
	"log/slog"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"
	"github.com/riverqueue/river/rivertype"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry/internal/itest/servers"
	"github.com/seed-205ff063/retry/retryriver"
)

// task is the arguments of a job.
type task struct {
	N int `json:"n"`
}

func (task) Kind() string { return "task" }

// worker runs a function for each task.
type worker struct {
	river.WorkerDefaults[task]

	fn      func(ctx context.Context, job *river.Job[task]) error
	timeout time.Duration
}

func (w *worker) Work(ctx context.Context, job *river.Job[task]) error { return w.fn(ctx, job) }
func (w *worker) Timeout(*river.Job[task]) time.Duration               { return w.timeout }

// queue is a database with River's tables.
type queue struct {
	pool *pgxpool.Pool
	dsn  string
}

// newQueue creates a queue on its own server.
func newQueue(t *testing.T) *queue {
	t.Helper()
	server := servers.Postgres(t)
	return openQueue(t, server.DSN(""))
}

func openQueue(t *testing.T, dsn string) *queue {
	t.Helper()
	pool, err := pgxpool.New(t.Context(), dsn)
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	migrator, err := rivermigrate.New(riverpgxv5.New(pool), &rivermigrate.Config{Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	_, err = migrator.Migrate(t.Context(), rivermigrate.DirectionUp, nil)
	require.NoError(t, err)
	return &queue{pool, dsn}
}

// client returns a client with quick polling and the retrier of the configuration.
func (q *queue) client(t *testing.T, c retryriver.Config, fn func(ctx context.Context, job *river.Job[task]) error, change ...func(*river.Config)) *river.Client[pgx.Tx] {
	t.Helper()
	workers := river.NewWorkers()
	river.AddWorker(workers, &worker{fn: fn})
	config := &river.Config{
		FetchCooldown:     time.Millisecond,
		FetchPollInterval: 20 * time.Millisecond,
		Logger:            slog.New(slog.DiscardHandler),
		Queues:            map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: 10}},
		TestOnly:          true,
		Workers:           workers,
	}
	for _, f := range change {
		f(config)
	}
	retrier, err := retryriver.New(c)
	require.NoError(t, err)
	retrier.Install(config)
	client, err := river.NewClient(riverpgxv5.New(q.pool), config)
	require.NoError(t, err)
	return client
}

// start runs a client until the test ends.
func (q *queue) start(t *testing.T, c retryriver.Config, fn func(ctx context.Context, job *river.Job[task]) error, change ...func(*river.Config)) *river.Client[pgx.Tx] {
	t.Helper()
	client := q.client(t, c, fn, change...)
	require.NoError(t, client.Start(context.Background()))
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		require.NoError(t, client.StopAndCancel(ctx))
	})
	return client
}

// whileRunning runs a client while fn runs.
func (q *queue) whileRunning(t *testing.T, c retryriver.Config, work func(ctx context.Context, job *river.Job[task]) error, fn func(), change ...func(*river.Config)) {
	t.Helper()
	client := q.client(t, c, work, change...)
	require.NoError(t, client.Start(context.Background()))
	defer func() { require.NoError(t, client.StopAndCancel(context.Background())) }()
	fn()
}

// idle makes a client run no jobs. It still does River's maintenance.
func idle(c *river.Config) { c.Queues = map[string]river.QueueConfig{"nothing": {MaxWorkers: 1}} }

// makeDue makes a waiting job due now.
func (q *queue) makeDue(t *testing.T, id int64) {
	t.Helper()
	_, err := q.pool.Exec(t.Context(), `UPDATE river_job SET state = 'available', scheduled_at = now() WHERE id = $1`, id)
	require.NoError(t, err)
}

// insert inserts a task.
func (q *queue) insert(t *testing.T, client *river.Client[pgx.Tx], opts *river.InsertOpts) *rivertype.JobRow {
	t.Helper()
	inserted, err := client.Insert(t.Context(), task{}, opts)
	require.NoError(t, err)
	return inserted.Job
}

// await waits until the job is in the state and returns its row.
func (q *queue) await(t *testing.T, client *river.Client[pgx.Tx], id int64, state rivertype.JobState) (job *rivertype.JobRow) {
	t.Helper()
	require.Eventually(t, func() bool {
		var err error
		job, err = client.JobGet(t.Context(), id)
		require.NoError(t, err)
		return job.State == state
	}, 20*time.Second, 5*time.Millisecond, "job %d is not %s", id, state)
	return job
}

// pattern returns a pattern for the text, in which * stands for a duration.
func pattern(text string) *regexp.Regexp {
	return regexp.MustCompile("^" + strings.ReplaceAll(regexp.QuoteMeta(text), `\*`, `[0-9.a-zµ]+`) + "$")
}

// metadata returns the job's metadata.
func metadata(job *rivertype.JobRow) string { return string(job.Metadata) }
