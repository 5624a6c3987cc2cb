package main

import (
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// codeName returns the database's name of the error. retrysql reads the codes to decide. A program that
// wants to count them asks its driver, as here.
func codeName(err error) string {
	var lite *sqlite.Error
	var pg *pgconn.PgError
	switch {
	case errors.As(err, &lite):
		return sqliteName(lite.Code())
	case errors.As(err, &pg):
		return "SQLSTATE " + pg.Code
	}
	return "no reply"
}

func sqliteName(code int) string {
	switch code {
	case sqlite3.SQLITE_BUSY: // another connection writes
		return "SQLITE_BUSY"
	case sqlite3.SQLITE_BUSY_SNAPSHOT: // another connection has written since this one read
		return "SQLITE_BUSY_SNAPSHOT"
	case sqlite3.SQLITE_CONSTRAINT_CHECK:
		return "SQLITE_CONSTRAINT_CHECK"
	}
	return fmt.Sprintf("SQLite's code %d", code)
}
