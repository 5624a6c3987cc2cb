package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsretry "github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retryhttp"
)

// withPolicy makes an AWS client retry by the policy: append it to the APIOptions of a client or of
// one call. It gives each call a retryer of its own, since a shared one could not tell calls apart.
func withPolicy(policy *retry.Policy) func(*middleware.Stack) error {
	return func(stack *middleware.Stack) error {
		m, ok := stack.Finalize.Get("Retry")
		old, isAttempt := m.(*awsretry.Attempt)
		if !ok || !isAttempt {
			return errors.New("the client's stack has no retry middleware")
		}
		now := awsretry.NewAttemptMiddleware(&awsCall{policy: policy, began: time.Now()}, smithyhttp.RequestCloner, func(m *awsretry.Attempt) {
			m.LogAttempts, m.OperationMeter = old.LogAttempts, old.OperationMeter
			m.ClientSkew, m.DisableClockSkewCorrection = old.ClientSkew, old.DisableClockSkewCorrection
		})
		_, err := stack.Finalize.Swap("Retry", now)
		return err
	}
}

// awsCall is a policy as the aws.RetryerV2 of one call.
type awsCall struct {
	policy *retry.Policy
	began  time.Time
	last   retry.Attempt
	err    error // why no attempt follows the last one
}

var _ aws.RetryerV2 = (*awsCall)(nil)

// GetAttemptToken notes that an attempt begins.
func (c *awsCall) GetAttemptToken(context.Context) (func(error) error, error) {
	c.last = retry.Attempt{Number: c.last.Number + 1, Start: time.Now(), Waited: c.last.Delay}
	return nop, nil
}

// MaxAttempts is no limit: the policy's is kept by Next.
func (c *awsCall) MaxAttempts() int { return 0 }

// IsErrorRetryable is true, since Next is asked with the context in hand.
func (c *awsCall) IsErrorRetryable(error) bool { return true }

// GetRetryToken decides what follows the attempt.
func (c *awsCall) GetRetryToken(ctx context.Context, err error) (func(error) error, error) {
	c.last.Err = withHint(err)
	c.last.Duration, c.last.Elapsed = time.Since(c.last.Start), time.Since(c.began)
	c.last.Delay, c.err = c.policy.Next(ctx, c.last)
	return nop, nil
}

// RetryDelay returns what GetRetryToken decided. A call that ends returns its *retry.Error.
func (c *awsCall) RetryDelay(int, error) (time.Duration, error) { return c.last.Delay, c.err }

// GetInitialToken is not called where there is GetAttemptToken.
func (c *awsCall) GetInitialToken() func(error) error { return nop }

func nop(error) error { return nil }

// withHint adds what the response says about when to come again.
func withHint(err error) error {
	var e *smithyhttp.ResponseError
	if errors.As(err, &e) && e.Response != nil {
		if d, ok := retryhttp.Hint(e.Response.Response, time.Now()); ok {
			return retry.After(d, err)
		}
	}
	return err
}

// awsTransient is a classifier that matches what the SDK itself would retry.
func awsTransient(a retry.Attempt) bool {
	return awsretry.IsErrorRetryables(awsretry.DefaultRetryables).IsErrorRetryable(a.Err) == aws.TrueTernary
}

// reasonOf returns why a call stopped, and after how many attempts.
func reasonOf(err error) string {
	var e *retry.Error
	if errors.As(err, &e) {
		return fmt.Sprintf("%v after %d", e.Reason, e.Attempts)
	}
	return fmt.Sprint(err)
}
