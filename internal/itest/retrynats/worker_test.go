package retrynats_test

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrynats"
)

const (
	jobs        = 2000
	maxAttempts = 4
	failing     = 31 // % of the attempts that fail
	permanent   = 2  // % of the attempts that fail with a permanent error
	handlers    = 8  // of each worker
	ackWait     = 3 * time.Second
	secret      = "token=hunter2" // in the text of every error
)

var errFlaky = errors.New("the service is down, " + secret)

// resultOf returns how an attempt of a job ends. It always returns the same for the same attempt, so
// that the tests can compute how a job must end.
func resultOf(job string, attempt int) string {
	h := fnv.New32a()
	fmt.Fprint(h, job, "/", attempt)
	switch n := h.Sum32() % 100; {
	case n < permanent:
		return "permanent"
	case n < failing:
		return "failed"
	}
	return "done"
}

// work is the main function of a worker process.
func work() error {
	endWithParent()
	ctx, stop := untilTerm()
	defer stop()
	l, err := openLedger(os.Getenv("LEDGER"), os.Getenv("WORKER"))
	if err != nil {
		return err
	}
	conn, err := connect(os.Getenv("URL"))
	if err != nil {
		return err
	}
	defer conn.Close()
	js, err := jetstream.New(conn)
	if err != nil {
		return err
	}
	consumer, err := js.Consumer(ctx, "JOBS", "workers")
	if err != nil {
		return err
	}
	cfg := retrynats.Config{
		Policy: l.policy(), Workers: handlers, DeadLetter: "dead.jobs",
		Redact: func(err error) string { return strings.ReplaceAll(err.Error(), secret, "token=…") },
		Logger: slog.New(slog.NewTextHandler(os.Stderr, nil)),
	}
	if os.Getenv("STATE") != "" {
		if cfg.State, err = js.KeyValue(ctx, "state"); err != nil {
			return err
		}
	}
	return retrynats.Consume(ctx, js, consumer, l.handle, cfg)
}

// current is the attempt that a handler makes. The policy's hooks and the handler share it.
type current struct {
	attempt retry.Attempt
	job     string
}

type currentKey struct{}

func currentOf(ctx context.Context) *current { return ctx.Value(currentKey{}).(*current) }

// policy returns a policy that also writes its waits to the ledger.
func (l *ledger) policy() *retry.Policy {
	return retry.MustNew(
		retry.WithName("job"),
		retry.WithMaxAttempts(maxAttempts),
		retry.WithBackoff(retry.Exponential(200*time.Millisecond, 2)),
		retry.WithJitter(retry.EqualJitter),
		retry.WithLogger(slog.New(slog.NewTextHandler(os.Stderr, nil))),
		retry.WithHooks(retry.Hooks{
			Start: func(ctx context.Context) context.Context { return context.WithValue(ctx, currentKey{}, &current{}) },
			BeforeAttempt: func(ctx context.Context, a retry.Attempt) context.Context {
				currentOf(ctx).attempt = a
				return ctx
			},
			BeforeWait: func(ctx context.Context, a retry.Attempt) {
				l.write(record{Event: "wait", Job: currentOf(ctx).job, Attempt: a.Number, Delay: a.Delay})
			},
		}))
}

// handle makes an attempt that ends as resultOf says.
func (l *ledger) handle(ctx context.Context, msg jetstream.Msg) error {
	n := currentOf(ctx)
	n.job = retrynats.Key(msg)
	l.write(record{Event: "begin", Job: n.job, Attempt: n.attempt.Number})
	select {
	case <-time.After(20 * time.Millisecond):
	case <-ctx.Done():
		l.write(record{Event: "stopped", Job: n.job, Attempt: n.attempt.Number})
		return ctx.Err()
	}
	result := resultOf(n.job, n.attempt.Number)
	l.write(record{Event: result, Job: n.job, Attempt: n.attempt.Number})
	switch result {
	case "failed":
		return errFlaky
	case "permanent":
		return retry.Permanent(errFlaky)
	}
	return nil
}
