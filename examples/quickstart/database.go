package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/seed-205ff063/retry"
)

// dbPolicy retries for up to five seconds while another connection writes. That is safe: a
// statement that failed with SQLITE_BUSY has changed nothing. Any other error ends the call.
var dbPolicy = retry.MustNew(
	retry.WithName("insert"),
	retry.WithMaxAttempts(retry.Unlimited),
	retry.WithMaxElapsed(5*time.Second),
	retry.WithBackoff(retry.Exponential(20*time.Millisecond, 2)),
	retry.WithJitter(retry.EqualJitter),
	retry.WithRetryIf(retry.Match(isBusy)),
)

// isBusy reports whether err is SQLite's SQLITE_BUSY. The low byte is the primary result code; the
// other bytes say more exactly why.
func isBusy(err error) bool {
	var e *sqlite.Error
	return errors.As(err, &e) && e.Code()&0xff == sqlite3.SQLITE_BUSY
}

// writeDatabase shows a write that has to wait for another connection's lock.
func writeDatabase(ctx context.Context, w io.Writer, logged retry.Option) (err error) {
	heading(w, "4. An SQLite file that another connection has locked for 300 ms")

	dir, err := os.MkdirTemp("", "quickstart")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	db, err := openDatabase(ctx, filepath.Join(dir, "notes.db"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()

	unlocked, err := lock(ctx, db, 300*time.Millisecond)
	if err != nil {
		return err
	}
	id, err := retry.DoValue(ctx, func(ctx context.Context) (int64, error) {
		return insert(ctx, db, "written in the end")
	}, dbPolicy, logged)
	if err = errors.Join(err, <-unlocked); err != nil {
		return err
	}
	fmt.Fprintf(w, "result: the note has id %d\n", id)
	return nil
}

// openDatabase makes SQLite report a lock at once. SQLite can also wait by itself (busy_timeout),
// but then it ignores the caller's context and logs nothing.
func openDatabase(ctx context.Context, path string) (*sql.DB, error) {
	db, err := sql.Open("sqlite", "file:"+filepath.ToSlash(path)+"?_pragma=busy_timeout(0)")
	if err != nil {
		return nil, err
	}
	const schema = `CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL)`
	if _, err = db.ExecContext(ctx, schema); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

func insert(ctx context.Context, db *sql.DB, text string) (int64, error) {
	result, err := db.ExecContext(ctx, `INSERT INTO notes (text) VALUES (?)`, text)
	if err != nil {
		return 0, err
	}
	return result.LastInsertId()
}

// lock takes the write lock on a connection of its own and releases it after d. The channel then
// receives the error of the release, or nil.
func lock(ctx context.Context, db *sql.DB, d time.Duration) (<-chan error, error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	if _, err = conn.ExecContext(ctx, `BEGIN IMMEDIATE`); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	unlocked := make(chan error, 1)
	time.AfterFunc(d, func() {
		_, err := conn.ExecContext(context.WithoutCancel(ctx), `ROLLBACK`)
		unlocked <- errors.Join(err, conn.Close())
	})
	return unlocked, nil
}
