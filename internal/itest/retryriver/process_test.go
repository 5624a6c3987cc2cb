package retryriver_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retryriver"
)

const (
	secret = "hunter2" // in every error of a worker; it must not be stored or logged

	dsnEnv    = "RETRYRIVER_WORKER_DSN" // makes this program a worker process
	ledgerEnv = "RETRYRIVER_WORKER_LEDGER"
)

// TestMain runs the tests, or a worker process for a test.
func TestMain(m *testing.M) {
	if dsn := os.Getenv(dsnEnv); dsn != "" {
		if err := workProcess(dsn, os.Getenv(ledgerEnv)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// waits are the waits of the worker processes' policy. They have no jitter, so the test knows them.
var waits = []time.Duration{200 * time.Millisecond, 400 * time.Millisecond, 600 * time.Millisecond}

var errPermanent = errors.New("never again")

// processPolicy returns the policy of worker processes.
func processPolicy(log *slog.Logger) *retry.Policy {
	return retry.MustNew(retry.WithName("proof"), retry.WithMaxAttempts(len(waits)+1),
		retry.WithBackoff(retry.Sequence(waits...)), retry.WithLogger(log), retry.WithStopIf(retry.Is(errPermanent)))
}

// resultOf returns how an attempt of a job ends: 31 % fail, 3 % of all with a permanent error. It always
// returns the same for the same attempt, so that the test can compute how a job must end.
func resultOf(id int64, attempt int) string {
	switch n := rand.New(rand.NewPCG(uint64(id), uint64(attempt))).IntN(100); { //nolint:gosec // the same in every process
	case n < 3:
		return "permanent"
	case n < 31:
		return "failed"
	}
	return "ok"
}

// workProcess is the main function of a worker process. SIGTERM ends it.
func workProcess(dsn, folder string) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	l, err := openLedger(folder)
	if err != nil {
		return err
	}
	pool, err := pgxpool.New(ctx, dsn)
	if err != nil {
		return err
	}
	defer pool.Close()
	client, err := river.NewClient(riverpgxv5.New(pool), processConfig(l))
	if err != nil {
		return err
	}
	if err := client.Start(context.WithoutCancel(ctx)); err != nil {
		return err
	}
	<-ctx.Done()
	return client.Stop(context.WithoutCancel(ctx))
}

func processConfig(l *ledger) *river.Config {
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	workers := river.NewWorkers()
	river.AddWorker(workers, &worker{fn: func(_ context.Context, job *river.Job[task]) error {
		l.write("begin", job.ID, job.Attempt)
		time.Sleep(time.Duration(10+job.ID%40) * time.Millisecond)
		outcome := resultOf(job.ID, job.Attempt)
		l.write(outcome, job.ID, job.Attempt)
		switch outcome {
		case "failed":
			return fmt.Errorf("password %s is wrong", secret)
		case "permanent":
			return fmt.Errorf("password %s: %w", secret, errPermanent)
		}
		return nil
	}})
	config := &river.Config{
		FetchCooldown:        5 * time.Millisecond,
		FetchPollInterval:    100 * time.Millisecond,
		JobTimeout:           time.Second,
		RescueStuckJobsAfter: 4 * time.Second,
		Logger:               log,
		Queues:               map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: 12}},
		Workers:              workers,
	}
	retrier, err := retryriver.New(retryriver.Config{
		Policy: processPolicy(log),
		Redact: func(err error) string { return strings.ReplaceAll(err.Error(), secret, "…") },
	})
	if err != nil {
		panic(err)
	}
	retrier.Install(config)
	return config
}

// process is a worker process. If it ends by itself it is started again, as a service manager does.
// It may end by itself because River cannot start while the server restarts, and because River before
// v0.48 crashes if a job is rescued while its end is stored.
type process struct {
	t                  *testing.T
	dsn, ledgers, logs string

	mu      sync.Mutex
	cmd     *exec.Cmd
	stopped bool
	exited  chan struct{} // closed when the process has ended and is not started again
}

func startProcess(t *testing.T, dsn, ledgers, logs string) *process {
	t.Helper()
	p := &process{t: t, dsn: dsn, ledgers: ledgers, logs: logs, exited: make(chan struct{})}
	require.NoError(t, p.start())
	go p.supervise()
	t.Cleanup(p.kill)
	return p
}

func (p *process) start() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stopped {
		return errStopped
	}
	program, err := os.Executable()
	if err != nil {
		return err
	}
	log, err := os.CreateTemp(p.logs, "log")
	if err != nil {
		return err
	}
	p.cmd = exec.CommandContext(context.Background(), program)
	p.cmd.Env = append(os.Environ(), dsnEnv+"="+p.dsn, ledgerEnv+"="+p.ledgers)
	p.cmd.Stdout, p.cmd.Stderr = log, log
	return p.cmd.Start()
}

var errStopped = errors.New("stopped")

func (p *process) supervise() {
	defer close(p.exited)
	for {
		err := p.cmd.Wait()
		if again := p.start(); again != nil {
			return
		}
		p.t.Logf("a process ended by itself: %v", err)
		time.Sleep(50 * time.Millisecond)
	}
}

// kill ends the process with SIGKILL.
func (p *process) kill() { p.end(syscall.SIGKILL) }

// stop ends the process with SIGTERM, as a deployment does.
func (p *process) stop() { p.end(syscall.SIGTERM) }

func (p *process) end(s os.Signal) {
	p.mu.Lock()
	p.stopped = true
	_ = p.cmd.Process.Signal(s) // fails if the process has just ended
	p.mu.Unlock()
	<-p.exited
}

// readLogs returns everything that the worker processes logged.
func readLogs(t *testing.T, folder string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "log*"))
	require.NoError(t, err)
	var all strings.Builder
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		all.Write(text)
	}
	return all.String()
}
