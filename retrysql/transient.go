package retrysql

import (
	"context"
	"database/sql/driver"
	"errors"
	"slices"
	"strings"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/internal/neterr"
	"github.com/seed-205ff063/retry/internal/peererr"
)

// Transient is a classifier that matches errors of databases which another attempt may not
// meet: the table in the package comment, and retry.Transient's failures of the network. An
// ambiguous COMMIT it does not match.
//
// InTx uses it by itself. Where code calls a database directly, note that it does not know
// whether a statement may be run twice, nor whether it already was.
func Transient(a retry.Attempt) bool { return transient(a.Err) }

// SQLState returns a classifier that matches errors with one of the SQLSTATE codes, or of one
// of the classes, if only two characters are given. InTx(…, retry.WithRetryIf(SQLState("25006")))
// also retries what a failover leads to; with WithStopIf the table loses a row.
func SQLState(codes ...string) retry.Classifier {
	own := slices.Clone(codes)
	return func(a retry.Attempt) bool {
		return has(a.Err, func(err error) bool {
			state := read(err).state
			return len(state) == 5 && (slices.Contains(own, state) || slices.Contains(own, state[:2]))
		})
	}
}

func transient(err error) bool {
	if errors.Is(err, ErrAmbiguousCommit) || errors.Is(err, context.Canceled) {
		return false
	}
	return neterr.Transient(err) || has(err, func(err error) bool {
		return passes(read(err)) || err == driver.ErrBadConn || connectionLost(err)
	})
}

// passes reports whether the code is one of the table in the package comment.
func passes(c code) bool {
	switch c.kind {
	case sqlState:
		switch c.state {
		case "40001", "40P01", "55P03", // serialization failure, deadlock, lock not available
			"08000", "08001", "08003", "08006", // connection: exception, not made, not there, failed
			"57P01", "57P02", "57P03", // the server shuts down, has crashed, cannot connect now
			"57P05", "25P03", // closed for having been idle, in a transaction
			"53300": // too many connections
			return true
		}
	case mysqlNumber:
		switch c.number {
		case 1213, 1205, 3572, // deadlock, lock wait timeout, lock not available
			3101,       // group replication had the server roll back
			1020,       // snapshot isolation: the row was changed meanwhile
			1040, 1053: // too many connections, the server shuts down
			return true
		}
	case sqliteCode:
		return c.number&0xff == sqliteBusy || c.number&0xff == sqliteLocked
	case mssqlNumber:
		return c.number == 1205 // deadlock
	}
	return false
}

// connectionLost knows the drivers' own errors for a connection that broke.
func connectionLost(err error) bool {
	switch err.Error() {
	case "conn closed", // pgconn.ErrConnClosed
		"invalid connection": // mysql.ErrInvalidConn
		return true
	}
	return false
}

// connectable reports whether there may be a connection, and an answer, after err: an error of
// a kind that lasts, or one that the database itself sent and that is not in the table, says no.
func connectable(err error) bool {
	switch {
	case transient(err):
		return true
	case errors.Is(err, context.Canceled), codeOf(err).kind != noCode, peererr.Lasting(err):
		return false
	}
	return !has(err, aboutUse)
}

// aboutUse knows errors that say how the driver is used: those of database/sql ("sql: database
// is closed") and of drivers that lack an isolation level.
func aboutUse(err error) bool {
	text := err.Error()
	return strings.HasPrefix(text, "sql: ") || strings.Contains(text, "unsupported isolation") ||
		strings.Contains(text, "not support")
}
