// Durable works on jobs that survive the death of a worker and a restart of the server: a policy of this
// library on an engine that stores the jobs.
//
//	go run ./examples/durable
//	go run ./examples/durable -jobs 1000 -dir /tmp/durable
//	go run ./examples/durable -dsn postgres://localhost/test
//
// It takes about three seconds:
//
//  1. it starts the engine: an embedded NATS JetStream that keeps its data in a folder, or with -dsn
//     River on your PostgreSQL, in a schema of its own that is dropped at the end;
//  2. it starts workers, which are processes of this same program;
//  3. it kills a worker and starts it again, then restarts the server;
//  4. it prints what was done once, what twice and why, and what is in the dead letters.
//
// On a terminal a progress bar shows how many jobs have ended. Worth a look:
//
//   - the policy is an ordinary one, and the handler marks permanent errors as everywhere in this
//     library. See policy and handle;
//   - work is done at least once. If a worker dies between the work and the acknowledgement, the job
//     is done again. The receiver knows jobs by their key and takes each once. See mailbox;
//   - the engine is behind an interface, with a file for each. See engine.
package main

import (
	"context"
	_ "embed"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"syscall"

	"github.com/seed-205ff063/retry/examples/internal/help"
	"github.com/seed-205ff063/retry/examples/internal/progress"
)

//go:embed main.go
var source string

func main() {
	o := options{}
	o.register(flag.CommandLine)
	help.Parse(source)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := start(ctx, os.Stdout, o)
	stop()
	if err != nil {
		log.Fatal(err)
	}
}

// options are the flags.
type options struct {
	jobs    int
	workers int
	dir     string // for the engine's data and the mailbox; if empty, a temporary one
	dsn     string // of PostgreSQL; if empty, NATS is used
}

func (o *options) register(flags *flag.FlagSet) {
	flags.IntVar(&o.jobs, "jobs", 300, "how many `jobs` to enqueue, at least 1")
	flags.IntVar(&o.workers, "workers", 3, "how many worker `processes` to start, at least 1")
	flags.StringVar(&o.dir, "dir", "", "`folder` for the data, which is kept; by default a new one that is removed")
	flags.StringVar(&o.dsn, "dsn", "", "`DSN` of a PostgreSQL server, to use River instead of NATS")
}

// start runs a worker if the environment says so, and the whole program otherwise.
func start(ctx context.Context, w io.Writer, o options) error {
	if isWorker() {
		return work(ctx)
	}
	return run(ctx, w, o)
}

// run runs the demo, prints the report, and checks that no job is lost.
func run(ctx context.Context, w io.Writer, o options) (err error) {
	if o.jobs < 1 || o.workers < 1 {
		return fmt.Errorf("-jobs %d, -workers %d: there must be at least 1 of each", o.jobs, o.workers)
	}
	dir, remove, err := dataDir(o.dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, remove()) }()
	e, err := newEngine(ctx, o, dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.close()) }()
	d := &demo{engine: e, mailbox: mailbox{dir}, jobs: o.jobs, bar: progress.New(int64(o.jobs))}
	if err := d.run(ctx, w, o.workers); err != nil {
		return err
	}
	r, err := d.inspect(ctx)
	if err != nil {
		return err
	}
	r.print(w)
	return r.check()
}

// newEngine starts the engine.
func newEngine(ctx context.Context, o options, dir string) (engine, error) {
	if o.dsn != "" {
		return newRiver(ctx, o.dsn)
	}
	return newNATS(dir)
}

// dataDir returns the given folder, or a temporary one. Call remove at the end.
func dataDir(given string) (dir string, remove func() error, err error) {
	if given != "" {
		return given, func() error { return nil }, os.MkdirAll(given, 0o700)
	}
	dir, err = os.MkdirTemp("", "durable")
	return dir, func() error { return os.RemoveAll(dir) }, err
}
