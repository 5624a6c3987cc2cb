package retry_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
)

// entryPoint is one way to make a call.
type entryPoint struct {
	name  string
	entry string // how an error about a nil function names it
	call  func(ctx context.Context, fn func(context.Context) error, opts ...retry.Option) error
}

// entryPoints are all ways to make a call. What holds for one holds for all.
var entryPoints = []entryPoint{
	{"Do", "Do", retry.Do},
	{"DoValue", "DoValue", viaDoValue},
	{"Func", "Func", viaFunc},
	{"Policy.Do", "Do", viaPolicy},
	{"prebuilt Do", "Do", viaPrebuilt},
	{"prebuilt DoValue", "DoValue", func(ctx context.Context, fn func(context.Context) error, opts ...retry.Option) error {
		p, err := retry.New(opts...)
		if err != nil {
			return err
		}
		return viaDoValue(ctx, fn, p)
	}},
	{"Attempts", "", viaAttempts},
	{"Start", "Run.Try", viaRun},
}

func viaDoValue(ctx context.Context, fn func(context.Context) error, opts ...retry.Option) error {
	if fn == nil {
		_, err := retry.DoValue[int](ctx, nil, opts...)
		return err
	}
	_, err := retry.DoValue(ctx, func(ctx context.Context) (int, error) { return 0, fn(ctx) }, opts...)
	return err
}

func viaFunc(ctx context.Context, fn func(context.Context) error, opts ...retry.Option) error {
	if fn == nil {
		_, err := retry.Func[int, int](nil, opts...)(ctx, 0)
		return err
	}
	_, err := retry.Func(func(ctx context.Context, _ int) (int, error) { return 0, fn(ctx) }, opts...)(ctx, 0)
	return err
}

func viaPolicy(ctx context.Context, fn func(context.Context) error, opts ...retry.Option) error {
	p, err := retry.New(opts...)
	if err != nil {
		return err
	}
	return p.Do(ctx, fn)
}

func viaPrebuilt(ctx context.Context, fn func(context.Context) error, opts ...retry.Option) error {
	p, err := retry.New(opts...)
	if err != nil {
		return err
	}
	return retry.Do(ctx, fn, p)
}

func viaAttempts(ctx context.Context, fn func(context.Context) error, opts ...retry.Option) (err error) {
	for ctx := range retry.Attempts(ctx, &err, opts...) {
		err = fn(ctx)
	}
	return err
}

func viaRun(ctx context.Context, fn func(context.Context) error, opts ...retry.Option) error {
	p, err := retry.New(opts...)
	if err != nil {
		return err
	}
	run := p.Start(ctx)
	for wait, again := run.Try(fn); again; wait, again = run.Try(fn) {
		select {
		case <-time.After(wait):
		case <-ctx.Done():
		}
	}
	return run.Err()
}

func TestEntryPointsAgree(t *testing.T) {
	t.Parallel()
	dead, cancel := context.WithCancel(context.Background())
	cancel()
	for _, tt := range []struct {
		name   string
		ctx    context.Context
		fails  int
		err    error
		opts   []retry.Option
		calls  int
		reason error // nil means success
	}{
		{"first try", context.Background(), 0, nil, nil, 1, nil},
		{"third try", context.Background(), 2, errDown, nil, 3, nil},
		{"last try", context.Background(), 4, errDown, nil, 5, nil},
		{"exhausted by default", context.Background(), 9, errDown, nil, 5, retry.ErrExhausted},
		{"exhausted", context.Background(), 9, errDown, []retry.Option{retry.WithMaxAttempts(3), atOnce}, 3, retry.ErrExhausted},
		{"permanent", context.Background(), 9, retry.Permanent(errDown), nil, 1, retry.ErrPermanent},
		{"dead context", dead, 0, nil, nil, 0, retry.ErrContext},
		{"time limit", context.Background(), 9, errDown, []retry.Option{retry.WithMaxElapsed(5 * time.Second), every(2 * time.Second)}, 3, retry.ErrMaxElapsed},
		{"server's hint", context.Background(), 9, retry.After(time.Hour, errDown), nil, 1, retry.ErrRetryAfter},
		{"budget", context.Background(), 9, errDown, []retry.Option{retry.WithBudget(new(retry.Budget))}, 1, retry.ErrBudget},
	} {
		for _, way := range entryPoints {
			t.Run(tt.name+"/"+way.name, func(t *testing.T) {
				inBubble(t, func(t *testing.T) {
					fn, calls := failTimes(tt.fails, tt.err)
					var done outcomes
					err := way.call(tt.ctx, fn, append([]retry.Option{retry.WithName("call"), done.hook()}, tt.opts...)...)
					assert.Equal(t, tt.calls, *calls)
					out := done.one(t)
					assert.Equal(t, tt.calls, out.Attempts)
					assert.Equal(t, "call", out.Name)
					if tt.reason == nil {
						require.NoError(t, err)
						assert.Nil(t, out.Err)
						return
					}
					e := retryError(t, err)
					assert.Same(t, e, out.Err)
					assert.Equal(t, tt.reason, e.Reason)
					assert.ErrorIs(t, err, tt.reason)
					assert.Equal(t, tt.calls, e.Attempts)
					assert.Equal(t, out.Elapsed, e.Elapsed)
					if tt.calls > 0 {
						assert.Equal(t, withoutMark(tt.err), e.Err)
						assert.ErrorIs(t, err, errDown)
					}
				})
			})
		}
	}
}

func TestBadOptionsFailEveryEntryPoint(t *testing.T) {
	t.Parallel()
	for _, way := range entryPoints {
		t.Run(way.name, func(t *testing.T) {
			t.Parallel()
			fn, calls := failTimes(0, nil)
			var done outcomes
			err := way.call(context.Background(), fn, retry.WithMaxDelay(-time.Second), retry.WithMaxAttempts(0), done.hook())
			require.ErrorIs(t, err, retry.ErrOption)
			assert.EqualError(t, err, "retry: WithMaxAttempts: 0 is below 1; use Unlimited for no limit\n"+
				"retry: WithMaxDelay: -1s is negative")
			var e *retry.Error
			assert.False(t, errors.As(err, &e), "an option error alone is not an *Error")
			assert.Zero(t, *calls, "the function never runs")
			assert.Empty(t, done.all, "Done does not run either")
		})
	}
}

func TestNilFunctionFailsEveryEntryPoint(t *testing.T) {
	t.Parallel()
	for _, way := range entryPoints {
		if way.name == "Attempts" {
			continue // its function is the loop's body
		}
		t.Run(way.name, func(t *testing.T) {
			t.Parallel()
			err := way.call(context.Background(), nil)
			require.ErrorIs(t, err, retry.ErrOption)
			assert.EqualError(t, err, "retry: "+way.entry+": nil function")
		})
	}
}

func TestNilContextPanics(t *testing.T) {
	t.Parallel()
	for _, way := range entryPoints {
		t.Run(way.name, func(t *testing.T) {
			t.Parallel()
			var none context.Context
			fn, calls := failTimes(0, nil)
			assert.PanicsWithValue(t, "retry: nil context", func() { _ = way.call(none, fn) })
			assert.Zero(t, *calls)
		})
	}
}

func TestFunctionGetsCallersContext(t *testing.T) {
	t.Parallel()
	for _, way := range entryPoints {
		t.Run(way.name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			require.NoError(t, way.call(ctx, func(got context.Context) error {
				assert.Equal(t, ctx, got)
				return nil
			}))
		})
	}
}
