package retry_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrytest"
)

// From the second body on err has the text and the tree of the previous attempt's error.
func TestAttemptsBodyReadsThePreviousError(t *testing.T) {
	t.Parallel()
	results := []error{&typedError{1}, fmt.Errorf("second: %w", io.ErrUnexpectedEOF), retry.After(1, &typedError{3}), errDown}
	var err error
	for _, n := range retry.Attempts(context.Background(), &err, atOnce, retry.WithMaxAttempts(4)) {
		if n == 1 {
			require.ErrorContains(t, err, "did not assign", "there is nothing to read yet")
		} else {
			previous := results[n-2]
			require.EqualError(t, err, previous.Error())
			require.ErrorIs(t, err, previous)
			assert.Equal(t, n == 3, errors.Is(err, io.ErrUnexpectedEOF))
			var typed *typedError
			assert.Equal(t, n != 3, errors.As(err, &typed))
			assert.NotContains(t, err.Error(), "did not assign")
		}
		err = results[n-1]
	}
	assert.Equal(t, errDown, stopped(t, err).Err)
}

// What a body makes of the previous error is an error of its own.
func TestAttemptsBodyWrapsThePreviousError(t *testing.T) {
	t.Parallel()
	var err error
	for _, n := range retry.Attempts(context.Background(), &err, atOnce, retry.WithMaxAttempts(3)) {
		if n == 1 {
			err = errDown
			continue
		}
		err = fmt.Errorf("%d: %w", n, err)
	}
	e := stopped(t, err)
	assert.Equal(t, retry.ErrExhausted, e.Reason)
	require.EqualError(t, e.Err, "3: 2: server down")
	require.ErrorIs(t, e, errDown)
}

// A body that leaves it there ends the loop with an error that says so, in any round.
func TestAttemptsBodyThatAssignsNothing(t *testing.T) {
	t.Parallel()
	for last := 1; last <= 3; last++ {
		var err error
		rounds := 0
		for _, n := range retry.Attempts(context.Background(), &err, atOnce, retry.WithMaxAttempts(9)) {
			rounds = n
			if n < last {
				err = errDown
			}
		}
		assert.Equal(t, last, rounds)
		e := stopped(t, err)
		assert.Equal(t, retry.ErrPermanent, e.Reason)
		require.ErrorContains(t, e, "the loop body did not assign the error it was given; was it shadowed by := ?")
	}
}

// Leaving the loop without assigning means no error, in any round.
func TestAttemptsLeftUnassigned(t *testing.T) {
	t.Parallel()
	for last := 1; last <= 3; last++ {
		var err error
		var done outcomes
		for _, n := range retry.Attempts(context.Background(), &err, atOnce, retry.WithMaxAttempts(9), done.hook()) {
			if n == last {
				break
			}
			err = errDown
		}
		require.NoError(t, err)
		assert.Nil(t, done.one(t).Err)
		assert.Equal(t, last, done.one(t).Attempts)
	}
}

// Leaving it with the error of this round: the call ended with ErrPermanent and that error, and
// with no wait to come.
func TestAttemptsLeftWithAnError(t *testing.T) {
	t.Parallel()
	var err error
	var done outcomes
	for _, n := range retry.Attempts(context.Background(), &err, doubling, retry.WithMaxAttempts(9), done.hook(), retry.WithClock(new(retrytest.Clock))) {
		err = fmt.Errorf("%d: %w", n, errDown)
		if n == 2 {
			break
		}
	}
	require.EqualError(t, err, "2: server down")
	o := done.one(t)
	require.NotNil(t, o.Err)
	assert.Equal(t, retry.ErrPermanent, o.Err.Reason)
	assert.Equal(t, err, o.Err.Err)
	assert.Zero(t, o.Err.Delay)
}
