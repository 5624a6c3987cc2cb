package retrysql

import (
	"errors"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/internal/errtree"
	"github.com/seed-205ff063/retry/internal/text"
)

// ErrAmbiguousCommit is matched by the error of a call whose transaction may or may not have been
// committed. Either the reply to COMMIT was lost and no [Settler] knew the outcome, or fn ended
// the transaction itself. The error also matches the driver's error. It usually matches
// retry.ErrPermanent as well, so check for ErrAmbiguousCommit first.
//
// Do not run the transaction again, and do not report that it failed, before you know what
// happened. An error that does not match ErrAmbiguousCommit means that nothing was committed.
//
// Only the database's own answer to COMMIT proves a rollback. These codes of [Transient]'s table
// do: 40001, 40P01, 1213, 3101, and those of TiDB, SQL Server and SQLite. Those of Azure SQL do
// not. Errors such as driver.ErrBadConn promise that nothing was sent, but they also come after
// commits that took place.
var ErrAmbiguousCommit error = errors.New("retrysql: commit: outcome unknown")

// ErrEnded is what a [TxDriver] returns from Commit, Rollback or Discard if the transaction had
// already ended. Only fn can have ended it. The call then ends with [ErrAmbiguousCommit].
var ErrEnded error = errors.New("fn ended the transaction itself; leave Commit and Rollback to InTx")

// ambiguousError is the error of an attempt that may have been committed.
type ambiguousError struct {
	text string
	err  error // nil if there is none
}

func (a *ambiguousError) Error() string {
	if a.err == nil {
		return a.text
	}
	return text.Line(a.text + ": " + text.Error(a.err))
}

func (a *ambiguousError) Is(target error) bool { return target == ErrAmbiguousCommit }
func (a *ambiguousError) Unwrap() error        { return a.err }

// isAmbiguous reports whether an attempt, or a call within fn, may have been committed.
func isAmbiguous(err error) bool { return errtree.Is(err, ErrAmbiguousCommit) }

// endedByFn returns the error of a transaction that fn ended itself. The driver said so by end,
// and fn returned err. InTx does not know whether fn committed.
func (c *call[Tx]) endedByFn(end, err error) error {
	what := "retrysql: " + text.Error(end)
	if c.ReadOnly {
		return retry.Permanent(errors.New(what))
	}
	return retry.Permanent(&ambiguousError{text: what, err: err})
}

// finalError returns the call's error. It is ambiguous if an attempt before the last one may have
// been committed. The errors of attempts say so themselves, but those of gates do not.
func (c *call[Tx]) finalError(err error) error {
	failed, ok := err.(*retry.Error)
	if !ok || c.ambiguous == nil || isAmbiguous(err) {
		return err
	}
	final := *failed // hooks may hold the original
	final.Err = c.afterAmbiguous(failed.Err)
	return &final
}

// afterAmbiguous returns err as the error of an attempt after one that may have been committed.
func (c *call[Tx]) afterAmbiguous(err error) error {
	return &ambiguousError{text: "retrysql: an earlier attempt may have been committed", err: errors.Join(err, c.ambiguous)}
}
