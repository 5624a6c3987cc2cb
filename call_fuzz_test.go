package retry_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
)

// scriptedCall is a call decoded from bytes: the policy's limits, then one result for each
// attempt.
type scriptedCall struct {
	maxAttempts, historySize  int
	maxElapsed, maxRetryAfter time.Duration
	wait                      time.Duration
	ops                       []byte
}

func newScriptedCall(data []byte) scriptedCall {
	head := make([]byte, 5)
	n := copy(head, data)
	c := scriptedCall{
		maxAttempts:   int(head[0] % 7),
		maxElapsed:    time.Duration(head[1]%40) * time.Second,
		historySize:   int(head[2] % 4),
		maxRetryAfter: time.Duration(head[3]%20) * time.Second,
		wait:          time.Duration(head[4]%5) * time.Second,
		ops:           data[n:],
	}
	if c.maxAttempts == 0 {
		c.maxAttempts = retry.Unlimited
	}
	return c
}

// scriptedResult is the result of one attempt.
type scriptedResult struct {
	err       error         // what the function returns
	reject    error         // why the validator rejects the value
	permanent bool          // the error is marked Permanent
	hint      time.Duration // the error carries this hint
	cancel    bool          // the caller's context ends during the attempt
	runs      time.Duration
}

// result decodes the result of attempt i. Attempts after the end of the script succeed.
func (c scriptedCall) result(i int) (r scriptedResult) {
	if i >= len(c.ops) {
		return r
	}
	op, arg := c.ops[i]%10, c.ops[i]/10
	own := fmt.Errorf("failure %d", i)
	r.runs = time.Duration(arg%3) * time.Second
	switch op {
	case 0:
	case 1, 2:
		r.err = own
	case 3:
		r.err, r.permanent = retry.Permanent(own), true
	case 4:
		r.err, r.permanent = fmt.Errorf("deep: %w", errors.Join(errOdd, retry.Permanent(own))), true
	case 5:
		r.hint = time.Duration(arg) * time.Second
		r.err = retry.After(r.hint, own)
	case 6:
		r.err, r.cancel = own, true
	case 7:
		r.cancel = true
	case 8:
		r.reject = own
	case 9:
		r.reject, r.permanent = retry.Permanent(own), true
	}
	return r
}

// expect computes from the rules how many attempts the call makes and why it stops.
func (c scriptedCall) expect() (attempts int, reason error) {
	elapsed := time.Duration(0)
	for n := 1; ; n++ {
		r := c.result(n - 1)
		elapsed += r.runs
		wait := c.wait
		if r.hint > 0 {
			wait = r.hint
		}
		switch {
		case r.err == nil && r.reject == nil:
			return n, nil
		case r.cancel:
			return n, retry.ErrContext
		case r.permanent:
			return n, retry.ErrPermanent
		case n == c.maxAttempts:
			return n, retry.ErrExhausted
		case r.hint > c.maxRetryAfter:
			return n, retry.ErrRetryAfter
		case c.maxElapsed > 0 && elapsed+wait >= c.maxElapsed:
			return n, retry.ErrMaxElapsed
		}
		elapsed += wait
	}
}

func FuzzOutcome(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{3, 0, 2, 10, 0, 1, 1, 1, 1})
	f.Add([]byte{0, 9, 2, 10, 1, 1, 2, 8, 8, 21, 1, 0})
	f.Add([]byte{5, 0, 0, 5, 2, 1, 55, 1})
	f.Add([]byte{4, 30, 3, 19, 4, 1, 5, 35, 4})
	f.Add([]byte{4, 0, 1, 0, 0, 8, 8, 9})
	f.Add([]byte{6, 0, 3, 0, 0, 1, 6})
	f.Add([]byte{6, 0, 3, 0, 0, 8, 7})
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 60 {
			return
		}
		script := newScriptedCall(data)
		var done outcomes
		calls, last, err := script.call(done.hook())
		attempts, reason := script.expect()
		require.Equal(t, attempts, calls)
		require.Equal(t, last.err == nil && last.reject == nil, err == nil, "nil if and only if the last attempt succeeded")
		out := done.one(t)
		require.Equal(t, attempts, out.Attempts)
		if err == nil {
			require.NoError(t, reason)
			require.Nil(t, out.Err)
			return
		}
		e := retryError(t, err)
		require.Equal(t, reason, e.Reason)
		require.Equal(t, attempts, e.Attempts)
		require.Same(t, e, out.Err)
		requireFailure(t, e, last)
		kept := e.History()
		require.Len(t, kept, min(attempts, script.historySize))
		require.True(t, slices.IsSortedFunc(kept, func(a, b retry.Attempt) int { return a.Number - b.Number }))
		if len(kept) > 0 {
			require.Equal(t, attempts, kept[len(kept)-1].Number, "the newest attempts are kept")
		}
	})
}

// call makes the script's call. It returns the number of attempts, the last result and the
// call's error.
func (c scriptedCall) call(opts ...retry.Option) (calls int, last scriptedResult, err error) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	clk := &jumpClock{}
	_, err = retry.DoValue(ctx, func(context.Context) (int, error) {
		last = c.result(calls)
		calls++
		clk.now = clk.now.Add(last.runs)
		if last.cancel {
			cancel()
		}
		return calls, last.err
	}, append(opts, retry.WithClock(clk), retry.WithJitter(retry.NoJitter), every(c.wait),
		retry.WithMaxAttempts(c.maxAttempts), retry.WithMaxElapsed(c.maxElapsed),
		retry.WithMaxRetryAfter(c.maxRetryAfter), retry.WithHistorySize(c.historySize),
		retry.WithValidator(func(int, retry.Attempt) error { return last.reject }))...)
	return calls, last, err
}

// requireFailure checks that e matches the failure of the last attempt and has a text of one line.
func requireFailure(t *testing.T, e *retry.Error, last scriptedResult) {
	t.Helper()
	failure := last.err
	if failure == nil {
		failure = last.reject
		require.ErrorIs(t, e, retry.ErrRejected)
	}
	require.ErrorIs(t, e, withoutMark(failure))
	require.NotContains(t, e.Error(), "\n")
	require.True(t, strings.HasPrefix(e.Error(), "retry: "))
}
