package main

import (
	"context"
	"database/sql"
	"fmt"
)

// balances are the balances of the accounts, by id.
type balances map[int]int

func (b balances) sum() (sum int) {
	for _, balance := range b {
		sum += balance
	}
	return sum
}

// audit returns the balances. It is an error if a transfer that was asked for is not on record exactly
// once, if the record has another one, or if the balances do not agree with the record.
func audit(ctx context.Context, db *sql.DB, asked []transfer) (balances, error) {
	booked, err := readTransfers(ctx, db)
	if err != nil {
		return nil, err
	}
	want := balances{1: openingBalance, 2: openingBalance, 3: openingBalance}
	for _, t := range asked {
		if booked[t] != 1 {
			return nil, fmt.Errorf("audit: transfer %s is on record %d times, want once", t.id, booked[t])
		}
		want[t.source] -= t.amount
		want[t.target] += t.amount
	}
	if len(booked) != len(asked) {
		return nil, fmt.Errorf("audit: %d transfers are on record, want %d", len(booked), len(asked))
	}
	got, err := readBalances(ctx, db)
	if err != nil {
		return nil, err
	}
	for id, balance := range want {
		if got[id] != balance {
			return nil, fmt.Errorf("audit: account %d holds %d, by the record it should be %d", id, got[id], balance)
		}
	}
	return got, nil
}

// readTransfers returns how often each transfer is on record.
func readTransfers(ctx context.Context, db *sql.DB) (map[transfer]int, error) {
	rows, err := db.QueryContext(ctx, `SELECT id, source, target, amount FROM transfers`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	booked := map[transfer]int{}
	for rows.Next() {
		var t transfer
		if err := rows.Scan(&t.id, &t.source, &t.target, &t.amount); err != nil {
			return nil, err
		}
		booked[t]++
	}
	return booked, rows.Err()
}

// readBalances returns what the accounts hold.
func readBalances(ctx context.Context, db *sql.DB) (balances, error) {
	rows, err := db.QueryContext(ctx, `SELECT id, balance FROM accounts`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	got := balances{}
	for rows.Next() {
		var id, balance int
		if err := rows.Scan(&id, &balance); err != nil {
			return nil, err
		}
		got[id] = balance
	}
	return got, rows.Err()
}
