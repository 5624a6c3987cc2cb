package main

import (
	"context"
	"database/sql"
	"fmt"
)

// balances is what the accounts hold, by their ids.
type balances map[int]int

func (b balances) sum() (sum int) {
	for _, balance := range b {
		sum += balance
	}
	return sum
}

// audit returns the balances if every transfer that was asked for is on record, once and nothing
// else, and the balances are what the record makes of the opening ones.
func audit(ctx context.Context, db *sql.DB, asked []transfer) (balances, error) {
	booked, err := recorded(ctx, db)
	if err != nil {
		return nil, err
	}
	want := balances{1: opening, 2: opening, 3: opening}
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
	got, err := held(ctx, db)
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

// recorded counts the transfers on record.
func recorded(ctx context.Context, db *sql.DB) (map[transfer]int, error) {
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

func held(ctx context.Context, db *sql.DB) (balances, error) {
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
