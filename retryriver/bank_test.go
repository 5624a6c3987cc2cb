package retryriver_test

import (
	"context"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// bank is a database with one account, as far as the example needs it. This repository's
// integration tests run the same worker on a real database.
type bank struct {
	balance int
	done    map[string]bool
}

func newBank(balance int) *bank { return &bank{balance, map[string]bool{}} }

func (b *bank) Begin(context.Context) (pgx.Tx, error) { return &bankTx{bank: b}, nil }

// bankTx is a transaction. It takes effect at Commit.
type bankTx struct {
	pgx.Tx

	bank   *bank
	key    string
	amount int
	ended  bool
}

func (t *bankTx) Exec(_ context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	if strings.HasPrefix(sql, "UPDATE") {
		t.amount = args[0].(int)
		return pgconn.NewCommandTag("UPDATE 1"), nil
	}
	t.key = args[0].(string)
	if t.bank.done[t.key] {
		return pgconn.NewCommandTag("INSERT 0 0"), nil
	}
	return pgconn.NewCommandTag("INSERT 0 1"), nil
}

func (t *bankTx) Commit(context.Context) error {
	t.bank.done[t.key] = true
	t.bank.balance -= t.amount
	t.ended = true
	return nil
}

func (t *bankTx) Rollback(context.Context) error {
	if t.ended {
		return pgx.ErrTxClosed
	}
	return nil
}
