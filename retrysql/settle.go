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
	// Unknown means that the database cannot say, or not yet.
	Unknown Outcome = iota
	// Committed means that all of the transaction took effect.
	Committed
	// RolledBack means that nothing of it did, nor will.
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

// Settler finds out what became of a transaction whose COMMIT was not answered. It must be safe
// for concurrent use.
type Settler interface {
	// Note returns what the database will know the transaction by. It is called at the end of
	// every transaction that is not read-only, just before COMMIT; its error rolls back and is
	// treated as one of fn. An empty id means that there is nothing to settle, because the
	// transaction has changed nothing: it is then run again if its COMMIT fails.
	Note(ctx context.Context, tx *sql.Tx) (id string, err error)

	// Settle says what became of the transaction. It is called after a lost reply, and again
	// for as long as it returns Unknown or an error that may pass, for up to 30 s, but for no
	// more than 2 s once the caller's context has ended. An error marked by retry.Permanent
	// says that it will never be known. The answer must be final: RolledBack also means that
	// the transaction cannot be committed any more.
	Settle(ctx context.Context, db *sql.DB, id string) (Outcome, error)
}

// note returns what the transaction can be settled by.
func (t *transaction[Tx]) note() (string, error) {
	if t.Note == nil || t.ReadOnly {
		return "", nil
	}
	id, err := t.Note(t.ctx, t.tx)
	if err == nil {
		return id, nil
	}
	step := &stepError{"retrysql: before commit", err}
	if codeOf(err).state == "25P02" {
		return "", &again{step} // fn hid that a statement failed; COMMIT would have been answered by ROLLBACK
	}
	return "", step
}

// harmless reports whether there was nothing to commit.
func (t *transaction[Tx]) harmless(id string) bool {
	return t.ReadOnly || t.Settle != nil && id == ""
}

// patience is how a database is asked for an outcome: it may have to restart first.
var patience = retry.MustNew(
	retry.WithName("settle"),
	retry.WithMaxAttempts(retry.Unlimited),
	retry.WithMaxElapsed(30*time.Second),
	retry.WithAttemptTimeout(5*time.Second),
	retry.WithBackoff(retry.Exponential(10*time.Millisecond, 2)),
	retry.WithMaxDelay(time.Second),
	retry.WithJitter(retry.EqualJitter),
	retry.WithHistorySize(0),
	retry.WithStopIf(retry.Match(func(err error) bool { return !connectable(err) })),
)

// errNotYet is the error of a question that was answered by Unknown.
var errNotYet = errors.New("the database does not know yet")

// settle asks for the outcome of the transaction until it is known.
func (t *transaction[Tx]) settle(id string) (Outcome, error) {
	life := newLife(context.WithoutCancel(t.call.ctx))
	life.outlive(t.call.ctx) // which may have ended
	defer life.close()
	outcome, err := retry.DoValue(life, func(ctx context.Context) (Outcome, error) {
		o, err := t.Settle(ctx, id)
		if err == nil && o != Committed && o != RolledBack {
			err = errNotYet
		}
		return o, err
	}, patience)
	if err != nil {
		return Unknown, &stepError{"settling", err}
	}
	return outcome, nil
}
