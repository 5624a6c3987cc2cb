package main

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
)

// openSQLite opens a new file twice, as two processes do.
func openSQLite(ctx context.Context) (d *database, err error) {
	dir, err := os.MkdirTemp("", "retrysql")
	if err != nil {
		return nil, err
	}
	d = &database{title: "SQLite, a file that two writers have opened"}
	d.close = func() error {
		var errs []error
		for _, db := range d.handles {
			if db != nil {
				errs = append(errs, db.Close())
			}
		}
		return errors.Join(append(errs, os.RemoveAll(dir))...)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, d.close())
		}
	}()
	for i := range d.handles {
		if d.handles[i], err = sql.Open("sqlite", sqliteDSN(filepath.Join(dir, "bank.db"))); err != nil {
			return nil, err
		}
	}
	_, err = d.handles[0].ExecContext(ctx, schema)
	return d, err
}

// sqliteDSN makes SQLite report a lock at once. SQLite can also wait by itself (busy_timeout), but that
// ignores the caller's context and calls no hooks. It does not help a transaction either that has read
// what another one then changed (SQLITE_BUSY_SNAPSHOT). With a WAL, readers do not block writers.
func sqliteDSN(path string) string {
	return "file:" + filepath.ToSlash(path) + "?_pragma=busy_timeout(0)&_pragma=journal_mode(WAL)"
}
