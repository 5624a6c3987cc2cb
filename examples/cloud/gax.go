package main

import (
	"context"
	"errors"
	"time"

	"github.com/googleapis/gax-go/v2"
	"github.com/googleapis/gax-go/v2/apierror"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/seed-205ff063/retry"
)

// invoke is gax.Invoke under the policy. Where a method of a Google client takes gax.CallOptions, the
// option alone does. The error is the policy's: gax itself returns the last attempt's.
func invoke(ctx context.Context, policy *retry.Policy, call gax.APICall, opts ...gax.CallOption) error {
	r := &gaxCall{ctx: ctx, policy: policy, began: time.Now()}
	err := gax.Invoke(ctx, call, append(opts, gax.WithRetry(func() gax.Retryer { return r }))...)
	if err != nil && r.err != nil {
		return r.err
	}
	return err
}

// gaxCall is a policy as the gax.Retryer of one call. It decides with the call's context, which gax
// does not pass on.
type gaxCall struct {
	ctx    context.Context
	policy *retry.Policy
	began  time.Time
	last   retry.Attempt
	err    error
}

// Retry decides what follows an attempt that failed with err.
func (c *gaxCall) Retry(err error) (time.Duration, bool) {
	c.last = retry.Attempt{Number: c.last.Number + 1, Waited: c.last.Delay, Elapsed: time.Since(c.began), Err: err}
	var e *apierror.APIError
	if errors.As(err, &e) && e.Details().RetryInfo != nil {
		c.last.Err = retry.After(e.Details().RetryInfo.GetRetryDelay().AsDuration(), err)
	}
	c.last.Delay, c.err = c.policy.Next(c.ctx, c.last)
	return c.last.Delay, c.err == nil
}

// unavailable is a classifier for methods that may be called twice.
func unavailable(a retry.Attempt) bool { return status.Code(a.Err) == codes.Unavailable }
