package retrypgx_test

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// fake is a pool whose steps fail as told. A statement is a row that it inserts.
type fake struct {
	fail  map[string]error // by the step and how often it was made, such as "commit1"
	opts  pgx.TxOptions    // of the last transaction
	steps []string
	rows  []string
	count map[string]int
	reset int
}

func (f *fake) step(name string) error {
	if f.count == nil {
		f.count = map[string]int{}
	}
	f.count[name]++
	f.steps = append(f.steps, name)
	return f.fail[fmt.Sprint(name, f.count[name])]
}

func (f *fake) BeginTx(_ context.Context, o pgx.TxOptions) (pgx.Tx, error) {
	f.opts = o
	if err := f.step("begin"); err != nil {
		return nil, err
	}
	return &fakeTx{fake: f}, nil
}

func (f *fake) Reset() { f.reset++ }

func (f *fake) QueryRow(context.Context, string, ...any) pgx.Row { return fakeRow{f.step("settle")} }

type fakeTx struct {
	pgx.Tx // nil: what the tests do not use
	fake   *fake
	rows   []string
	closed bool
}

// Conn is not to be asked for once the pool has it back.
func (t *fakeTx) Conn() *pgx.Conn {
	if t.closed {
		_ = t.fake.step("somebody else's connection")
	}
	return nil
}

func (t *fakeTx) Exec(_ context.Context, row string, _ ...any) (pgconn.CommandTag, error) {
	err := t.fake.step(row)
	if err == nil {
		t.rows = append(t.rows, row)
	}
	return pgconn.CommandTag{}, err
}

func (t *fakeTx) QueryRow(context.Context, string, ...any) pgx.Row {
	return fakeRow{t.fake.step("note")}
}

func (t *fakeTx) Commit(context.Context) error {
	if t.closed {
		return pgx.ErrTxClosed
	}
	t.closed = true
	err := t.fake.step("commit")
	if err == nil {
		t.fake.rows = append(t.fake.rows, t.rows...)
	}
	return err
}

func (t *fakeTx) Rollback(context.Context) error {
	if t.closed {
		return pgx.ErrTxClosed
	}
	t.closed = true
	return t.fake.step("rollback")
}

// fakeRow is "committed" in each column.
type fakeRow struct{ err error }

func (r fakeRow) Scan(dest ...any) error {
	for _, d := range dest {
		if r.err == nil {
			_ = d.(interface{ Scan(any) error }).Scan("committed")
		}
	}
	return r.err
}

// coded is a server's error.
func coded(state string) error {
	return &pgconn.PgError{Severity: "ERROR", Code: state, Message: "failed"}
}

// insert is a function for InTx.
func insert(row string) func(context.Context, pgx.Tx) error {
	return func(ctx context.Context, tx pgx.Tx) error {
		_, err := tx.Exec(ctx, row)
		return err
	}
}
