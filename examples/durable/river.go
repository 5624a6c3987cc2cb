package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"regexp"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retryriver"
	"github.com/seed-205ff063/retry/retrysql"
)

const (
	riverName   = "River"
	riverSchema = "retry_durable" // of the example alone
	riverStuck  = 2 * time.Second // so long nobody takes over what a dead worker had
)

// riverJob is what River stores of a job.
type riverJob struct {
	Number int `json:"number"`
}

func (riverJob) Kind() string { return "mail" }

// riverEngine is a PostgreSQL server that somebody else runs.
type riverEngine struct {
	dsn    string
	pool   *pgxpool.Pool
	client *river.Client[pgx.Tx] // inserts, and does no work
	asked  time.Time             // when the rescuer was last asked for
}

func newRiver(ctx context.Context, dsn string) (*riverEngine, error) {
	pool, err := pgxpool.New(ctx, dsn)
	if err != nil {
		return nil, err
	}
	client, err := river.NewClient(riverpgxv5.New(pool), &river.Config{Schema: riverSchema, Logger: riverLog})
	if err != nil {
		pool.Close()
		return nil, err
	}
	return &riverEngine{dsn: dsn, pool: pool, client: client}, nil
}

// riverLog is quiet: here servers and workers die on purpose. Elsewhere warnings are worth reading.
var riverLog = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError + 4}))

func (e *riverEngine) name() string    { return riverName }
func (e *riverEngine) address() string { return e.dsn }

// enqueue makes the tables and inserts the jobs.
func (e *riverEngine) enqueue(ctx context.Context, n int) error {
	if err := e.exec(ctx, `DROP SCHEMA IF EXISTS `+riverSchema+` CASCADE`, `CREATE SCHEMA `+riverSchema); err != nil {
		return err
	}
	migrator, err := rivermigrate.New(riverpgxv5.New(e.pool), &rivermigrate.Config{Schema: riverSchema, Logger: riverLog})
	if err != nil {
		return err
	}
	if _, err := migrator.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return err
	}
	jobs := make([]river.InsertManyParams, n)
	for i := range jobs {
		jobs[i].Args = riverJob{i + 1}
	}
	_, err = e.client.InsertManyFast(ctx, jobs)
	return err
}

func (e *riverEngine) exec(ctx context.Context, statements ...string) error {
	for _, s := range statements {
		if _, err := e.pool.Exec(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

// workRiver is a worker's side.
func workRiver(ctx context.Context, dsn string, p *retry.Policy, h handler) error {
	retrier, err := retryriver.New(retryriver.Config{Policy: p})
	if err != nil {
		return err
	}
	workers := river.NewWorkers()
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, job *river.Job[riverJob]) error {
		return h(ctx, retryriver.Key(job.JobRow), []byte(strconv.Itoa(job.Args.Number)))
	}))
	config := &river.Config{
		Schema: riverSchema, Workers: workers, Logger: riverLog,
		Queues:        map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: 4}},
		FetchCooldown: 10 * time.Millisecond, FetchPollInterval: 100 * time.Millisecond,
		JobTimeout: riverStuck / 2, RescueStuckJobsAfter: riverStuck,
	}
	retrier.Install(config)
	pool, err := pgxpool.New(ctx, dsn)
	if err != nil {
		return err
	}
	defer pool.Close()
	// The server may be away just when the worker starts.
	client, err := retry.DoValue(ctx, func(ctx context.Context) (*river.Client[pgx.Tx], error) {
		client, err := river.NewClient(riverpgxv5.New(pool), config)
		if err != nil {
			return nil, retry.Permanent(err)
		}
		return client, client.Start(context.WithoutCancel(ctx))
	}, retry.WithRetryIf(retrysql.Transient), retry.WithMaxAttempts(10))
	if err != nil {
		return err
	}
	<-ctx.Done()
	return client.Stop(context.WithoutCancel(ctx)) // once what is begun has ended
}

// restart drops every connection of the workers, as a restart of the server does: the server is
// somebody else's.
func (e *riverEngine) restart(ctx context.Context) (done string, err error) {
	return "the server dropped all connections", e.exec(ctx, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
		WHERE datname = current_database() AND usename = current_user AND pid <> pg_backend_pid()
		AND query LIKE '%`+riverSchema+`%'`)
}

func (e *riverEngine) left(ctx context.Context) (n int, err error) {
	var stuck int
	err = e.pool.QueryRow(ctx, `SELECT count(*), count(*) FILTER (WHERE state = 'running' AND attempted_at < now() - $1::interval)
		FROM `+riverSchema+`.river_job WHERE finalized_at IS NULL`, 2*riverStuck).Scan(&n, &stuck)
	if err == nil && stuck > 0 && time.Since(e.asked) > 3*riverStuck {
		// River looks for what dead workers left every 30 seconds, and when a worker begins to lead.
		e.asked = time.Now()
		err = e.client.Notify().RequestResign(ctx)
	}
	return n, err
}

// ended reads what the policy says of a job's end.
var ended = regexp.MustCompile(`^retry: (?:\w+: )?(.+) after (\d+) attempts? in \S+: (.*)$`)

// deadLetters are the jobs that River keeps as cancelled, permanent errors, and as discarded.
func (e *riverEngine) deadLetters(ctx context.Context) (letters []deadLetter, err error) {
	rows, err := e.pool.Query(ctx, `SELECT args->>'number', errors[array_length(errors, 1)]->>'error' FROM `+riverSchema+
		`.river_job WHERE state IN ('cancelled', 'discarded')`)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (l deadLetter, err error) {
		var text string
		if err := row.Scan(&l.job, &text); err != nil {
			return l, err
		}
		parts := ended.FindStringSubmatch(text)
		if parts == nil {
			return l, fmt.Errorf("job %s ended with %q", l.job, text)
		}
		l.reason, l.err = parts[1], parts[3]
		l.attempts, err = strconv.Atoi(parts[2])
		return l, err
	})
}

// close removes the tables.
func (e *riverEngine) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	defer e.pool.Close()
	return e.exec(ctx, `DROP SCHEMA IF EXISTS `+riverSchema+` CASCADE`)
}
