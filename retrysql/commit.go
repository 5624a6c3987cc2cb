package retrysql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/seed-205ff063/retry"
)

// commit sends COMMIT and returns the attempt's error.
func (t *transaction) commit(id string) error {
	err := t.tx.Commit()
	if err != nil && t.life.Err() != nil && errors.Is(err, context.Canceled) {
		err = fmt.Errorf("no reply: %w", context.Cause(t.ctx)) // and not the life's
	}
	switch {
	case err == nil:
		return nil
	case t.endedBefore(err):
		return t.endedByFn(nil)
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

func commitError(err error) error { return fmt.Errorf("retrysql: commit: %w", err) }

// lost deals with a COMMIT of which it is not known whether it took place.
func (t *transaction) lost(id string, err error) error {
	doubt := &ambiguous{what: ErrAmbiguousCommit.Error(), err: err}
	if t.Settle != nil {
		outcome, asked := t.settle(id)
		switch outcome {
		case Committed:
			return nil
		case RolledBack:
			return &again{fmt.Errorf("retrysql: commit: the database says that it did not take place: %w", err)}
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
	case mysqlNumber, mssqlNumber:
		if (c.number == 1213 || c.number == 3101) && c.kind == mysqlNumber || c.number == 1205 && c.kind == mssqlNumber {
			return redoable
		}
		return unknown
	case sqliteCode:
		switch c.number & 0xff {
		case sqliteBusy, sqliteLocked:
			return redoable
		case sqliteConstraint:
			return refused
		}
		return unknown
	}
	if has(err, saysRolledBack) {
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
	switch err.Error() {
	case "commit unexpectedly resulted in rollback", // pgx.ErrTxCommitRollback
		"pq: could not complete operation in a failed transaction", // pq.ErrInFailedTransaction
		"unexpected command tag ROLLBACK":                          // lib/pq too
		return true
	}
	return false
}
