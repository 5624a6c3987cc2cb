package retrysql

import (
	"errors"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/internal/errtree"
	"github.com/seed-205ff063/retry/internal/text"
)

// ErrAmbiguousCommit is matched by the error of a call whose transaction may or may not have
// been committed: the reply to a COMMIT was lost, and nobody could say what became of it, or fn
// ended the transaction itself. The error matches what the driver said as well. Do not run the
// transaction again without finding out, and do not tell anybody that it failed.
//
// An error that does not match it means that nothing was committed.
var ErrAmbiguousCommit error = errors.New("retrysql: commit: outcome unknown")

// ErrEnded is what a [TxDriver] returns from Commit, Rollback or Discard when the transaction had
// ended before, which only fn can have done. The call then ends with [ErrAmbiguousCommit].
var ErrEnded error = errors.New("fn ended the transaction itself; leave Commit and Rollback to InTx")

// ambiguous is the error of an attempt that may have been committed.
type ambiguous struct {
	what string
	err  error
}

func (a *ambiguous) Error() string {
	if a.err == nil {
		return a.what
	}
	return text.Line(a.what + ": " + text.Error(a.err))
}

func (a *ambiguous) Is(target error) bool { return target == ErrAmbiguousCommit }
func (a *ambiguous) Unwrap() error        { return a.err }

// isAmbiguous reports whether an attempt, or a call within fn, may have been committed.
func isAmbiguous(err error) bool { return errtree.Is(err, ErrAmbiguousCommit) }

// endedByFn is the error of a transaction that had ended before InTx ended it, as end says, and
// whose fn returned err. Only fn knows what became of it.
func (c *call[Tx]) endedByFn(end, err error) error {
	what := "retrysql: " + text.Error(end)
	if c.ReadOnly {
		return retry.Permanent(errors.New(what))
	}
	return retry.Permanent(&ambiguous{what: what, err: err})
}

// result is the call's error. It must not pass for a failure that left nothing behind if an
// attempt before the last one may have been committed. The attempts' own errors see to that,
// but not those of gates.
func (c *call[Tx]) result(err error) error {
	failed, ok := err.(*retry.Error)
	if !ok || c.unsure == nil || isAmbiguous(err) {
		return err
	}
	told := *failed // hooks may hold the original
	told.Err = c.doubtful(failed.Err)
	return &told
}

// doubtful is the error of an attempt after one that may have been committed.
func (c *call[Tx]) doubtful(err error) error {
	return &ambiguous{what: "retrysql: an earlier attempt may have been committed", err: errors.Join(err, c.unsure)}
}
