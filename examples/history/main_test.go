package main

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
)

func TestRun(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()

	var out bytes.Buffer
	require.NoError(t, run(ctx, &out))
	t.Log(out.String())
	for _, line := range []string{
		`(?m)^retry: load: attempts exhausted after 4 attempts in .*: 504 Gateway Timeout$`,
		`(?m)^WithHistorySize\(3\) keeps the newest 3 of the 4 attempts:$`,
		`(?m)^ +number +waited +ran for +error$`,
		`(?m)^ +2 +10ms +\S+s +connection reset$`,
		`(?m)^ +3 +20ms +\S+s +503 Service Unavailable$`,
		`(?m)^ +4 +40ms +\S+s +504 Gateway Timeout$`,
		`(?m)^after 10 calls that went well +100 % of 10 attempts$`,
		`(?m)^after 3 calls in an outage +53 % of 19 attempts$`, // 3 calls are 9 attempts
		`(?m)^after 4 more +0 % of 20 attempts$`,
		`(?m)^after 15 calls that went well +75 % of 20 attempts$`,
	} {
		assert.Regexp(t, line, out.String())
	}
	assert.NotContains(t, out.String(), "connection refused", "the oldest attempt is not kept")
}

func TestRunCancelled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, run(ctx, new(bytes.Buffer)), context.Canceled)
}

func TestPrintTable(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	require.NoError(t, printTable(&out, []retry.Attempt{
		{Number: 1, Duration: 1234567 * time.Nanosecond, Err: errors.New("first")},
		{Number: 10, Waited: 2 * time.Second, Duration: time.Minute, Err: errors.New("last")},
	}))
	assert.Equal(t, ""+
		"  number  waited  ran for  error\n"+
		"       1      0s    1.2ms  first\n"+
		"      10      2s     1m0s  last\n", out.String())
}

func TestSuccessRate(t *testing.T) {
	t.Parallel()
	s := NewService(4)
	rate, of := s.SuccessRate()
	assert.Equal(t, 1.0, rate, "nothing has failed yet")
	assert.Zero(t, of)

	require.NoError(t, s.Call(t.Context(), func(context.Context) error { return nil }))
	require.Error(t, s.Call(t.Context(), func(context.Context) error { return retry.Permanent(errDown) }))
	rate, of = s.SuccessRate()
	assert.Equal(t, 0.5, rate)
	assert.Equal(t, 2, of)
}
