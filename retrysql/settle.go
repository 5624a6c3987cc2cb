package retrysql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/seed-205ff063/retry"
)

// Outcome is what became of a transaction.
type Outcome int

const (
	// Unknown means that the database cannot say, or cannot say yet.
	Unknown Outcome = iota
	// Committed means that all of the transaction took effect.
	Committed
	// RolledBack means that none of the transaction took effect, and none will.
	RolledBack
)

// String returns "unknown", "committed" or "rolled back".
func (o Outcome) String() string {
	switch o {
	case Unknown:
		return "unknown"
	case Committed:
		return "committed"
	case RolledBack:
		return "rolled back"
	}
	return fmt.Sprintf("Outcome(%d)", int(o))
}

// Settler finds out what became of a transaction whose COMMIT got no reply. A Settler must be
// safe for concurrent use.
type Settler interface {
	// Note returns an id by which the database will know the transaction. It is called just
	// before COMMIT, unless the transaction is read-only. An error rolls back and is treated as
	// an error of fn. An empty id means that the transaction has changed nothing: it runs again
	// if its COMMIT fails.
	Note(ctx context.Context, tx *sql.Tx) (id string, err error)

	// Settle says what became of the transaction with that id. It is called after a lost reply,
	// and again while it returns Unknown or an error that may pass. This goes on for up to 30 s,
	// but for no more than 2 s once the caller's context has ended. An error marked by
	// retry.Permanent says that the outcome will never be known. The answer must be final:
	// RolledBack also means that the transaction cannot be committed later.
	Settle(ctx context.Context, db *sql.DB, id string) (Outcome, error)
}

// note returns the id by which the transaction can be settled, or "" if there is none.
func (t *transaction[Tx]) note() (string, error) {
	if t.Note == nil || t.ReadOnly {
		return "", nil
	}
	id, err := t.Note(t.ctx, t.tx)
	if err == nil {
		return id, nil
	}
	err = &stepError{"retrysql: before commit", err}
	if codeOf(err).state == "25P02" {
		// fn hid that a statement failed, and the server would answer COMMIT with ROLLBACK.
		return "", &retryableError{err}
	}
	return "", err
}

// nothingToCommit reports whether the transaction changed nothing.
func (t *transaction[Tx]) nothingToCommit(id string) bool {
	return t.ReadOnly || t.Settle != nil && id == ""
}

// settlePolicy is the policy of the calls of Settle. The database may have to restart first.
var settlePolicy = retry.MustNew(
	retry.WithName("settle"),
	retry.WithMaxAttempts(retry.Unlimited),
	retry.WithMaxElapsed(30*time.Second),
	retry.WithAttemptTimeout(5*time.Second),
	retry.WithBackoff(retry.Exponential(10*time.Millisecond, 2)),
	retry.WithMaxDelay(time.Second),
	retry.WithJitter(retry.EqualJitter),
	retry.WithHistorySize(0),
	retry.WithStopIf(retry.Match(func(err error) bool { return !mayConnectLater(err) })),
)

// errUnknown is the error of an attempt in which Settle returned Unknown.
var errUnknown = errors.New("the database does not know yet")

// settle calls Settle until it knows the outcome of the transaction.
func (t *transaction[Tx]) settle(id string) (Outcome, error) {
	ctx := newTxContext(context.WithoutCancel(t.call.ctx))
	ctx.extend(t.call.ctx) // the caller's context may have ended already
	defer ctx.close()
	outcome, err := retry.DoValue(ctx, func(ctx context.Context) (Outcome, error) {
		o, err := t.Settle(ctx, id)
		if err == nil && o != Committed && o != RolledBack {
			err = errUnknown
		}
		return o, err
	}, settlePolicy)
	if err != nil {
		return Unknown, &stepError{"settling", err}
	}
	return outcome, nil
}
