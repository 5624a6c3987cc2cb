package main

import (
	"bytes"
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/seed-205ff063/retry"
)

func TestRun(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var out bytes.Buffer
	require.NoError(t, run(ctx, &out))
	assert.Equal(t, strings.TrimLeft(`
== aws-sdk-go-v2
put after 2 × 503 SlowDown, then get: "hello", 4 requests
a key that is missing: retry: permanent error after 1
20 calls while it is down, budget (0.1, 3): 24 requests, the last: retry: client's own retry budget is spent after 1

== gax
UNAVAILABLE, then RetryInfo of 150ms: done, 3 requests
UNAVAILABLE, five times: retry: attempts exhausted after 4, 4 requests
INVALID_ARGUMENT: retry: permanent error after 1, 1 requests
RetryInfo of an hour: retry: server asks for a longer wait than allowed after 1, 1 requests
`, "\n"), out.String())
}

func TestAWSError(t *testing.T) {
	t.Parallel()
	s := newFakeS3()
	defer s.Close()
	s.setDown(true)
	_, err := get(t.Context(), s.client(policyForAWS()), "greeting")
	var e *retry.Error
	require.ErrorAs(t, err, &e)
	assert.Equal(t, retry.ErrExhausted, e.Reason)
	assert.Equal(t, 4, e.Attempts)
	var r *smithyhttp.ResponseError
	require.ErrorAs(t, err, &r)
	assert.Equal(t, 503, r.HTTPStatusCode())
}

// The policy obeys the server's hint. The SDK itself does not read it.
func TestAWSHint(t *testing.T) {
	t.Parallel()
	s := newFakeS3(failure{status: 503, code: "SlowDown", retryAfter: "1"})
	defer s.Close()
	require.NoError(t, put(t.Context(), s.client(policyForAWS()), "greeting", "hello"))
	require.Len(t, s.times, 2)
	assert.GreaterOrEqual(t, s.times[1].Sub(s.times[0]), time.Second)

	s = newFakeS3(failure{status: 503, code: "SlowDown", retryAfter: "3600"})
	defer s.Close()
	err := put(t.Context(), s.client(policyForAWS()), "greeting", "hello")
	require.ErrorIs(t, err, retry.ErrRetryAfter)
	assert.Equal(t, 1, s.requests())
}

// A wait that would pass the caller's deadline does not start.
func TestAWSDeadline(t *testing.T) {
	t.Parallel()
	s := newFakeS3(slowDown, slowDown)
	defer s.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	began := time.Now()
	err := put(ctx, s.client(policyForAWS(retry.WithBackoff(retry.Constant(time.Minute)))), "greeting", "hello")
	require.ErrorIs(t, err, retry.ErrContext)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	assert.Less(t, time.Since(began), 20*time.Second)
	assert.Equal(t, 1, s.requests())
}

// Concurrent calls of one client count their own attempts.
func TestAWSConcurrent(t *testing.T) {
	t.Parallel()
	s := newFakeS3()
	defer s.Close()
	s.setDown(true)
	client := s.client(policyForAWS())
	var calls sync.WaitGroup
	for range 8 {
		calls.Go(func() {
			_, err := get(t.Context(), client, "greeting")
			var e *retry.Error
			assert.ErrorAs(t, err, &e)
			assert.Equal(t, 4, e.Attempts)
		})
	}
	calls.Wait()
	assert.Equal(t, 8*4, s.requests())
}

func TestGaxHint(t *testing.T) {
	t.Parallel()
	s, err := newRPCServer(busy(150 * time.Millisecond))
	require.NoError(t, err)
	defer s.close()
	require.NoError(t, s.check(t.Context(), policyForRPC()))
	require.Len(t, s.times, 2)
	assert.GreaterOrEqual(t, s.times[1].Sub(s.times[0]), 150*time.Millisecond)
}

// The error has the reason and the status of the last attempt.
func TestGaxError(t *testing.T) {
	t.Parallel()
	s, err := newRPCServer(status.Error(codes.NotFound, "no such thing"))
	require.NoError(t, err)
	defer s.close()
	err = s.check(t.Context(), policyForRPC())
	require.ErrorIs(t, err, retry.ErrPermanent)
	var e interface{ GRPCStatus() *status.Status }
	require.ErrorAs(t, err, &e)
	assert.Equal(t, codes.NotFound, e.GRPCStatus().Code())
}

func TestGaxDeadline(t *testing.T) {
	t.Parallel()
	s, err := newRPCServer(busy(0), busy(0))
	require.NoError(t, err)
	defer s.close()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	err = s.check(ctx, policyForRPC(retry.WithBackoff(retry.Constant(time.Minute))))
	require.ErrorIs(t, err, retry.ErrContext)
	assert.Len(t, s.times, 1)
}
