package main

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
)

// openSQLite opens a new file twice, as two processes would.
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

// sqliteDSN has SQLite report a lock at once: to wait by itself (busy_timeout) would be no help
// to a transaction that has read what another one then changed (SQLITE_BUSY_SNAPSHOT), and knows
// neither the caller's context nor hooks. With a WAL readers do not lock out writers.
func sqliteDSN(path string) string {
	return "file:" + filepath.ToSlash(path) + "?_pragma=busy_timeout(0)&_pragma=journal_mode(WAL)"
}
