package main

import (
	"context"
	"database/sql"
)

// transfer moves an amount from one account to another.
type transfer struct {
	id             string
	source, target int
	amount         int
}

// book makes one attempt. It reads both balances, calls between unless that is nil, and writes the new
// balances and the record.
func (t transfer) book(ctx context.Context, tx *sql.Tx, between func(context.Context) error) error {
	balances := map[int]int{t.source: -t.amount, t.target: t.amount}
	for id := range balances {
		var balance int
		row := tx.QueryRowContext(ctx, `SELECT balance FROM accounts WHERE id = $1`, id)
		if err := row.Scan(&balance); err != nil {
			return err
		}
		balances[id] += balance
	}
	if between != nil {
		if err := between(ctx); err != nil {
			return err
		}
	}
	// In the order of the ids: two transactions that lock the same rows in different orders can end in a
	// deadlock, which PostgreSQL takes a second to notice.
	for _, id := range []int{min(t.source, t.target), max(t.source, t.target)} {
		_, err := tx.ExecContext(ctx, `UPDATE accounts SET balance = $1 WHERE id = $2`, balances[id], id)
		if err != nil {
			return err
		}
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO transfers (id, source, target, amount) VALUES ($1, $2, $3, $4)`,
		t.id, t.source, t.target, t.amount)
	return err
}
