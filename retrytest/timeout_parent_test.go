package retrytest_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry/retrytest"
)

func TestWithTimeoutFollowsParent(t *testing.T) {
	t.Parallel()
	errStop := errors.New("shutting down")
	type contextKey struct{}
	base := context.WithValue(context.Background(), contextKey{}, "value")
	for name, row := range map[string]struct {
		parent     func(*retrytest.Clock) (context.Context, func())
		err, cause error
	}{
		"cancelled with a cause": {func(*retrytest.Clock) (context.Context, func()) {
			ctx, cancel := context.WithCancelCause(base)
			return ctx, func() { cancel(errStop) }
		}, context.Canceled, errStop},
		"cancelled above a value": {func(*retrytest.Clock) (context.Context, func()) {
			ctx, cancel := context.WithCancelCause(base)
			return context.WithValue(ctx, contextKey{}, "value"), func() { cancel(errStop) }
		}, context.Canceled, errStop},
		"virtual timeout": {func(clk *retrytest.Clock) (context.Context, func()) {
			ctx, _ := clk.WithTimeout(base, time.Millisecond)
			return ctx, func() { clk.Advance(time.Millisecond) }
		}, context.DeadlineExceeded, context.DeadlineExceeded},
		"virtual timeout, cancelled": {func(clk *retrytest.Clock) (context.Context, func()) {
			return clk.WithTimeout(base, time.Hour)
		}, context.Canceled, context.Canceled},
		"a grandparent's end": {func(clk *retrytest.Clock) (context.Context, func()) {
			ctx, cancel := context.WithCancelCause(base)
			ctx, _ = clk.WithTimeout(ctx, time.Hour)
			return ctx, func() { cancel(errStop) }
		}, context.Canceled, errStop},
		// The Clock gets there before anybody looked at the context.
		"ended just before its time is up": {func(clk *retrytest.Clock) (context.Context, func()) {
			ctx, cancel := context.WithCancelCause(base)
			return ctx, func() { cancel(errStop); clk.Advance(time.Minute) }
		}, context.Canceled, errStop},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, before := range []bool{false, true} {
				var clk retrytest.Clock
				parent, end := row.parent(&clk)
				if before {
					end()
				}
				ctx, cancel := clk.WithTimeout(parent, time.Minute)
				defer cancel()
				done := ctx.Done()
				assert.Equal(t, "value", ctx.Value(contextKey{}))
				if !before {
					require.NoError(t, ctx.Err())
					end()
				}
				// At once, in the goroutine that ended the parent.
				assert.Equal(t, row.err, ctx.Err())
				assert.Equal(t, row.cause, context.Cause(ctx))
				assert.True(t, isDone(ctx))
				<-done
				cancel()
				clk.Advance(time.Hour)
				assert.Equal(t, row.err, ctx.Err())
				assert.Equal(t, row.cause, context.Cause(ctx))
			}
		})
	}
}

// A select that was entered before the parent ended, and a context derived earlier, hear of
// it without anybody asking.
func TestWithTimeoutHearsOfParent(t *testing.T) {
	t.Parallel()
	var clk retrytest.Clock
	parent, end := context.WithCancel(t.Context())
	ctx, cancel := clk.WithTimeout(parent, time.Minute)
	defer cancel()
	derived, cancelDerived := context.WithCancel(ctx)
	defer cancelDerived()
	done := ctx.Done()
	end()
	<-done
	<-derived.Done()
	assert.Equal(t, context.Canceled, derived.Err())
}

// The goroutine that ended the parent sees that at once, whatever it asks first; though
// context.AfterFunc, which tells of it, may have run or not, or be running.
func TestWithTimeoutFollowsAtOnce(t *testing.T) {
	t.Parallel()
	errStop := errors.New("shutting down")
	for name, ask := range map[string]func(ctx context.Context, cancel func()) (ok bool){
		"Err":   func(ctx context.Context, _ func()) bool { return ctx.Err() == context.Canceled },
		"Done":  func(ctx context.Context, _ func()) bool { return isDone(ctx) },
		"Cause": func(ctx context.Context, _ func()) bool { return context.Cause(ctx) == errStop },
		"derived": func(ctx context.Context, _ func()) bool {
			ctx, cancel := context.WithCancel(ctx)
			defer cancel()
			return context.Cause(ctx) == errStop
		},
		"cancel": func(ctx context.Context, cancel func()) bool {
			cancel()
			return context.Cause(ctx) == errStop
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var clk retrytest.Clock
			for range 500 {
				parent, end := context.WithCancelCause(t.Context())
				ctx, cancel := clk.WithTimeout(parent, time.Minute)
				end(errStop)
				require.True(t, ask(ctx, cancel))
				cancel()
			}
		})
	}
}

// The Clock and the parent end a context at the same time: one of them wins, everybody
// agrees which, and nothing blocks.
func TestWithTimeoutRace(t *testing.T) {
	t.Parallel()
	errStop := errors.New("shutting down")
	for range 200 {
		var clk retrytest.Clock
		parent, end := context.WithCancelCause(t.Context())
		ctx, cancel := clk.WithTimeout(parent, time.Second)
		derived, cancelDerived := context.WithCancel(ctx)
		go clk.Advance(time.Second)
		go end(errStop)
		<-derived.Done()
		require.Error(t, ctx.Err())
		require.Equal(t, ctx.Err(), derived.Err())
		require.Equal(t, context.Cause(ctx), context.Cause(derived))
		cancel()
		cancelDerived()
	}
}
