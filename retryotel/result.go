package retryotel

import (
	"context"

	"github.com/seed-205ff063/retry"
)

// callResult is how a call ended: succeeded, or the reason why it failed.
type callResult uint8

const (
	succeeded callResult = iota
	exhausted
	maxElapsed
	contextDone
	deadline
	permanent
	retryAfter
	budget
	other
	resultCount
)

// reasonValues are the values of retry.reason.
var reasonValues = [resultCount]string{"", "exhausted", "max_elapsed", "context", "deadline", "permanent", "retry_after", "budget", "other"}

// resultOf returns how a call with the context ctx ended. The result is deadline, not contextDone,
// if the call gave up because its next wait would have passed the deadline: ctx had not ended then.
func resultOf(ctx context.Context, err *retry.Error) callResult {
	switch {
	case err == nil:
		return succeeded
	case err.Reason == retry.ErrContext && (err.Delay > 0 || ctx.Err() == nil):
		return deadline
	}
	switch err.Reason {
	case retry.ErrExhausted:
		return exhausted
	case retry.ErrMaxElapsed:
		return maxElapsed
	case retry.ErrContext:
		return contextDone
	case retry.ErrPermanent:
		return permanent
	case retry.ErrRetryAfter:
		return retryAfter
	case retry.ErrBudget:
		return budget
	}
	return other
}
