package retrysql

import (
	"errors"

	"github.com/seed-205ff063/retry"
)

// ErrAmbiguousCommit is matched by the error of a call whose transaction may or may not have
// been committed: the reply to a COMMIT was lost, and nobody could say what became of it. The
// error matches what the driver said as well. Do not run the transaction again without finding
// out, and do not tell anybody that it failed.
//
// An error that does not match it means that nothing was committed.
var ErrAmbiguousCommit error = errors.New("retrysql: commit: outcome unknown")

// ambiguous is the error of an attempt that may have been committed.
type ambiguous struct {
	what string
	err  error
}

// endedByFn is the error of a transaction that fn ended itself, and then returned err. What
// became of it only fn knows.
func (c *call) endedByFn(err error) error {
	const what = "retrysql: fn ended the transaction itself; leave Commit and Rollback to InTx"
	if c.readOnly() {
		return retry.Permanent(errors.New(what))
	}
	return retry.Permanent(&ambiguous{what: what, err: err})
}

func (a *ambiguous) Error() string {
	if a.err == nil {
		return a.what
	}
	return a.what + ": " + a.err.Error()
}

func (a *ambiguous) Is(target error) bool { return target == ErrAmbiguousCommit }
func (a *ambiguous) Unwrap() error        { return a.err }

// result is the call's error, which must not pass for a failure that left nothing behind if an
// attempt before the last one may have been committed. The attempts' own errors see to that,
// but not those of gates.
func (c *call) result(err error) error {
	failed, ok := err.(*retry.Error)
	if !ok || c.unsure == nil || errors.Is(err, ErrAmbiguousCommit) {
		return err
	}
	told := *failed // hooks may hold the original
	told.Err = c.doubtful(failed.Err)
	return &told
}

// doubtful is the error of an attempt after one that may have been committed.
func (c *call) doubtful(err error) error {
	return &ambiguous{what: "retrysql: an earlier attempt may have been committed", err: errors.Join(err, c.unsure)}
}
