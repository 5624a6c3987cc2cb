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
	riverSchema = "retry_durable" // only for this example
	riverStuck  = 2 * time.Second // another worker takes over a dead worker's jobs after that time
)

// riverJob is the arguments that River stores for a job.
type riverJob struct {
	Number int `json:"number"`
}

func (riverJob) Kind() string { return "mail" }

// riverEngine is River on a PostgreSQL server that is already running.
type riverEngine struct {
	dsn    string
	pool   *pgxpool.Pool
	client *river.Client[pgx.Tx] // only inserts jobs
	asked  time.Time             // when left last asked for a rescue
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

// riverLog logs nothing, because servers and workers stop on purpose. Elsewhere warnings are worth reading.
var riverLog = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError + 4}))

func (e *riverEngine) name() string    { return riverName }
func (e *riverEngine) address() string { return e.dsn }

// enqueue creates the tables and inserts the jobs.
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

// workRiver is the worker of River.
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
	// The server may be away when the worker starts.
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
	return client.Stop(context.WithoutCancel(ctx)) // after the jobs that have begun
}

// restart drops every connection of the workers, as a restart of the server does. It cannot restart a server
// that others may use.
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
		// River looks for the jobs of dead workers every 30 seconds, and when a new leader is elected.
		e.asked = time.Now()
		err = e.client.Notify().RequestResign(ctx)
	}
	return n, err
}

// endText matches the error of a job that failed for good.
var endText = regexp.MustCompile(`^retry: (?:\w+: )?(.+) after (\d+) attempts? in \S+: (.*)$`)

// deadLetters returns the jobs that River has cancelled, after permanent errors, and discarded.
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
		parts := endText.FindStringSubmatch(text)
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
