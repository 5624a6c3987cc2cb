package retry_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
)

func TestMarkingNil(t *testing.T) {
	t.Parallel()
	assert.NoError(t, retry.Permanent(nil))
	assert.NoError(t, retry.After(time.Hour, nil))
}

func TestMarksKeepText(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		err  error
		text string
	}{
		{retry.Permanent(errDown), "server down"},
		{retry.After(time.Second, errDown), "server down"},
		{fmt.Errorf("get %q: %w (really)", "x", retry.Permanent(errDown)), `get "x": server down (really)`},
		{errors.Join(errOdd, retry.After(1, retry.Permanent(errDown))), "odd\nserver down"},
	} {
		assert.EqualError(t, tt.err, tt.text)
		assert.ErrorIs(t, tt.err, errDown)
	}
	typed := &typedError{1}
	var found *typedError
	require.ErrorAs(t, retry.Permanent(retry.After(time.Second, typed)), &found)
	assert.Same(t, typed, found)
}

func TestMarksCountAnywhere(t *testing.T) {
	t.Parallel()
	permanent := retry.Permanent(errDown)
	after := retry.After(time.Hour, errDown)
	short := retry.After(time.Second, errDown)
	inner := retry.Do(context.Background(), alwaysReturn(permanent))
	budgetError := &retry.Error{Reason: retry.ErrBudget, Delay: time.Hour, Err: permanent}
	for _, tt := range []struct {
		name      string
		err       error
		permanent bool
		hint      time.Duration
	}{
		{"none", errDown, false, 0},
		{"permanent", permanent, true, 0},
		{"permanent twice", retry.Permanent(permanent), true, 0},
		{"permanent wrapped", fmt.Errorf("x: %w", fmt.Errorf("y: %w", permanent)), true, 0},
		{"permanent joined", errors.Join(errOdd, permanent), true, 0},
		{"permanent joined first", errors.Join(permanent, errOdd), true, 0},
		{"permanent in two %w", fmt.Errorf("%w %w", errOdd, permanent), true, 0},
		{"permanent deep in joins", errors.Join(errOdd, fmt.Errorf("x: %w", errors.Join(io.EOF, retry.After(time.Hour, permanent)))), true, 0},
		{"permanent in another's error", &url.Error{Op: "Get", Err: permanent}, true, 0},
		{"hint", after, false, time.Hour},
		{"hint wrapped", fmt.Errorf("x: %w", after), false, time.Hour},
		{"hint joined", errors.Join(errOdd, after), false, time.Hour},
		{"the longest hint, outer", retry.After(2*time.Hour, after), false, 2 * time.Hour},
		{"the longest hint, inner", retry.After(time.Second, after), false, time.Hour},
		{"the longest hint, first", errors.Join(after, short), false, time.Hour},
		{"the longest hint, last", errors.Join(short, after), false, time.Hour},
		{"the longest hint, above a join", retry.After(2*time.Hour, errors.Join(short, after)), false, 2 * time.Hour},
		{"own hint", hintError{time.Hour, true}, false, time.Hour},
		{"own hint, wrapped", fmt.Errorf("x: %w", hintError{time.Hour, true}), false, time.Hour},
		{"own hint says none", hintError{time.Hour, false}, false, 0},
		{"own hint and a longer one", errors.Join(retry.After(2*time.Hour, errDown), hintError{time.Hour, true}), false, 2 * time.Hour},
		{"a hint of 0 is none", retry.After(0, errDown), false, 0},
		{"a negative hint is none", retry.After(math.MinInt64, errDown), false, 0},
		{"inner call", inner, false, 0},
		{"inner call wrapped", fmt.Errorf("x: %w", inner), false, 0},
		{"inner call joined with a marker", errors.Join(inner, permanent), true, 0},
		{"inner call marked again", retry.Permanent(inner), true, 0},
		{"inner call's own hint", fmt.Errorf("x: %w", budgetError), false, time.Hour},
		{"a hint within an inner call", &retry.Error{Reason: retry.ErrExhausted, Err: after}, false, 0},
		{"typed nil", (*retry.Error)(nil), false, 0},
		{"typed nil joined", errors.Join((*retry.Error)(nil), permanent), true, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			isPermanent, hint := marksIn(t, tt.err)
			assert.Equal(t, tt.permanent, isPermanent)
			if !tt.permanent {
				assert.Equal(t, tt.hint, hint)
			}
		})
	}
}

// marksIn returns what a call finds in err: whether it is permanent, and its hint.
func marksIn(t testing.TB, err error) (isPermanent bool, hint time.Duration) {
	t.Helper()
	e := retryError(t, retry.Do(context.Background(), alwaysReturn(err),
		atOnce, retry.WithMaxAttempts(2), retry.WithMaxRetryAfter(0), retry.WithHistorySize(0)))
	switch e.Reason {
	case retry.ErrPermanent:
		return true, 0
	case retry.ErrRetryAfter:
		return false, e.Delay
	}
	require.Equal(t, retry.ErrExhausted, e.Reason)
	require.Equal(t, 2, e.Attempts)
	return false, 0
}

// errors.Is finds ErrPermanent in an error that Permanent marked, wherever the mark is, and
// nowhere else.
func TestPermanentMatchesErrPermanent(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		err  error
		want bool
	}{
		{"marked", retry.Permanent(io.EOF), true},
		{"wrapped", fmt.Errorf("x: %w", retry.Permanent(io.EOF)), true},
		{"beneath After", retry.After(time.Second, retry.Permanent(io.EOF)), true},
		{"around After", retry.Permanent(retry.After(time.Second, io.EOF)), true},
		{"joined", errors.Join(errDown, retry.Permanent(io.EOF)), true},
		{"After alone", retry.After(time.Second, io.EOF), false},
		{"plain", io.EOF, false},
		{"nil", retry.Permanent(nil), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, tt.want, errors.Is(tt.err, retry.ErrPermanent))
			assert.NotErrorIs(t, tt.err, retry.ErrExhausted)
			if tt.err != nil {
				assert.ErrorIs(t, tt.err, io.EOF)
			}
		})
	}
}

// Error.Err is the last error without its outermost marks. Attempt.Err is the error as the
// function returned it.
func TestErrorErrHasNoOutermostMarks(t *testing.T) {
	t.Parallel()
	wrapped := fmt.Errorf("x: %w", retry.Permanent(io.EOF))
	both := errors.Join(retry.Permanent(io.EOF), errDown)
	for _, tt := range []struct {
		name string
		err  error
		want error
	}{
		{"permanent", retry.Permanent(io.EOF), io.EOF},
		{"hint", retry.After(time.Hour, io.EOF), io.EOF},
		{"both", retry.Permanent(retry.After(time.Hour, io.EOF)), io.EOF},
		{"both, in the other order", retry.After(time.Hour, retry.Permanent(io.EOF)), io.EOF},
		{"twice", retry.Permanent(retry.Permanent(io.EOF)), io.EOF},
		{"the marked error is unchanged", retry.Permanent(wrapped), wrapped},
		{"a mark deeper in the tree stays", wrapped, wrapped},
		{"a mark in a join stays", both, both},
		{"no mark", errDown, errDown},
		{"a custom error with a hint", hintError{time.Hour, true}, hintError{time.Hour, true}},
	} {
		for _, way := range entryPoints {
			t.Run(tt.name+"/"+way.name, func(t *testing.T) {
				t.Parallel()
				var seen []error
				see := func(_ context.Context, a retry.Attempt) { seen = append(seen, a.Err) }
				e := retryError(t, way.call(context.Background(), alwaysReturn(tt.err), atOnce, retry.WithMaxAttempts(1),
					retry.WithHooks(retry.Hooks{AfterAttempt: see})))
				assert.True(t, e.Err == tt.want, "%#v", e.Err) // the very same error
				require.Len(t, e.History(), 1)
				assert.True(t, e.History()[0].Err == tt.err, "%#v", e.History()[0].Err) // the very same error
				require.Len(t, seen, 1)
				assert.True(t, seen[0] == tt.err, "%#v", seen[0]) // the very same error
				require.ErrorIs(t, e, tt.want)
			})
		}
	}
}
