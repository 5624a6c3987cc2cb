package main

import (
	"context"
	"time"

	"github.com/seed-205ff063/retry"
)

// engine keeps the jobs. The parent process has the server; workers reach it by address.
type engine interface {
	// name is what to call it.
	name() string
	// address is what a worker needs to reach it, as text.
	address() string
	// enqueue adds jobs named 1 to n.
	enqueue(ctx context.Context, n int) error
	// restart stops the server and starts it again, or does what is nearest to that, and says
	// what it did.
	restart(ctx context.Context) (done string, err error)
	// left is how many jobs have not ended.
	left(ctx context.Context) (int, error)
	// deadLetters are the jobs that failed for good.
	deadLetters(ctx context.Context) ([]deadLetter, error)
	// close stops the server.
	close() error
}

// worker is an engine's side in a worker's process: it runs the handler for each job until ctx ends.
type worker func(ctx context.Context, address string, p *retry.Policy, h handler) error

// workersOf are the engines that a worker's process can be of, by name.
var workersOf = map[string]worker{
	natsName:  workNATS,
	riverName: workRiver,
}

// handler works on the job with that key.
type handler func(ctx context.Context, key string, payload []byte) error

// deadLetter is a job that failed for good.
type deadLetter struct {
	job      string
	reason   string
	err      string
	attempts int
}

// policy is an ordinary one: it knows nothing of the engine.
var policy = retry.MustNew(
	retry.WithName("mail"),
	retry.WithMaxAttempts(4),
	retry.WithBackoff(retry.Exponential(100*time.Millisecond, 2)),
	retry.WithJitter(retry.EqualJitter),
)
