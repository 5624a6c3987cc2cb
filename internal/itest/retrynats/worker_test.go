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
	failing     = 31 // attempts of a hundred, permanent ones among them
	permanent   = 2
	handlers    = 8 // of a worker
	ackWait     = 3 * time.Second
	secret      = "token=hunter2" // in the text of every error
)

var errFlaky = errors.New("the service is down, " + secret)

// resultOf is how that attempt of the job ends. It is known beforehand, so that the end of a job can
// be derived.
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

// work is a worker's process.
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

// now is the attempt that a handler makes, which the policy's hooks tell and are told.
type now struct {
	attempt retry.Attempt
	job     string
}

type nowKey struct{}

func nowOf(ctx context.Context) *now { return ctx.Value(nowKey{}).(*now) }

// policy is one whose waits are in the ledger too.
func (l *ledger) policy() *retry.Policy {
	return retry.MustNew(
		retry.WithName("job"),
		retry.WithMaxAttempts(maxAttempts),
		retry.WithBackoff(retry.Exponential(200*time.Millisecond, 2)),
		retry.WithJitter(retry.EqualJitter),
		retry.WithLogger(slog.New(slog.NewTextHandler(os.Stderr, nil))),
		retry.WithHooks(retry.Hooks{
			Start: func(ctx context.Context) context.Context { return context.WithValue(ctx, nowKey{}, &now{}) },
			BeforeAttempt: func(ctx context.Context, a retry.Attempt) context.Context {
				nowOf(ctx).attempt = a
				return ctx
			},
			BeforeWait: func(ctx context.Context, a retry.Attempt) {
				l.write(record{Event: "wait", Job: nowOf(ctx).job, Attempt: a.Number, Delay: a.Delay})
			},
		}))
}

// handle makes an attempt as resultOf says.
func (l *ledger) handle(ctx context.Context, msg jetstream.Msg) error {
	n := nowOf(ctx)
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
