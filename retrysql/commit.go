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
	err := t.Driver.Commit(t.txCtx, t.tx)
	if err != nil && t.txCtx.Err() != nil && errtree.Is(err, context.Canceled) {
		err = fmt.Errorf("no reply: %w", context.Cause(t.ctx)) // err is the end of the txContext
	}
	switch {
	case err == nil:
		return nil
	case errtree.Is(err, ErrEnded):
		return t.endedByFn(err, nil)
	case err == sql.ErrTxDone:
		// The txContext ended before COMMIT was sent, and database/sql has rolled back.
		return t.markTimeout(t.ctx, commitError(err))
	}
	switch classifyCommit(err) {
	case commitRolledBack:
		return &retryableError{commitError(err)}
	case commitRefused:
		return commitError(err)
	}
	if t.nothingToCommit(id) {
		return &retryableError{commitError(err)}
	}
	return t.resolveAmbiguous(id, err)
}

func commitError(err error) error { return &stepError{"retrysql: commit", err} }

// resolveAmbiguous returns the attempt's error after a COMMIT that may have taken place.
func (t *transaction[Tx]) resolveAmbiguous(id string, err error) error {
	ambiguous := &ambiguousError{text: ErrAmbiguousCommit.Error(), err: err}
	if t.Settle != nil {
		outcome, settleErr := t.settle(id)
		switch outcome {
		case Committed:
			return nil
		case RolledBack:
			return &retryableError{&stepError{"retrysql: commit: the database says that it did not take place", err}}
		}
		ambiguous.err = errors.Join(err, settleErr)
	}
	if !t.Idempotent {
		return retry.Permanent(ambiguous)
	}
	t.ambiguous = ambiguous
	return &retryableError{ambiguous}
}

// commitFailure is what an error of COMMIT says about the transaction.
type commitFailure int

const (
	commitUnknown    commitFailure = iota // it may have been committed
	commitRolledBack                      // it was rolled back, and another attempt may succeed
	commitRefused                         // it was rolled back because of what it did
)

// classifyCommit says what became of a transaction whose COMMIT failed with err. Only the
// database's own answer counts. driver.ErrBadConn and pgconn.SafeToRetry promise that nothing was
// sent, but drivers have returned them after a COMMIT that took place.
func classifyCommit(err error) commitFailure {
	switch c := codeOf(err); c.kind {
	case sqlState:
		return classifyCommitState(c.state)
	case mysqlNumber:
		return rolledBackIf(rolledBackMySQL[c.number])
	case mssqlNumber:
		return rolledBackIf(rolledBackSQLServer[c.number])
	case sqliteCode:
		switch c.number & 0xff {
		case sqliteBusy, sqliteLocked:
			return commitRolledBack
		case sqliteConstraint:
			return commitRefused
		}
		return commitUnknown
	}
	return rolledBackIf(anyInTree(err, saysRolledBack))
}

// rolledBackIf returns commitRolledBack if the argument is true, and otherwise commitUnknown.
func rolledBackIf(rolledBack bool) commitFailure {
	if rolledBack {
		return commitRolledBack
	}
	return commitUnknown
}

// classifyCommitState is classifyCommit for an SQLSTATE. Constraints and triggers that were
// deferred until COMMIT make it fail with the classes of a statement's errors.
func classifyCommitState(state string) commitFailure {
	switch state {
	case "40001", "40P01":
		return commitRolledBack
	case "40003": // statement completion unknown
		return commitUnknown
	}
	switch state[:2] {
	case "22", "23", "40", "42", "44", "P0":
		return commitRefused
	}
	return commitUnknown
}

// saysRolledBack reports whether err is a driver's own error for a server that answered COMMIT
// with ROLLBACK. A server does so after a failed statement that fn did not report.
func saysRolledBack(err error) bool {
	switch textOf(err) {
	case "commit unexpectedly resulted in rollback", // pgx.ErrTxCommitRollback
		"pq: could not complete operation in a failed transaction", // pq.ErrInFailedTransaction
		"unexpected command tag ROLLBACK":                          // lib/pq too
		return true
	}
	return false
}
