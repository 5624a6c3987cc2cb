package retry_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrytest"
)

// leaveLoop runs the body of a loop once, leaves the loop and returns how often the body ran.
type leaveLoop func(ctx context.Context, body func(err *error), err *error, opts ...retry.Option) (bodies int)

func leaveByBreak(ctx context.Context, body func(err *error), err *error, opts ...retry.Option) (bodies int) {
	for range retry.Attempts(ctx, err, opts...) {
		bodies++
		body(err)
		break
	}
	return bodies
}

func leaveByReturn(ctx context.Context, body func(err *error), err *error, opts ...retry.Option) (bodies int) {
	for range retry.Attempts(ctx, err, opts...) {
		body(err)
		return bodies + 1
	}
	return bodies
}

// Leaving the loop keeps the error that the body assigned. Without one it means success.
func TestAttemptsBreak(t *testing.T) {
	t.Parallel()
	marked := retry.After(time.Hour, errOdd)
	dead, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	for _, tt := range []struct {
		name string
		ctx  context.Context
		body func(err *error)
		want error
	}{
		{"nothing assigned", context.Background(), func(*error) {}, nil},
		{"after success", context.Background(), func(err *error) { *err = nil }, nil},
		{"after failure", context.Background(), func(err *error) { *err = errDown }, errDown},
		{"after a marked failure", context.Background(), func(err *error) { *err = marked }, marked},
		{"context ended", dead, func(err *error) { cancel(); *err = errDown }, errDown},
	} {
		for how, leave := range map[string]leaveLoop{"break": leaveByBreak, "return": leaveByReturn} {
			if tt.ctx == dead && how == "return" {
				continue // the context can end only once
			}
			t.Run(tt.name+"/"+how, func(t *testing.T) {
				t.Parallel()
				var done outcomes
				waits := 0
				err := errDown
				bodies := leave(tt.ctx, tt.body, &err, done.hook(), retry.WithHooks(retry.Hooks{
					BeforeWait: func(context.Context, retry.Attempt) { waits++ },
				}))
				assert.Equal(t, 1, bodies)
				assert.Zero(t, waits, "there is no retry")
				assert.Equal(t, tt.want, err, "*err stays as the body set it")
				out := done.one(t)
				assert.Equal(t, 1, out.Attempts)
				if tt.want == nil {
					assert.Nil(t, out.Err)
					return
				}
				require.NotNil(t, out.Err)
				assert.Equal(t, retry.ErrPermanent, out.Err.Reason)
				assert.Equal(t, withoutMark(tt.want), out.Err.Err)
			})
		}
	}
}

// Leaving the loop without assigning err means success, in any round.
func TestAttemptsBreakWithoutAssigning(t *testing.T) {
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

// Leaving the loop with an error ends the call with ErrPermanent, that error and no delay.
func TestAttemptsBreakWithError(t *testing.T) {
	t.Parallel()
	var err error
	var done outcomes
	for _, n := range retry.Attempts(context.Background(), &err, doublingWaits, retry.WithMaxAttempts(9), done.hook(), retry.WithClock(new(retrytest.Clock))) {
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

// A call whose loop is left reports no delay, whatever hint the error gives.
func TestAttemptsBreakHasNoDelay(t *testing.T) {
	t.Parallel()
	for name, last := range map[string]error{
		"plain":       errDown,
		"with a hint": retry.After(5*time.Second, errDown),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var done outcomes
			var err error
			for _, n := range retry.Attempts(context.Background(), &err, every(time.Nanosecond), done.hook()) {
				err = last
				if n == 2 {
					break
				}
				err = errDown
			}
			assert.Equal(t, last, err)
			out := done.one(t)
			assert.Equal(t, 2, out.Attempts)
			require.NotNil(t, out.Err)
			assert.Equal(t, retry.ErrPermanent, out.Err.Reason)
			assert.Zero(t, out.Err.Delay)
		})
	}
}
