package retrysql

import (
	"context"
	"database/sql/driver"
	"reflect"
	"slices"
	"strings"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/internal/errtree"
	"github.com/seed-205ff063/retry/internal/neterr"
	"github.com/seed-205ff063/retry/internal/peererr"
)

// Transient is a classifier that matches errors of databases which another attempt may not meet:
//
//	PostgreSQL      40001 serialization failure, 40P01 deadlock, 55P03 lock not available,
//	                08000 08001 08003 08006 connection, 08P01 PgBouncer's own errors,
//	                57P01 57P02 57P03 shutdown and start, 57P05 25P03 idle for too long,
//	                53300 too many connections; 26000 and 0A000 "cached plan must not change
//	                result type": a prepared statement that is gone or no longer fits
//	MySQL, MariaDB  1213 deadlock, 1205 lock wait timeout, 3572 lock not available, 1020 row
//	                changed under snapshot isolation, 3101 rolled back by a plugin (group
//	                replication), 1040 too many connections, 1053 shutdown
//	TiDB            9007 8002 write conflict, 8022 COMMIT rolled back, 8028 schema changed
//	SQLite          5 SQLITE_BUSY, 6 SQLITE_LOCKED, and their extended codes
//	SQL Server      1205 deadlock, 3960 41302 update conflict, 41305 41325 validation failed,
//	                41301 a transaction that this one depends on failed
//	Azure SQL       40197 40501 40613 not available, 49918 49919 49920 10928 10929 limits
//	any             driver.ErrBadConn, a closed or invalid connection, and what retry.Transient
//	                matches: refused, reset, broken off, timed out
//
// It reads the codes of pgx, lib/pq and any error with a method SQLState, go-sql-driver/mysql,
// modernc.org/sqlite, mattn/go-sqlite3, ncruces/go-sqlite3 and go-mssqldb.
//
// An ambiguous COMMIT does not match, nor do 08007 and 40003, which say that the outcome is
// unknown. 53200 out of memory and 55006 object in use do not match either, because they may
// last. Add them by WithRetryIf(SQLState(…)).
//
// SQLite's busy_timeout does not help a transaction that read before another one wrote
// (SQLITE_BUSY_SNAPSHOT). For writers that contend for a file, use retry.WithMaxElapsed rather
// than a number of attempts.
//
// InTx uses Transient by itself. Do not put it around code that calls a database directly. That
// includes db.Exec, a transaction begun and committed by hand, and helpers such as pgx.BeginFunc.
// Transient does not know whether COMMIT was sent. A lost reply to COMMIT looks like any other
// lost connection, so the transaction would be committed twice. Use [InTx], or the module
// retrypgx for native pgx.
func Transient(a retry.Attempt) bool { return isTransient(a.Err) }

// SQLState returns a classifier that matches errors with one of the SQLSTATE codes. A code of two
// characters matches its whole class. Use it with WithRetryIf to add to [Transient], and with
// WithStopIf to take away.
//
// 25006, a server that takes no writes, also matches the codes by which other servers say the
// same. See Failover in the package comment.
func SQLState(codes ...string) retry.Classifier {
	own := slices.Clone(codes)
	return func(a retry.Attempt) bool {
		return anyInTree(a.Err, func(err error) bool {
			c := ownCode(err)
			return matchesState(own, c.state) || isReadOnlyCode(c) && matchesState(own, readOnlyState)
		})
	}
}

// matchesState reports whether the codes contain the state or its class.
func matchesState(codes []string, state string) bool {
	return len(state) == 5 && (slices.Contains(codes, state) || slices.Contains(codes, state[:2]))
}

func isTransient(err error) bool {
	if isAmbiguous(err) || errtree.Is(err, context.Canceled) {
		return false
	}
	return neterr.Transient(err) || anyInTree(err, func(err error) bool {
		return isTransientCode(ownCode(err)) || isStalePlan(err) || err == driver.ErrBadConn || isConnectionLost(err)
	})
}

// isTransientCode reports whether the code is in the table of Transient.
func isTransientCode(c code) bool {
	switch c.kind {
	case sqlState:
		return transientState[c.state]
	case mysqlNumber:
		return transientMySQL[c.number] || rolledBackMySQL[c.number]
	case sqliteCode:
		return c.number&0xff == sqliteBusy || c.number&0xff == sqliteLocked
	case mssqlNumber:
		return transientSQLServer[c.number] || rolledBackSQLServer[c.number]
	}
	return false
}

// isStalePlan reports whether a prepared statement no longer fits its tables. That happens after
// a migration to statements that a driver has cached. The driver then forgets the statement, so
// another attempt succeeds. Some servers translate the text, but none the name of its function.
func isStalePlan(err error) bool {
	if ownCode(err).state != "0A000" {
		return false
	}
	if strings.Contains(textOf(err), "cached plan must not change result type") {
		return true
	}
	v := reflect.Indirect(reflect.ValueOf(err))
	return v.Kind() == reflect.Struct && v.FieldByName("Routine").IsValid() && v.FieldByName("Routine").String() == "RevalidateCachedQuery"
}

// isConnectionLost reports whether err is a driver's own error for a connection that broke.
func isConnectionLost(err error) bool {
	switch textOf(err) {
	case "conn closed", // pgconn.ErrConnClosed
		"invalid connection": // mysql.ErrInvalidConn
		return true
	}
	return false
}

// mayConnectLater reports whether another attempt to connect and get an answer may succeed after
// err. It reports false for an error that is known to last, and for most errors of the database
// itself. Of these it reports true for transient ones and for connection exceptions (class 08),
// by which PgBouncer reports its own errors.
func mayConnectLater(err error) bool {
	c := codeOf(err)
	switch {
	case isTransient(err):
		return true
	case errtree.Is(err, context.Canceled):
		return false
	case c.kind != noCode:
		return c.kind == sqlState && strings.HasPrefix(c.state, "08")
	}
	return !errtree.Safe(func() bool { return peererr.Lasting(err) }) && !anyInTree(err, isUsageError)
}

// isUsageError reports whether err says that the driver is used wrongly. Such errors come from
// database/sql ("sql: database is closed") and from drivers that lack an isolation level.
func isUsageError(err error) bool {
	text := textOf(err)
	return strings.HasPrefix(text, "sql: ") || strings.Contains(text, "unsupported isolation") ||
		strings.Contains(text, "not support")
}
