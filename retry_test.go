package retry_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
)

// What the tests of the step share.

var (
	errDown = errors.New("server down")
	errOdd  = errors.New("odd")
)

// atOnce retries without waiting.
var atOnce = retry.WithBackoff(retry.Constant(0))

// every waits d before each retry.
func every(d time.Duration) retry.Option { return retry.WithBackoff(retry.Constant(d)) }

// inBubble runs a test in virtual time.
func inBubble(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, f)
}

// failing returns a function that fails n times with err and succeeds from then on, and the
// counter of its calls.
func failing(n int, err error) (fn func(context.Context) error, calls *int) {
	calls = new(int)
	return func(context.Context) error {
		if *calls++; *calls <= n {
			return err
		}
		return nil
	}, calls
}

// always fails with err.
func always(err error) func(context.Context) error {
	return func(context.Context) error { return err }
}

// stopped returns err as the *Error that it must be.
func stopped(t testing.TB, err error) *retry.Error {
	t.Helper()
	require.Error(t, err)
	e, ok := err.(*retry.Error)
	require.Truef(t, ok, "%T is no *retry.Error: %v", err, err)
	require.NotNil(t, e)
	return e
}

// bare is err without the mark around it, as [retry.Error].Err has it.
func bare(err error) error {
	switch fmt.Sprintf("%T", err) {
	case "*retry.permanent", "*retry.after":
		return bare(errors.Unwrap(err))
	}
	return err
}

// outcomes collects what the Done hooks are told.
type outcomes struct {
	mu  sync.Mutex
	all []retry.Outcome
}

func (o *outcomes) hook() retry.Option {
	return retry.WithHooks(retry.Hooks{Done: func(_ context.Context, out retry.Outcome) {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.all = append(o.all, out)
	}})
}

// one is the only outcome there may be.
func (o *outcomes) one(t testing.TB) retry.Outcome {
	t.Helper()
	require.Len(t, o.all, 1)
	return o.all[0]
}

// wayIn is one way to make a call.
type wayIn struct {
	name  string
	entry string // what an error about a nil function calls it
	call  func(ctx context.Context, fn func(context.Context) error, opts ...retry.Option) error
}

// waysIn are all of them: what holds for one holds for all.
var waysIn = []wayIn{
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

func TestWaysInAgree(t *testing.T) {
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
		reason error // nil: success
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
		for _, way := range waysIn {
			t.Run(tt.name+"/"+way.name, func(t *testing.T) {
				inBubble(t, func(t *testing.T) {
					fn, calls := failing(tt.fails, tt.err)
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
					e := stopped(t, err)
					assert.Same(t, e, out.Err)
					assert.Equal(t, tt.reason, e.Reason)
					assert.ErrorIs(t, err, tt.reason)
					assert.Equal(t, tt.calls, e.Attempts)
					assert.Equal(t, out.Elapsed, e.Elapsed)
					if tt.calls > 0 {
						assert.Equal(t, bare(tt.err), e.Err)
						assert.ErrorIs(t, err, errDown)
					}
				})
			})
		}
	}
}

func TestBadOptionsStopEveryWayIn(t *testing.T) {
	t.Parallel()
	for _, way := range waysIn {
		t.Run(way.name, func(t *testing.T) {
			t.Parallel()
			fn, calls := failing(0, nil)
			var done outcomes
			err := way.call(context.Background(), fn, retry.WithMaxDelay(-time.Second), retry.WithMaxAttempts(0), done.hook())
			require.ErrorIs(t, err, retry.ErrOption)
			assert.EqualError(t, err, "retry: WithMaxAttempts: 0 is below 1; use Unlimited for no limit\n"+
				"retry: WithMaxDelay: -1s is negative")
			var e *retry.Error
			assert.False(t, errors.As(err, &e), "an option fault alone is no *Error")
			assert.Zero(t, *calls, "the function never runs")
			assert.Empty(t, done.all, "nor does Done")
		})
	}
}

func TestNilFunctionIsAFault(t *testing.T) {
	t.Parallel()
	for _, way := range waysIn {
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
	for _, way := range waysIn {
		t.Run(way.name, func(t *testing.T) {
			t.Parallel()
			var none context.Context
			fn, calls := failing(0, nil)
			assert.PanicsWithValue(t, "retry: nil context", func() { _ = way.call(none, fn) })
			assert.Zero(t, *calls)
		})
	}
}

func TestZeroAndNilPolicyAreTheDefaults(t *testing.T) {
	t.Parallel()
	for name, p := range map[string]*retry.Policy{"zero": new(retry.Policy), "nil": nil} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				fn, calls := failing(9, errDown)
				assert.Equal(t, retry.ErrExhausted, stopped(t, p.Do(context.Background(), fn)).Reason)
				assert.Equal(t, 5, *calls)
				fn, calls = failing(9, errDown)
				assert.Equal(t, retry.ErrExhausted, stopped(t, retry.Do(context.Background(), fn, p)).Reason)
				assert.Equal(t, 5, *calls)
				run := p.Start(context.Background())
				_, again := run.Try(always(errDown))
				assert.True(t, again)
			})
		})
	}
}

func TestFunctionGetsTheCallersContext(t *testing.T) {
	t.Parallel()
	for _, way := range waysIn {
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

func TestDoValueReturnsWhatTheLastRunReturned(t *testing.T) {
	t.Parallel()
	count := func() func(context.Context) (int, error) {
		n := 0
		return func(context.Context) (int, error) {
			if n++; n < 4 {
				return 10 * n, errDown
			}
			return 10 * n, nil
		}
	}
	dead, cancel := context.WithCancel(context.Background())
	cancel()
	for _, tt := range []struct {
		name string
		ctx  context.Context
		opt  retry.Option
		want int
		err  error
	}{
		{"success", context.Background(), retry.WithMaxAttempts(5), 40, nil},
		{"failure", context.Background(), retry.WithMaxAttempts(3), 30, retry.ErrExhausted},
		{"no attempt", dead, retry.WithMaxAttempts(3), 0, retry.ErrContext},
		{"option fault", context.Background(), retry.WithMaxAttempts(-7), 0, retry.ErrOption},
		{"rejected", context.Background(), retry.WithValidator(func(int, retry.Attempt) error { return errOdd }), 50, retry.ErrRejected},
		{"accepted", context.Background(), retry.WithValidator(func(int, retry.Attempt) error { return nil }), 40, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			v, err := retry.DoValue(tt.ctx, count(), atOnce, tt.opt)
			assert.Equal(t, tt.want, v)
			if tt.err == nil {
				require.NoError(t, err)
			} else {
				require.ErrorIs(t, err, tt.err)
			}
		})
	}
}

func TestFunc(t *testing.T) {
	t.Parallel()
	calls := 0
	double := retry.Func(func(_ context.Context, in int) (string, error) {
		if calls++; calls%3 != 0 {
			return "half", errDown
		}
		return fmt.Sprint(2 * in), nil
	}, atOnce, retry.WithMaxAttempts(3))
	for _, in := range []int{4, 21} {
		out, err := double(context.Background(), in)
		require.NoError(t, err, "each call counts its own attempts")
		assert.Equal(t, fmt.Sprint(2*in), out)
	}
	calls = 0
	out, err := retry.Func(func(context.Context, int) (string, error) { return "part", errDown }, atOnce)(context.Background(), 1)
	require.ErrorIs(t, err, retry.ErrExhausted)
	assert.Equal(t, "part", out)
}

func TestFuncReportsFaultsAtEachCall(t *testing.T) {
	t.Parallel()
	f := retry.Func(func(context.Context, int) (int, error) { t.Error("called"); return 1, nil }, retry.WithHistorySize(-1))
	for range 2 {
		out, err := f(context.Background(), 1)
		require.EqualError(t, err, "retry: WithHistorySize: -1 is negative")
		require.ErrorIs(t, err, retry.ErrOption)
		assert.Zero(t, out)
	}
	_, err := retry.Func[int, int](nil, retry.WithHistorySize(-1))(context.Background(), 1)
	assert.EqualError(t, err, "retry: WithHistorySize: -1 is negative\nretry: Func: nil function")
}

func TestAttemptsNumbersAndContexts(t *testing.T) {
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
	assert.Equal(t, retry.ErrExhausted, stopped(t, err).Reason)
}

func TestAttemptsGuardsAgainstAnUnassignedError(t *testing.T) {
	t.Parallel()
	const text = "retry: permanent error after 1 attempt in 0s: " +
		"retry: Attempts: the loop body did not assign the error it was given; was it shadowed by := ?"
	t.Run("first body", func(t *testing.T) {
		inBubble(t, func(t *testing.T) {
			err := errDown // what an earlier use of the variable left must not pass for a result
			bodies := 0
			for range retry.Attempts(context.Background(), &err, atOnce) {
				bodies++
				err := errOdd
				_ = err
			}
			assert.Equal(t, 1, bodies)
			assert.Equal(t, retry.ErrPermanent, stopped(t, err).Reason)
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
		assert.Equal(t, 2, bodies, "the marker is set before each body")
		assert.Contains(t, stopped(t, err).Error(), "did not assign")
	})
}

func TestAttemptsLeft(t *testing.T) {
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
		{"without a result", context.Background(), func(*error) {}, nil},
		{"after success", context.Background(), func(err *error) { *err = nil }, nil},
		{"after failure", context.Background(), func(err *error) { *err = errDown }, errDown},
		{"after a marked failure", context.Background(), func(err *error) { *err = marked }, marked},
		{"context ended", dead, func(err *error) { cancel(); *err = errDown }, errDown},
	} {
		leave := map[string]func(err *error, opts ...retry.Option) int{
			"break": func(err *error, opts ...retry.Option) (bodies int) {
				for range retry.Attempts(tt.ctx, err, opts...) {
					bodies++
					tt.body(err)
					break
				}
				return bodies
			},
			"return": func(err *error, opts ...retry.Option) (bodies int) {
				for range retry.Attempts(tt.ctx, err, opts...) {
					tt.body(err)
					return bodies + 1
				}
				return bodies
			},
		}
		for how, leave := range leave {
			if tt.ctx == dead && how == "return" {
				continue // the context can end but once
			}
			t.Run(tt.name+"/"+how, func(t *testing.T) {
				t.Parallel()
				var done outcomes
				waits := 0
				err := errDown
				bodies := leave(&err, done.hook(), retry.WithHooks(retry.Hooks{
					BeforeWait: func(context.Context, retry.Attempt) { waits++ },
				}))
				assert.Equal(t, 1, bodies)
				assert.Zero(t, waits, "no retry follows")
				assert.Equal(t, tt.want, err, "*err is left as the body set it")
				out := done.one(t)
				assert.Equal(t, 1, out.Attempts)
				if tt.want == nil {
					assert.Nil(t, out.Err)
					return
				}
				require.NotNil(t, out.Err)
				assert.Equal(t, retry.ErrPermanent, out.Err.Reason)
				assert.Equal(t, bare(tt.want), out.Err.Err)
			})
		}
	}
}

func TestAttemptsPanicInTheBody(t *testing.T) {
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

func TestAttemptsEachRangeIsACallOfItsOwn(t *testing.T) {
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
		assert.Equal(t, retry.ErrExhausted, stopped(t, err).Reason)
	}
	for range seq {
		break // after a failed range: nil and not the failure of before
	}
	require.NoError(t, err)
	assert.Len(t, done.all, 4)
}

func TestAttemptsOptionFaultMakesNoIteration(t *testing.T) {
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

func TestAttemptsWithoutAnAttempt(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	err := errDown
	for range retry.Attempts(ctx, &err) {
		t.Error("the body ran")
	}
	e := stopped(t, err)
	assert.Equal(t, retry.ErrContext, e.Reason)
	assert.NoError(t, e.Err)
}

func TestAttemptsNilErrorPointer(t *testing.T) {
	t.Parallel()
	require.PanicsWithValue(t, "retry: Attempts: nil error pointer", func() { retry.Attempts(t.Context(), nil) })
}

// A loop that is left gives up no wait, whatever the error asks for.
func TestDelayAfterBreak(t *testing.T) {
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
