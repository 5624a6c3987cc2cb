package main

import (
	"context"
	"database/sql"
	"fmt"
	"log"
	"time"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrysql"
)

// caller makes transfers, one after the other, and counts the attempts and how they ended. Hooks and
// settlers run in the goroutine of the call, so it needs no lock.
type caller struct {
	name   string
	runner *retrysql.Runner
	out    *log.Logger

	current   string // id of the transfer
	transfers int    // number of those that succeeded
	attempts  int
	most      int            // highest number of attempts for one transfer
	failed    map[string]int // number of failed attempts, by code
	settled   map[string]int // number of COMMITs without a reply, by outcome
}

// policy limits the time and not the attempts, because a writer may lose several times in a row.
// retrysql decides which errors are transient.
func policy(c *caller) *retry.Policy {
	return retry.MustNew(
		retry.WithName(c.name),
		retry.WithMaxAttempts(retry.Unlimited),
		retry.WithMaxElapsed(10*time.Second),
		retry.WithBackoff(retry.Exponential(2*time.Millisecond, 2)),
		retry.WithMaxDelay(100*time.Millisecond),
		retry.WithHooks(retry.Hooks{AfterAttempt: c.afterAttempt, Done: c.done}),
	)
}

func (c *caller) afterAttempt(_ context.Context, a retry.Attempt) {
	if a.Err != nil {
		c.failed[codeName(a.Err)]++
	}
}

func (c *caller) done(_ context.Context, o retry.Outcome) {
	c.attempts += o.Attempts
	c.most = max(c.most, o.Attempts)
	if o.Err == nil {
		c.transfers++
	}
}

// work makes the transfers of the list. In every fourth it waits for the other writer.
func (c *caller) work(ctx context.Context, list []transfer, r rendezvous) error {
	for i, t := range list {
		var between func(context.Context) error
		if i%4 == 0 {
			between = r.once()
		}
		if err := c.makeTransfer(ctx, t, between); err != nil {
			return err
		}
	}
	return nil
}

// makeTransfer runs one transaction until it is committed or must fail.
func (c *caller) makeTransfer(ctx context.Context, t transfer, between func(context.Context) error) error {
	c.current = t.id
	err := c.runner.InTx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		return t.book(ctx, tx, between)
	})
	if err != nil {
		return fmt.Errorf("transfer %s: %w", t.id, err)
	}
	return nil
}

// rendezvous is where the two writers wait for each other between reading and writing. So their
// transactions conflict in every run, on a slow machine and on a fast one.
type rendezvous chan struct{}

// once returns a function that waits for the other writer when it is first called. It does not wait
// again in later attempts, because the other writer may have none.
func (r rendezvous) once() func(ctx context.Context) error {
	met := false
	return func(ctx context.Context) error {
		if met {
			return nil
		}
		select {
		case r <- struct{}{}:
		case <-r:
		case <-ctx.Done():
			return ctx.Err()
		}
		met = true
		return nil
	}
}

// countingSettler is a Settler that counts and prints the outcomes that another one finds.
type countingSettler struct {
	retrysql.Settler

	caller *caller
}

func (s countingSettler) Settle(ctx context.Context, db *sql.DB, id string) (retrysql.Outcome, error) {
	outcome, err := s.Settler.Settle(ctx, db, id)
	if err == nil && outcome != retrysql.Unknown { // Unknown is asked again
		s.caller.settled[outcome.String()]++
		s.caller.out.Printf("%s: no reply to COMMIT, the database says: %v", s.caller.current, outcome)
	}
	return outcome, err
}
