package retry_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
)

// typedError is a concrete pointer type of error.
type typedError struct{ code int }

func (e *typedError) Error() string { return fmt.Sprint("fault ", e.code) }

// coded is an interface type of error.
type coded interface {
	error
	Code() int
}

func (e *typedError) Code() int { return e.code }

func yes(retry.Attempt) bool { return true }
func no(retry.Attempt) bool  { return false }

func TestClassifyingOrder(t *testing.T) {
	t.Parallel()
	type opts = []retry.Option
	retryIf, stopIf := retry.WithRetryIf, retry.WithStopIf
	for _, tt := range []struct {
		name   string
		err    error
		opts   opts
		reason error
	}{
		{"plain: retried", errDown, nil, retry.ErrExhausted},
		{"permanent: stop", retry.Permanent(errDown), nil, retry.ErrPermanent},
		{"permanent over retry", retry.Permanent(errDown), opts{retryIf(yes)}, retry.ErrPermanent},
		{"permanent over a hint", retry.After(time.Hour, retry.Permanent(errDown)), nil, retry.ErrPermanent},
		{"permanent over exhaustion", retry.Permanent(errDown), opts{retry.WithMaxAttempts(1)}, retry.ErrPermanent},
		{"permanent over the budget", retry.Permanent(errDown), opts{retry.WithBudget(new(retry.Budget))}, retry.ErrPermanent},
		{"permanent over max elapsed", retry.Permanent(errDown), opts{every(time.Hour), retry.WithMaxElapsed(1)}, retry.ErrPermanent},
		{"stop: stop", errDown, opts{stopIf(yes)}, retry.ErrPermanent},
		{"stop over retry", errDown, opts{retryIf(yes), stopIf(yes)}, retry.ErrPermanent},
		{"stop over retry, given first", errDown, opts{stopIf(yes), retryIf(yes)}, retry.ErrPermanent},
		{"one stop is enough", errDown, opts{stopIf(no, no), stopIf(no, yes)}, retry.ErrPermanent},
		{"stop over a hint", retry.After(time.Hour, errDown), opts{stopIf(yes)}, retry.ErrPermanent},
		{"stop over exhaustion", errDown, opts{stopIf(yes), retry.WithMaxAttempts(1)}, retry.ErrPermanent},
		{"no stop: retried", errDown, opts{stopIf(no)}, retry.ErrExhausted},
		{"stop if nothing", errDown, opts{stopIf()}, retry.ErrExhausted},
		{"retry: retried", errDown, opts{retryIf(yes)}, retry.ErrExhausted},
		{"one retry is enough", errDown, opts{retryIf(no, no), retryIf(no, yes)}, retry.ErrExhausted},
		{"no retry: stop", errDown, opts{retryIf(no)}, retry.ErrPermanent},
		{"no retry over exhaustion", errDown, opts{retryIf(no), retry.WithMaxAttempts(1)}, retry.ErrPermanent},
		{"a hint overrides no classifier", retry.After(time.Second, errDown), opts{retryIf(no)}, retry.ErrPermanent},
		{"neither", errDown, opts{retryIf(no), stopIf(no)}, retry.ErrPermanent},
		{"retry if nothing is no condition", errDown, opts{retryIf()}, retry.ErrExhausted},
		{"exhaustion over a hint", retry.After(time.Hour, errDown), opts{retry.WithMaxAttempts(1)}, retry.ErrExhausted},
		{"exhaustion over the budget", errDown, opts{retry.WithMaxAttempts(1), retry.WithBudget(new(retry.Budget))}, retry.ErrExhausted},
		{"a hint over the budget", retry.After(time.Hour, errDown), opts{retry.WithBudget(new(retry.Budget))}, retry.ErrRetryAfter},
		{"max elapsed over the budget", errDown, opts{every(time.Hour), retry.WithMaxElapsed(1), retry.WithBudget(new(retry.Budget))}, retry.ErrMaxElapsed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e := stopped(t, retry.Do(context.Background(), always(tt.err),
				append(opts{
					atOnce, retry.WithMaxAttempts(2), retry.WithJitter(retry.Jitter{Lo: 0, Hi: 1}), retry.WithRand(func() float64 { return 0.5 }),
					retry.WithMaxRetryAfter(time.Minute),
				}, withoutWait(tt.opts)...)...))
			assert.Equal(t, tt.reason, e.Reason)
			assert.Equal(t, bare(tt.err), e.Err)
			if tt.reason == retry.ErrPermanent {
				assert.Equal(t, 1, e.Attempts)
				assert.Zero(t, e.Delay)
			}
		})
	}
}

// withoutWait runs the call on a clock whose waits are over at once.
func withoutWait(opts []retry.Option) []retry.Option {
	return append([]retry.Option{retry.WithClock(&jumpClock{})}, opts...)
}

func TestClassifiersAreNotAskedInVain(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name        string
		err         error
		cancel      bool
		stop, retry int
	}{
		{"plain", errDown, false, 1, 1},
		{"permanent", retry.Permanent(errDown), false, 0, 0},
		{"context done", errDown, true, 0, 0},
		{"stopped", errOdd, false, 1, 0},
		{"success", nil, false, 0, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			stops, retries := 0, 0
			_ = retry.Do(ctx, func(context.Context) error {
				if tt.cancel {
					cancel()
				}
				return tt.err
			}, retry.WithMaxAttempts(1),
				retry.WithStopIf(func(a retry.Attempt) bool { stops++; return errors.Is(a.Err, errOdd) }),
				retry.WithRetryIf(func(retry.Attempt) bool { retries++; return true }))
			assert.Equal(t, tt.stop, stops)
			assert.Equal(t, tt.retry, retries)
		})
	}
}

func TestClassifiersSeeTheAttempt(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		marked := fmt.Errorf("x: %w", retry.After(time.Second, errDown))
		var saw []retry.Attempt
		start := time.Now()
		_ = retry.Do(context.Background(), func(context.Context) error { time.Sleep(time.Second); return marked },
			retry.WithName("call"), retry.WithMaxAttempts(2), retry.WithJitter(retry.NoJitter),
			retry.WithStopIf(func(a retry.Attempt) bool { saw = append(saw, a); return false }))
		const s = time.Second
		assert.Equal(t, []retry.Attempt{
			{Name: "call", Number: 1, Start: start, Duration: s, Elapsed: s, Err: marked},
			{Name: "call", Number: 2, Start: start.Add(2 * s), Waited: s, Duration: s, Elapsed: 3 * s, Err: marked},
		}, saw, "Err is what the function returned")
	})
}

func TestClassifierConstructors(t *testing.T) {
	t.Parallel()
	wrapped := fmt.Errorf("x: %w", errors.Join(errDown, &typedError{3}))
	inner := retry.Do(context.Background(), always(errDown), retry.WithMaxAttempts(1))
	for _, tt := range []struct {
		name string
		c    retry.Classifier
		err  error
		want bool
	}{
		{"Is: the error", retry.Is(errDown), errDown, true},
		{"Is: wrapped", retry.Is(errDown), wrapped, true},
		{"Is: another", retry.Is(io.EOF), wrapped, false},
		{"Is: any of them", retry.Is(io.EOF, errOdd, errDown), wrapped, true},
		{"Is: none of them", retry.Is(io.EOF, errOdd), wrapped, false},
		{"Is: no targets", retry.Is(), wrapped, false},
		{"Is: by the error's own method", retry.Is(context.DeadlineExceeded), &net.OpError{Err: context.DeadlineExceeded}, true},
		{"As: concrete pointer", retry.As[*typedError](), wrapped, true},
		{"As: not there", retry.As[*typedError](), errDown, false},
		{"As: another type", retry.As[*net.OpError](), wrapped, false},
		{"As: interface", retry.As[coded](), wrapped, true},
		{"As: interface, not there", retry.As[coded](), errDown, false},
		{"As: net.Error", retry.As[net.Error](), &net.OpError{Err: errDown}, true},
		{"As: error itself", retry.As[error](), errDown, true},
		{"As: a value type", retry.As[netError](), fmt.Errorf("x: %w", netError{}), true},
		{"As: a value type is not its pointer", retry.As[netError](), &netError{}, false},
		{"Match: true", retry.Match(func(err error) bool { return err == wrapped }), wrapped, true},
		{"Match: false", retry.Match(func(err error) bool { return err == errDown }), wrapped, false},
		{"AlreadyRetried: inner error", retry.AlreadyRetried, inner, true},
		{"AlreadyRetried: wrapped and joined", retry.AlreadyRetried, fmt.Errorf("x: %w", errors.Join(errOdd, inner)), true},
		{"AlreadyRetried: none", retry.AlreadyRetried, wrapped, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, tt.want, tt.c(retry.Attempt{Number: 1, Err: tt.err}))
		})
	}
}

func TestNilMatchIsAFault(t *testing.T) {
	t.Parallel()
	for name, opt := range map[string]retry.Option{
		"WithRetryIf": retry.WithRetryIf(retry.Match(nil)),
		"WithStopIf":  retry.WithStopIf(retry.Match(nil)),
	} {
		err := retry.Do(context.Background(), always(errDown), opt)
		require.ErrorIs(t, err, retry.ErrOption)
		assert.EqualError(t, err, "retry: "+name+": nil Classifier")
	}
}

func TestMarkersOfNil(t *testing.T) {
	t.Parallel()
	assert.NoError(t, retry.Permanent(nil))
	assert.NoError(t, retry.After(time.Hour, nil))
}

func TestMarkersKeepTheText(t *testing.T) {
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
	fault := &typedError{1}
	var found *typedError
	require.ErrorAs(t, retry.Permanent(retry.After(time.Second, fault)), &found)
	assert.Same(t, fault, found)
}

// hintError hints without this package's help.
type hintError struct {
	d  time.Duration
	ok bool
}

func (hintError) Error() string                       { return "own hint" }
func (h hintError) RetryAfter() (time.Duration, bool) { return h.d, h.ok }

func TestMarkersCountAnywhere(t *testing.T) {
	t.Parallel()
	permanent := retry.Permanent(errDown)
	after := retry.After(time.Hour, errDown)
	short := retry.After(time.Second, errDown)
	inner := retry.Do(context.Background(), always(permanent))
	hinting := &retry.Error{Reason: retry.ErrBudget, Delay: time.Hour, Err: permanent}
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
		{"own hint that is none", hintError{time.Hour, false}, false, 0},
		{"own hint and a longer one", errors.Join(retry.After(2*time.Hour, errDown), hintError{time.Hour, true}), false, 2 * time.Hour},
		{"no hint of 0", retry.After(0, errDown), false, 0},
		{"no negative hint", retry.After(math.MinInt64, errDown), false, 0},
		{"inner call", inner, false, 0},
		{"inner call wrapped", fmt.Errorf("x: %w", inner), false, 0},
		{"inner call joined with a marker", errors.Join(inner, permanent), true, 0},
		{"inner call marked again", retry.Permanent(inner), true, 0},
		{"inner call's own hint", fmt.Errorf("x: %w", hinting), false, time.Hour},
		{"a hint within an inner call", &retry.Error{Reason: retry.ErrExhausted, Err: after}, false, 0},
		{"typed nil", (*retry.Error)(nil), false, 0},
		{"typed nil joined", errors.Join((*retry.Error)(nil), permanent), true, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			isPermanent, hint := marksOf(t, tt.err)
			assert.Equal(t, tt.permanent, isPermanent)
			if !tt.permanent {
				assert.Equal(t, tt.hint, hint)
			}
		})
	}
}

// marksOf tells what a call makes of the marks in err: whether it stops at them, and the
// hint that it would have to wait for.
func marksOf(t testing.TB, err error) (isPermanent bool, hint time.Duration) {
	t.Helper()
	e := stopped(t, retry.Do(context.Background(), always(err),
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

func TestTransientInACall(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	addr := listener.Addr().String()
	require.NoError(t, listener.Close())
	dial := func(ctx context.Context) error {
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
		if err == nil {
			_ = conn.Close()
		}
		return err
	}
	for _, tt := range []struct {
		name   string
		fn     func(context.Context) error
		reason error
	}{
		{"refused", dial, retry.ErrExhausted},
		{"refused within an inner call", func(ctx context.Context) error { return retry.Do(ctx, dial, atOnce) }, retry.ErrExhausted},
		{"name not found", always(&net.DNSError{IsNotFound: true}), retry.ErrPermanent},
		{"anything else", always(errDown), retry.ErrPermanent},
		{"end of the stream", always(io.EOF), retry.ErrPermanent},
		{"unexpected end", always(fmt.Errorf("x: %w", io.ErrUnexpectedEOF)), retry.ErrExhausted},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			err := retry.Do(context.Background(), tt.fn, atOnce, retry.WithMaxAttempts(2), retry.WithRetryIf(retry.Transient))
			assert.Equal(t, tt.reason, stopped(t, err).Reason)
		})
	}
	assert.False(t, retry.Transient(retry.Attempt{}))
	timedOut := stopped(t, retry.Do(context.Background(), func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() },
		atOnce, retry.WithMaxAttempts(2), retry.WithAttemptTimeout(1), retry.WithRetryIf(retry.Transient)))
	assert.Equal(t, retry.ErrExhausted, timedOut.Reason, "an attempt that timed out is worth another")
}

// errorTree is an error built from bytes, with what its marks must come to.
type errorTree struct {
	err       error
	permanent bool
	hint      time.Duration
}

// grow builds a tree from data, a stack machine's program; it is kept small.
func grow(data []byte) errorTree {
	stack := []errorTree{{err: errDown}}
	pop := func() errorTree {
		top := stack[len(stack)-1]
		if len(stack) > 1 {
			stack = stack[:len(stack)-1]
		}
		return top
	}
	push := func(t errorTree) { stack = append(stack, t) }
	for _, b := range data {
		d := time.Duration(int(b/11)-4) * time.Second
		switch x := stack[len(stack)-1]; b % 11 {
		case 0:
			push(errorTree{err: errOdd})
		case 1:
			pop()
			push(errorTree{retry.Permanent(x.err), true, x.hint})
		case 2:
			pop()
			push(errorTree{retry.After(d, x.err), x.permanent, max(x.hint, d)})
		case 3:
			pop()
			push(errorTree{fmt.Errorf("wrapped: %w", x.err), x.permanent, x.hint})
		case 4, 5:
			x, y := pop(), pop()
			joined := errors.Join(x.err, y.err)
			if b%11 == 5 {
				joined = fmt.Errorf("%w and %w", x.err, y.err)
			}
			push(errorTree{joined, x.permanent || y.permanent, max(x.hint, y.hint)})
		case 6:
			pop()
			push(errorTree{err: retry.Do(context.Background(), always(x.err), retry.WithMaxAttempts(1))})
		case 7:
			pop()
			push(errorTree{&retry.Error{Reason: retry.ErrRetryAfter, Delay: d, Err: x.err}, false, max(d, 0)})
		case 8:
			push(errorTree{err: (*retry.Error)(nil)})
		case 9:
			push(errorTree{hintError{d, true}, false, max(d, 0)})
		case 10:
			push(errorTree{err: hintError{time.Hour, false}})
		}
	}
	return pop()
}

func FuzzClassify(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{1, 3, 0, 4})
	f.Add([]byte{1, 6, 3})
	f.Add([]byte{8, 4, 1, 103, 5})
	f.Add([]byte{90, 57, 24, 3, 4, 9, 20, 5, 7})
	f.Add([]byte{2 + 11*9, 6, 0, 2 + 11*7, 5})
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 40 {
			return
		}
		tree := grow(data)
		text := tree.err.Error()
		isPermanent, hint := marksOf(t, tree.err)
		require.Equal(t, tree.permanent, isPermanent)
		if !isPermanent {
			require.Equal(t, tree.hint, hint)
		}
		a := retry.Attempt{Number: 1, Err: tree.err}
		for _, c := range []retry.Classifier{
			retry.Is(errDown, io.EOF), retry.As[*typedError](), retry.As[net.Error](), retry.Transient, retry.AlreadyRetried,
		} {
			c(a)
		}
		for _, marked := range []error{retry.Permanent(tree.err), retry.After(time.Second, tree.err)} {
			require.Equal(t, text, marked.Error(), "a marker adds no text")
		}
	})
}
