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

// demo is the jobs, the workers and what happens to them.
type demo struct {
	engine  engine
	box     mailbox
	jobs    int
	bar     *progress.Bar
	workers []*process
}

// run has all jobs done. On the way it kills a worker and restarts the server.
func (d *demo) run(ctx context.Context, w io.Writer, workers int) (err error) {
	w = d.bar.Writer(w)
	defer func() { err = errors.Join(err, d.stop()) }()
	if err := d.box.empty(); err != nil {
		return err
	}
	if err := d.engine.enqueue(ctx, d.jobs); err != nil {
		return err
	}
	for range workers {
		p := newProcess(d.engine, d.box)
		if err := p.start(); err != nil {
			return err
		}
		d.workers = append(d.workers, p)
	}
	fmt.Fprintf(w, "%d jobs, %d worker processes, %s\n", d.jobs, workers, d.engine.name())
	if err := d.until(ctx, 4*d.jobs/5); err != nil {
		return err
	}
	if err := d.workers[0].kill(); err != nil {
		return err
	}
	if err := d.workers[0].start(); err != nil {
		return err
	}
	fmt.Fprintln(w, "a worker was killed and started again")
	if err := d.until(ctx, 2*d.jobs/5); err != nil {
		return err
	}
	done, err := d.engine.restart(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintln(w, done)
	return d.until(ctx, 0)
}

// errLeft says that there are more jobs than are waited for.
var errLeft = errors.New("there are jobs left")

// until waits until no more jobs are left than that. A server that is away is asked again.
func (d *demo) until(ctx context.Context, left int) error {
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

// stop ends the workers, which finish what they have begun.
func (d *demo) stop() error {
	d.bar.Close()
	var errs []error
	for _, p := range d.workers {
		errs = append(errs, p.stop())
	}
	return errors.Join(errs...)
}

// inspect looks at what came of the jobs.
func (d *demo) inspect(ctx context.Context) (*report, error) {
	deliveries, err := d.box.deliveries()
	if err != nil {
		return nil, err
	}
	mails, err := d.box.mails()
	if err != nil {
		return nil, err
	}
	letters, err := d.engine.deadLetters(ctx)
	if err != nil {
		return nil, err
	}
	return newReport(d.jobs, deliveries, mails, letters), nil
}
