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

var errStop = errors.New("shutting down")

type contextKey struct{}

var base = context.WithValue(context.Background(), contextKey{}, "value")

// parentEnd is a way in which a parent ends.
type parentEnd struct {
	parent     func(*retrytest.Clock) (context.Context, func())
	err, cause error
}

var parentEnds = map[string]parentEnd{
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
	// The Clock advances before the context is used.
	"ended just before its time is up": {func(clk *retrytest.Clock) (context.Context, func()) {
		ctx, cancel := context.WithCancelCause(base)
		return ctx, func() { cancel(errStop); clk.Advance(time.Minute) }
	}, context.Canceled, errStop},
}

// TestWithTimeoutFollowsParent checks that a context ends with its parent, with the same error and cause.
func TestWithTimeoutFollowsParent(t *testing.T) {
	t.Parallel()
	for name, row := range parentEnds {
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
				// The goroutine that ended the parent sees the end at once.
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

// TestWithTimeoutEndsWithParent checks that a select that waits and a derived context learn of the
// end of the parent.
func TestWithTimeoutEndsWithParent(t *testing.T) {
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

// TestWithTimeoutFollowsAtOnce checks that the goroutine that ended the parent sees the end at
// once, with every method. It must not depend on when context.AfterFunc runs.
func TestWithTimeoutFollowsAtOnce(t *testing.T) {
	t.Parallel()
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

// TestWithTimeoutRace ends a context by the Clock and the parent at the same time. One of them
// wins, the derived context agrees, and nothing blocks.
func TestWithTimeoutRace(t *testing.T) {
	t.Parallel()
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
