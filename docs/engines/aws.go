package engines

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/seed-205ff063/retry"
)

// Retryer is an aws.RetryerV2 that asks a policy. Use it as aws.Config.Retryer.
type Retryer struct {
	Policy *retry.Policy
	Safe   func(error) bool // which errors to retry, for example retry.DefaultRetryables of the SDK
}

func (r Retryer) IsErrorRetryable(err error) bool { return r.Safe(err) }

func (r Retryer) MaxAttempts() int { return max(r.Policy.MaxAttempts(), 0) } // 0 is no limit

// RetryDelay returns the wait, or an error to give up. The attempt counts from 1.
func (r Retryer) RetryDelay(attempt int, err error) (time.Duration, error) {
	return r.Policy.Next(context.Background(), retry.Attempt{Number: attempt, Err: err})
}

func (r Retryer) GetRetryToken(context.Context, error) (func(error) error, error) {
	return noToken, nil
}
func (r Retryer) GetInitialToken() func(error) error                         { return noToken }
func (r Retryer) GetAttemptToken(context.Context) (func(error) error, error) { return noToken, nil }

func noToken(error) error { return nil }

var _ aws.RetryerV2 = Retryer{}
