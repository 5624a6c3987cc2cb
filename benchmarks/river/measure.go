package main

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"
)

const schema = "retry_bench"

// table holds the costs of one load.
type table struct {
	title string
	cost  []cost // in the order of the contenders
}

// cost is the cost of a job: medians over the rounds.
type cost struct{ wall, processor time.Duration }

var (
	errFailed = errors.New("failed")
	quiet     = slog.New(slog.DiscardHandler)
)

// job is a job without arguments.
type job struct{}

func (job) Kind() string { return "bench" }

func measure(ctx context.Context, s settings) (tables []table, err error) {
	pool, err := pgxpool.New(ctx, s.dsn)
	if err != nil {
		return nil, err
	}
	defer pool.Close()
	defer func() {
		_, dropErr := pool.Exec(ctx, `DROP SCHEMA IF EXISTS `+schema+` CASCADE`)
		err = errors.Join(err, dropErr)
	}()
	for _, failing := range []int64{0, 10} {
		t := table{title: map[int64]string{0: "nothing fails", 10: "a tenth of the attempts fails"}[failing]}
		rounds := make([][]cost, len(contenders()))
		for range s.rounds {
			for i, c := range contenders() {
				one, err := measureOne(ctx, pool, s, failing, c)
				if err != nil {
					return nil, err
				}
				rounds[i] = append(rounds[i], one)
			}
		}
		for _, costs := range rounds {
			t.cost = append(t.cost, median(costs))
		}
		tables = append(tables, t)
	}
	return tables, nil
}

// measureOne fills River's table with jobs and measures how the contender works them off.
func measureOne(ctx context.Context, pool *pgxpool.Pool, s settings, failing int64, c contender) (cost, error) {
	var attempts, done atomic.Int64
	finished := make(chan struct{})
	workers := river.NewWorkers()
	river.AddWorker(workers, river.WorkFunc(func(context.Context, *river.Job[job]) error {
		if failing > 0 && attempts.Add(1)%failing == 0 {
			return errFailed
		}
		if done.Add(1) == int64(s.jobs) {
			close(finished)
		}
		return nil
	}))
	config := &river.Config{
		Schema: schema, Workers: workers, Logger: quiet, TestOnly: true,
		FetchCooldown: time.Millisecond, FetchPollInterval: 10 * time.Millisecond,
		Queues: map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: 100}},
	}
	if err := c.set(config); err != nil {
		return cost{}, err
	}
	client, err := river.NewClient(riverpgxv5.New(pool), config)
	if err != nil {
		return cost{}, err
	}
	if err := empty(ctx, pool); err != nil {
		return cost{}, err
	}
	if _, err := client.InsertManyFast(ctx, blank(s.jobs)); err != nil {
		return cost{}, err
	}
	start, used := time.Now(), processorTime()
	if err := client.Start(ctx); err != nil {
		return cost{}, err
	}
	<-finished
	spent := cost{time.Since(start), processorTime() - used}
	if err := client.Stop(ctx); err != nil {
		return cost{}, err
	}
	n := time.Duration(s.jobs)
	return cost{spent.wall / n, spent.processor / n}, nil
}

// blank returns n jobs to insert.
func blank(n int) []river.InsertManyParams {
	jobs := make([]river.InsertManyParams, n)
	for i := range jobs {
		jobs[i].Args = job{}
	}
	return jobs
}

// empty drops River's tables and creates them again.
func empty(ctx context.Context, pool *pgxpool.Pool) error {
	for _, s := range []string{`DROP SCHEMA IF EXISTS ` + schema + ` CASCADE`, `CREATE SCHEMA ` + schema} {
		if _, err := pool.Exec(ctx, s); err != nil {
			return err
		}
	}
	migrator, err := rivermigrate.New(riverpgxv5.New(pool), &rivermigrate.Config{Schema: schema, Logger: quiet})
	if err != nil {
		return err
	}
	_, err = migrator.Migrate(ctx, rivermigrate.DirectionUp, nil)
	return err
}

// processorTime returns the time that this process has used.
func processorTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func median(costs []cost) cost {
	by := func(of func(cost) time.Duration) time.Duration {
		all := make([]time.Duration, 0, len(costs))
		for _, c := range costs {
			all = append(all, of(c))
		}
		slices.Sort(all)
		return all[len(all)/2]
	}
	return cost{
		by(func(c cost) time.Duration { return c.wall }),
		by(func(c cost) time.Duration { return c.processor }),
	}
}
