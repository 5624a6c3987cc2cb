package retrypgx_test

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// fakePool is a pool whose steps can be made to fail. A statement inserts its own text as a row.
type fakePool struct {
	fail  map[string]error // by the step and how often it has run, such as "commit1"
	opts  pgx.TxOptions    // of the last transaction
	steps []string
	rows  []string
	count map[string]int
	reset int
}

func (p *fakePool) step(name string) error {
	if p.count == nil {
		p.count = map[string]int{}
	}
	p.count[name]++
	p.steps = append(p.steps, name)
	return p.fail[fmt.Sprint(name, p.count[name])]
}

func (p *fakePool) BeginTx(_ context.Context, o pgx.TxOptions) (pgx.Tx, error) {
	p.opts = o
	if err := p.step("begin"); err != nil {
		return nil, err
	}
	return &fakeTx{pool: p}, nil
}

func (p *fakePool) Reset() { p.reset++ }

func (p *fakePool) QueryRow(context.Context, string, ...any) pgx.Row {
	return fakeRow{p.step("settle")}
}

type fakeTx struct {
	pgx.Tx // nil: the methods that the tests do not use
	pool   *fakePool
	rows   []string
	closed bool
}

// Conn must not be called once the pool has the connection back.
func (t *fakeTx) Conn() *pgx.Conn {
	if t.closed {
		_ = t.pool.step("another caller's connection")
	}
	return nil
}

func (t *fakeTx) Exec(_ context.Context, row string, _ ...any) (pgconn.CommandTag, error) {
	err := t.pool.step(row)
	if err == nil {
		t.rows = append(t.rows, row)
	}
	return pgconn.CommandTag{}, err
}

func (t *fakeTx) QueryRow(context.Context, string, ...any) pgx.Row {
	return fakeRow{t.pool.step("note")}
}

func (t *fakeTx) Commit(context.Context) error {
	if t.closed {
		return pgx.ErrTxClosed
	}
	t.closed = true
	err := t.pool.step("commit")
	if err == nil {
		t.pool.rows = append(t.pool.rows, t.rows...)
	}
	return err
}

func (t *fakeTx) Rollback(context.Context) error {
	if t.closed {
		return pgx.ErrTxClosed
	}
	t.closed = true
	return t.pool.step("rollback")
}

// fakeRow is a row with "committed" in each column.
type fakeRow struct{ err error }

func (r fakeRow) Scan(dest ...any) error {
	for _, d := range dest {
		if r.err == nil {
			_ = d.(interface{ Scan(any) error }).Scan("committed")
		}
	}
	return r.err
}

// pgError returns a server's error.
func pgError(state string) error {
	return &pgconn.PgError{Severity: "ERROR", Code: state, Message: "failed"}
}

// insert returns a function for InTx that inserts the row.
func insert(row string) func(context.Context, pgx.Tx) error {
	return func(ctx context.Context, tx pgx.Tx) error {
		_, err := tx.Exec(ctx, row)
		return err
	}
}
