package retry_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
)

func TestAttemptsYieldsNumbersAndContexts(t *testing.T) {
	t.Parallel()
	type key struct{}
	ctx := context.WithValue(context.Background(), key{}, "v")
	var err error
	var numbers []int
	for ctx, n := range retry.Attempts(ctx, &err, atOnce, retry.WithMaxAttempts(4), retry.WithAttemptTimeout(time.Hour)) {
		numbers = append(numbers, n)
		assert.Equal(t, "v", ctx.Value(key{}))
		_, bounded := ctx.Deadline()
		assert.True(t, bounded, "the attempt's own context")
		err = errDown
	}
	assert.Equal(t, []int{1, 2, 3, 4}, numbers)
	assert.Equal(t, retry.ErrExhausted, retryError(t, err).Reason)
}

func TestAttemptsUnassignedError(t *testing.T) {
	t.Parallel()
	const text = "retry: permanent error after 1 attempt in 0s: " +
		"retry: Attempts: the loop body did not assign the error it was given; was it shadowed by := ?"
	t.Run("first body", func(t *testing.T) {
		inBubble(t, func(t *testing.T) {
			err := errDown // an earlier value of the variable must not count as a result
			bodies := 0
			for range retry.Attempts(context.Background(), &err, atOnce) {
				bodies++
				err := errOdd
				_ = err
			}
			assert.Equal(t, 1, bodies)
			assert.Equal(t, retry.ErrPermanent, retryError(t, err).Reason)
			assert.EqualError(t, err, text)
		})
	})
	t.Run("second body", func(t *testing.T) {
		t.Parallel()
		var err error
		bodies := 0
		for _, n := range retry.Attempts(context.Background(), &err, atOnce) {
			bodies++
			if n == 1 {
				err = errDown
			}
		}
		assert.Equal(t, 2, bodies, "the check runs in each round")
		assert.Contains(t, retryError(t, err).Error(), "did not assign")
	})
}

// From the second round on, err has the text and the tree of the previous attempt's error.
func TestAttemptsBodyReadsPreviousError(t *testing.T) {
	t.Parallel()
	results := []error{&typedError{1}, fmt.Errorf("second: %w", io.ErrUnexpectedEOF), retry.After(1, &typedError{3}), errDown}
	var err error
	for _, n := range retry.Attempts(context.Background(), &err, atOnce, retry.WithMaxAttempts(4)) {
		if n == 1 {
			require.ErrorContains(t, err, "did not assign", "there is no previous error yet")
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
	assert.Equal(t, errDown, retryError(t, err).Err)
}

// A body may wrap the previous error in its own.
func TestAttemptsBodyWrapsPreviousError(t *testing.T) {
	t.Parallel()
	var err error
	for _, n := range retry.Attempts(context.Background(), &err, atOnce, retry.WithMaxAttempts(3)) {
		if n == 1 {
			err = errDown
			continue
		}
		err = fmt.Errorf("%d: %w", n, err)
	}
	e := retryError(t, err)
	assert.Equal(t, retry.ErrExhausted, e.Reason)
	require.EqualError(t, e.Err, "3: 2: server down")
	require.ErrorIs(t, e, errDown)
}

// A body that assigns nothing ends the loop with an error that says so, in any round.
func TestAttemptsUnassignedErrorInAnyRound(t *testing.T) {
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
		e := retryError(t, err)
		assert.Equal(t, retry.ErrPermanent, e.Reason)
		require.ErrorContains(t, e, "the loop body did not assign the error it was given; was it shadowed by := ?")
	}
}

func TestAttemptsBodyPanics(t *testing.T) {
	t.Parallel()
	boom := new(int)
	var done outcomes
	held := 0
	gate := func(context.Context, retry.Attempt) (func(error), error) {
		held++
		return func(error) { held-- }, nil
	}
	func() {
		defer func() { assert.Same(t, boom, recover()) }()
		var err error
		for range retry.Attempts(context.Background(), &err, done.hook(), retry.WithGate(gate)) {
			panic(boom)
		}
	}()
	assert.Empty(t, done.all)
	assert.Zero(t, held)
}

func TestAttemptsEachRangeIsOneCall(t *testing.T) {
	t.Parallel()
	var err error
	var done outcomes
	seq := retry.Attempts(context.Background(), &err, atOnce, retry.WithMaxAttempts(2), done.hook())
	for range 3 {
		var numbers []int
		for _, n := range seq {
			numbers = append(numbers, n)
			err = errDown
		}
		assert.Equal(t, []int{1, 2}, numbers)
		assert.Equal(t, retry.ErrExhausted, retryError(t, err).Reason)
	}
	for range seq {
		break // leaving after a failed range sets nil, not the earlier failure
	}
	require.NoError(t, err)
	assert.Len(t, done.all, 4)
}

func TestAttemptsOptionErrorSkipsBody(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		opt  retry.Option
		text string
	}{
		{"bad value", retry.WithMaxAttempts(-3), "retry: WithMaxAttempts: -3 is below 1; use Unlimited for no limit"},
		{
			"validator", retry.WithValidator(func(int, retry.Attempt) error { return nil }),
			"retry: WithValidator: a validator for int in a call that returns no value; use DoValue or Func",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			err := errDown
			for range retry.Attempts(context.Background(), &err, tt.opt) {
				t.Error("the body ran")
			}
			require.ErrorIs(t, err, retry.ErrOption)
			assert.EqualError(t, err, tt.text)
		})
	}
}

func TestAttemptsContextAlreadyDone(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	err := errDown
	for range retry.Attempts(ctx, &err) {
		t.Error("the body ran")
	}
	e := retryError(t, err)
	assert.Equal(t, retry.ErrContext, e.Reason)
	assert.NoError(t, e.Err)
}

func TestAttemptsNilErrorPointer(t *testing.T) {
	t.Parallel()
	require.PanicsWithValue(t, "retry: Attempts: nil error pointer", func() { retry.Attempts(t.Context(), nil) })
}
