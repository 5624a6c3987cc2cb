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

// caller makes transfers, one after the other, and counts what became of the attempts. Hooks and
// settlers run where the call does, so it needs no lock.
type caller struct {
	name   string
	runner *retrysql.Runner
	out    *log.Logger

	current   string // transfer
	transfers int    // that succeeded
	attempts  int
	most      int            // attempts for one transfer
	failed    map[string]int // attempts, by code
	settled   map[string]int // COMMITs without a reply, by what became of them
}

// policy is patient in time and not in number, for a writer may lose several times in a row.
// Which errors pass is what retrysql knows.
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
		c.failed[codeOf(a.Err)]++
	}
}

func (c *caller) done(_ context.Context, o retry.Outcome) {
	c.attempts += o.Attempts
	c.most = max(c.most, o.Attempts)
	if o.Err == nil {
		c.transfers++
	}
}

// work makes the transfers of the list. At every fourth it meets the other writer.
func (c *caller) work(ctx context.Context, list []transfer, m meeting) error {
	for i, t := range list {
		var between func(context.Context) error
		if i%4 == 0 {
			between = m.once()
		}
		if err := c.make(ctx, t, between); err != nil {
			return err
		}
	}
	return nil
}

// make is all that it takes to have a transaction run until it is committed.
func (c *caller) make(ctx context.Context, t transfer, between func(context.Context) error) error {
	c.current = t.id
	err := c.runner.InTx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		return t.book(ctx, tx, between)
	})
	if err != nil {
		return fmt.Errorf("transfer %s: %w", t.id, err)
	}
	return nil
}

// meeting is where the writers wait for each other between reading and writing. So they collide
// in every run, on the slowest machine as on the fastest.
type meeting chan struct{}

// once returns a function that waits for the other writer the first time it is called, for the
// other one does not come again because an attempt failed.
func (m meeting) once() func(ctx context.Context) error {
	met := false
	return func(ctx context.Context) error {
		if met {
			return nil
		}
		select {
		case m <- struct{}{}:
		case <-m:
		case <-ctx.Done():
			return ctx.Err()
		}
		met = true
		return nil
	}
}

// witness is a Settler that tells the caller what another one found out.
type witness struct {
	retrysql.Settler

	caller *caller
}

func (w witness) Settle(ctx context.Context, db *sql.DB, id string) (retrysql.Outcome, error) {
	outcome, err := w.Settler.Settle(ctx, db, id)
	if err == nil && outcome != retrysql.Unknown { // or else it is asked again
		w.caller.settled[outcome.String()]++
		w.caller.out.Printf("%s: no reply to COMMIT, the database says: %v", w.caller.current, outcome)
	}
	return outcome, err
}
