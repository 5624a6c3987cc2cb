package main

import (
	"context"
	"time"

	"github.com/seed-205ff063/retry"
)

// engine stores the jobs. The parent process runs the server, and workers connect to its address.
type engine interface {
	// name returns the engine's name.
	name() string
	// address returns the address that workers connect to.
	address() string
	// enqueue adds jobs named 1 to n.
	enqueue(ctx context.Context, n int) error
	// restart restarts the server, or does the nearest thing that it can. It returns what it did.
	restart(ctx context.Context) (done string, err error)
	// left returns how many jobs have not ended.
	left(ctx context.Context) (int, error)
	// deadLetters returns the jobs that failed for good.
	deadLetters(ctx context.Context) ([]deadLetter, error)
	// close stops the server.
	close() error
}

// worker is the part of an engine in a worker process. It calls the handler for each job until ctx ends.
type worker func(ctx context.Context, address string, p *retry.Policy, h handler) error

// workersByEngine are the workers, by the name of their engine.
var workersByEngine = map[string]worker{
	natsName:  workNATS,
	riverName: workRiver,
}

// handler processes the job with that key.
type handler func(ctx context.Context, key string, payload []byte) error

// deadLetter is a job that failed for good.
type deadLetter struct {
	job      string
	reason   string
	err      string
	attempts int
}

// policy is an ordinary policy. It knows nothing about the engine.
var policy = retry.MustNew(
	retry.WithName("mail"),
	retry.WithMaxAttempts(4),
	retry.WithBackoff(retry.Exponential(100*time.Millisecond, 2)),
	retry.WithJitter(retry.EqualJitter),
)
