package retry_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
)

func TestClassificationOrder(t *testing.T) {
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
		{"WithStopIf without classifiers", errDown, opts{stopIf()}, retry.ErrExhausted},
		{"retry: retried", errDown, opts{retryIf(yes)}, retry.ErrExhausted},
		{"one retry is enough", errDown, opts{retryIf(no, no), retryIf(no, yes)}, retry.ErrExhausted},
		{"no retry: stop", errDown, opts{retryIf(no)}, retry.ErrPermanent},
		{"no retry over exhaustion", errDown, opts{retryIf(no), retry.WithMaxAttempts(1)}, retry.ErrPermanent},
		{"a hint does not overrule a classifier", retry.After(time.Second, errDown), opts{retryIf(no)}, retry.ErrPermanent},
		{"neither", errDown, opts{retryIf(no), stopIf(no)}, retry.ErrPermanent},
		{"WithRetryIf without classifiers", errDown, opts{retryIf()}, retry.ErrExhausted},
		{"exhaustion over a hint", retry.After(time.Hour, errDown), opts{retry.WithMaxAttempts(1)}, retry.ErrExhausted},
		{"exhaustion over the budget", errDown, opts{retry.WithMaxAttempts(1), retry.WithBudget(new(retry.Budget))}, retry.ErrExhausted},
		{"a hint over the budget", retry.After(time.Hour, errDown), opts{retry.WithBudget(new(retry.Budget))}, retry.ErrRetryAfter},
		{"max elapsed over the budget", errDown, opts{every(time.Hour), retry.WithMaxElapsed(1), retry.WithBudget(new(retry.Budget))}, retry.ErrMaxElapsed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e := retryError(t, retry.Do(context.Background(), alwaysReturn(tt.err),
				append(opts{
					atOnce, retry.WithMaxAttempts(2), retry.WithJitter(retry.Jitter{Lo: 0, Hi: 1}), retry.WithRand(func() float64 { return 0.5 }),
					retry.WithMaxRetryAfter(time.Minute),
				}, withoutWait(tt.opts)...)...))
			assert.Equal(t, tt.reason, e.Reason)
			assert.Equal(t, withoutMark(tt.err), e.Err)
			if tt.reason == retry.ErrPermanent {
				assert.Equal(t, 1, e.Attempts)
				assert.Zero(t, e.Delay)
			}
		})
	}
}

// withoutWait adds a clock on which every wait ends at once.
func withoutWait(opts []retry.Option) []retry.Option {
	return append([]retry.Option{retry.WithClock(&jumpClock{})}, opts...)
}

func TestClassifiersRunOnlyWhenNeeded(t *testing.T) {
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
	inner := retry.Do(context.Background(), alwaysReturn(errDown), retry.WithMaxAttempts(1))
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
		{"As: not found", retry.As[*typedError](), errDown, false},
		{"As: another type", retry.As[*net.OpError](), wrapped, false},
		{"As: interface", retry.As[coded](), wrapped, true},
		{"As: interface, not found", retry.As[coded](), errDown, false},
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

func TestNilMatchIsAnError(t *testing.T) {
	t.Parallel()
	for name, opt := range map[string]retry.Option{
		"WithRetryIf": retry.WithRetryIf(retry.Match(nil)),
		"WithStopIf":  retry.WithStopIf(retry.Match(nil)),
	} {
		err := retry.Do(context.Background(), alwaysReturn(errDown), opt)
		require.ErrorIs(t, err, retry.ErrOption)
		assert.EqualError(t, err, "retry: "+name+": nil Classifier")
	}
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
		{"name not found", alwaysReturn(&net.DNSError{IsNotFound: true}), retry.ErrPermanent},
		{"anything else", alwaysReturn(errDown), retry.ErrPermanent},
		{"end of the stream", alwaysReturn(io.EOF), retry.ErrPermanent},
		{"unexpected end", alwaysReturn(fmt.Errorf("x: %w", io.ErrUnexpectedEOF)), retry.ErrExhausted},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			err := retry.Do(context.Background(), tt.fn, atOnce, retry.WithMaxAttempts(2), retry.WithRetryIf(retry.Transient))
			assert.Equal(t, tt.reason, retryError(t, err).Reason)
		})
	}
	assert.False(t, retry.Transient(retry.Attempt{}))
	timedOut := retryError(t, retry.Do(context.Background(), func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() },
		atOnce, retry.WithMaxAttempts(2), retry.WithAttemptTimeout(1), retry.WithRetryIf(retry.Transient)))
	assert.Equal(t, retry.ErrExhausted, timedOut.Reason, "an attempt that timed out is retried")
}
