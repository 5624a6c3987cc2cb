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

// Transient is a classifier that matches errors of databases which another attempt may not
// meet: the table in the package comment, and retry.Transient's failures of the network. An
// ambiguous COMMIT it does not match.
//
// InTx uses it by itself. Do not put it around code that calls a database directly, such as
// db.Exec, a transaction begun and committed by hand, or a native driver's helper like
// pgx.BeginFunc: it does not know whether COMMIT was sent. A lost reply to COMMIT looks like any
// other lost connection, so the transaction would be committed twice. Use [InTx], or the module
// retrypgx for native pgx.
func Transient(a retry.Attempt) bool { return transient(a.Err) }

// SQLState returns a classifier that matches errors with one of the SQLSTATE codes, or of one
// of the classes, if only two characters are given. With WithRetryIf the table gains a row, with
// WithStopIf it loses one.
//
// 25006, a server that takes no writes, also matches what other servers say instead: see Failover
// in the package comment.
func SQLState(codes ...string) retry.Classifier {
	own := slices.Clone(codes)
	return func(a retry.Attempt) bool {
		return has(a.Err, func(err error) bool {
			c := read(err)
			return listed(own, c.state) || ofReadOnlyServer(c) && listed(own, readOnlyState)
		})
	}
}

// listed reports whether the state or its class is one of the codes.
func listed(codes []string, state string) bool {
	return len(state) == 5 && (slices.Contains(codes, state) || slices.Contains(codes, state[:2]))
}

func transient(err error) bool {
	if isAmbiguous(err) || errtree.Is(err, context.Canceled) {
		return false
	}
	return neterr.Transient(err) || has(err, func(err error) bool {
		return passes(read(err)) || stalePlan(err) || err == driver.ErrBadConn || connectionLost(err)
	})
}

// passes reports whether the code is one of the table in the package comment.
func passes(c code) bool {
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

// stalePlan reports whether a prepared statement does not fit its tables any more, as a driver's
// cached ones do not after a migration. The driver forgets it, so that another attempt succeeds.
// The text is translated on some servers, the name of the server's function never is.
func stalePlan(err error) bool {
	if read(err).state != "0A000" {
		return false
	}
	if strings.Contains(textOf(err), "cached plan must not change result type") {
		return true
	}
	v := reflect.Indirect(reflect.ValueOf(err))
	return v.Kind() == reflect.Struct && v.FieldByName("Routine").IsValid() && v.FieldByName("Routine").String() == "RevalidateCachedQuery"
}

// connectionLost knows the drivers' own errors for a connection that broke.
func connectionLost(err error) bool {
	switch textOf(err) {
	case "conn closed", // pgconn.ErrConnClosed
		"invalid connection": // mysql.ErrInvalidConn
		return true
	}
	return false
}

// connectable reports whether there may be a connection, and an answer, after err. The answer is
// no for an error that lasts, and for one that the database itself sent and that neither is in the
// table nor of class 08, connection exceptions: PgBouncer reports all its own troubles so.
func connectable(err error) bool {
	c := codeOf(err)
	switch {
	case transient(err):
		return true
	case errtree.Is(err, context.Canceled):
		return false
	case c.kind != noCode:
		return c.kind == sqlState && strings.HasPrefix(c.state, "08")
	}
	return !errtree.Safe(func() bool { return peererr.Lasting(err) }) && !has(err, aboutUse)
}

// aboutUse knows errors that say how the driver is used: those of database/sql ("sql: database
// is closed") and of drivers that lack an isolation level.
func aboutUse(err error) bool {
	text := textOf(err)
	return strings.HasPrefix(text, "sql: ") || strings.Contains(text, "unsupported isolation") ||
		strings.Contains(text, "not support")
}
