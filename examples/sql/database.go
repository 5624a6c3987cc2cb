package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log"

	"golang.org/x/sync/errgroup"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrysql"
)

// database is where the transfers are made.
type database struct {
	title   string
	handles [2]*sql.DB // one for each writer
	options *sql.TxOptions
	settle  retrysql.Settler
	close   func() error // also removes what was created
}

// schema is SQL that both databases understand. Its CHECK refuses a transfer of too much.
const schema = `
	CREATE TABLE accounts (
		id      INTEGER PRIMARY KEY,
		balance INTEGER NOT NULL CHECK (balance >= 0)
	);
	CREATE TABLE transfers (
		id     TEXT    PRIMARY KEY,
		source INTEGER NOT NULL,
		target INTEGER NOT NULL,
		amount INTEGER NOT NULL
	);
	INSERT INTO accounts VALUES (1, 1000), (2, 1000), (3, 1000);`

// openingBalance is the first balance of each account.
const openingBalance = 1000

// transfersPerWriter is how many transfers a writer makes.
const transfersPerWriter = 16

// run lets two writers pay into account 2 at the same time. Then a third pays more than there is.
func (d *database) run(ctx context.Context, out *log.Logger) (*summary, error) {
	s := &summary{callers: []*caller{
		d.caller("1→2", d.handles[0], out),
		d.caller("3→2", d.handles[1], out),
		d.caller("2→1, too much", d.handles[0], out),
	}}
	asked := [][]transfer{newTransfers("1→2", 1, 2), newTransfers("3→2", 3, 2)}

	group, groupCtx := errgroup.WithContext(ctx)
	r := make(rendezvous)
	for i, list := range asked {
		group.Go(func() error { return s.callers[i].work(groupCtx, list, r) })
	}
	err := group.Wait()
	if err != nil {
		return nil, err
	}
	if err = s.callers[2].mustRefuse(ctx, transfer{"2→1", 2, 1, 1_000_000}); err != nil {
		return nil, err
	}
	s.audit, err = audit(ctx, d.handles[0], append(asked[0], asked[1]...))
	return s, err
}

// newTransfers returns the transfers of a writer. Together they leave money on every account.
func newTransfers(name string, source, target int) []transfer {
	list := make([]transfer, transfersPerWriter)
	for i := range list {
		list[i] = transfer{fmt.Sprintf("%s/%d", name, i+1), source, target, 1 + i%9}
	}
	return list
}

// caller returns a caller that has made no transfer yet.
func (d *database) caller(name string, db *sql.DB, out *log.Logger) *caller {
	c := &caller{name: name, out: out, failed: map[string]int{}, settled: map[string]int{}}
	c.runner = &retrysql.Runner{DB: db, TxOptions: d.options, Policy: policy(c)}
	if d.settle != nil {
		c.runner.Settle = countingSettler{d.settle, c}
	}
	return c
}

// mustRefuse makes a transfer that the database must refuse at the first attempt.
func (c *caller) mustRefuse(ctx context.Context, t transfer) error {
	err := c.makeTransfer(ctx, t, nil)
	var failed *retry.Error
	switch {
	case err == nil:
		return errors.New("a transfer of more than there is was not refused")
	case !errors.As(err, &failed), !errors.Is(failed, retry.ErrPermanent):
		return err
	}
	c.out.Printf("%s: refused at attempt %d: %v", t.id, failed.Attempts, failed.Err)
	return nil
}
