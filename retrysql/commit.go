package retrysql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/internal/errtree"
)

// commit sends COMMIT and returns the attempt's error.
func (t *transaction[Tx]) commit(id string) error {
	err := t.Driver.Commit(t.life, t.tx)
	if err != nil && t.life.Err() != nil && errtree.Is(err, context.Canceled) {
		err = fmt.Errorf("no reply: %w", context.Cause(t.ctx)) // and not the life's
	}
	switch {
	case err == nil:
		return nil
	case errtree.Is(err, ErrEnded):
		return t.endedByFn(err, nil)
	case err == sql.ErrTxDone:
		// The life ended before COMMIT was sent, and database/sql has rolled back.
		return t.timedOut(t.ctx, commitError(err))
	}
	switch fateOf(err) {
	case redoable:
		return &again{commitError(err)}
	case refused:
		return commitError(err)
	}
	if t.harmless(id) {
		return &again{commitError(err)}
	}
	return t.lost(id, err)
}

func commitError(err error) error { return &stepError{"retrysql: commit", err} }

// lost deals with a COMMIT that may or may not have taken place.
func (t *transaction[Tx]) lost(id string, err error) error {
	doubt := &ambiguous{what: ErrAmbiguousCommit.Error(), err: err}
	if t.Settle != nil {
		outcome, asked := t.settle(id)
		switch outcome {
		case Committed:
			return nil
		case RolledBack:
			return &again{&stepError{"retrysql: commit: the database says that it did not take place", err}}
		}
		doubt.err = errors.Join(err, asked)
	}
	if !t.Idempotent {
		return retry.Permanent(doubt)
	}
	t.unsure = doubt
	return &again{doubt}
}

// fate is what an error of COMMIT says about the transaction.
type fate int

const (
	unknown  fate = iota // it was committed or not
	redoable             // it was rolled back, and may well be committed next time
	refused              // it was rolled back, for what it did
)

// fateOf says what became of a transaction whose COMMIT failed with err. Only the database's own
// word counts. What drivers say does not: driver.ErrBadConn and pgconn.SafeToRetry promise that
// nothing was sent, and have been seen after a COMMIT that took place.
func fateOf(err error) fate {
	switch c := codeOf(err); c.kind {
	case sqlState:
		return stateFate(c.state)
	case mysqlNumber:
		return redoableIf(rolledBackMySQL[c.number])
	case mssqlNumber:
		return redoableIf(rolledBackSQLServer[c.number])
	case sqliteCode:
		switch c.number & 0xff {
		case sqliteBusy, sqliteLocked:
			return redoable
		case sqliteConstraint:
			return refused
		}
		return unknown
	}
	return redoableIf(has(err, saysRolledBack))
}

func redoableIf(rolledBack bool) fate {
	if rolledBack {
		return redoable
	}
	return unknown
}

// stateFate is fateOf for an SQLSTATE. Classes of errors that a statement ends with come from
// constraints and triggers that were deferred until COMMIT.
func stateFate(state string) fate {
	switch state {
	case "40001", "40P01":
		return redoable
	case "40003": // statement completion unknown
		return unknown
	}
	switch state[:2] {
	case "22", "23", "40", "42", "44", "P0":
		return refused
	}
	return unknown
}

// saysRolledBack knows the drivers' errors for a server that answered COMMIT with ROLLBACK, because
// a statement before had failed and fn did not say so.
func saysRolledBack(err error) bool {
	switch textOf(err) {
	case "commit unexpectedly resulted in rollback", // pgx.ErrTxCommitRollback
		"pq: could not complete operation in a failed transaction", // pq.ErrInFailedTransaction
		"unexpected command tag ROLLBACK":                          // lib/pq too
		return true
	}
	return false
}
