package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/examples/internal/progress"
)

// demo has the jobs done while it stops workers and the server.
type demo struct {
	engine  engine
	mailbox mailbox
	jobs    int
	bar     *progress.Bar
	workers []*process
}

// run waits until all jobs are done. Meanwhile it kills a worker and restarts the server.
func (d *demo) run(ctx context.Context, w io.Writer, workers int) (err error) {
	w = d.bar.Writer(w)
	defer func() { err = errors.Join(err, d.stop()) }()
	if err := d.mailbox.empty(); err != nil {
		return err
	}
	if err := d.engine.enqueue(ctx, d.jobs); err != nil {
		return err
	}
	for range workers {
		p := newProcess(d.engine, d.mailbox)
		if err := p.start(); err != nil {
			return err
		}
		d.workers = append(d.workers, p)
	}
	fmt.Fprintf(w, "%d jobs, %d worker processes, %s\n", d.jobs, workers, d.engine.name())
	if err := d.waitUntilLeft(ctx, 4*d.jobs/5); err != nil {
		return err
	}
	if err := d.workers[0].kill(); err != nil {
		return err
	}
	if err := d.workers[0].start(); err != nil {
		return err
	}
	fmt.Fprintln(w, "a worker was killed and started again")
	if err := d.waitUntilLeft(ctx, 2*d.jobs/5); err != nil {
		return err
	}
	done, err := d.engine.restart(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintln(w, done)
	return d.waitUntilLeft(ctx, 0)
}

// errLeft is the error of an attempt of waitUntilLeft.
var errLeft = errors.New("there are jobs left")

// waitUntilLeft waits until at most left jobs have not ended. It asks again if the server is away.
func (d *demo) waitUntilLeft(ctx context.Context, left int) error {
	return retry.Do(ctx, func(ctx context.Context) error {
		n, err := d.engine.left(ctx)
		if err != nil {
			return err
		}
		d.bar.Set(int64(d.jobs - n))
		if n > left {
			return errLeft
		}
		return nil
	}, retry.WithMaxAttempts(retry.Unlimited), retry.WithMaxElapsed(2*time.Minute),
		retry.WithAttemptTimeout(2*time.Second), retry.WithBackoff(retry.Constant(50*time.Millisecond)))
}

// stop stops the workers. They finish the jobs that have begun.
func (d *demo) stop() error {
	d.bar.Close()
	var errs []error
	for _, p := range d.workers {
		errs = append(errs, p.stop())
	}
	return errors.Join(errs...)
}

// inspect returns what happened to the jobs.
func (d *demo) inspect(ctx context.Context) (*report, error) {
	deliveries, err := d.mailbox.deliveries()
	if err != nil {
		return nil, err
	}
	mails, err := d.mailbox.mails()
	if err != nil {
		return nil, err
	}
	letters, err := d.engine.deadLetters(ctx)
	if err != nil {
		return nil, err
	}
	return newReport(d.jobs, deliveries, mails, letters), nil
}
